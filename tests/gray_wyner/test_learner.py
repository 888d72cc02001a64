"""The loss, its steps, validation; systems and their tasks."""

import math

import pytest
import torch
from small_runs import DIGITS, METHODS, SOURCE, run_name
from torch.nn import functional as F

from ibpapers.errors import UserError
from ibpapers.papers.gray_wyner.systems import Regression, rmse

CASES = [
    *((SOURCE, method) for method in ("shared", "joint")),
    (DIGITS, "independent"),
    *(
        pytest.param(dataset, method, marks=pytest.mark.slow)
        for dataset, method in (
            *((SOURCE, method) for method in METHODS if method not in ("shared", "joint")),
            (DIGITS, "shared"),
        )
    ),
]


@pytest.mark.parametrize(("dataset", "method"), CASES)
def test_the_loss_is_the_sum_of_its_parts(learner, dataset, method):
    trainee = learner(run_name(method, dataset), gamma=0.7)
    data = trainee.system.data
    batch = data.training(0, 1, 8)
    found = trainee.losses(batch)
    coded = trainee.codec(batch.x)
    pixels = batch.x.shape[2] * batch.x.shape[3]
    r0, r1, r2 = (coded.bits / (8 * pixels)).tolist()
    assert [found[f"rate_{c}"].item() for c in range(3)] == pytest.approx([r0, r1, r2])
    if dataset == SOURCE:
        eta, beta = 0.1, 1.0
        errors = [
            [(o - z).square().mean().sqrt().item() for o, z in zip(output[:, 0], target)]
            for output, target in zip(coded.outputs, batch.targets)
        ]
        d1, d2 = (sum(e) / 8 for e in errors)
    else:
        eta, beta = 10.0, 0.1 if method == "shared" else 1.0
        d1, d2 = (F.cross_entropy(o, t).item() for o, t in zip(coded.outputs, batch.targets))
    objective = eta * (beta * r0 + r1 + r2) + d1 + d2
    assert found["objective"].item() == pytest.approx(objective, rel=1e-5)
    auxiliary = 0.0
    if method == "shared":
        first, second = coded.encoded.copies
        auxiliary = (first - second).square().mean().item()
        assert auxiliary > 0
    assert found["loss"].item() == pytest.approx(objective + 0.7 * auxiliary, rel=1e-5)


def test_the_auxiliary_term_as_released_is_scaled_by_eta(learner):
    batch = learner(run_name("shared")).system.data.training(0, 1, 8)
    found = learner(run_name("shared"), gamma_scale="eta").losses(batch)
    extra = (found["loss"] - found["objective"]).item()
    assert extra == pytest.approx(0.1 * found["auxiliary"].item(), rel=1e-4)


@pytest.mark.parametrize(("dataset", "method"), CASES)
def test_updates_learn_and_the_same_seed_gives_the_same_bytes(learner, dataset, method):
    one, other = learner(run_name(method, dataset)), learner(run_name(method, dataset))
    records = [[trainee.update(update) for update in (1, 2)] for trainee in (one, other)]
    assert records[0] == records[1]
    state, again = one.model.state_dict(), other.model.state_dict()
    assert all(torch.equal(state[name], again[name]) for name in state)
    fresh = learner(run_name(method, dataset)).model.state_dict()
    still = [name for name in state if torch.equal(state[name], fresh[name])]
    assert still == [], "parameters that no gradient reaches"
    other_seed = learner(run_name(method, dataset), seed=1).model.state_dict()
    drawn = [name for name in fresh if fresh[name].any()]  # some biases are zero at first
    assert all(not torch.equal(fresh[name], other_seed[name]) for name in drawn)


def test_gradients_are_clipped_over_all_parameters(learner):
    trainee = learner(run_name("shared"))
    trainee.training = {**trainee.training, "gradient_norm": 1e-3}
    norms = []
    (adam,) = trainee.optimisers.values()
    step = adam.step
    adam.step = lambda: (
        norms.append(torch.stack([p.grad.norm() for p in trainee.parameters]).norm()),
        step(),
    )
    trainee.update(1)
    assert norms[0].item() == pytest.approx(1e-3, rel=1e-3)


def test_rates_weigh_more_and_more_while_they_warm_up(learner):
    trainee = learner(run_name("shared"))
    batch = trainee.system.data.training(0, 1, 8)
    full = trainee.losses(batch)
    trainee.training = {**trainee.training, "rate_warm_up": 4}
    rated = full["objective"] - full["distortion_1"] - full["distortion_2"]
    for update, share in ((1, 0.25), (2, 0.5), (4, 1), (5, 1), (None, 1)):
        found = trainee.losses(batch, update)
        missing = (full["loss"] - found["loss"]).item()
        assert missing == pytest.approx((1 - share) * rated.item(), abs=1e-5)
    first = trainee.losses(batch, 1)["loss"].item()
    assert trainee.update(1)["loss"] == pytest.approx(first)
    trainee.training["rate_warm_up"] = 0
    again = trainee.losses(batch)["loss"]
    assert trainee.losses(batch, 1)["loss"] == again


def test_the_learning_rate_falls_along_half_a_cosine(learner):
    training = {"updates": 100, "learning_rate": 3e-3, "final_learning_rate": 1e-3}
    trainee = learner(run_name("shared"))
    trainee.training = {**trainee.training, **training}
    rates = [trainee.learning_rate(update) for update in (1, 26, 51, 76, 101)]
    half = 1e-3 / 2**0.5
    assert rates == pytest.approx([3e-3, 2e-3 + half, 2e-3, 2e-3 - half, 1e-3])
    trainee.update(51)
    assert trainee.optimisers["all"].param_groups[0]["lr"] == pytest.approx(2e-3)
    trainee.training["final_learning_rate"] = 3e-3
    assert {trainee.learning_rate(update) for update in range(1, 101)} == {3e-3}


def test_validation_is_the_rate_distortion_of_the_same_samples(learner):
    trainee = learner(run_name("shared"))
    assert [trainee.validate(update) is None for update in (1, 2, 3, 4)] == [
        True,
        False,
        True,
        False,
    ]
    score = trainee.validate(2)
    assert trainee.validate(4) == score
    total = 0.0
    with torch.no_grad():
        for batch in trainee.system.data.validation(12, 8):
            total += len(batch.x) * trainee.losses(batch)["objective"].item()
    assert score == pytest.approx(total / 12, rel=1e-6)


def test_an_image_has_its_colour_whenever_it_is_looked_at(learner):
    data, again = (learner(run_name("shared", DIGITS)).system.data for _ in range(2))
    test = next(data.test(15, 15))
    for _ in range(2):
        pieces = list(again.test(15, 4))
        assert torch.equal(torch.cat([piece.x for piece in pieces]), test.x)
        assert torch.equal(torch.cat([piece.targets[1] for piece in pieces]), test.targets[1])
    epoch = [data.training(0, update, 8) for update in range(1, 6)]  # 40 images
    key = torch.cat([batch.x for batch in epoch]).sum((1, 2, 3))
    assert len(key.unique()) == 40
    later = torch.cat([again.training(0, update, 8).x for update in range(6, 11)]).sum((1, 2, 3))
    assert torch.equal(key.sort().values, later.sort().values)


def test_examples_are_one_of_each_digit(learner):
    data = learner(run_name("shared", DIGITS)).system.data
    examples, everything = data.examples(), next(data.test(15, 15))
    index = torch.stack([(everything.x == x).flatten(1).all(1).nonzero()[0, 0] for x in examples])
    assert everything.targets[0][index].tolist() == list(range(10))


def test_training_validation_and_test_samples_are_different(learner):
    data = learner(run_name("shared")).system.data
    drawn = [data.training(0, 1, 8), data.training(0, 2, 8), data.training(1, 1, 8)]
    drawn += [next(data.validation(8, 8)), next(data.test(8, 8))]
    sums = {round(batch.x.double().sum().item(), 6) for batch in drawn}
    assert len(sums) == 5


def test_rmse_is_the_root_per_sample_and_has_a_gradient_at_no_error():
    answer = torch.tensor([[[3.0, 4.0]], [[0.0, 0.0]]], requires_grad=True)
    error = rmse(answer, torch.zeros(2, 1, 2))
    assert error.tolist() == pytest.approx([math.sqrt(12.5), 0])
    error.sum().backward()
    assert torch.isfinite(answer.grad).all()
    two = Regression("z").distortion(answer[:, None], torch.zeros(2, 1, 2))
    assert two.item() == pytest.approx(math.sqrt(12.5))


def test_a_size_that_cannot_be_halved_is_refused_before_the_work(learner):
    model = {"representation_channels": 8, "widths": [4] * 5, "blocks": 1}
    model |= {"classifier_width": 4, "initial_weights": "lecun"}
    with pytest.raises(UserError, match=r"factor of 64, .* images of 32 x 32"):
        learner(run_name("shared", DIGITS), model=model)

"""One update: grouped work equals a plain loop, and each method is what it is called."""

import itertools
from importlib import import_module

import pytest
import torch

from benchmarks.pom2dib_plain import PlainUpdate, task_costs
from ibpapers.papers.pom2dib.systems import RING, Batches
from ibpapers.training.seeds import generator

CPU = torch.device("cpu")
STOCHASTIC = ("pom2dib", "rsdib", "tadib")


def build(recipe, system, seed=0):
    method = import_module(f"ibpapers.papers.pom2dib.methods.{recipe['method']}")
    return method.build(recipe, system, seed, CPU)


@pytest.mark.parametrize("method", STOCHASTIC)
def test_grouped_update_has_the_gradient_of_the_plain_loop(recipe, system, method, monkeypatch):
    monkeypatch.setattr("ibpapers.papers.pom2dib.coding.EMPTY_CODE_STD", 0.0)
    trainee = build(recipe(method, beta=0.02), system)
    trainee.model.double()
    draw = generator(1, "test")
    data = system.train.batches(torch.arange(18).view(3, 6), draw)
    data = Batches({name: x.double() for name, x in data.modalities.items()}, data.targets)
    links = trainee.selector.draw(3, draw).links
    found = trainee.losses(data, links, draw)
    found.cost.sum().backward()
    grouped = gradients(trainee.coding)
    trainee.model.zero_grad()

    codes = found.codes
    where = zip(codes.draw.tolist(), codes.task.tolist(), codes.link.tolist())
    noise = dict(zip(where, ((codes.z - codes.code.mean) / codes.code.std).detach()))
    nothing = torch.zeros(codes.z.shape[1:], dtype=torch.double)
    costs = task_costs(trainee, data, links, lambda *key: noise.get(key, nothing))
    assert torch.allclose(found.cost, costs, rtol=1e-9)
    costs.sum().backward()
    looped = gradients(trainee.coding)
    assert grouped.keys() == looped.keys()
    for name, expected in looped.items():
        assert torch.allclose(grouped[name], expected, rtol=1e-6, atol=1e-8), name


@pytest.mark.parametrize("method", ["pom2dib", "tadib"])
def test_the_plain_loop_steps_what_the_grouped_update_steps(recipe, system, method):
    def moved(update, trainee):
        before = {n: p.clone() for n, p in trainee.model.named_parameters()}
        update(1)
        return {n for n, p in trainee.model.named_parameters() if not torch.equal(p, before[n])}

    one, other = build(recipe(method), system), build(recipe(method), system)
    grouped, plain = moved(one.update, one), moved(PlainUpdate(other).update, other)
    parts = ("coding.encoders", "coding.global_decoders", "coding.local_decoders", "selector")
    for part in parts[: 4 if method == "pom2dib" else 3]:
        assert any(name.startswith(part) for name in grouped)
        assert any(name.startswith(part) for name in plain)
    if method == "tadib":
        assert grouped == plain


def gradients(module):
    return {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}


def test_only_encoders_that_were_used_are_stepped(recipe, system):
    trainee = build(recipe("rsdib"), system, seed=3)
    used = trainee.selector.links[0].any(0)
    assert used.any()
    assert not used.all()
    before = [{n: p.clone() for n, p in e.named_parameters()} for e in trainee.coding.encoders]
    for update in (1, 2):
        trainee.update(update)
    for encoder, old, was_used in zip(trainee.coding.encoders, before, used.tolist()):
        moved = any(not torch.equal(p, old[n]) for n, p in encoder.named_parameters())
        assert moved == was_used


def test_random_selection_is_drawn_once_per_run(recipe, system):
    trainee = build(recipe("rsdib"), system)
    first = trainee.selector.draw(4, generator(0, "a")).links
    for update in (1, 2, 3):
        trainee.update(update)
    again = trainee.selector.draw(4, generator(0, "b")).links
    assert torch.equal(first, again)
    assert (first == first[:1]).all()
    others = [build(recipe("rsdib"), system, seed).selector.links for seed in range(5)]
    assert any(not torch.equal(others[0], other) for other in others[1:])


def test_the_policy_draws_anew_for_every_batch_and_learns(recipe, system):
    trainee = build(recipe("pom2dib"), system)
    links = trainee.selector.draw(50, generator(0, "a")).links
    assert len(links.unique(dim=0)) > 10
    before = [p.clone() for p in trainee.selector.parameters()]
    trainee.update(1)
    assert any(not torch.equal(p, b) for p, b in zip(trainee.selector.parameters(), before))


def test_the_stable_policy_waits_while_the_codes_learn(recipe, system):
    training = recipe("pom2dib_stable")["training"]
    training = {**training, "policy": {**training["policy"], "wait": 1}}
    trainee = build(recipe("pom2dib_stable", training=training), system)
    policy, coding = (
        [p.clone() for p in m.parameters()] for m in (trainee.selector, trainee.coding)
    )
    trainee.update(1)
    assert all(torch.equal(p, b) for p, b in zip(trainee.selector.parameters(), policy))
    assert any(not torch.equal(p, b) for p, b in zip(trainee.coding.parameters(), coding))
    trainee.update(2)
    assert any(not torch.equal(p, b) for p, b in zip(trainee.selector.parameters(), policy))


def test_leaving_one_out_does_not_bias_the_policys_gradient(recipe, system):
    # Three batches choose one of two links each: over all 8 outcomes, the expected estimate is the
    # gradient of the expected cost.
    trainee = build(recipe("pom2dib_stable"), system)
    logit = torch.tensor([0.4, -0.3], dtype=torch.double, requires_grad=True)
    cost = torch.tensor([2.0, 2.5], dtype=torch.double)
    chances = logit.softmax(0)
    (exact,) = torch.autograd.grad(3 * (chances * cost).sum(), logit)
    estimates, weights = [], []
    for drawn in itertools.product(range(2), repeat=3):
        costs, chosen = cost[list(drawn)].unsqueeze(-1), logit.log_softmax(0)[list(drawn)]
        held = (costs - trainee.baseline(costs)).squeeze(-1)
        estimates.append(torch.autograd.grad((chosen * held).sum(), logit)[0])
        weights.append(chances[list(drawn)].prod().item())
    mean = sum(weight * estimate for weight, estimate in zip(weights, estimates))
    assert torch.allclose(mean, exact, rtol=1e-12)


def test_selector_gradients_are_clipped(recipe, system):
    training = {**recipe("pom2dib")["training"], "selector_gradient_norm": 1e-3}
    trainee = build(recipe("pom2dib", training=training), system)
    norms = []
    step = trainee.optimisers["selection"].step

    def watch():
        for selector in [*trainee.selector.receivers, *trainee.selector.transmitters]:
            grads = [p.grad for p in selector.parameters() if p.grad is not None]
            norms.append(torch.stack([g.norm() for g in grads]).norm().item())
        step()

    trainee.optimisers["selection"].step = watch
    trainee.update(1)
    assert max(norms) == pytest.approx(1e-3, rel=1e-3)


def test_the_sparse_prior_prices_connections_and_leaves_the_coding_alone(recipe, system):
    def gradients_of_an_update(**entries):
        training = {**recipe("pom2dib")["training"], "selector_gradient_norm": 1e9, **entries}
        trainee = build(recipe("pom2dib", training=training), system)
        found = {}
        for name, optimiser in trainee.optimisers.items():
            part = {"coding": trainee.coding, "selection": trainee.selector}[name]
            optimiser.step = lambda name=name, part=part: found.update({name: gradients(part)})
        trainee.update(1)
        return trainee, found

    trainee, without = gradients_of_an_update()
    _, priced = gradients_of_an_update(gamma=0.3)
    draw = generator(0, "update", 1)
    trainee.system.train.batches(torch.zeros(3, 6, dtype=torch.long), draw)
    selection = trainee.selector.draw(3, draw)
    score = sum(
        selection.log_probability[b, t] * (selection.links[b, t].sum() + asked.sum())
        for b, requests in enumerate(selection.requests)
        for t, asked in enumerate(requests)
    )
    score.backward()
    expected = gradients(trainee.selector)
    for name, gradient in expected.items():
        change = priced["selection"][name] - without["selection"][name]
        assert torch.allclose(change, 0.3 * gradient, rtol=1e-3, atol=1e-4), name
    assert all(torch.equal(g, without["coding"][n]) for n, g in priced["coding"].items())


def test_dlsc_is_deterministic_and_full(recipe, system):
    trainee = build(recipe("dlsc"), system)
    data = system.train.batches(torch.arange(10).view(2, 5), generator(0, "data"))
    links = trainee.selector.draw(2, generator(0, "a")).links
    assert links.all()
    first = trainee.coding.encode(data, links, generator(0, "noise"))
    again = trainee.coding.encode(data, links, generator(1, "noise"))
    assert torch.equal(first.z, again.z)
    assert first.code is None


def test_tadib_is_full_and_stochastic(recipe, system):
    trainee = build(recipe("tadib"), system)
    data = system.train.batches(torch.arange(10).view(2, 5), generator(0, "data"))
    links = trainee.selector.draw(2, generator(0, "a")).links
    assert links.all()
    first = trainee.coding.encode(data, links, generator(0, "noise"))
    again = trainee.coding.encode(data, links, generator(1, "noise"))
    assert torch.equal(first.code.mean, again.code.mean)
    assert not torch.equal(first.z, again.z)


@pytest.mark.parametrize("method", [*STOCHASTIC, "dlsc"])
def test_the_same_seed_gives_the_same_bytes(recipe, system, method):
    def two_updates():
        trainee = build(recipe(method), system)
        record = [trainee.update(1), trainee.update(2)]
        return record, trainee.model.state_dict()

    (record, state), (again, state_again) = two_updates(), two_updates()
    assert record == again
    assert all(torch.equal(state[name], state_again[name]) for name in state)


def test_a_task_left_without_links_gets_almost_nothing(recipe, system):
    trainee = build(recipe("tadib"), system)
    data = system.train.batches(torch.arange(10).view(2, 5), generator(0, "data"))
    links = torch.ones(2, 3, 9, dtype=torch.bool)
    links[1, 2] = False
    codes = trainee.coding.encode(data, links, generator(0, "noise"))
    received = trainee.coding._receive(codes, links.shape, generator(0, "noise"))
    assert 0 < received[2][1].abs().max() < 1e-4
    assert received[2][0].abs().max() > 1e-2


def test_tasks_are_parity_ring_and_digit(system):
    data = system.train.batches(torch.arange(60).view(1, 60), generator(0, "data"))
    parity, ring, digit = (target[0] for target in data.targets)
    assert torch.equal(parity, digit % 2)
    assert torch.equal(ring, torch.tensor(RING)[digit])
    assert [RING[d] for d in (0, 4, 6, 8, 9)] == [0, 1, 2, 3, 4]
    assert {RING[d] for d in (1, 2, 3, 5, 7)} == {5}


def test_images_span_the_unit_range_and_noise_is_fresh(system):
    index = torch.arange(20).view(2, 10)
    data = system.train.batches(index, generator(0, "one"))
    assert torch.equal(data.modalities["A"].amin(-1), torch.zeros(2, 10))
    assert torch.equal(data.modalities["A"].amax(-1), torch.ones(2, 10))
    other = system.train.batches(index, generator(0, "two"))
    assert torch.equal(data.modalities["A"], other.modalities["A"])
    assert not torch.equal(data.modalities["C1"], other.modalities["C1"])
    assert not torch.equal(data.modalities["C1"], data.modalities["C2"])

"""OMIB's two phases and its loss, against the equations; its ablations."""

import math

import pytest
import torch
from omib.conftest import build
from torch.distributions import Categorical, Normal, kl_divergence
from torch.nn import functional as F

from ibpapers.papers.omib import relevance
from ibpapers.papers.omib.networks import Concatenation, CrossAttention
from ibpapers.training.seeds import generator


def moved(trainee, update):
    """The names of the parameters that `update` changes."""
    before = {name: p.clone() for name, p in trainee.model.named_parameters()}
    trainee.update(update)
    return {n for n, p in trainee.model.named_parameters() if not torch.equal(p, before[n])}


def parts(names):
    return {name.partition(".")[0] for name in names}


def test_warm_up_trains_encoders_and_branches_only(recipe, system):
    trainee = build(recipe(), system)
    assert parts(moved(trainee, 1)) == {"encoders", "branches"}
    assert parts(moved(trainee, 2)) == {"encoders", "branches"}
    every = {"encoders", "branches", "bottlenecks", "fuse", "predictor"}
    assert parts(moved(trainee, 3)) == every


def test_an_epoch_sees_every_sample_once(recipe, system, monkeypatch):
    trainee = build(recipe(), system)
    seen, batch = [], system.train.batch

    def watched(index):
        seen.extend(index.tolist())
        return batch(index)

    monkeypatch.setattr(system.train, "batch", watched)
    for update in range(1, trainee.updates_per_epoch + 1):
        trainee.update(update)
    assert sorted(seen) == list(range(96))


def test_warm_up_is_the_branches_beside_noise(recipe, system):
    model = build(recipe(), system).model
    batch = system.train.batch(torch.arange(10))
    found = model.warm_up_losses(batch, generator(0, "draw"))
    draw, total = generator(0, "draw"), 0.0
    for name, view, encode, branch in zip(model.names, batch.views, model.encoders, model.branches):
        noise = torch.randn(10, 5, generator=draw)
        loss = F.cross_entropy(branch(torch.cat([encode(view), noise], -1)), batch.label)
        assert found[f"branch/{name}"].item() == pytest.approx(loss.item())
        total += loss.item()
    assert found["loss"].item() == pytest.approx(total)
    assert math.isnan(found["r/v2"]) and math.isnan(found["omf"])


def by_the_book(model, batch, draw):
    """Algorithm 2 for classes, in torch.distributions: loss, r, KL terms."""
    encoded = [encode(view) for encode, view in zip(model.encoders, batch.views)]
    drawn, kl = [], []
    for z, bottleneck in zip(encoded, model.bottlenecks):
        mean, log_variance = bottleneck.body(z).chunk(2, -1)
        p = Normal(mean, (log_variance / 2).exp())
        noise = torch.randn(mean.shape, generator=draw)
        drawn.append(p.mean + p.stddev * noise)
        kl.append(kl_divergence(p, Normal(0.0, 1.0)).sum(-1).mean())
    xi = model.fuse(drawn)
    fused = model.predictor(xi)
    own = [branch(torch.cat([z, xi], -1)) for branch, z in zip(model.branches, encoded)]
    left = [
        kl_divergence(Categorical(logits=o), Categorical(logits=fused)).mean().item() for o in own
    ]
    e = relevance.EPSILON
    r = [1.0] + [1 - math.tanh(math.log((d + e) / (left[0] + e))) for d in left[1:]]
    omf = F.cross_entropy(fused, batch.label)
    omf = omf + model.beta * sum(weight * rate for weight, rate in zip(r, kl))
    return omf + sum(F.cross_entropy(o, batch.label) for o in own), r, kl


def test_main_loss_is_that_of_algorithm_2(recipe, system):
    model = build(recipe(), system).model
    batch = system.train.batch(torch.arange(20))
    found = model.losses(batch, generator(0, "draw"))
    loss, r, kl = by_the_book(model, batch, generator(0, "draw"))
    assert found["loss"].item() == pytest.approx(loss.item(), rel=1e-5)
    assert found["r/v2"].item() == pytest.approx(r[1], rel=1e-4)
    assert found["r/v1"].item() == 1
    assert found["kl/v2"].item() == pytest.approx(kl[1].item(), rel=1e-5)
    # The gradient too, with r held constant: nothing else is detached.
    found["loss"].backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters()}
    model.zero_grad()
    loss.backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], rtol=1e-3, atol=1e-6)


def test_three_modalities_have_two_weights(recipe, three):
    model = build(recipe(), three).model
    batch = three.train.batch(torch.arange(20))
    found = model.losses(batch, generator(0, "draw"))
    draw = generator(0, "draw")
    encoded = model.encode(batch.views)
    xi = model.fuse([code.draw(draw) for code in model.bottlenecks(encoded)])
    fused = model.predictor(xi).squeeze(-1)
    left, loss = [], F.mse_loss(fused, batch.label)
    for branch, z in zip(model.branches, encoded):
        own = branch(torch.cat([z, xi], -1)).squeeze(-1)
        left.append(((own - fused) ** 2 / 2).mean().item())
        loss = loss + F.mse_loss(own, batch.label)
    for i, name in enumerate(("v2", "v3"), 1):
        assert found[f"r/{name}"].item() == pytest.approx(2 / (1 + (left[i] / left[0]) ** 2), 1e-3)
    kl = found["kl/v1"] + found["r/v2"] * found["kl/v2"] + found["r/v3"] * found["kl/v3"]
    assert found["loss"].item() == pytest.approx((loss + model.beta * kl).item(), rel=1e-5)


def test_a_branch_trains_the_fused_code_as_well(recipe, system):
    model = build(recipe(), system).model
    batch = system.train.batch(torch.arange(20))
    encoded = model.encode(batch.views)
    xi, _ = model.fused(encoded, generator(0, "draw"))
    branch = model.branches[0](torch.cat([encoded[0], xi], -1))
    model.task.loss(branch, batch.label).backward()
    assert model.bottlenecks[1].body[0].weight.grad.abs().max() > 0


def test_prediction_uses_no_branch(recipe, system):
    model = build(recipe(), system).model
    views = system.test.all().views
    before = model.predict(views, None)
    for parameter in model.branches.parameters():
        torch.nn.init.zeros_(parameter)
    assert torch.equal(model.predict(views, None), before)


@pytest.mark.parametrize("part", ["warm_up", "cross_attention", "omf", "r"])
def test_an_ablation_takes_out_its_part_and_no_other(recipe, system, part):
    trainee = build(recipe(ablation=f"without_{part}"), system)
    model = trainee.model
    first, main = trainee.update(1), trainee.update(3)
    assert math.isnan(first["omf"]) == (part != "warm_up")
    assert hasattr(model, "bottlenecks") == (part != "omf")
    fusion = Concatenation if part in ("cross_attention", "omf") else CrossAttention
    assert isinstance(model.fuse, fusion)
    assert (main["r/v2"] == 1) == (part == "r")
    assert (main["kl/v1"] == 0) == (part == "omf")


def test_without_omf_nothing_is_drawn(recipe, system):
    model = build(recipe(ablation="without_omf"), system).model
    views = system.test.all().views
    assert torch.equal(model.predict(views, generator(0)), model.predict(views, generator(1)))
    whole = build(recipe(), system).model
    assert not torch.equal(whole.predict(views, generator(0)), whole.predict(views, generator(1)))


def test_validation_waits_for_main_training_and_the_end_of_an_epoch(recipe, three, system):
    training = {**recipe()["training"], "warm_up_updates": 7, "updates": 30}
    trainee = build(recipe(training=training), three)
    assert trainee.updates_per_epoch == 6
    due = [update for update in range(1, 20) if trainee.validate(update) is not None]
    assert due == [12, 18]
    views, label = three.validation.all()
    loss = F.mse_loss(trainee.model.predict(views, None).squeeze(-1), label)
    assert trainee.validate(12) == pytest.approx(loss.item())
    assert build(recipe(), system).validate(6) is None


def test_the_bottleneck_closes_as_beta_grows(recipe, system):
    training = {**recipe()["training"], "learning_rate": 0.03}

    def rate(beta):
        trainee = build(recipe(training=training), system._replace(beta=beta))
        record = [trainee.update(update) for update in range(1, 31)][-1]
        return record["kl/v1"] + record["kl/v2"]

    assert rate(1e-6) > 3 * rate(0.1)

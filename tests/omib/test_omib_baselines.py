"""What makes each baseline the method it is called."""

import math
from importlib import import_module

import pytest
import torch
from omib.conftest import BASELINES, build
from torch.distributions import Normal, kl_divergence

from ibpapers.nn.gaussian import Gaussian
from ibpapers.papers.omib.alignment import jensen_shannon_information
from ibpapers.papers.omib.methods import misa
from ibpapers.papers.omib.methods.mmib_zhang import symmetric_divergence
from ibpapers.papers.omib.networks import VariationalEncoder
from ibpapers.training.seeds import generator

STOCHASTIC = {"deep_ib", "mmib_cui", "mmib_zhang", "dmib", "e_mib", "l_mib", "c_mib"}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def first_losses(trainee):
    batch = trainee.system.train.batch(torch.arange(24))
    return trainee.model.losses(batch, generator(0, "draw"))


@pytest.mark.slow
@pytest.mark.parametrize("method", [*BASELINES, "omib"])
def test_a_method_learns(recipe, three, method):
    training = {**recipe()["training"], "learning_rate": 0.03, "batch_size": 32}
    trainee = build(recipe(method, training=training), three)
    task, (views, label) = three.layout.task, three.train.all()
    before = task.loss(trainee.model.predict(views, None), label).item()
    for update in range(1, 71 if method == "misa" else 31):
        trainee.update(update)
    after = task.loss(trainee.model.predict(views, None), label).item()
    assert after < 0.75 * before


@pytest.mark.parametrize("method", [*BASELINES, "omib", "features"])
def test_the_same_seed_gives_the_same_bytes(recipe, system, method):
    def two_updates():
        trainee = build(recipe(method), system)
        records = [trainee.update(1), trainee.update(3)]
        return [{k: v for k, v in r.items() if not math.isnan(v)} for r in records], (
            trainee.model.state_dict()
        )

    (record, state), (again, state_again) = two_updates(), two_updates()
    assert record == again
    assert all(torch.equal(state[name], state_again[name]) for name in state)


@pytest.mark.parametrize("method", BASELINES)
def test_codes_are_drawn_where_there_is_a_bottleneck(recipe, system, method):
    model = build(recipe(method), system).model
    views = system.test.all().views
    one, other, again = (model.predict(views, generator(key)) for key in (0, 1, 0))
    assert torch.equal(one, again)
    assert torch.equal(one, other) == (method not in STOCHASTIC)


def test_bigated_gates_are_open_in_part_and_set_by_the_others(recipe, three):
    model = build(recipe("bigated"), three).model
    encoded = [torch.randn(9, 6, generator=seeded(i)) for i in range(3)]
    gates = model.gates(encoded)
    assert all(((gate > 0) & (gate < 1)).all() for gate in gates)
    encoded[1] = encoded[1] + 1
    changed = [not torch.allclose(a, b) for a, b in zip(gates, model.gates(encoded))]
    assert changed == [True, False, True]


def test_misa_measures_moments_and_angles():
    a = torch.rand(50, 3, generator=seeded(), dtype=torch.double)
    assert misa.discrepancy(a, a) == 0
    # Moved by c: the means differ by c in every value, the central moments do not.
    assert misa.discrepancy(a, a + 0.25).item() == pytest.approx(0.25 * math.sqrt(3))
    # Flipped about 1/2: odd central moments change sign.
    odd = [((a - a.mean(0)) ** k).mean(0).norm().item() for k in (3, 5)]
    mean = (2 * a.mean(0) - 1).norm().item()
    assert misa.discrepancy(a, 1 - a).item() == pytest.approx(mean + 2 * sum(odd))

    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert misa.orthogonality(signs[:, :1], signs[:, 1:]) == 0  # uncorrelated
    assert misa.orthogonality(signs[:, :1], signs[:, :1]).item() == pytest.approx(16)  # N^2


def test_misa_pulls_private_from_shared(recipe, system):
    trainee = build(recipe("misa"), system)
    records = [trainee.update(update) for update in range(1, 41)]
    for term in ("difference", "similarity"):
        first, last = (sum(r[term] for r in part) for part in (records[:5], records[-5:]))
        assert last < 0.9 * first, term
    found = first_losses(trainee)
    terms = [
        found["task"],
        misa.SIMILARITY * found["similarity"],
        misa.DIFFERENCE * found["difference"],
        misa.RECONSTRUCTION * found["reconstruction"],
    ]
    assert found["loss"].item() == pytest.approx(sum(terms).item())


@pytest.mark.parametrize(
    ("method", "unimodal", "fused", "heads"),
    [("deep_ib", 2, 0, 1), ("e_mib", 0, 1, 1), ("l_mib", 2, 0, 3), ("c_mib", 2, 1, 3)],
)
def test_bottlenecks_and_heads_are_where_they_belong(
    recipe, system, method, unimodal, fused, heads
):
    model = build(recipe(method), system).model
    assert len(getattr(model, "bottlenecks", [])) == unimodal
    assert isinstance(getattr(model, "bottleneck", None), VariationalEncoder) == bool(fused)
    assert 1 + len(getattr(model, "unimodal", [])) == heads
    found = first_losses(build(recipe(method), system))
    beta = import_module(f"ibpapers.papers.omib.methods.{method}").BETA
    own = found.get("unimodal", torch.tensor(0.0))
    expected = found["task"] + own + beta * found["rate"]
    assert found["loss"].item() == pytest.approx(expected.item())
    assert found["rate"] > 0


def test_mmib_zhang_holds_pairs_of_posteriors_together():
    def gaussian(seed):
        draw = seeded(seed)
        return Gaussian(torch.randn(7, 3, generator=draw), torch.rand(7, 3, generator=draw) + 0.5)

    a, b = gaussian(0), gaussian(1)
    p, q = Normal(*a), Normal(*b)
    exact = (kl_divergence(p, q) + kl_divergence(q, p)).sum(-1) / 2
    torch.testing.assert_close(symmetric_divergence(a, b), exact)
    assert symmetric_divergence(a, a).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("method", "goes", "stays"),
    [("mmib_cui", "refinement", "alignment"), ("mmib_zhang", "superfluous", "shared")],
)
def test_information_between_modalities_is_kept_and_the_rest_costs(
    recipe, system, method, goes, stays
):
    module = import_module(f"ibpapers.papers.omib.methods.{method}")
    found = first_losses(build(recipe(method), system))
    cost = getattr(module, goes.upper()) * found[goes]
    gain = getattr(module, stays.upper()) * found[stays]
    assert cost > 0 > found[stays]
    assert found["loss"].item() == pytest.approx((found["task"] + cost - gain).item())


def test_information_between_codes_is_told_from_none():
    class Match(torch.nn.Module):
        def forward(self, pair):
            a, b = pair.chunk(2, -1)
            return 40 * torch.where((a == b).all(-1, keepdim=True), 1.0, -1.0)

    class Silent(torch.nn.Module):
        def forward(self, pair):
            return torch.zeros(len(pair), 1)

    a = torch.randn(8, 3, generator=seeded())
    assert jensen_shannon_information(Match(), a, a).item() == pytest.approx(0, abs=1e-9)
    assert jensen_shannon_information(Match(), a, -a) < -30
    assert jensen_shannon_information(Silent(), a, a).item() == pytest.approx(-2 * math.log(2))


def test_dmib_opens_gates_and_keeps_what_suffices(recipe, system):
    model = build(recipe("dmib"), system).model
    batch = system.train.batch(torch.arange(24))
    gates = model.gates(model.encode(batch.views))
    assert all(((gate > 0) & (gate < 1)).all() for gate in gates)
    found = model.losses(batch, generator(0, "draw"))
    assert found["sufficiency"] > 0
    found["sufficiency"].backward()
    assert all(p.grad is None for p in model.witness.parameters())  # the standard is not bent
    assert model.bottleneck.body[0].weight.grad.abs().max() > 0


def test_feature_sets_do_not_touch_each_other(recipe, system):
    both, alone = build(recipe("features"), system), build(recipe("features"), system)
    weight = alone.model.predictors[1]
    for parameter in [*weight.parameters(), *alone.model.encoders[1].parameters()]:
        parameter.requires_grad_(False)
    for update in (1, 2, 3):
        both.update(update)
        alone.update(update)
    views = system.test.all().views
    one, other = (trainee.model.predictions(views, None) for trainee in (both, alone))
    assert torch.equal(one["v1"], other["v1"])
    assert not torch.equal(one["v2"], other["v2"])

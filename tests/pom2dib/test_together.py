"""Seeds that are trained together end where each ends alone."""

import numpy as np
import pytest
import torch
from pom2dib.test_trainee import CPU, build
from safetensors.torch import load_file

from ibpapers.datasets.handwritten import Split
from ibpapers.papers.pom2dib import systems
from ibpapers.papers.pom2dib.trainee import DIB, together
from ibpapers.training import device, train
from ibpapers.training.loop import fit

METHODS = ("pom2dib", "pom2dib_stable", "rsdib", "tadib", "dlsc")
SEEDS = (0, 3, 4)


@pytest.fixture
def exact(monkeypatch):
    """Everything in float64, so that another order of sums makes no difference."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def system(exact):
    draw = np.random.default_rng(0)
    split = Split(draw.random((60, 196)), draw.standard_normal((60, 512)), draw.integers(0, 10, 60))
    halves = (systems.HandWrittenSplit(split, "sample", CPU) for _ in range(2))
    return systems.System(systems.HANDWRITTEN, *halves)


@pytest.mark.parametrize("method", METHODS)
def test_updates_are_those_of_each_seed_alone(recipe, system, method):
    training = {**recipe(method)["training"], "selector_gradient_norm": 0.1}
    if "policy" in training:
        training = {**training, "policy": {**training["policy"], "wait": 1}}
    of_method = recipe(method, training=training)
    alone, own = ([build(of_method, system, seed) for seed in SEEDS] for _ in range(2))
    assert own[0].optimisers  # the joint update has others
    joint = DIB.joint(own)
    for update in range(1, 5):
        expected = [one.update(update) for one in alone]
        assert joint.update_members(update) == [pytest.approx(one) for one in expected]
    for one, mine in zip(alone, own):
        state = mine.model.state_dict()
        for name, value in one.model.state_dict().items():
            assert torch.allclose(state[name], value, rtol=1e-6, atol=1e-9), name


def test_what_a_seed_did_not_use_stays_as_it_is(recipe, system):
    own = [build(recipe("rsdib"), system, seed) for seed in SEEDS]
    unused = [~one.selector.links[0].any(0) for one in own]
    assert any((one != unused[0]).any() for one in unused)
    before = [[e.out.weight.clone() for e in one.coding.encoders] for one in own]
    joint = DIB.joint(own)
    joint.update_members(1)
    for one, weights, idle in zip(own, before, unused):
        stayed = [torch.equal(e.out.weight, w) for e, w in zip(one.coding.encoders, weights)]
        assert stayed == idle.tolist()


def test_resumed_together_is_bit_for_bit_undisturbed(recipe, system, tmp_path):
    def trained(path, updates):
        members = {seed: build(recipe("pom2dib"), system, seed) for seed in SEEDS}
        whole = together(members)
        history = fit(whole, updates, path, "same", "seeds")
        return members, whole.separate(history)

    trained(tmp_path / "half", 2)
    resumed, of_resumed = trained(tmp_path / "half", 4)
    undisturbed, expected = trained(tmp_path / "whole", 4)
    for seed in SEEDS:
        state = resumed[seed].model.state_dict()
        for name, value in undisturbed[seed].model.state_dict().items():
            assert torch.equal(state[name], value), name
    for one, other in zip(of_resumed, expected):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_run_has_the_same_files_and_first_numbers_either_way(
    recipe, inputs, monkeypatch, tmp_path
):
    training = {**recipe("pom2dib")["training"], "updates": 3, "log_selection_every": 2}
    of_run = recipe("pom2dib", training=training, seeds=[3, 5])
    for name, at_once in (("alone", False), ("together", True)):
        monkeypatch.setattr(device, "gains_from_ensembles", lambda _, at_once=at_once: at_once)
        train(of_run, inputs, tmp_path / name, code="c0de")
    alone, joint = (np.load(tmp_path / name / "history.npz") for name in ("alone", "together"))
    assert alone.files == joint.files
    for name in alone.files:
        assert alone[name].shape == joint[name].shape, name
        if alone[name].dtype.kind == "f":
            assert alone[name][:, 0] == pytest.approx(joint[name][:, 0], rel=1e-4, abs=1e-5), name
    alone, joint = (load_file(tmp_path / n / "model.safetensors") for n in ("alone", "together"))
    assert {k: v.shape for k, v in alone.items()} == {k: v.shape for k, v in joint.items()}

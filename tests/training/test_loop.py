"""The training loop: resumed trainings end where undisturbed ones end."""

import numpy as np
import pytest
import torch

from ibpapers.training import checkpoint
from ibpapers.training.adam import Adam
from ibpapers.training.loop import Trainee, fit
from ibpapers.training.seeds import generator


class Line(Trainee):
    """Least squares on fresh random points: the smallest trainee."""

    def __init__(self, dies_at=None):
        self.model = torch.nn.Linear(3, 1)
        with torch.no_grad():
            self.model.weight.zero_()
            self.model.bias.zero_()
        self.optimisers = {"all": Adam(self.model.parameters(), lr=0.05)}
        self.dies_at = dies_at

    def update(self, update):
        if update == self.dies_at:
            raise KeyboardInterrupt
        x = torch.randn(8, 3, generator=generator(0, "update", update))
        loss = (self.model(x) - x.sum(-1, keepdim=True)).square().mean()
        loss.backward()
        self.optimisers["all"].step()
        self.optimisers["all"].zero_grad()
        return {"loss": loss.item()}

    def snapshot(self, update):
        return {"weight": self.model.weight.detach().clone()} if update % 5 == 0 else {}


def every_update():
    """A clock on which every update takes long enough for a checkpoint."""
    now = 0.0

    def clock():
        nonlocal now
        now += 100.0
        return now

    return clock


def train(trainee, path, identity="same", updates=23):
    history = fit(trainee, updates, path, identity, label="line", clock=every_update())
    return history, trainee.model.state_dict()


@pytest.fixture
def undisturbed(tmp_path):
    return train(Line(), tmp_path / "undisturbed.safetensors")


def assert_same(one, other):
    assert one[0].keys() == other[0].keys()
    assert all(np.array_equal(a, other[0][name], equal_nan=True) for name, a in one[0].items())
    assert all(torch.equal(one[1][name], other[1][name]) for name in one[1])


@pytest.mark.parametrize("killed_at", [1, 2, 5, 6, 22, 23])
def test_resumed_is_bit_for_bit_undisturbed(tmp_path, undisturbed, killed_at):
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(Line(dies_at=killed_at), path)
    resumed = Line()
    assert_same(train(resumed, path), undisturbed)
    state = resumed.optimisers["all"].state_dict()["state"][0]
    assert state["step"].item() == 23


def test_a_finished_training_is_not_repeated(tmp_path, undisturbed):
    path = tmp_path / "checkpoint.safetensors"
    train(Line(), path)
    assert_same(train(Line(dies_at=1), path), undisturbed)


def test_a_checkpoint_of_something_else_is_not_used_and_it_says_so(tmp_path, undisturbed, capsys):
    path = tmp_path / "checkpoint.safetensors"
    train(Line(), path, identity="other")
    assert "begins anew" not in capsys.readouterr().err
    assert_same(train(Line(), path), undisturbed)
    assert f"the checkpoint {path} is damaged, or of other settings" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_not_used(tmp_path, undisturbed):
    path = tmp_path / "checkpoint.safetensors"
    train(Line(), path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert checkpoint.load(path, "same") is None
    assert_same(train(Line(), path), undisturbed)


def test_a_truncated_checkpoint_is_not_used(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    train(Line(), path)
    path.write_bytes(path.read_bytes()[:-10])
    assert checkpoint.load(path, "same") is None


def test_history_has_every_update_and_every_snapshot(undisturbed):
    history, _ = undisturbed
    assert history["loss"].shape == (23,)
    assert history["loss"][-1] < history["loss"][0]
    assert history["snapshot_update"].tolist() == [5, 10, 15, 20]
    assert history["snapshot/weight"].shape == (4, 1, 3)


class Validating(Line):
    """Validates after every third update, with scores that are told to it."""

    def __init__(self, scores, dies_at=None):
        super().__init__(dies_at)
        self.told = scores

    def validate(self, update):
        return self.told[update // 3 - 1] if update % 3 == 0 else None

    def examples(self):
        return {"weight": self.model.weight.detach().clone()}


SCORES = [5.0, float("nan"), 2.0, 3.0, 2.0, 4.0, 2.5]  # after updates 3, 6, 9 ...


def validated(path, dies_at=None, patience=None, scores=SCORES):
    trainee = Validating(scores, dies_at)
    history = fit(trainee, 21, path, "same", "line", patience=patience, clock=every_update())
    return history, trainee.model.state_dict()


def test_the_model_with_the_lowest_score_is_kept(tmp_path):
    history, state = validated(tmp_path / "all.safetensors")
    _, after_nine = train(Line(), tmp_path / "nine.safetensors", updates=9)
    assert history["best_update"] == 9  # the first of equals
    assert all(torch.equal(state[name], after_nine[name]) for name in state)
    assert np.array_equal(history["examples/weight"], after_nine["weight"].numpy())
    expected = [np.nan] * 21
    expected[2::3] = [np.inf if np.isnan(score) else score for score in SCORES]
    assert np.array_equal(history["validation"], np.float32(expected), equal_nan=True)


@pytest.mark.parametrize(("patience", "updates"), [(1, 6), (2, 15), (4, 21), (None, 21)])
def test_training_stops_when_patience_is_over(tmp_path, patience, updates):
    history, _ = validated(tmp_path / "checkpoint.safetensors", patience=patience)
    assert len(history["loss"]) == len(history["validation"]) == updates
    assert history["best_update"] == (3 if patience == 1 else 9)


@pytest.mark.parametrize("killed_at", [2, 3, 4, 7, 10, 14, 15])
def test_resumed_validations_end_where_undisturbed_ones_end(tmp_path, killed_at):
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        validated(path, dies_at=killed_at, patience=2)
    resumed, undisturbed = validated(path, patience=2), validated(tmp_path / "whole", patience=2)
    assert_same(resumed, undisturbed)
    left, whole = (checkpoint.load(tmp_path / name, "same") for name in (path, "whole"))
    assert left.keys() == whole.keys()
    assert all(torch.equal(left[n].nan_to_num(), whole[n].nan_to_num()) for n in left)


def test_a_score_is_compared_as_it_is_stored(tmp_path):
    # In float64 the second is lower; the checkpoint knows float32 only.
    history, _ = validated(tmp_path / "one", scores=[1.0, 1.0 - 1e-12, *[2.0] * 5])
    assert history["best_update"] == 3


def test_without_validation_nothing_is_said_of_it(undisturbed):
    assert not {"validation", "best_update"} & undisturbed[0].keys()

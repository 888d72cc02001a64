"""The training loop: resumed trainings end where undisturbed ones end."""

import numpy as np
import pytest
import torch

from ibpapers.training import checkpoint
from ibpapers.training.loop import fit
from ibpapers.training.seeds import generator


class Line:
    """Least squares on fresh random points: the smallest trainee."""

    def __init__(self, dies_at=None):
        self.model = torch.nn.Linear(3, 1)
        with torch.no_grad():
            self.model.weight.zero_()
            self.model.bias.zero_()
        self.optimisers = {"all": torch.optim.AdamW(self.model.parameters(), lr=0.05)}
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
    assert all(np.array_equal(one[0][name], other[0][name]) for name in one[0])
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


def test_a_checkpoint_of_something_else_is_not_used(tmp_path, undisturbed):
    path = tmp_path / "checkpoint.safetensors"
    train(Line(), path, identity="other")
    assert_same(train(Line(), path), undisturbed)


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

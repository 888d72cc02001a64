"""A training asked to stop: after the update it is at, saved, and resumed to the same bytes."""

import os
import signal
import threading

import pytest
from training.test_loop import Line, assert_same, train

from ibpapers.training import checkpoint, interruption
from ibpapers.training.loop import fit


class Asked(Line):
    """Gets signals during its seventh update."""

    def __init__(self, *signals):
        super().__init__()
        self.signals = signals

    def update(self, update):
        if update == 7:
            for number in self.signals:
                os.kill(os.getpid(), number)
        return super().update(update)


def fit_slowly(trainee, path):
    """On a clock on which no checkpoint is due before the end."""
    with interruption.awaited() as asked:
        return fit(trainee, 23, path, "same", "line", is_asked_to_stop=asked, clock=lambda: 0.0)


def updates_in(path):
    return len(checkpoint.load(path, "same")["history/loss"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_training_stops_after_its_update_and_goes_on_from_there(tmp_path, number, capsys):
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit_slowly(Asked(number), path)
    assert updates_in(path) == 7
    assert "line: stopped after update 7 of 23, saved\n" in capsys.readouterr().err
    assert_same(train(Line(), path), train(Line(), tmp_path / "undisturbed.safetensors"))


def test_asked_before_its_first_update_it_stops_after_that(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    with interruption.awaited() as asked:
        os.kill(os.getpid(), signal.SIGUSR1)
        with pytest.raises(KeyboardInterrupt):
            fit(Line(), 23, path, "same", "line", is_asked_to_stop=asked)
    assert updates_in(path) == 1


def test_second_ctrl_c_stops_at_once(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit_slowly(Asked(signal.SIGINT, signal.SIGINT), path)
    assert not path.exists()


def test_second_sigterm_does_not_lose_the_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit_slowly(Asked(signal.SIGINT, signal.SIGTERM, signal.SIGTERM), path)
    assert updates_in(path) == 7


def test_signals_mean_afterwards_what_they_meant_before():
    before = [signal.getsignal(number) for number in interruption.SIGNALS]
    with interruption.awaited() as is_asked_to_stop:
        assert not is_asked_to_stop()
    assert [signal.getsignal(number) for number in interruption.SIGNALS] == before


def test_another_thread_trains_undisturbed(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    thread = threading.Thread(target=fit_slowly, args=(Line(), path))
    thread.start()
    thread.join()
    assert updates_in(path) == 23

"""Batches, SNRs, draws of the channel; validation; where a resumed training ends."""

import math

import pytest
import torch
from toc.conftest import build

from ibpapers.nn.channel import Channel, to_reals, to_symbols
from ibpapers.training import checkpoint
from ibpapers.training.loop import fit
from ibpapers.training.seeds import generator

METHODS = [("two_stage_vib", "rayleigh"), ("t_deepsc", "awgn"), ("noiseless", None)]


def test_an_epoch_sees_every_utterance_once(recipe, system, monkeypatch):
    trainee = build(recipe("t_deepsc"), system)
    seen, batch = [], system.train.batch
    monkeypatch.setattr(
        system.train, "batch", lambda index: (seen.extend(index.tolist()), batch(index))[1]
    )
    for update in range(1, trainee.updates_per_epoch + 1):
        trainee.update(update)
    assert sorted(seen) == list(range(96))


def test_every_batch_has_one_random_snr_of_the_range(recipe, system, monkeypatch):
    trainee = build(recipe("t_deepsc", training={"snrs": [3.0, 7.0]}), system)
    met, carry = [], trainee.carry
    monkeypatch.setattr(trainee, "carry", lambda snr, draw: (met.append(snr), carry(snr, draw))[1])
    for update in range(1, 31):
        trainee.update(update)
    assert len(met) == 30
    assert 3 <= min(met) < 3.6 and 6.4 < max(met) <= 7
    assert sum(met) / 30 == pytest.approx(5, abs=4 * 4 / 12**0.5 / 30**0.5)


def test_the_channel_has_draws_of_its_own(recipe, system, monkeypatch):
    def noise(method):
        trainee, heard = build(recipe(method), system, seed=3), []
        transmit = Channel.transmit

        def listened(channel, symbols, snr, draw):
            received = transmit(channel, symbols, snr, draw)
            heard.append((received.symbols - symbols) / math.sqrt(received.noise_power))
            return received

        monkeypatch.setattr(Channel, "transmit", listened)
        trainee.update(7)
        monkeypatch.undo()
        return heard[0]

    def drawn(key):
        return torch.randn(16, 5, dtype=torch.complex64, generator=generator(3, key, 7))

    # Two systems, of which one draws codes as well, meet the same noise, which no code is made of.
    for method in ("two_stage_vib", "t_deepsc"):
        torch.testing.assert_close(noise(method), drawn("channel"), atol=1e-4, rtol=0)
    assert (drawn("channel") - drawn("update")).abs().min() > 1e-3


def test_without_a_channel_everything_arrives(recipe, system):
    trainee = build(recipe("noiseless", None), system)
    sent = trainee.sent(system.test)
    torch.testing.assert_close(trainee.carry(-12.0, None)(sent), to_reals(to_symbols(sent)))


def test_validation_is_due_once_an_epoch_and_always_the_same(recipe, system):
    trainee = build(recipe(), system)
    due = [update for update in range(1, 20) if trainee.validate(update) is not None]
    assert due == [6, 12, 18]
    score = trainee.validate(6)
    assert trainee.validate(12) == score
    held_out, errors = system.validation, []
    for snr in (0.0, 12.0):
        received = trainee.carry(snr, trainee._draw("validation", snr))(trainee.sent(held_out))
        told = trainee.model.receive(received)
        errors.append(((told - held_out.sentiment) ** 2).mean().item())
    assert score == pytest.approx(sum(errors) / 2)


def every_update():
    """A clock on which every update takes long enough for a checkpoint."""
    now = 0.0

    def clock():
        nonlocal now
        now += 100.0
        return now

    return clock


@pytest.mark.slow
@pytest.mark.parametrize(("method", "channel"), METHODS)
def test_resumed_is_bit_for_bit_undisturbed(recipe, system, tmp_path, method, channel):
    def train(path, dies_at=None):
        trainee = build(recipe(method, channel), system)
        step = trainee.update

        def dying(update):
            if update == dies_at:
                raise KeyboardInterrupt
            return step(update)

        trainee.update = dying
        history = fit(trainee, 8, path, "same", method, clock=every_update())
        return history, trainee.model.state_dict()

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", dies_at=7)
    history, state = train(tmp_path / "killed")
    whole, expected = train(tmp_path / "whole")
    assert history.keys() == whole.keys()
    assert all(history[name].tobytes() == whole[name].tobytes() for name in whole)
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    left, whole = (checkpoint.load(tmp_path / name, "same") for name in ("killed", "whole"))
    assert left.keys() == whole.keys()
    assert all(torch.equal(left[name].nan_to_num(), whole[name].nan_to_num()) for name in whole)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "channel"), METHODS)
def test_every_system_learns(recipe, system, method, channel):
    trainee = build(recipe(method, channel, training={"learning_rate": 0.02}), system)
    before = trainee.validate(6)
    for update in range(1, 37):
        trainee.update(update)
    assert trainee.validate(36) < before / 2


def test_t_deepsc_shares_the_symbols_and_has_no_bottleneck(recipe, system):
    trainee = build(recipe("t_deepsc", dimension=50), system)
    assert trainee.model.shares == [17, 17, 16]
    assert trainee.sent(system.test).shape == (40, 50)
    assert set(trainee.update(1)) == {"loss"}
    # What has arrived of every modality counts.
    received = torch.randn(2, 4, 50).requires_grad_()
    told = trainee.model.receive(received)
    assert told.shape == (2, 4)
    told.sum().backward()
    assert all(part.abs().max() > 0 for part in received.grad.split(trainee.model.shares, -1))


def test_under_one_seed_all_systems_start_from_the_same_encoders(recipe, system):
    first, other = (
        build(recipe(m), system, seed=4).model.encoders for m in ("two_stage_vib", "t_deepsc")
    )
    for name, parameter in first.named_parameters():
        assert torch.equal(parameter, other.get_parameter(name))

"""Bits that come out: short, lossless, and never believed when damaged or foreign."""

import pytest
import torch
from small_runs import DIGITS, METHODS, run_name

from ibpapers.errors import UserError
from ibpapers.papers.gray_wyner import streams

MODEL = 12345


def sharpen(codec):
    """Scales near 1 and means near 0, so that symbols of a few units cost a few bits."""
    for model in codec.entropy_models.values():
        model.fusion[-1].weight.data *= 0.1
        model.fusion[-1].bias.data[: len(model.fusion[-1].bias) // 2] = 0
        model.fusion[-1].bias.data[len(model.fusion[-1].bias) // 2 :] = 1
    return codec


def draw(codec, count=100, shape=(4, 4), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        channel: torch.randn(count, width, *shape, generator=generator).round()
        for channel, width in codec.widths.items()
    }


@pytest.fixture
def shared(learner):
    codec = sharpen(learner(run_name("shared", DIGITS)).codec)
    symbols = draw(codec)
    return codec, symbols, streams.write(codec, symbols, MODEL)


@pytest.mark.parametrize("method", METHODS)
def test_the_very_same_symbols_come_back(learner, method):
    codec = sharpen(learner(run_name(method)).codec)
    symbols = draw(codec, count=130)  # more than one batch
    file = streams.write(codec, symbols, MODEL)
    found = streams.read(codec, file, MODEL, (4, 4), tuple(codec.widths))
    assert found.keys() == symbols.keys()
    assert all(torch.equal(found[channel], symbols[channel]) for channel in symbols)


def test_the_file_is_as_long_as_the_estimate_says(shared):
    codec, symbols, file = shared
    estimate = codec.bits(symbols).sum().item()
    assert estimate > 5000
    lengths = streams.stream_lengths(codec, file, MODEL)
    assert list(lengths) == [0, 1, 2]
    assert abs(8 * sum(lengths.values()) - estimate) < 0.001 * estimate + 24
    assert abs(8 * len(file) - estimate) < 0.01 * estimate + 64
    assert len(file) - sum(lengths.values()) <= 12


def test_what_is_certain_costs_almost_nothing(learner):
    codec = learner(run_name("shared", DIGITS)).codec
    for model in codec.entropy_models.values():
        for parameter in model.fusion[-1].parameters():
            parameter.data.zero_()
    symbols = {channel: torch.zeros(100, width, 4, 4) for channel, width in codec.widths.items()}
    assert len(streams.write(codec, symbols, MODEL)) <= 10 + 3


def test_task_one_is_answered_from_the_common_and_its_own_stream(shared):
    codec, symbols, file = shared
    lengths = streams.stream_lengths(codec, file, MODEL)
    without_task_2 = file[: len(file) - lengths[2]] + bytes(lengths[2])
    found = streams.read(codec, without_task_2, MODEL, (4, 4), (0, 1))
    assert sorted(found) == [0, 1]
    with torch.no_grad():
        assert torch.equal(codec.answer(1, found), codec.answer(1, symbols))
    with pytest.raises(UserError):
        streams.read(codec, without_task_2, MODEL, (4, 4), (0, 2))


@pytest.mark.parametrize("cut", [0, 1, 5, 9, 200, -200, -1])
def test_a_truncated_file_is_refused(shared, cut):
    codec, _, file = shared
    with pytest.raises(UserError, match="no bitstream of this run, or it was cut"):
        streams.read(codec, file[:cut], MODEL, (4, 4), (0, 1, 2))


@pytest.mark.parametrize("where", [0, 1, 4, 8, 20, 300, -40])
def test_a_damaged_file_is_refused(shared, where):
    codec, _, file = shared
    damaged = bytearray(file)
    damaged[where] ^= 0x10
    with pytest.raises(UserError, match="cut or damaged"):
        streams.read(codec, bytes(damaged), MODEL, (4, 4), (0, 1, 2))


def test_a_file_of_another_model_is_refused(shared):
    codec, _, file = shared
    with pytest.raises(UserError, match="no bitstream of this run"):
        streams.read(codec, file, MODEL + 1, (4, 4), (0, 1, 2))


@pytest.mark.parametrize("foreign", [b"", b"\x89PNG\r\n\x1a\n" + bytes(500), bytes(range(256)) * 4])
def test_a_foreign_file_is_refused(shared, foreign):
    with pytest.raises(UserError, match="no bitstream of this run"):
        streams.read(shared[0], foreign, MODEL, (4, 4), (0, 1, 2))


def test_weights_that_differ_in_the_last_digits_are_noticed(shared):
    codec, _, file = shared
    codec.entropy_models["0"].fusion[-1].weight.data += 1e-2
    with pytest.raises(UserError, match="computes otherwise"):
        streams.read(codec, file, MODEL, (4, 4), (0,))


def test_symbols_too_large_for_a_stream_are_refused(shared):
    codec, symbols, _ = shared
    symbols[1][3, 0, 0, 0] = -5000
    with pytest.raises(UserError, match="symbol of channel 1 is 5000"):
        streams.write(codec, symbols, MODEL)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**20])
def test_numbers_of_the_header(number):
    written = streams._leb128(number)
    assert streams._read_leb128(b"x" + written + b"y", 1) == (number, 1 + len(written))

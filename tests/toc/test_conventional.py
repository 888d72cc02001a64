"""Separate coding up to the bits: quantiser, H.264, and what is told of what arrives.

The link itself, which takes seconds to import, is in `test_coded_link`.
"""

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from toc.conftest import CPU, build, make_system

from ibpapers.errors import UserError
from ibpapers.papers import toc
from ibpapers.papers.toc import quantiser, video
from ibpapers.papers.toc.quantiser import Quantiser
from ibpapers.papers.toc.scores import scores
from ibpapers.training.finished import Finished

SETTINGS = {
    "qp": 0, "information_bits": 64, "rate": 0.5, "bits_per_symbol": 2, "iterations": 10,
    "draws": 3, "utterances": None,
}  # fmt: skip
EVALUATION = {"seed": 0, "snrs": [0.0, 9.0], "channels": ["awgn", "rayleigh"], "draws": 1}


def frames(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(5, 28, 32), (1, 2, 32), (40, 8, 32), (3, 30, 32)])
def test_h264_without_loss_is_without_loss(shape):
    sent = frames(shape)
    sent[0, 0, :2] = 0, 255
    packets = video.encode(sent, qp=0)
    assert len(packets) == len(sent)
    np.testing.assert_array_equal(video.decode(packets), sent)


def test_h264_streams_are_the_same_every_time_and_say_nothing_of_the_encoder():
    once, again = (video.encode(frames((6, 28, 32)), qp=30) for _ in range(2))
    assert once == again
    assert b"x264" not in b"".join(once)
    kinds = [unit[0] & 31 for unit in b"".join(once).split(video.START)[1:]]
    assert kinds == [7, 8, 5, 1, 1, 1, 1, 1], "parameter sets, a key frame, frames from it"


def test_frames_of_a_cut_stream_are_those_of_the_whole():
    alike = np.add.outer(5 * np.arange(6), frames((28, 32)) // 2).astype(np.uint8)
    packets = video.encode(alike, qp=30)
    whole = video.decode(packets)
    for known in range(1, 7):
        np.testing.assert_array_equal(video.decode(packets[:known]), whole[:known])


def test_a_coarser_quantiser_takes_fewer_bits_and_loses_more():
    sent = frames((6, 28, 32))
    packets = [video.encode(sent, qp) for qp in (10, 30, 50)]
    sizes = [sum(map(len, one)) for one in packets]
    errors = [np.square(video.decode(one).astype(float) - sent).mean() for one in packets]
    assert sizes[0] > 2 * sizes[1] > 4 * sizes[2]
    assert 0 < 9 * errors[0] < 3 * errors[1] < errors[2]


@pytest.fixture
def calibrated(system):
    model = Quantiser(system.widths)
    model.calibrate(system.train)
    return model


def all_of(split):
    return split.batch(torch.arange(split.size))


def test_ranges_are_those_of_the_training_words(system):
    model = Quantiser(system.widths)
    clipped = model.calibrate(system.train)
    batch = all_of(system.train)
    words = torch.cat([view[batch.mask] for view in batch.views.values()], dim=1)
    assert words[:, 0].abs().max() > 4 > words[:, 1].abs().max(), "one is clipped, others are not"
    torch.testing.assert_close(model.low, words.amin(0).clamp(min=-4))
    torch.testing.assert_close(model.high, words.amax(0).clamp(max=4))
    assert clipped == pytest.approx((words.abs() > 4).float().mean().item())
    # Padding is no word: were it one, every range would hold 0.
    shifted = make_system()
    views = {name: view + 9 * batch.mask[..., None] for name, view in batch.views.items()}
    shifted.train._views = views
    model.calibrate(shifted.train)
    assert (model.low > 3).all() and (model.high == 4).all()


def test_quantised_features_are_within_half_a_step(system, calibrated):
    batch = all_of(system.test)
    coded = calibrated.frames(batch.views)
    assert coded.dtype == torch.uint8 and coded.shape == (*batch.mask.shape, 2, 32)
    found = calibrated.views(coded)
    half = (calibrated.high - calibrated.low) / 255 / 2
    for name, at in (("text", 0), ("audio", 5), ("video", 8)):
        end = at + system.widths[name]
        low, high = calibrated.low[at:end], calibrated.high[at:end]
        inside = batch.views[name].clamp(low, high)
        assert ((found[name] - inside).abs() <= half[at:end] * 1.001).all()
    assert coded[batch.mask][:, 0, :12].float().std() > 30, "the range is used"
    assert (coded.flatten(-2)[..., 12:] == quantiser.FILL).all()


def test_frames_hold_all_modalities_of_any_width():
    widths = {"text": 768, "audio": 74, "video": 47}
    model = Quantiser(widths)
    assert model.shape == (28, 32)
    views = {name: torch.rand(3, 2, width) for name, width in widths.items()}
    found = model.views(model.frames(views))
    for name in widths:
        torch.testing.assert_close(found[name], views[name], atol=0.5 / 255 + 1e-6, rtol=0)


@pytest.fixture
def conventional(system, recipe):
    """A function: the method after training, on a system with a classifier from random weights."""

    def of(on=system, **settings):
        of_noiseless = recipe("noiseless", None)
        classifier = build(of_noiseless, on)
        tensors = {f"0/{name}": value for name, value in classifier.model.state_dict().items()}
        on = replace(on, noiseless=Finished(of_noiseless, tensors, {}))
        fades = {"fading": "block", "equaliser": "mmse"}
        whole = recipe("conventional", None, conventional={**SETTINGS, **settings}, **fades)
        found = build(whole, on)
        assert set(found.update(1)) == {"clipped"}
        return found

    return of


@pytest.fixture
def link(monkeypatch):
    """A link that delivers what the test says; it keeps what it was asked for."""
    fake = ModuleType("coded_link")
    fake.asked = []

    def carry(*arguments):
        fake.asked.append(arguments)
        return 321.5, fake.arrivals(arguments[0])

    fake.carry = carry
    monkeypatch.setitem(sys.modules, "ibpapers.papers.toc.coded_link", fake)
    return fake


def told_of(trainee, batch, known):
    """What the classifier tells where `known` [n] words are quantised features, the rest zeros."""
    views = trainee.model.views(trainee.model.frames(batch.views))
    there = torch.arange(batch.mask.shape[1]) < known[:, None]
    views = {name: view * (there & batch.mask)[..., None] for name, view in views.items()}
    model = trainee.classifier.model
    with torch.no_grad():
        sent = model.send(views, batch.mask)
        return model.receive(trainee.classifier.carry(0.0, torch.Generator())(sent))


def test_what_does_not_arrive_is_zero(conventional, link):
    trainee = conventional()
    batch = all_of(trainee.system.test)
    words = batch.mask.sum(1)

    def arrivals(streams):
        size = torch.tensor([len(stream) for stream in streams])
        everything, nothing = size + 7, torch.zeros_like(size)
        return {
            ("awgn", 0.0): torch.stack([nothing, nothing]),
            ("awgn", 9.0): torch.stack([everything, size]),
            ("rayleigh", 9.0): torch.stack([size - 1, everything]),
        }

    link.arrivals = arrivals
    rows = {metric: (value, unit) for metric, value, unit in trainee.rows(EVALUATION)}
    assert rows["utterances"] == (40, "1") and rows["channel_uses"] == (321.5, "1")
    shares = [rows[f"decoded/{at}"] for at in ("awgn/0dB", "awgn/9dB", "rayleigh/9dB")]
    assert shares == [(0, "percent"), (100, "percent"), (50, "percent")]
    none, all_, last_lost = (told_of(trainee, batch, k) for k in (0 * words, words, words - 1))
    for at, told in (
        ("awgn/0dB", [none, none]),
        ("awgn/9dB", [all_, all_]),
        ("rayleigh/9dB", [last_lost, all_]),
    ):
        expected = scores(torch.stack(told), batch.sentiment)
        for metric, (mean, deviation, unit) in expected.items():
            assert rows[f"{metric}/{at}"] == (pytest.approx(mean, abs=1e-4), unit)
            assert rows[f"{metric}_std/{at}"] == (pytest.approx(deviation, abs=1e-4), unit)
    assert len({rows[f"mae/{at}"][0] for at in ("awgn/0dB", "awgn/9dB", "rayleigh/9dB")}) == 3


def test_the_link_is_asked_for_what_the_settings_say(conventional, link):
    link.arrivals = lambda streams: {("awgn", 0.0): torch.zeros(3, len(streams), dtype=torch.int64)}
    trainee = conventional(utterances=7, qp=40)
    rows = list(trainee.rows(EVALUATION))
    assert ("utterances", 7.0, "1") in rows
    ((streams, settings, channels, snrs, draws, seed, device),) = link.asked
    batch = trainee.system.test.batch(torch.arange(7))
    coded = trainee.model.frames(batch.views).numpy()
    expected = [video.encode(f[:n], 40) for f, n in zip(coded, batch.mask.sum(1).tolist())]
    assert list(streams) == [b"".join(packets) for packets in expected]
    assert dict(settings) == {**SETTINGS, "utterances": 7, "qp": 40}
    assert [(one.kind, one.fading) for one in channels] == [
        ("awgn", "block"),
        ("rayleigh", "block"),
    ]
    assert (snrs, draws, seed, device) == ((0.0, 9.0), 3, 0, CPU)


def test_one_vector_per_utterance_is_a_single_frame(conventional, link):
    system = make_system(("text", "audio"), longest=None)
    trainee = conventional(system)
    batch = all_of(system.test)
    link.arrivals = lambda streams: {
        ("awgn", 0.0): torch.tensor([[len(one) - i % 2 for i, one in enumerate(streams)]])
    }
    rows = {metric: value for metric, value, _ in trainee.rows(EVALUATION)}
    told = told_of(trainee, batch, 1 - torch.arange(40) % 2)
    expected = scores(told[None], batch.sentiment)["mae"][0]
    assert rows["mae/awgn/0dB"] == pytest.approx(expected, abs=1e-4)
    assert rows["decoded/awgn/0dB"] == 50


@pytest.mark.parametrize(("package", "module"), [("av", "video"), ("sionna", "coded_link")])
def test_a_package_that_is_not_installed_is_named(conventional, monkeypatch, package, module):
    trainee = conventional()
    monkeypatch.delattr(toc, module, raising=False)
    monkeypatch.delitem(sys.modules, f"ibpapers.papers.toc.{module}", raising=False)
    for name in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=rf"made with {package}.* is not installed.*`methods`"):
        next(trainee.rows(EVALUATION))

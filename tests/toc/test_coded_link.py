"""LDPC and QAM over the channel, against theory; slow, as it imports the library for them."""

import math

import numpy as np
import pytest
import torch
from scipy.special import erfc
from toc.conftest import CPU

from ibpapers.nn.channel import Channel, Received
from ibpapers.training.seeds import generator

pytestmark = pytest.mark.slow

AWGN, RAYLEIGH = Channel("awgn"), Channel("rayleigh", "block", "mmse")
SETTINGS = {
    "qp": 38, "information_bits": 128, "rate": 0.5, "bits_per_symbol": 4, "iterations": 20,
    "draws": 3, "utterances": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def coded_link():
    from ibpapers.papers.toc import coded_link

    return coded_link


@pytest.fixture
def link(coded_link):
    return lambda **settings: coded_link.CodedLink({**SETTINGS, **settings}, CPU)


def streams(*sizes):
    return [np.random.default_rng(size).bytes(size) for size in sizes]


def test_streams_are_cut_into_blocks(link):
    sent = streams(16, 17, 1)
    blocks = link().blocks(sent)
    assert blocks.count.tolist() == [1, 2, 1]
    assert blocks.sent.shape == (3, 2, 128) and blocks.coded.shape == (3, 2, 256)
    for stream, bits in zip(sent, blocks.sent):
        found = np.packbits(bits.numpy().astype(np.uint8)).tobytes()
        assert found == stream.ljust(32, b"\0")
    assert link().uses(blocks).tolist() == [64, 128, 64]


@pytest.mark.parametrize(("bits", "rate"), [(128, 0.5), (512, 0.5), (1024, 0.75)])
def test_codewords_meet_their_checks(link, bits, rate):
    """H c^T = 0 for the checks of what is sent, and of the first 2 Z bits, which never are."""
    one = link(information_bits=bits, rate=rate)
    code = one.encode
    blocks = one.blocks(streams(40 * bits // 8))
    coded = blocks.coded[0][:, code.out_int_inv] if code.num_bits_per_symbol else blocks.coded[0]
    sent_information = bits - 2 * code.z
    torch.testing.assert_close(coded[:, :sent_information], blocks.sent[0][:, 2 * code.z :])
    parity = coded[:, sent_information:]
    filler = torch.zeros(len(parity), code.k_filler)
    word = torch.cat([blocks.sent[0], filler, parity], dim=1).numpy()
    checks = code.pcm[: parity.shape[1], : word.shape[1]]
    assert checks.shape[1] == word.shape[1]
    assert not (checks @ word.T % 2).any()
    word[:, 3] = 1 - word[:, 3]
    assert (checks @ word.T % 2).any()


def q(x):
    return erfc(x / math.sqrt(2)) / 2


def qpsk(snr):
    return q(math.sqrt(snr))


def qam16(snr):
    """Gray labels: the mean over the two bits of a four-level amplitude."""
    near, far, farther = (q(n * math.sqrt(snr / 5)) for n in (1, 3, 5))
    return 3 / 4 * near + far / 2 - farther / 4


def qpsk_rayleigh(snr):
    return (1 - math.sqrt(snr / 2 / (1 + snr / 2))) / 2


@pytest.mark.parametrize(
    ("bits_per_symbol", "channel", "expected"),
    [
        (2, AWGN, qpsk),
        (4, AWGN, qam16),
        (2, Channel("rayleigh", "fast", "mmse"), qpsk_rayleigh),
    ],
)
@pytest.mark.parametrize("snr", [3.0, 9.0])
def test_error_rate_before_decoding_is_that_of_theory(
    coded_link, link, bits_per_symbol, channel, expected, snr
):
    one = link(bits_per_symbol=bits_per_symbol)
    bits = torch.randint(0, 2, (1, 400, 256), generator=generator("bits")).float()
    blocks = coded_link.Blocks(bits[..., :128], bits, torch.tensor([400]))
    ratios = one.transmit(blocks, channel, snr, 1, generator("noise", snr))
    wrong = ((ratios[0] > 0) != bits.bool()).double().mean().item()
    theory = expected(10 ** (snr / 10))
    assert wrong == pytest.approx(theory, abs=4 * math.sqrt(theory / bits.numel()))


def test_ratios_are_calibrated(link):
    """Where the ratio is L, the bit is 1 with the probability 1 / (1 + exp(-L))."""
    one = link()
    blocks = one.blocks(streams(16 * 500))
    ratios = one.transmit(blocks, AWGN, 6.0, 1, generator("noise"))[0]
    for low in (-2.0, -1.0, 0.0, 1.0):
        there = (ratios > low) & (ratios < low + 1)
        share = blocks.coded[there].mean().item()
        assert share == pytest.approx(torch.sigmoid(ratios[there]).mean().item(), abs=0.03)


def test_a_stream_is_one_transmission_of_unit_power(link):
    class Recorded:
        def transmit(self, symbols, snr, draw):
            self.symbols = symbols
            return Received(symbols, torch.ones(*symbols.shape[:-1], 1) + 0j, 0.1)

    recorded, one = Recorded(), link()
    one.transmit(one.blocks(streams(1600, 1590)), recorded, 10.0, 3, generator())
    assert recorded.symbols.shape == (3, 2, 100 * 64)
    assert recorded.symbols.abs().square().mean().item() == pytest.approx(1, abs=0.03)


def test_everything_arrives_above_the_cliff_and_nothing_below(link):
    one = link()
    blocks = one.blocks(streams(100, 16, 250))
    for snr, expected in ((0.0, [0, 0, 0]), (12.0, [112, 16, 256])):
        ratios = one.transmit(blocks, AWGN, snr, 4, generator("cliff", snr))
        assert one.delivered(blocks, ratios).tolist() == [expected] * 4


def test_nothing_counts_after_a_lost_block(link):
    one = link()
    blocks = one.blocks(streams(16 * 5, 16 * 3))
    ratios = 9 * (2 * blocks.coded - 1).repeat(2, 1, 1, 1)
    ratios[0, 0, 2] *= -1
    ratios[1, 1, 0] *= -1
    assert one.delivered(blocks, ratios).tolist() == [[32, 48], [80, 0]]


def test_shortcuts_find_what_the_whole_decoder_finds(link):
    """Blocks one by one through all iterations, at SNRs about the cliff."""
    one = link()
    blocks = one.blocks(streams(*[16] * 150))
    found = []
    for snr in (5.0, 6.0, 7.0, 8.0, 20.0):
        ratios = one.transmit(blocks, AWGN, snr, 1, generator("cliff", snr))
        bits, _ = one.decode(ratios[0, :, 0], num_iter=20)
        expected = (bits == blocks.sent[:, 0]).all(-1)
        arrived = one.delivered(blocks, ratios)[0] == 16
        # What was right at some iteration and is lost again later has arrived.
        assert (arrived | ~expected).all() and (arrived ^ expected).sum() <= 1
        found.append(arrived.float().mean().item())
    assert found[0] < 0.3 < found[2] and found[-1] == 1


def test_carrying_is_repeatable_and_in_parts(coded_link, monkeypatch):
    sent = tuple(streams(100, 16, 250, 33))
    asked = (frozenset(SETTINGS.items()), (AWGN, RAYLEIGH), (-9.0, 8.0, 21.0), 3, 5, CPU)
    uses, first = coded_link.carry(sent, *asked)
    assert uses == 64 * (7 + 1 + 16 + 3) / 4
    assert list(first) == [(k, s) for k in ("awgn", "rayleigh") for s in (-9.0, 8.0, 21.0)]
    assert {tuple(one.shape) for one in first.values()} == {(3, 4)}
    assert (first["awgn", -9.0] == 0).all()
    whole = torch.tensor([112, 16, 256, 48]).expand(3, 4)
    assert (first["awgn", 21.0] == whole).all()
    assert 0 < first["rayleigh", 8.0].sum() < whole.sum()
    coded_link.carry.cache_clear()
    _, again = coded_link.carry(sent, *asked)
    assert all(torch.equal(first[at], again[at]) for at in first)
    monkeypatch.setattr(coded_link, "AT_ONCE", 2)
    coded_link.carry.cache_clear()
    _, parts = coded_link.carry(sent, *asked)
    assert (parts["awgn", 21.0] == whole).all() and parts["awgn", 21.0].shape == (3, 4)

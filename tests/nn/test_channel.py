"""The channel against theory: powers, error rates, equalisers."""

import math

import pytest
import torch

from ibpapers.nn.channel import Channel, to_reals, to_symbols
from ibpapers.training.seeds import generator

AWGN = Channel("awgn")
FAST, BLOCK = (Channel("rayleigh", fading, "mmse") for fading in ("fast", "block"))


def sent(n=400, k=500):
    return to_symbols(torch.randn(n, 2 * k, generator=generator("sent")))


def test_every_utterance_is_sent_with_unit_average_power():
    reals = (
        torch.randn(3, 7, 50, generator=generator("reals"))
        * torch.tensor([1e-3, 1, 1e3])[:, None, None]
    )
    symbols = to_symbols(reals)
    assert symbols.shape == (3, 7, 25)
    torch.testing.assert_close(symbols.abs().square().mean(-1), torch.ones(3, 7))
    scale = to_reals(symbols) / reals
    torch.testing.assert_close(scale, scale[..., :1].expand_as(scale))


def test_silence_stays_silence_and_has_a_gradient():
    reals = torch.zeros(2, 4, requires_grad=True)
    symbols = to_symbols(reals)
    assert not symbols.abs().any()
    symbols.real.sum().backward()
    assert reals.grad.isfinite().all()


@pytest.mark.parametrize("snr", [-12.0, 0.0, 21.0])
@pytest.mark.parametrize("channel", [AWGN, BLOCK, FAST])
def test_noise_has_the_power_that_the_snr_says(channel, snr):
    symbols = sent()
    received = channel.transmit(symbols, snr, generator(0))
    noise = torch.view_as_real(received.symbols - received.gain * symbols)
    power = 10 ** (-snr / 10)
    assert received.noise_power == pytest.approx(power)
    # Half of it in each of the two dimensions; 200,000 draws.
    assert noise[..., 0].var().item() == pytest.approx(power / 2, rel=0.02)
    assert noise[..., 1].var().item() == pytest.approx(power / 2, rel=0.02)
    assert abs(noise.mean().item()) < 5 * math.sqrt(power / 4e5)


def test_without_fading_the_gain_is_one():
    received = AWGN.transmit(sent(5, 3), 3.0, generator(0))
    assert received.gain.shape == (5, 1)
    assert (received.gain == 1).all()


def test_fading_is_rayleigh_and_lasts_as_long_as_it_should():
    symbols = sent()
    gain = FAST.transmit(symbols, 0.0, generator(0)).gain
    power = gain.abs().square()
    assert power.mean().item() == pytest.approx(1, rel=0.02)  # E|h|^2
    assert power.var().item() == pytest.approx(1, rel=0.03)  # that of an exponential
    assert gain.shape == symbols.shape
    assert BLOCK.transmit(symbols, 0.0, generator(0)).gain.shape == (len(symbols), 1)


def errors(channel, snr):
    """The share of 200,000 antipodal symbols (BPSK) that are taken for the other one."""
    bits = torch.rand(400, 500, generator=generator("bits")) < 0.5
    symbols = torch.where(bits, 1.0, -1.0).to(torch.complex64)
    found = channel.equalise(channel.transmit(symbols, snr, generator("draw", snr)))
    return ((found.real > 0) != bits).double().mean().item()


def within(share, theory):
    return abs(share - theory) < 4 * math.sqrt(theory / 2e5)


@pytest.mark.parametrize("snr", [-12.0, 0.0, 6.0])
def test_bpsk_errors_on_awgn(snr):
    theory = math.erfc(math.sqrt(10 ** (snr / 10))) / 2  # Q(sqrt(2 SNR))
    assert within(errors(AWGN, snr), theory)


@pytest.mark.parametrize("equaliser", ["mmse", "zf"])
@pytest.mark.parametrize("snr", [-12.0, 0.0, 15.0])
def test_bpsk_errors_on_rayleigh(snr, equaliser):
    g = 10 ** (snr / 10)
    theory = (1 - math.sqrt(g / (1 + g))) / 2
    assert within(errors(Channel("rayleigh", "fast", equaliser), snr), theory)


def test_equalisers_err_as_they_should():
    symbols = sent()
    received = FAST.transmit(symbols, 3.0, generator(0))
    strength, noise = received.gain.abs().square(), received.noise_power
    expected = {
        "mmse": noise / (strength + noise),  # of unit power symbols, given h
        "zf": noise / strength,
    }
    strong = strength > 0.5  # where zf's error has a mean
    for equaliser, error in expected.items():
        found = Channel("rayleigh", "fast", equaliser).equalise(received)
        squared = (found - symbols).abs().square()
        assert squared[strong].mean().item() == pytest.approx(error[strong].mean().item(), rel=0.02)
    assert Channel("rayleigh", "fast", "none").equalise(received) is received.symbols


def test_carry_is_all_of_it_in_reals():
    reals = torch.randn(6, 10, generator=generator("reals"))
    found = BLOCK.carry(reals, 5.0, generator(1))
    received = BLOCK.transmit(to_symbols(reals), 5.0, generator(1))
    torch.testing.assert_close(found, to_reals(BLOCK.equalise(received)))
    assert found.shape == reals.shape


def test_gradients_pass():
    reals = torch.randn(2, 6, generator=generator("reals"), dtype=torch.double)
    h = torch.tensor([[0.3 - 0.8j], [1.1 + 0.2j]], dtype=torch.complex128)

    def carried(x):
        symbols = to_symbols(x)
        received = BLOCK.transmit(symbols, 5.0, generator(1))
        fixed = received._replace(symbols=h * symbols, gain=h)
        return to_reals(BLOCK.equalise(fixed))

    assert torch.autograd.gradcheck(carried, reals.requires_grad_())

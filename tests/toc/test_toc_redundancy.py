"""Discriminators against closed forms, and who pushes where."""

import math
from itertools import permutations

import pytest
import torch

from ibpapers.nn.initialise import initialise
from ibpapers.papers.toc.redundancy import (
    Discriminators,
    Pressure,
    binary_cross_entropy,
    derangement,
)
from ibpapers.training.adam import Adam
from ibpapers.training.seeds import generator

INDEPENDENT = 2 * math.log(2)
NAMES = ("text", "audio", "video")
WATCH = Pressure(alpha=1.0, weight=0.0, reverse="first")


@pytest.mark.parametrize("n", [2, 3, 5, 32, 257])
def test_nobody_stays_in_place(n):
    for seed in range(20):
        found = derangement(n, generator(seed))
        assert sorted(found.tolist()) == list(range(n))
        assert (found != torch.arange(n)).all()
    assert torch.equal(found, derangement(n, generator(seed)))


def test_one_alone_cannot_move():
    with pytest.raises(ValueError, match="permutation of 1"):
        derangement(1, generator(0))


def test_derangements_are_uniform():
    every = [p for p in permutations(range(4)) if all(i != p[i] for i in range(4))]
    draw, counts = generator("uniform"), dict.fromkeys(every, 0)
    for _ in range(1800):
        counts[tuple(derangement(4, draw).tolist())] += 1
    chi_squared = sum((count - 200) ** 2 / 200 for count in counts.values())
    assert chi_squared < 26.1  # 99.9% quantile with 8 degrees of freedom


def test_bce_is_two_ln_two_less_j():
    positive, negative = torch.randn(2, 3, 50, generator=generator(0), dtype=torch.double)
    j = positive.sigmoid().log().mean(-1) + (1 - negative.sigmoid()).log().mean(-1) + INDEPENDENT
    torch.testing.assert_close(binary_cross_entropy(positive, negative), INDEPENDENT - j)
    zero = torch.zeros(7)
    assert binary_cross_entropy(zero, zero).item() == pytest.approx(INDEPENDENT)
    assert binary_cross_entropy(zero + 1e3, zero - 1e3).item() == 0


def trained(codes, updates, width=32, n=200):
    """Mean BCE of text and audio over the last tenth, `codes(n, draw)` [2, n, d] being watched."""
    critics = Discriminators(("text", "audio"), codes(1, generator(0)).shape[-1], [width])
    initialise(critics, generator("initial"))
    adam = Adam(critics.parameters(), lr=0.02)
    seen = []
    for update in range(updates):
        draw = generator("update", update)
        (bce,) = critics(codes(n, draw), WATCH, draw).bce
        adam.zero_grad()
        bce.backward()
        adam.step()
        seen.append(bce.item())
    return sum(seen[-updates // 10 :]) / (updates // 10)


def test_independent_codes_leave_two_ln_two():
    found = trained(lambda n, draw: torch.randn(2, n, 3, generator=draw), updates=50)
    assert found == pytest.approx(INDEPENDENT, abs=0.01)


@pytest.mark.parametrize("bits", [1, 5])
def test_identical_codes_leave_what_chance_leaves(bits):
    """K symbols: a negative pair is equal once in K, and T* says K / (K + 1) of equal pairs.

    BCE = ln((K + 1) / K) + ln(K + 1) / K, which goes to 0 as K grows.
    """

    def codes(n, draw):
        code = (torch.rand(n, bits, generator=draw) < 0.5).float() * 2 - 1
        return torch.stack([code, code])

    k = 2**bits
    exact = math.log((k + 1) / k) + math.log(k + 1) / k
    assert trained(codes, updates=60 if bits == 1 else 150) == pytest.approx(exact, abs=0.04)


@pytest.fixture
def judged():
    """A function: gradients of each pair's BCE to the three codes, and to the discriminators."""
    critics = Discriminators(NAMES, 4, [16])
    initialise(critics, generator("initial"))

    def gradients(pressure, pair):
        codes = torch.randn(3, 24, 4, generator=generator("codes"), requires_grad=True)
        bce = critics(codes, pressure, generator("draw")).bce[critics.names.index(pair)]
        to_codes, *to_critics = torch.autograd.grad(bce, [codes, *critics.parameters()])
        return dict(zip(NAMES, to_codes)), to_critics

    return gradients


PLAIN = Pressure(alpha=-1.0, weight=1.0, reverse="both")  # reversed twice: the gradient itself
PAIRS = {
    "video_text": ("video", "text"),
    "video_audio": ("video", "audio"),
    "text_audio": ("text", "audio"),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_as_printed_the_first_is_reversed_and_the_second_helps(judged, pair):
    first, second = PAIRS[pair]
    plain, _ = judged(PLAIN, pair)
    found, _ = judged(Pressure(alpha=0.5, weight=0.3, reverse="first"), pair)
    torch.testing.assert_close(found[first], -0.5 * 0.3 * plain[first])
    torch.testing.assert_close(found[second], 0.3 * plain[second])
    (other,) = set(NAMES) - {first, second}
    assert not found[other].any()
    assert plain[first].any() and plain[second].any()


@pytest.mark.parametrize("pair", PAIRS)
def test_both_can_be_reversed(judged, pair):
    plain, _ = judged(PLAIN, pair)
    found, _ = judged(Pressure(alpha=0.5, weight=0.3, reverse="both"), pair)
    for name in PAIRS[pair]:
        torch.testing.assert_close(found[name], -0.5 * 0.3 * plain[name])


def test_no_weight_no_push_but_the_discriminators_learn(judged):
    _, plain = judged(PLAIN, "text_audio")
    to_codes, to_critics = judged(WATCH, "text_audio")
    assert not any(gradient.any() for gradient in to_codes.values())
    assert all(torch.equal(one, other) for one, other in zip(plain, to_critics))
    assert any(gradient.any() for gradient in to_critics)


def test_descent_makes_codes_less_redundant():
    critics = Discriminators(("text", "audio"), 2, [16])
    initialise(critics, generator("initial"))
    codes = torch.randn(2, 64, 2, generator=generator("codes"), requires_grad=True)
    push = Pressure(alpha=1.0, weight=1.0, reverse="both")
    before = critics(codes, push, generator("draw")).bce
    before.sum().backward()
    with torch.no_grad():
        after = critics(codes - 0.5 * codes.grad, push, generator("draw")).bce
    assert after.item() > before.item()


def test_pairs_are_those_of_the_modalities_that_are_there():
    assert Discriminators(NAMES, 4, [8]).names == ["video_text", "video_audio", "text_audio"]
    assert Discriminators(("text", "audio"), 4, [8]).names == ["text_audio"]


def test_every_pair_has_its_own_positives_and_negatives():
    critics = Discriminators(NAMES, 4, [16])
    initialise(critics, generator("initial"))
    codes = dict(zip(NAMES, torch.randn(3, 24, 4, generator=generator("codes"))))
    found = critics(torch.stack(list(codes.values())), WATCH, generator("draw"))
    shuffled = derangement(24, generator("draw"))
    for number, (first, second) in enumerate(PAIRS.values()):
        positive = torch.cat([codes[first], codes[second]], -1)
        negative = torch.cat([codes[first], codes[second][shuffled]], -1)
        t = [critics.networks(x.expand(3, -1, -1))[number, :, 0] for x in (positive, negative)]
        assert found.bce[number].item() == pytest.approx(binary_cross_entropy(*t).item())
        assert found.p_positive[number].item() == pytest.approx(t[0].sigmoid().mean().item())
        assert found.p_negative[number].item() == pytest.approx(t[1].sigmoid().mean().item())

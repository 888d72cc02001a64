"""The shared networks against plain loops and closed forms."""

import math

import pytest
import torch
from omib.conftest import BASELINES, build
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from ibpapers.nn.initialise import initialise
from ibpapers.papers.omib.networks import (
    LOG_VARIANCE,
    Bottlenecks,
    CrossAttention,
    SequenceEncoder,
    VariationalEncoder,
    encoder,
    rates,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_attention_among_modalities_is_a_plain_loop():
    attention = CrossAttention(modalities=3, width=4, outputs=5).double()
    codes = [torch.randn(2, 4, generator=seeded(i), dtype=torch.double) for i in range(3)]
    found = attention(codes)
    weight, bias = attention.query_key_value.weight, attention.query_key_value.bias
    for n in range(2):
        query, key, value = (
            [code[n] @ weight[part].T + bias[part] for code in codes]
            for part in (slice(0, 4), slice(4, 8), slice(8, 12))
        )
        attended = []
        for i in range(3):
            scores = [math.exp((query[i] @ key[j]).item() / 2) for j in range(3)]
            attended.append(sum(s / sum(scores) * v for s, v in zip(scores, value)))
        torch.testing.assert_close(found[n], attention.out(torch.cat(attended)))


def test_rates_are_divergences_from_the_standard_normal():
    bottlenecks = Bottlenecks(2, inputs=6, outputs=5)
    codes = bottlenecks([torch.randn(9, 6, generator=seeded(i)) for i in range(2)])
    for code, rate in zip(codes, rates(codes)):
        exact = kl_divergence(Normal(code.mean, code.std), Normal(0.0, 1.0)).sum(-1).mean()
        assert rate.item() == pytest.approx(exact.item(), rel=1e-5)


@pytest.mark.parametrize("sign", [-1, 1])
def test_log_variances_stay_inside(sign):
    encode = VariationalEncoder(3, 2)
    torch.nn.init.constant_(encode.body[-1].bias, sign * 1e6)
    std = encode(torch.zeros(1, 3)).std
    torch.testing.assert_close(std, torch.full((1, 2), math.exp(sign * LOG_VARIANCE / 2)))


def test_padding_of_a_sequence_changes_nothing():
    x = torch.randn(4, 6, 3, generator=seeded())
    padded = torch.cat([x, torch.zeros(4, 5, 3)], dim=1)
    encode = SequenceEncoder(3, 8, 2)
    torch.testing.assert_close(encode(padded), encode(x))


def test_a_sequence_is_convolved_and_averaged():
    encode = SequenceEncoder(inputs=2, hidden=3, outputs=1)
    x = torch.randn(1, 4, 2, generator=seeded())
    weight, bias = encode.convolution.weight, encode.convolution.bias
    steps = []
    for t in range(4):
        seen = sum(
            weight[:, :, 1 + shift] @ x[0, t + shift] for shift in (-1, 0, 1) if 0 <= t + shift < 4
        )
        steps.append(F.gelu(seen + bias))
    expected = encode.out(torch.stack(steps).mean(0))
    torch.testing.assert_close(encode(x)[0], expected)


def test_the_shape_of_an_observation_decides_its_encoder():
    assert encoder((7,), 4, 3)(torch.zeros(2, 7)).shape == (2, 3)
    assert isinstance(encoder((5, 7), 4, 3), SequenceEncoder)


def test_weights_follow_the_usual_law_and_the_generator_alone():
    first, second = SequenceEncoder(20, 30, 40), SequenceEncoder(20, 30, 40)
    for model in (first, second):
        initialise(model, seeded())
    for (name, one), other in zip(first.named_parameters(), second.parameters()):
        bound = 1 / math.sqrt(60 if name.startswith("convolution") else 30)
        assert torch.equal(one, other)
        assert 0.8 * bound < one.abs().max() <= bound


def test_under_one_seed_all_methods_start_from_the_same_encoders(recipe, system):
    first = build(recipe("omib"), system, seed=4).model.encoders.state_dict()
    for method in BASELINES:
        other = build(recipe(method), system, seed=4).model.encoders.state_dict()
        assert all(torch.equal(first[name], other[name]) for name in first), method
    other = build(recipe("omib"), system, seed=5).model.encoders.state_dict()
    assert not any(torch.equal(first[name], other[name]) for name in first)

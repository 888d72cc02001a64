"""The masked convolution: equal to a convolution with a mask, and blind to what comes after."""

import pytest
import torch
from torch.nn import functional as F

from ibpapers.nn.causal_convolution import TAPS, CausalConvolution


@pytest.fixture
def convolution():
    layer = CausalConvolution(3, 4).double()
    layer.initialise(torch.Generator().manual_seed(0))
    return layer


def image(height, width, count=2, channels=3, seed=1):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(height, width, count, channels, generator=draw, dtype=torch.double)


def masked(layer, x):
    """The 5 x 5 convolution whose kernel is zero from the current element on."""
    kernel = torch.zeros(4, 3, 5, 5, dtype=torch.double)
    for weight, (down, right) in zip(layer.weight, TAPS):
        kernel[:, :, 2 + down, 2 + right] = weight.T
    assert (kernel != 0).all((0, 1)).sum() == 12
    assert not kernel[:, :, 3:].any() and not kernel[:, :, 2, 2:].any()
    return F.conv2d(x.permute(2, 3, 0, 1), kernel, layer.bias, padding=2).permute(2, 3, 0, 1)


@pytest.mark.parametrize("size", [(2, 2), (4, 4), (1, 3), (3, 1), (6, 9)])
def test_it_is_the_masked_convolution(convolution, size):
    x = image(*size).requires_grad_()
    found, expected = convolution(x), masked(convolution, x)
    assert torch.allclose(found, expected, atol=1e-12)
    upstream = image(*size, channels=4, seed=2)
    inputs = [x, convolution.weight, convolution.bias]
    for one, other in zip(
        torch.autograd.grad(found, inputs, upstream),
        torch.autograd.grad(expected, inputs, upstream),
    ):
        assert torch.allclose(one, other, atol=1e-12)


def test_it_sees_nothing_from_the_current_element_on(convolution):
    x = image(4, 5)
    before = convolution(x)
    for row in range(4):
        for column in range(5):
            changed = x.clone()
            changed[row, column] += 1.0
            moved = (convolution(changed) != before).any(-1).any(-1).flatten()
            assert not moved[: row * 5 + column + 1].any()
            if column < 4:
                assert moved[row * 5 + column + 1]


def test_one_position_is_the_same_as_in_the_whole(convolution):
    x = image(4, 4)
    whole = convolution(x)
    for row in range(4):
        for column in range(4):
            unknown = x.clone().flatten(0, 1)
            unknown[row * 4 + column :] = float("nan")  # nothing of it may be read
            found = convolution.at(unknown.view_as(x), row, column)
            assert torch.allclose(found, whole[row, column], atol=1e-12)

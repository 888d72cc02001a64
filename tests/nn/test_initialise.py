"""The spread of initial weights."""

import pytest
import torch
from torch import nn

from ibpapers.nn.initialise import initialise

LAYERS = {
    "linear": (nn.Linear(300, 400), (100, 300)),
    "convolution": (nn.Conv2d(8, 32, 5, stride=2), (20, 8, 33, 33)),
    "transposed": (nn.ConvTranspose2d(32, 8, 5, stride=2), (20, 32, 16, 16)),
}


def initialised(layer, weights):
    initialise(layer, torch.Generator().manual_seed(0), weights)
    return layer


@pytest.mark.parametrize("name", LAYERS)
def test_lecun_weights_keep_the_variance(name):
    layer, shape = LAYERS[name]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    output = initialised(layer, "lecun")(x)
    if output.dim() == 4:  # where no kernel hangs over the edge
        output = output[:, :, 4:-4, 4:-4]
    assert output.var().item() == pytest.approx(1, rel=0.1)
    assert torch.all(layer.bias == 0)


@pytest.mark.parametrize("name", LAYERS)
def test_pytorch_weights_are_spread_as_pytorch_does(name):
    layer, _ = LAYERS[name]
    layer.reset_parameters()
    for own in (layer.weight, layer.bias):
        usual = own.abs().max().item()
        initialised(layer, "pytorch")
        assert own.abs().max().item() == pytest.approx(usual, rel=0.2)

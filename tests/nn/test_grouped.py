"""Groups are so many networks of their own."""

import torch
from torch.nn import functional as F

from ibpapers.nn.grouped import GroupedLinear, GroupedPerceptron
from ibpapers.nn.initialise import initialise


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_every_group_has_its_own_map():
    layer = GroupedLinear(3, 4, 5)
    initialise(layer, seeded())
    x = torch.randn(3, 2, 7, 4, generator=seeded(1))
    found = layer(x)
    assert found.shape == (3, 2, 7, 5)
    for g in range(3):
        torch.testing.assert_close(found[g], F.linear(x[g], layer.weight[g].T, layer.bias[g, 0]))


def test_every_group_has_its_own_perceptron():
    networks = GroupedPerceptron(2, 3, 4, 1)
    initialise(networks, seeded())
    x = torch.randn(2, 6, 3, generator=seeded(1))
    first, _, last = networks
    for g in range(2):
        hidden = F.gelu(x[g] @ first.weight[g] + first.bias[g])
        torch.testing.assert_close(networks(x)[g], hidden @ last.weight[g] + last.bias[g])


def test_weights_follow_the_usual_law_and_the_generator_alone():
    one, other = GroupedLinear(2, 25, 40), GroupedLinear(2, 25, 40)
    for layer in (one, other):
        initialise(layer, seeded())
    for parameter, same in zip(one.parameters(), other.parameters()):
        assert torch.equal(parameter, same)
        assert 0.9 / 5 < parameter.abs().max() <= 1 / 5

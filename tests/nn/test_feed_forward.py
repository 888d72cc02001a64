"""The base network, and its shared first layer."""

import torch

from ibpapers.nn.feed_forward import FeedForward


def network(**keywords):
    return FeedForward(5, (8, 6), 3, torch.Generator().manual_seed(0), **keywords)


def test_weights_are_xavier_uniform_and_biases_zero():
    net = FeedForward(300, (400, 200), 10, torch.Generator().manual_seed(0))
    bound = (6 / (300 + 400)) ** 0.5  # the inner layer and the shortcut are layers of their own
    for weight in net.blocks[0].first.weight.chunk(2):
        assert weight.abs().max() <= bound
        assert weight.abs().max() > 0.99 * bound
    biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
    assert not any(bias.any() for bias in biases)


def test_the_generator_alone_decides_the_weights():
    torch.manual_seed(1)
    first = network().state_dict()
    torch.manual_seed(2)
    assert all(torch.equal(a, b) for a, b in zip(first.values(), network().state_dict().values()))


def test_conditions_stand_beside_the_input():
    net = network(conditions=2)
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(4, 7, 5, generator=draw)
    condition = torch.randn(6, 2, generator=draw)
    rows = torch.tensor([0, 0, 2, 3, 1, 2])
    side_by_side = torch.cat([x[rows], condition[:, None].expand(-1, 7, -1)], dim=-1)
    assert torch.allclose(net(x, condition, rows), net(side_by_side), atol=1e-6)


def test_a_block_is_what_the_paper_says():
    net = network()
    block, norm, x = net.blocks[0], net.norms[0], torch.randn(3, 5)
    torch.nn.init.normal_(block.first.bias)
    read = x @ block.first.weight.T + block.first.bias
    inner = torch.relu(read[:, :8])
    outer = inner @ block.outer.weight.T + read[:, 8:]
    hidden = torch.relu(outer)
    centred = hidden - hidden.mean(-1, keepdim=True)
    expected = centred / (hidden.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    assert torch.allclose(norm(block(x)), expected, atol=1e-5)


def test_a_block_has_the_gradient_of_its_differences():
    net = network().double()
    x = torch.randn(4, 5, dtype=torch.double, requires_grad=True)
    parameters = tuple(net.parameters())
    assert torch.autograd.gradcheck(lambda *_: net(x), (x, *parameters))

"""Forward nothing changes; backward the sign and the scale."""

import torch

from ibpapers.nn.gradient_reversal import reverse_gradient, scale_gradient


def test_reversal_turns_the_gradient_and_nothing_else():
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    for layer, factor in ((reverse_gradient, -0.25), (scale_gradient, 0.25)):
        x.grad = None
        y = layer(x, 0.25)
        assert torch.equal(y, x)
        (y**2).sum().backward()
        torch.testing.assert_close(x.grad, factor * 2 * x.detach())

import torch

from ibpapers.nn.straight_through import lower_bound, round_straight_through


def test_rounding_is_exact_and_passes_the_gradient():
    x = torch.tensor([-2.7, -0.2, 0.3, 1.5, 1e6 + 0.4], requires_grad=True)
    rounded = round_straight_through(x)
    assert torch.equal(rounded, x.detach().round())
    rounded.backward(torch.arange(5.0))
    assert torch.equal(x.grad, torch.arange(5.0))


def test_below_the_bound_only_gradients_that_raise_come_through():
    x = torch.tensor([0.5, 0.5, 2.0, 2.0], requires_grad=True)
    bounded = lower_bound(x, 1.0)
    assert bounded.tolist() == [1.0, 1.0, 2.0, 2.0]
    bounded.backward(torch.tensor([3.0, -3.0, 3.0, -3.0]))  # a step goes against the gradient
    assert x.grad.tolist() == [0.0, -3.0, 3.0, -3.0]

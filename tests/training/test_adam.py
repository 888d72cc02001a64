"""Adam against the algorithm as it is printed."""

from copy import deepcopy

import torch

from ibpapers.training.adam import Adam

RATE, BETAS, EPSILON = 0.1, (0.9, 0.99), 1e-8


def adam(start):
    weight = torch.nn.Parameter(start.clone())
    return weight, Adam([weight], RATE, BETAS, EPSILON, fused=True)


def step(weight, optimiser):
    (weight**4).sum().backward()
    optimiser.step()
    optimiser.zero_grad()
    assert weight.grad is None


def test_steps_are_those_of_algorithm_1():
    # Kingma and Ba 2015.
    start = torch.tensor([1.0, -2.0, 0.5])
    weight, optimiser = adam(start)
    theta, m, v = start.double(), torch.zeros(3), torch.zeros(3)
    for t in range(1, 6):
        step(weight, optimiser)
        gradient = 4 * theta**3
        m = BETAS[0] * m + (1 - BETAS[0]) * gradient
        v = BETAS[1] * v + (1 - BETAS[1]) * gradient**2
        m_hat, v_hat = m / (1 - BETAS[0] ** t), v / (1 - BETAS[1] ** t)
        theta = theta - RATE * m_hat / (v_hat.sqrt() + EPSILON)
        assert torch.allclose(weight.double(), theta, rtol=1e-5, atol=1e-6)


def test_a_restored_state_goes_on_as_if_never_stored():
    weight, optimiser = adam(torch.tensor([1.0, -2.0]))
    step(weight, optimiser)
    other, restored = adam(weight.detach())
    restored.load_state_dict(deepcopy(optimiser.state_dict()))
    for _ in range(2):
        step(weight, optimiser)
        step(other, restored)
    assert torch.equal(weight, other)

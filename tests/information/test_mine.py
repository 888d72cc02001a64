"""MINE against closed forms, and against the same training written as plain loops."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ibpapers.information import mine
from ibpapers.information.mine import Settings
from ibpapers.training.adam import Adam
from ibpapers.training.seeds import generator

SMALL = Settings(
    batch_size=256, widths=(32, 32), steps=400, learning_rate=3e-3,
    ema_rate=0.01, held_out=0.25, window=100,
)  # fmt: skip
LARGE = Settings(
    batch_size=256, widths=(64, 64), steps=2000, learning_rate=1e-3,
    ema_rate=0.01, held_out=0.2, window=200,
)  # fmt: skip
TINY = Settings(
    batch_size=8, widths=(5, 4), steps=12, learning_rate=1e-2,
    ema_rate=0.3, held_out=0.25, window=5,
)  # fmt: skip


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def correlated(rho, pairs=1, n=4_000):
    x, noise = normal(2, n, pairs)
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def symbols(kinds, n=4_000):
    drawn = torch.randint(kinds, (n,), generator=torch.Generator().manual_seed(0))
    return F.one_hot(drawn).float()


def found(x, y, settings, seeds=(0, 1)):
    return mine.mutual_information(x, y, seeds, settings).values


def test_correlated_normals():
    # I = -ln(1 - rho^2) / 2 = .4133; 1,000 held-out samples are within .06.
    assert found(*correlated(0.75), SMALL) == pytest.approx([0.413] * 2, abs=0.06)


def test_independent_inputs_have_no_information_and_none_is_found():
    values = found(*correlated(0.0), SMALL)
    assert (values < 0.01).all()
    assert (values > -0.05).all()


def test_a_copy_of_a_symbol_has_its_entropy():
    x = symbols(10)
    assert found(x, x, SMALL) == pytest.approx([math.log(10)] * 2, abs=0.08)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("x", "y", "low", "high"),
    [
        (*correlated(0.75, n=5_000), 0.34, 0.48),  # true .413
        (*correlated(0.5, pairs=10, n=5_000), 1.10, 1.42),  # true 1.438
        (*[symbols(10, n=5_000)] * 2, 2.21, 2.34),  # true 2.303
        (*[symbols(100, n=5_000)] * 2, 4.26, 4.75),  # true 4.605
        (*correlated(0.0, pairs=10, n=5_000), -0.5, 0.01),  # true 0: a bound, so from below
    ],
    ids=["rho=.75", "ten pairs of rho=.5", "10 symbols", "100 symbols", "ten independent pairs"],
)
def test_a_critic_of_64_by_64_on_5000_samples(x, y, low, high):
    values = found(x, y, LARGE, seeds=(0, 1))
    assert (values > low).all()
    assert (values < high).all()


def test_seeds_are_trained_as_if_each_were_alone():
    x, y = correlated(0.5, pairs=3, n=60)
    together = found(x, y, TINY, seeds=(3, 4, 5))
    alone = [found(x, y, TINY, seeds=[seed]).item() for seed in (3, 4, 5)]
    assert together == pytest.approx(alone, abs=1e-5)
    assert len(set(np.round(together, 6))) == 3


def test_the_training_is_that_of_plain_loops():
    x, y = correlated(0.5, pairs=3, n=60)
    assert found(x, y, TINY, seeds=[3]).item() == pytest.approx(in_plain_loops(x, y, 3), abs=1e-5)


def in_plain_loops(x, y, seed, settings=TINY):
    """MINE as Algorithm 1 and Section 3.2 of Belghazi et al. have it, sample by sample."""
    x, y = ((z - z.mean(0)) / z.std(0, correction=0) for z in (x, y))
    first = mine.Critics(x.shape[1], y.shape[1], settings.widths, [seed])
    weights = [torch.cat([first.of_x, first.of_y], dim=1)[0], *(w[0] for w in first.weights)]
    parameters = [w.detach().clone().requires_grad_() for w in (*weights, *first.biases)]
    optimiser = Adam(parameters, settings.learning_rate)

    def critic(a, b):
        hidden = torch.cat([a, b])
        for weight, bias in zip(parameters[:2], parameters[3:]):
            hidden = torch.relu(hidden @ weight + bias[0])
        return (hidden @ parameters[2])[0]

    def both(rows):
        joint = torch.stack([critic(x[i], y[i]) for i in rows])
        product = torch.stack([critic(x[i], y[j]) for i, j in zip(rows, np.roll(rows, 1))])
        return joint, product

    def batches(rows, use):
        draw = generator("mine", seed, use)
        while True:
            order = rows[torch.randperm(len(rows), generator=draw)]
            for start in range(0, len(rows) - settings.batch_size + 1, settings.batch_size):
                yield order[start : start + settings.batch_size].numpy()

    split = torch.randperm(len(x), generator=generator("mine", seed, "split"))
    training, unseen = batches(split[15:], "training"), batches(split[:15], "estimate")
    average, read_joint, read_product = None, [], []
    for step in range(1, settings.steps + 1):
        joint, product = both(next(training))
        newest = product.exp().mean().item()
        kept = 1 - settings.ema_rate
        average = newest if average is None else kept * average + settings.ema_rate * newest
        optimiser.param_groups[0]["lr"] = settings.learning_rate * (1 - (step - 1) / settings.steps)
        optimiser.zero_grad()
        (product.exp().mean() / average - joint.mean()).backward()
        optimiser.step()
        if step > settings.steps - settings.window:
            with torch.no_grad():
                joint, product = both(next(unseen))
            read_joint += joint.tolist()
            read_product += product.exp().tolist()
    return np.mean(read_joint) - math.log(np.mean(read_product))


def test_no_pair_of_the_product_is_a_pair_of_the_joint():
    batches = mine._batches(torch.arange(20).view(2, 10), 4, "training", [0, 1])
    for _ in range(7):
        batch = next(batches)
        assert batch.shape == (2, 4)
        assert all(len(set(rows.tolist())) == 4 for rows in batch)
        assert (batch != batch.roll(1, dims=1)).all()
        assert (batch // 10 == torch.tensor([[0], [1]])).all()


def test_scale_and_constant_columns_do_not_matter():
    x, y = correlated(0.5, n=60)
    dressed = torch.cat([torch.full_like(x, 7), 1000 * x - 5], dim=1)
    assert found(dressed, y, TINY) == pytest.approx(found(x, y, TINY), abs=1e-4)


def test_an_estimate_knows_its_ceiling():
    estimate = mine.mutual_information(*correlated(0.5, n=60), [0, 1], TINY)
    assert estimate.pairs == 5 * 8
    assert estimate.ceiling == pytest.approx(math.log(40))
    x = normal(200, 2)
    endless = mine.mutual_information(x, x, [0, 1], Settings(**{**vars(TINY), "steps": 300}))
    assert endless.values.max() <= math.log(40), "though I(x; x) is infinite"
    near = mine.Estimate(np.array([2.6, 2.7, 9.0]), 40)  # ln 40 = 3.69
    assert near.touches_ceiling.tolist() == [False, True, True]


@pytest.mark.parametrize("held_out", [0.25, 0.75])
def test_a_side_that_fills_no_batch_is_one(held_out):
    def estimate(batch_size):
        settings = Settings(**{**vars(TINY), "batch_size": batch_size, "held_out": held_out})
        return mine.mutual_information(*correlated(0.5, n=60), [0, 1], settings)

    clipped = estimate(500)
    assert clipped.pairs == 5 * 15
    np.testing.assert_array_equal(clipped.values, estimate(15).values)


@pytest.mark.parametrize("wrong", [{"batch_size": 1}, {"held_out": 0.02}, {"window": 13}])
def test_what_does_not_fit_is_refused(wrong):
    settings = Settings(**{**vars(TINY), **wrong})
    with pytest.raises(ValueError, match="a batch needs at least 2"):
        mine.mutual_information(*correlated(0.5, n=60), [0], settings)

"""The entropy model: causal as a whole, conditional on the common representation."""

import pytest
import torch

from ibpapers.nn.entropy_model import EntropyModel
from ibpapers.nn.initialise import initialise


def model(given):
    made = EntropyModel(3, given).double()
    initialise(made, torch.Generator().manual_seed(0))
    return made


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


@pytest.mark.parametrize("given", [0, 2])
def test_parameters_depend_on_earlier_symbols_only(given):
    entropy_model = model(given)
    condition = entropy_model.condition(draw(2, given, 4, 4, seed=1) if given else None)
    symbols = draw(4, 4, 2, 3).round()
    before = torch.stack(entropy_model(symbols, condition))
    for row in range(4):
        for column in range(4):
            changed = symbols.clone()
            changed[row, column, :, 1] += 1
            moved = (torch.stack(entropy_model(changed, condition)) != before).flatten(3).any(3)
            moved = moved.any(0).flatten()
            here = row * 4 + column
            assert not moved[: here + 1].any()
            assert here == 15 or moved[here + 1 :].any()


@pytest.mark.parametrize("given", [0, 2])
def test_step_by_step_is_the_same_as_at_once(given):
    entropy_model = model(given)
    condition = entropy_model.condition(draw(2, given, 4, 3, seed=1) if given else None)
    symbols = draw(4, 3, 2, 3).round()
    mean, scale = entropy_model(symbols, condition)
    for row in range(4):
        for column in range(3):
            unknown = symbols.clone().flatten(0, 1)
            unknown[row * 3 + column :] = float("nan")
            at = entropy_model.at(unknown.view_as(symbols), condition, row, column)
            assert torch.allclose(at[0], mean[row, column], atol=1e-12)
            assert torch.allclose(at[1], scale[row, column], atol=1e-12)


def test_the_common_representation_is_taken_into_account():
    entropy_model, symbols = model(2), draw(4, 4, 2, 3).round()
    means = [
        entropy_model(symbols, entropy_model.condition(draw(2, 2, 4, 4, seed=s)))[0] for s in (1, 2)
    ]
    assert (means[0] != means[1]).all()


def test_widths_are_those_of_the_paper():
    assert [layer.out_features for layer in model(3).fusion[::2]] == [10, 8, 6]
    assert [layer.in_features for layer in model(3).fusion[::2]] == [12, 10, 8]
    assert model(0).fusion[0].in_features == 6

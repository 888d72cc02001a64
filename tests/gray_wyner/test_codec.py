"""Who gets what: the channels of each method, Eq. 14, the answers, the rates."""

import math

import pytest
import torch
from small_runs import DIGITS, METHODS, SOURCE, run_name

from ibpapers.papers.gray_wyner.methods.shared import where_they_agree

WIDTHS = {
    "shared": {0: 4, 1: 4, 2: 4},
    "separated": {0: 4, 1: 4, 2: 4},
    "combined": {0: 4, 1: 4, 2: 4},
    "joint": {0: 8},
    "independent": {1: 8, 2: 8},
}


def batch(learner, size=6):
    return learner.system.data.training(0, 1, size)


@pytest.mark.parametrize("method", METHODS)
def test_channels_are_those_of_the_method(learner, method):
    codec = learner(run_name(method)).codec
    x = batch(learner(run_name(method))).x
    coded = codec(x)
    assert codec.widths == WIDTHS[method]
    shapes = {channel: tuple(y.shape) for channel, y in coded.encoded.symbols.items()}
    assert shapes == {channel: (6, width, 4, 4) for channel, width in WIDTHS[method].items()}
    assert all(torch.equal(y, y.round()) for y in coded.encoded.symbols.values())
    assert (coded.encoded.copies is not None) == (method == "shared")
    assert [tuple(answer.shape) for answer in coded.outputs] == [(6, 1, 16, 16)] * 2
    present = [coded.bits[channel].item() > 0 for channel in range(3)]
    assert present == [channel in WIDTHS[method] for channel in range(3)]


def test_transforms_are_as_many_as_the_method_says(learner):
    count = {method: len(learner(run_name(method)).codec.encoder.transforms)
             for method in ("shared", "separated", "joint", "independent")}  # fmt: skip
    assert count == {"shared": 2, "separated": 3, "joint": 1, "independent": 2}
    assert learner(run_name("combined")).codec.encoder.transform is not None


def test_equation_14_on_integers():
    first = torch.tensor([3.0, -2.0, 0.0, 5.0, -7.0], requires_grad=True)
    second = torch.tensor([3.0, 2.0, 0.0, 4.0, -7.0], requires_grad=True)
    common = where_they_agree(first, second)
    assert common.tolist() == [3.0, 0.0, 0.0, 0.0, -7.0]
    common.backward(torch.ones(5))
    assert first.grad.tolist() == second.grad.tolist() == [0.5, 0.0, 0.5, 0.0, 0.5]


def test_both_transforms_of_shared_get_a_gradient_from_the_common_channel(learner):
    encoder = learner(run_name("shared")).codec.encoder
    x = batch(learner(run_name("shared"))).x
    encoder(x).symbols[0].sum().backward()
    for transform in encoder.transforms:
        assert sum(p.grad.abs().sum() for p in transform.parameters()) > 0


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_needs_its_own_and_the_common_channel_only(learner, method):
    codec = learner(run_name(method)).codec
    symbols = codec(batch(learner(run_name(method))).x).encoded.symbols
    for task, other in ((1, 2), (2, 1)):
        without = {channel: y for channel, y in symbols.items() if channel != other}
        assert torch.equal(codec.answer(task, without), codec.answer(task, symbols))
        for channel in without:
            changed = {**symbols, channel: symbols[channel] + 3}
            assert not torch.equal(codec.answer(task, changed), codec.answer(task, symbols))


def test_private_rates_are_conditional_and_the_common_one_is_not(learner):
    codec = learner(run_name("shared")).codec
    symbols = {c: 2 * torch.ones(6, 4, 4, 4) for c in range(3)}
    bits = codec.bits(symbols)
    assert (codec.bits({**symbols, 0: -symbols[0]})[1:] != bits[1:]).all()
    changed = codec.bits({**symbols, 1: -symbols[1]})
    assert changed[1] != bits[1] and torch.equal(changed[::2], bits[::2])


@pytest.mark.parametrize(("dataset", "size"), [(SOURCE, (3, 16, 4)), (DIGITS, (3, 48, 4))])
def test_images_of_any_size_that_can_be_halved(learner, dataset, size):
    codec = learner(run_name("shared", dataset)).codec
    count, height, width = size
    x = torch.rand(count, 2 if dataset == SOURCE else 3, height, 4 * width)
    symbols = codec.encoder(x).symbols
    assert symbols[0].shape[2:] == (
        height // (4 if dataset == SOURCE else 8),
        16 // (4 if dataset == SOURCE else 8),
    )
    assert torch.isfinite(codec.bits(symbols)).all()


def test_the_paper_has_25_million_parameters(learner):
    model = {"representation_channels": 6, "widths": [24, 48, 192], "blocks": 3}
    model |= {"classifier_width": 3072, "initial_weights": "pytorch"}
    codec = learner(run_name("shared", DIGITS), model=model).codec
    assert math.isclose(sum(p.numel() for p in codec.parameters()), 25.4e6, rel_tol=2e-3)

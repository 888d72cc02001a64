"""Samples are visited once per epoch, in an order that any moment can be entered at."""

import torch

from ibpapers.training.order import Order


def test_every_epoch_has_every_sample_once():
    sequence = Order(10, seed=0).take(0, 30).view(3, 10)
    assert (sequence.sort(dim=1).values == torch.arange(10)).all()
    assert not torch.equal(sequence[0], sequence[1])


def test_any_piece_is_the_same_piece():
    whole = Order(7, seed=3).take(0, 50)
    for start in (0, 5, 7, 13, 44):
        assert torch.equal(Order(7, seed=3).take(start, 6), whole[start : start + 6])


def test_seeds_differ():
    assert not torch.equal(Order(100, seed=0).take(0, 100), Order(100, seed=1).take(0, 100))

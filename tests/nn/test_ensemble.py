"""Networks computed together give what each gives alone, and are the same parameters."""

import pytest
import torch

from ibpapers.nn.ensemble import Ensemble
from ibpapers.nn.feed_forward import FeedForward
from ibpapers.nn.members import Packing, Rows, rand, randn, rows_of

MIXED = torch.tensor([2, 0, 0, 3, 2, 0])  # none of member 1
IN_ORDER = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])


def networks(**keywords):
    """Four that are equal in nothing, biases included."""
    drawn = []
    for seed in range(4):
        draw = torch.Generator().manual_seed(seed)
        drawn.append(FeedForward(5, (8, 6), 3, draw, **keywords).double())
        for parameter in drawn[-1].parameters():
            torch.nn.init.normal_(parameter, std=0.5, generator=draw)
    return drawn


def gradients(network):
    return [parameter.grad for parameter in network.parameters()]


def compare(own, others, together, alone):
    """Their outputs, and their gradients of a sum that weighs outputs differently."""
    ensemble = Ensemble(own)
    found, expected = together(ensemble), alone(others)
    assert torch.allclose(found, expected, rtol=1e-12, atol=1e-12)
    weight = torch.linspace(-1, 2, found.numel(), dtype=torch.double).view_as(found)
    (found * weight).sum().backward()
    (expected * weight).sum().backward()
    ensemble.hand_out()
    for mine, theirs in zip(own, others):
        for one, other in zip(gradients(mine), gradients(theirs)):
            assert (one is None) == (other is None)
            assert one is None or torch.allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("member", [MIXED, IN_ORDER])
@pytest.mark.parametrize("samples", [(), (7,)])
def test_rows_go_through_the_network_of_their_member(member, samples):
    x = torch.randn(len(member), *samples, 5, dtype=torch.double)
    compare(
        networks(),
        networks(),
        lambda ensemble: ensemble(x, member=member),
        lambda alone: torch.cat([alone[m](x[p : p + 1]) for p, m in enumerate(member.tolist())]),
    )


def test_conditions_meet_the_groups_of_their_member():
    x = torch.randn(4, 7, 5, dtype=torch.double)
    rows = torch.tensor([3, 0, 1, 2, 3, 0])  # group 0 and 1 are member 0's, 2 is 3's, 3 is 2's
    condition = torch.randn(6, 2, dtype=torch.double)
    compare(
        networks(conditions=2),
        networks(conditions=2),
        lambda ensemble: ensemble(x, condition, rows, MIXED),
        lambda alone: torch.cat(
            [
                alone[m](x, condition[p : p + 1], rows[p : p + 1])
                for p, m in enumerate(MIXED.tolist())
            ]
        ),
    )


def test_a_step_of_the_networks_is_one_of_the_ensemble():
    own = networks()
    ensemble, x = Ensemble(own), torch.randn(4, 5, dtype=torch.double)
    with torch.no_grad():
        for parameter in own[2].parameters():
            parameter.add_(0.1)
    found = ensemble(x, member=torch.arange(4))
    assert torch.allclose(found[2:3], own[2](x[2:3]), rtol=1e-12)


@pytest.mark.parametrize("member", [MIXED, IN_ORDER])
def test_unpacked_is_what_was_packed(member):
    packing, rows = Packing(member, 4), torch.randn(len(member), 3, 2)
    packed = packing.pack(rows)
    assert packed.shape == (4, int(member.bincount().max()), 3, 2)
    assert torch.equal(packing.unpack(packed), rows)
    for one in range(4):
        mine = rows[member == one]
        assert torch.equal(packed[one, : len(mine)], mine)


@pytest.mark.parametrize("draw", [rand, randn])
def test_a_member_is_given_the_numbers_it_would_be_given_alone(draw):
    def generators():
        return [torch.Generator().manual_seed(seed) for seed in range(4)]

    source, alone = Rows(generators(), MIXED), generators()
    for _ in range(2):
        found = draw((6, 2, 3), source)
        for one, generator in enumerate(alone):
            mine = found[one == MIXED]
            assert torch.equal(mine, draw(mine.shape, generator))
    rows = torch.tensor([3, 1])
    found = draw((2, 5), rows_of(source, rows))
    assert torch.equal(found[0], draw((1, 5), alone[3])[0])
    assert torch.equal(found[1], draw((1, 5), alone[0])[0])


def test_each_members_gradient_is_clipped_by_its_own_norm():
    own, others = networks(), networks()
    ensemble, x = Ensemble(own), torch.randn(4, 5, dtype=torch.double)
    weight = torch.tensor([1e-3, 1.0, 2.0, 3.0], dtype=torch.double)  # the first is short enough
    (ensemble(x, member=torch.arange(4)).sum(1) @ weight).backward()
    ensemble.clip_gradient(0.1)
    ensemble.hand_out()
    for number, other in enumerate(others):
        (other(x[number : number + 1]).sum() * weight[number]).backward()
        norm = torch.nn.utils.clip_grad_norm_(other.parameters(), 0.1)
        assert (norm > 0.1) == (number > 0)
        for one, expected in zip(gradients(own[number]), gradients(other)):
            assert torch.allclose(one, expected, rtol=1e-9, atol=1e-12)

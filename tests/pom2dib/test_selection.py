"""Selections: their probabilities by enumeration, their limits, their gradient."""

import itertools
import math
from collections import Counter

import pytest
import torch

from ibpapers.papers.pom2dib.selection import (
    Policy,
    draw_ordered,
    full_selection,
    limit_encodings,
    log_probability_of_set,
    random_selection,
)
from ibpapers.papers.pom2dib.settings import NO_LIMITS
from ibpapers.papers.pom2dib.systems import HANDWRITTEN, MM_FI

LIMITS = {"transmitters_per_task": 2, "encodings_per_transmitter": 4}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def policy(seed=0, limits=LIMITS, ordered=True, layout=HANDWRITTEN):
    embedding = torch.randn(3, 4, generator=seeded(seed))
    return Policy(layout, limits, embedding, (16, 8), seeded(seed), ordered)


def free_policy(layout, name):
    return policy(limits=NO_LIMITS[name].model_dump(), layout=layout)


def probability_in_order(weights, order):
    """Of drawing `order` one by one without replacement, in plain arithmetic."""
    left, result = sum(weights), 1.0
    for i in order:
        result *= weights[i] / left
        left -= weights[i]
    return result


@pytest.mark.parametrize(("n", "count"), [(2, 1), (3, 2), (4, 3), (4, 4)])
def test_ordered_draws_have_the_enumerated_probabilities(n, count):
    logits = torch.randn(n, generator=seeded(n))
    weights = logits.exp().tolist()
    draws = 40_000
    mask, log_probability = draw_ordered(
        logits.expand(draws, n), torch.full((draws,), count), seeded()
    )
    assert (mask.sum(-1) == count).all()

    orders = list(itertools.permutations(range(n), count))
    assert sum(probability_in_order(weights, o) for o in orders) == pytest.approx(1)
    possible = {}
    for order in orders:
        possible.setdefault(frozenset(order), []).append(probability_in_order(weights, order))
    found = Counter(frozenset(row.nonzero().flatten().tolist()) for row in mask)
    for chosen, ways in possible.items():
        # Each set appears as often as its orders together say: within 5 standard deviations ...
        expected = sum(ways)
        deviation = math.sqrt(expected * (1 - expected) / draws)
        assert found[chosen] / draws == pytest.approx(expected, abs=5 * deviation + 1e-9)
        # ... and every log-probability returned is that of one of its orders.
        rows = [set(row.nonzero().flatten().tolist()) == chosen for row in mask[:500]]
        for value in log_probability[:500][torch.tensor(rows)].exp().tolist():
            assert min(abs(value - way) for way in ways) < 1e-5


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_set_has_the_probability_of_its_orders_together(n):
    logits = torch.randn(2, n, generator=seeded(n), dtype=torch.double)
    for size in range(1, n + 1):
        for members in itertools.combinations(range(n), size):
            chosen = torch.tensor([i in members for i in range(n)]).expand(2, n)
            found = log_probability_of_set(logits, chosen).exp()
            for weights, value in zip(logits.exp().tolist(), found.tolist()):
                orders = itertools.permutations(members)
                expected = sum(probability_in_order(weights, order) for order in orders)
                assert value == pytest.approx(expected, rel=1e-12)


def test_the_score_of_a_set_is_the_expected_score_of_its_orders():
    logits = torch.tensor([0.3, -0.2, 0.6, 1.1], dtype=torch.double, requires_grad=True)
    chosen = torch.tensor([True, False, True, True])
    of_set = log_probability_of_set(logits, chosen)
    (score,) = torch.autograd.grad(of_set, logits)
    expected = torch.zeros(4, dtype=torch.double)
    for order in itertools.permutations(chosen.nonzero().flatten().tolist()):
        left, of_order = list(range(4)), 0.0
        for i in order:
            of_order = of_order + logits[i] - logits[left].logsumexp(0)
            left.remove(i)
        (its,) = torch.autograd.grad(of_order, logits)
        expected += (of_order - of_set).exp().detach() * its
    assert torch.allclose(score, expected, rtol=1e-12)


def test_a_policy_of_sets_draws_the_same_and_says_how_likely_the_sets_are():
    in_order, as_sets = (policy(1, ordered=one).draw(500, seeded(2)) for one in (True, False))
    assert torch.equal(in_order.links, as_sets.links)
    assert (as_sets.log_probability >= in_order.log_probability - 1e-5).all()
    single = (in_order.requests.sum(-1) == 1) & (in_order.links.sum(-1) == 1)
    several = in_order.links.sum(-1) > 2  # one order of several
    gain = as_sets.log_probability - in_order.log_probability
    assert gain[several].min() > 0.01
    assert single.any()


def test_log_probability_of_a_whole_selection_is_the_sum_of_its_parts():
    # One transmitter with one modality, one task: the only choices are forced ones.
    certain = draw_ordered(torch.zeros(1, 1), torch.tensor([1]), seeded())
    assert certain[0].all()
    assert certain[1].item() == pytest.approx(0)


def test_score_function_gradient_is_the_gradient_of_the_expected_cost():
    # Toy: choose 2 of 3 without replacement, a cost for every set. The gradient of the expected
    # cost by finite differences of its enumeration, against the mean score-function estimate.
    cost = {frozenset({0, 1}): 1.0, frozenset({0, 2}): -2.0, frozenset({1, 2}): 0.5}
    logits = torch.tensor([0.3, -0.2, 0.6], dtype=torch.double)

    def expected_cost(values):
        weights = values.exp().tolist()
        orders = itertools.permutations(range(3), 2)
        return sum(probability_in_order(weights, o) * cost[frozenset(o)] for o in orders)

    step = 1e-5
    shifts = torch.eye(3, dtype=torch.double) * step
    exact = [(expected_cost(logits + s) - expected_cost(logits - s)) / (2 * step) for s in shifts]

    draws = 200_000
    parameter = logits.clone().requires_grad_()
    mask, log_probability = draw_ordered(
        parameter.expand(draws, 3), torch.full((draws,), 2), seeded()
    )
    costs = torch.tensor([cost[frozenset(s)] for s in ({1, 2}, {0, 2}, {0, 1})])
    left_out = (~mask).double().argmax(-1)
    (log_probability * costs[left_out]).mean().backward()
    assert parameter.grad.tolist() == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("limits", [LIMITS, {**LIMITS, "transmitters_per_task": 3}])
def test_limits_hold_in_every_draw_of_a_policy(seed, limits):
    selection = policy(seed, limits).draw(2000, seeded(seed))
    asked = selection.requests.sum(-1)
    assert asked.min() == 1
    assert asked.max() == limits["transmitters_per_task"]
    sent = selection.links.unflatten(-1, (3, 3))
    assert sent.sum((1, 3)).max() == limits["encodings_per_transmitter"]
    assert not (sent.any(-1) & ~selection.requests).any()  # nobody sends unasked
    assert (selection.log_probability < 0).all()


LAYOUTS = {"handwritten": HANDWRITTEN, "mm_fi": MM_FI}


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_is_taken_where_there_are_no_limits(name):
    layout = LAYOUTS[name]
    selection = free_policy(layout, name).draw(5000, seeded())
    each = selection.links.unflatten(-1, (len(layout.transmitters), -1))
    assert torch.equal(each.any(-1), selection.requests)  # whoever was asked sends
    assert selection.requests.sum(-1).max() == len(layout.transmitters)
    most = NO_LIMITS[name].encodings_per_transmitter
    assert most == len(layout.tasks) * layout.modalities_each


def test_connections_are_codes_sent_and_transmitters_asked():
    # Remark 7: the sum over k of the norm of a_T^(k) and the sum over t of that of a_t, in loops.
    selection = policy(2).draw(40, seeded(2))
    for links, requests, connections in zip(
        selection.links.unflatten(-1, (3, 3)).tolist(), selection.requests.tolist(),
        selection.connections.sum(-1).tolist(),
    ):  # fmt: skip
        sent = sum(links[t][k][m] for k in range(3) for t in range(3) for m in range(3))
        assert connections == sent + sum(requests[t][k] for t in range(3) for k in range(3))


def test_indifferent_selectors_make_as_many_connections_as_enumeration_says():
    free = free_policy(HANDWRITTEN, "handwritten")
    with torch.no_grad():
        for parameter in free.parameters():
            parameter.zero_()
        connections = free.draw(20_000, seeded()).connections.double()
    outcomes = [  # of one task: how likely, and how many
        (1 / 3 ** (asked + 1), asked + sum(sent))
        for asked in (1, 2, 3)
        for sent in itertools.product((1, 2, 3), repeat=asked)
    ]
    assert sum(chance for chance, _ in outcomes) == pytest.approx(1)
    expected = sum(chance * number for chance, number in outcomes)
    assert expected == pytest.approx(6)
    deviation = connections.std(0).max().item() / math.sqrt(len(connections))
    assert connections.mean(0).tolist() == pytest.approx([expected] * 3, abs=5 * deviation)


def test_only_transmitters_over_their_limit_lose_encodings():
    links = torch.zeros(1, 3, 9, dtype=torch.bool)
    links[0, :, 0:3] = True  # nine encodings at the first transmitter
    links[0, 0, 3:6] = True  # three at the second
    kept = torch.stack([limit_encodings(links, 3, 4, seeded(s))[0] for s in range(300)])
    assert (kept[..., 0:3].sum((1, 2)) == 4).all()
    assert (kept[..., 3:] == links[0, :, 3:]).all()
    # Which four is uniform: 4/9 each, within 5 standard deviations.
    frequency = kept[..., 0:3].float().mean(0)
    assert (frequency - 4 / 9).abs().max() < 5 * math.sqrt(4 / 9 * 5 / 9 / 300)


@pytest.mark.parametrize("seed", range(20))
def test_a_random_selection_serves_every_task_within_the_limits(seed):
    selection = random_selection(HANDWRITTEN, LIMITS, seeded(seed))
    assert selection.links.any(-1).all()
    assert selection.links.unflatten(-1, (3, 3)).sum((1, 3)).max() <= 4
    assert selection.requests.sum(-1).max() <= 2


def test_full_participation_is_everything():
    assert full_selection(HANDWRITTEN).links.sum() == 27

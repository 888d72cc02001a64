"""The bound on beta (Proposition 5.7; three modalities: Appendix D), from estimated entropies.

With M modalities, H = sum_i H(v_i) and I = sum_{i<j} I(v_i; v_j),

    two:    M_u = 1 / (3 (H - I)),        M_l = 1 / (3 H),
    three:  M_u = 1 / (5 (H - 2/3 I)),    M_l = 1 / (5 H),

in 1/nat. The paper takes H(v) = MINE(v, v) and I = MINE(v_i, v_j). For continuous v the true value
of both may be infinite (an entropy always is), so what they say is how much a critic of given size
certifies; see `information.mine`. An estimated I below zero counts as zero, which is a better bound
on an information.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ibpapers.errors import UserError
from ibpapers.files import read_json

FACTOR = {2: 3, 3: 5}  # before the bracket
OVERLAP = {2: 1.0, 3: 2 / 3}  # of I inside it
_MULTIPLE = re.compile(r"(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?) M_([ul])")


def _is_multiple(text: str) -> str:
    if not _MULTIPLE.fullmatch(text):
        raise ValueError(
            "a beta is a number or a multiple of a bound, such as '1.0 M_u', '0.5 M_l'"
        )
    return text


BETA = Annotated[float, Field(ge=0)] | Annotated[str, AfterValidator(_is_multiple)]


@dataclass(frozen=True)
class Bounds:
    """M_l and M_u of a dataset (1/nat), at the mean of its estimates.

    `lower_std` and `upper_std` are what the estimates' deviations over seeds make of them, to
    first order, as of independent estimates; 0 with one seed. `touching` names the estimates that
    touch their ceiling: what they stand for may be larger, so that the bounds carry no weight.
    """

    lower: float
    upper: float
    lower_std: float
    upper_std: float
    touching: tuple[str, ...]


def terms(modalities: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Name -> the two modalities of every estimate that the bounds are made of: H, then I."""
    entropies = {f"h_{v}": (v, v) for v in modalities}
    return entropies | {f"i_{v}_{w}": (v, w) for v, w in combinations(modalities, 2)}


def read(estimates: Mapping[str, Path]) -> Bounds:
    """The bounds from the files of a dataset's estimates, by id.

    Raises:
        UserError: a file cannot be read, or the estimates give no bound.
    """
    return bounds({name: read_json(path) for name, path in estimates.items()})


def bounds(estimates: Mapping[str, Mapping[str, Any]]) -> Bounds:
    """The bounds from a dataset's estimates (the content of their files), by id.

    Raises:
        UserError: the estimates are not those of two or three modalities; or an entropy, or the
            difference that M_u is the inverse of, is not positive.
    """
    by_term = {frozenset(estimate["term"]): estimate for estimate in estimates.values()}
    modalities = [v for term in by_term if len(term) == 1 for v in term]
    wanted = {frozenset(term) for term in terms(modalities).values()}
    if len(modalities) not in FACTOR or set(by_term) != wanted:
        raise UserError(
            "the bound on beta needs the entropy of each of two or three modalities and the "
            f"information of each pair; there are: {', '.join(estimates) or 'no estimates'}"
        )
    entropies, informations = (
        [one for term, one in by_term.items() if len(term) == size] for size in (1, 2)
    )
    h = [one["value"] for one in entropies]
    i = [max(one["value"], 0.0) for one in informations]
    overlap, factor = OVERLAP[len(modalities)], FACTOR[len(modalities)]
    # Not so either where an estimate is not a number.
    if not (all(value > 0 for value in h) and sum(h) > overlap * sum(i)):
        raise UserError(_no_bound(by_term.values()))
    lower, upper = lower_bound(h), upper_bound(h, i)
    # d(1 / (factor x)) = -factor / (factor x)^2 dx, and x = sum H - overlap sum I.
    of_h = math.hypot(*(one["std"] for one in entropies))
    of_i = overlap * math.hypot(*(one["std"] for one in informations))
    return Bounds(
        lower=lower,
        upper=upper,
        lower_std=factor * lower**2 * of_h,
        upper_std=factor * upper**2 * math.hypot(of_h, of_i),
        touching=tuple(name for name, one in estimates.items() if one["touches_ceiling"]),
    )


def resolve(beta: float | str | None, found: Bounds | None) -> float | None:
    """`beta` as a number: itself, or a multiple of a bound, "1.0 M_u" or "0.5 M_l".

    Raises UserError where it is a multiple of a bound that was not found. None stays None.
    """
    if not isinstance(beta, str):
        return beta
    factor, side = _MULTIPLE.fullmatch(beta).groups()
    if found is None:
        raise UserError(f"beta is {beta!r}, but there are no estimates to take the bound from")
    return float(factor) * (found.upper if side == "u" else found.lower)


def lower_bound(entropies: Sequence[float]) -> float:
    """M_l (1/nat) of H(v_i) in nats."""
    return 1 / (FACTOR[len(entropies)] * sum(entropies))


def upper_bound(entropies: Sequence[float], informations: Sequence[float]) -> float:
    """M_u (1/nat) of H(v_i) and I(v_i; v_j) in nats."""
    modalities = len(entropies)
    rest = sum(entropies) - OVERLAP[modalities] * sum(informations)
    return 1 / (FACTOR[modalities] * rest)


def _no_bound(estimates: Iterable[Mapping[str, Any]]) -> str:
    listed = ", ".join(
        f"{'H' if len(set(one['term'])) == 1 else 'I'}({'; '.join(dict.fromkeys(one['term']))}) = "
        f"{one['value']:.3f}"
        for one in estimates
    )
    return (
        f"the estimates give no bound on beta: {listed} nats. Every H has to be positive, and "
        "their sum to exceed the information that is shared. Train the critic longer or in larger "
        "batches (papers.omib.entropy.mine), or give beta as a number."
    )

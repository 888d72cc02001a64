"""The claims of Section 4, each with its rule.

All are judged on means over seeds, a point per eta: what is claimed is an order of whole curves.
At the smoke scale only the bounds are, which no training can break; elsewhere wherever training
went far enough, whatever the data.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ibpapers.papers.gray_wyner.curves import (
    BASELINES,
    BETAS,
    METHODS,
    PMFS,
    bd_rate_or_why,
    curve,
    points,
)
from ibpapers.report.claims import Evidence, Verdict, too_short, verdict
from ibpapers.report.exhibits import View, signed
from ibpapers.report.results import select

SYNTHETIC, COLOURED = {"study": "synthetic_ablation"}, {"study": "coloured_mnist"}
ACCURACY = {"digit": 0.97, "colour": 0.99}  # of the best codec of every PMF: trained far enough
NOTHING_SENT = 0.97  # D1 + D2 of a codec that sends nothing: twice the deviation of a symbol
USEFUL = 0.8  # share of that which the best shared codec stays below: trained far enough
PRIVATE_SHARE, ABOUT = 0.2922, 0.10  # Appendix D.4, and how near counts as "about"


def common_rate_falls_with_beta(view: View) -> Verdict:
    """Claim 1, Fig. 3a: R0 of the shared codec falls as beta rises, at every eta."""
    found = select(points(view.where(**SYNTHETIC)), method="shared")
    rates = found.pivot_table(index="eta", columns="beta", values="rate_0").dropna()
    falls = (rates.diff(axis=1).iloc[:, 1:] < 0).all(axis=1)
    untestable = too_short(view) or _untrained_source(found) or _fewer(rates, 2, "betas")
    return verdict(
        "The common rate falls as β rises, at every η (Fig. 3a).",
        "R₀ of the shared codec, mean over seeds, from each β of the plan to the next, at every η "
        "that all of them have.",
        [
            Evidence(f"η = {eta:g}, β = {beta:g}", rate, "bits per pixel", digits=3)
            for eta, row in rates.iterrows()
            for beta, rate in row.items()
        ],
        untestable,
        {f"R₀ falls at η = {eta:g}": bool(so) for eta, so in falls.items()},
    )


def transmit_rate_ordering(view: View) -> Verdict:
    """Claim 2, Fig. 3c: at equal distortion, joint needs no more than shared, independent more."""
    found = points(view.where(**SYNTHETIC))
    shared = select(found, method="shared")
    missing = [METHODS[m] for m in BASELINES if select(found, method=m).empty]
    untestable = (
        too_short(view)
        or _untrained_source(shared)
        or (f"the plan has no {' and no '.join(missing)}" if missing else None)
    )
    evidence, findings = [], {}
    for method, sign in (("independent", -1), ("joint", 1)):
        anchor = select(found, method=method)
        rates = _bd_rates(anchor, {b: select(shared, beta=b) for b in BETAS}, "transmit_rate")
        for beta, rate, why in rates:
            if why:
                untestable = untestable or why
                continue
            label = f"shared at β = {beta:g} against {method}"
            evidence.append(Evidence(label, rate, "%", digits=1))
            word = "below" if sign < 0 else "at least"
            so = rate < 0 if sign < 0 else rate >= 0
            findings[f"{word} {method}'s at β = {beta:g} ({_percent(rate)})"] = so
    return verdict(
        "The transmit rate of the shared codec is below the independent one's, and the joint one's "
        "is no higher (Fig. 3c).",
        "BD-rate of the transmit rate by piecewise cubics, at every β of the plan: negative "
        "against independent, not negative against joint.",
        evidence,
        untestable,
        findings,
    )


def shared_beats_ablations(view: View) -> Verdict:
    """Claim 3, Fig. 3b and 9: shared needs less than separated and combined, at every beta."""
    found = points(view.where(**SYNTHETIC))
    untestable = too_short(view) or _untrained_source(select(found, method="shared"))
    evidence, findings = [], {}
    compared = 0
    for beta in BETAS:
        anchor = select(found, method="shared", beta=beta)
        others = {m: select(found, method=m, beta=beta) for m in ("separated", "combined")}
        for quantity in ("transmit", "receive"):
            for method, rate, why in _bd_rates(anchor, others, f"{quantity}_rate"):
                compared += 1
                if why:
                    untestable = untestable or why
                    continue
                label = f"{method}, {quantity} rate, β = {beta:g}"
                evidence.append(Evidence(label, rate, "%", digits=1))
                findings[f"{label} ({_percent(rate)})"] = rate > 0
    if not compared:
        untestable = untestable or "the plan has neither separated nor combined beside shared"
    return verdict(
        "The shared codec outperforms separated and combined at every β (Fig. 3b and 9).",
        "BD-rate against shared by piecewise cubics, of the transmit and of the receive rate, at "
        "every β of the plan: positive for both.",
        evidence,
        untestable,
        findings,
    )


def independent_pmf_needs_no_common_channel(view: View) -> Verdict:
    """Claim 4, Table 6: on the independent PMF R0 is below one bit at every eta."""
    found = select(points(view.where(**COLOURED)), method="shared", pmf="independent")
    return verdict(
        "On the independent PMF the common channel carries less than one bit (Table 6).",
        "R₀ of the shared codec in bits per image, mean over seeds, at every η of the plan.",
        _by_eta(found, "bits_0", "R₀", "bits"),
        too_short(view) or _untrained_digits(found, "independent"),
        {f"below one bit at η = {eta:g}": r < 1 for eta, r in _column(found, "bits_0").items()},
    )


def dependent_pmf_is_common(view: View) -> Verdict:
    """Claim 5, Table 6: on the dependent PMF private channels carry about 29%, common the most."""
    found = select(points(view.where(**COLOURED)), method="shared", pmf="dependent")
    found = found.assign(share=_private_share(found))
    evidence, findings = _by_eta(found, "share", "private share of the transmit rate", ""), {}
    if len(found):
        mean = found["share"].mean()
        evidence.append(Evidence("mean over η", mean))
        findings = {
            f"the common channel carries the most ({1 - mean:.2f})": mean < 0.5,
            f"private channels carry about {PRIVATE_SHARE} ({mean:.2f})": (
                abs(mean - PRIVATE_SHARE) <= ABOUT
            ),
        }
    return verdict(
        "On the dependent PMF private channels carry about 29% of the transmit rate, the common "
        "one the most (Table 6).",
        f"(R₁ + R₂) / Rₜ of the shared codec, mean over the η of the plan: below one half, and "
        f"within {ABOUT:.2f} of {PRIVATE_SHARE}.",
        evidence,
        too_short(view) or _untrained_digits(found, "dependent"),
        findings,
    )


def rates_above_theory(view: View) -> Verdict:
    """Claim 6: no transmit or receive rate of any codec is below what its answers take.

    Bounds are those of `theory`: the rate-distortion functions of the synthetic source, Fano's
    inequality for the labels of coloured MNIST.
    """
    found = points(view)
    evidence, findings = [], {}
    bounded = False
    for dataset, name in (("gray_wyner_source", "synthetic"), ("coloured_mnist", "coloured MNIST")):
        lines = select(found, dataset=dataset)
        for quantity in ("transmit", "receive"):
            if lines.empty:
                continue
            rate, bound = lines[f"{quantity}_rate"], lines[f"{quantity}_bound"]
            ratio = (rate / bound)[bound > 0]
            bounded |= len(ratio) > 0
            if len(ratio):
                label = f"{name}, least {quantity} rate over its bound"
                evidence.append(Evidence(label, ratio.min()))
            findings[f"{quantity} rates on {name}"] = bool((rate >= bound).all())
    return verdict(
        "Every rate is above its theoretical bound.",
        "Transmit and receive rate of every codec at every setting, against the rate-distortion "
        "functions of the source (synthetic) and Fano's inequality (coloured MNIST) at the "
        "distortions and accuracies reached.",
        evidence,
        None if bounded else "no codec answers well enough for a bound above zero",
        findings,
    )


def pmf_ordering(view: View) -> Verdict:
    """Claim 7, Fig. 4: dependent has the lowest transmit, independent the lowest receive rate."""
    found = select(points(view.where(**COLOURED)), method="shared")
    tables = {
        quantity: found.pivot_table(index="eta", columns="pmf", values=f"{quantity}_bits")
        for quantity in ("transmit", "receive")
    }
    missing = [label for pmf, label in PMFS.items() if select(found, pmf=pmf).empty]
    untestable = too_short(view) or (f"no run of PMF {', '.join(missing)}" if missing else None)
    for pmf in PMFS:
        untestable = untestable or _untrained_digits(select(found, pmf=pmf), pmf)
    evidence, findings = [], {}
    for quantity, lowest in (("transmit", "dependent"), ("receive", "independent")):
        for eta, row in tables[quantity].iterrows():
            evidence += [
                Evidence(f"{quantity} rate, {pmf}, η = {eta:g}", rate, "bits", digits=1)
                for pmf, rate in row.dropna().items()
            ]
            others = row.drop(lowest, errors="ignore").dropna()
            if lowest in row and row[lowest] == row[lowest] and len(others):
                findings[f"{lowest} has the lowest {quantity} rate at η = {eta:g}"] = bool(
                    (row[lowest] < others).all()
                )
    return verdict(
        "The dependent PMF has the lowest transmit rate and the independent PMF the lowest receive "
        "rate (Fig. 4).",
        "Rates of the shared codec, mean over seeds, at every η that the PMF has in common with "
        "another.",
        evidence,
        untestable,
        findings,
    )


def _untrained_source(shared: pd.DataFrame) -> str | None:
    if shared.empty:
        return "the plan has no shared codec on the synthetic source"
    least, limit = shared["distortion"].min(), USEFUL * NOTHING_SENT
    if least < limit:
        return None
    return f"not trained far enough: D₁ + D₂ is {least:.2f} at best, needed below {limit:.2f}"


def _untrained_digits(found: pd.DataFrame, pmf: str) -> str | None:
    if found.empty:
        return f"the plan has no shared codec on the {pmf} PMF"
    for task, (label, needed) in enumerate(ACCURACY.items(), 1):
        best = found[f"accuracy_{task}"].max()
        if best < needed:
            return (
                f"not trained far enough: {label} accuracy on the {pmf} PMF is {best:.4f} at best, "
                f"needed {needed}"
            )
    return None


def _fewer(rates: pd.DataFrame, needed: int, what: str) -> str | None:
    if rates.empty or rates.shape[1] < needed:
        return f"{what} with an η in common: {rates.shape[1]}, needed: {needed}"
    return None


def _bd_rates(
    anchor: pd.DataFrame, tests: dict, rate: str
) -> Iterator[tuple[str | float, float, str | None]]:
    """Key, BD-rate in percent and None, or why there is none, of each of `tests` that has lines."""
    for key, lines in tests.items():
        if anchor.empty or lines.empty:
            continue
        names = (f"{frame['method'].iloc[0]}" for frame in (anchor, lines))
        curves = (curve(name, x, rate) for name, x in zip(names, (anchor, lines), strict=True))
        value = bd_rate_or_why(*curves, "pchip")
        yield (key, float("nan"), value) if isinstance(value, str) else (key, value, None)


def _private_share(found: pd.DataFrame) -> pd.Series:
    return (found["bits_1"] + found["bits_2"]) / found["transmit_bits"]


def _column(found: pd.DataFrame, name: str) -> dict[float, float]:
    return dict(zip(found["eta"], found[name], strict=True)) if len(found) else {}


def _by_eta(found: pd.DataFrame, name: str, label: str, unit: str) -> list[Evidence]:
    values = _column(found, name).items()
    return [Evidence(f"{label}, η = {eta:g}", value, unit) for eta, value in values]


def _percent(value: float) -> str:
    return signed(f"{value:+.1f}%")

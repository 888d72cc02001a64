"""The claims of Section 6, each with its rule.

SIM is drawn here as the paper describes it, so claims about it are judged in every tier, once
training is long enough; claims about CMU-MOSI need its real data.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ibpapers.papers.omib.figures import PHASES, fit_of
from ibpapers.papers.omib.tables import (
    ABLATIONS,
    DATASETS,
    FEATURES,
    METHODS,
    RELEVANT_DIMENSIONS,
    SENTIMENT,
    ablation_metric,
    betas,
    found_bounds,
    with_setting,
)
from ibpapers.report.claims import (
    LEVEL,
    MINIMUM_PAIRS,
    Evidence,
    Verdict,
    few_seeds,
    p_paired,
    p_text,
    too_short,
    verdict,
)
from ibpapers.report.exhibits import View
from ibpapers.report.results import estimate

NEAR = 10**0.5  # half a decade: the grid has one beta a decade
CLEARLY = 5.0  # points of accuracy lost beyond the bound
WITHIN = 2.5  # points of the authentic optimum
LINEAR = 0.98  # R^2 above this
FEWEST_SIZES, SPAN = 4, 10  # of N: how many, and how far apart the ends
LONG = 2.0  # seconds; the pauses of a busy machine bend shorter epochs


def accuracy_peaks_below_bound(view: View) -> Verdict:
    """Claim 1, Fig. 3: accuracy is highest at a beta up to about M_u and clearly falls beyond.

    For each SIM set: the mean is highest at most half a decade above M_u, and at the largest beta
    it is more than 5 points below that at M_u (without such a run: at the beta next to it).
    """
    view = view.where(study="beta_sweep")
    datasets = view.present("dataset", RELEVANT_DIMENSIONS)
    untestable = _untestable(view, datasets, RELEVANT_DIMENSIONS)
    findings, evidence = {}, []
    for dataset in datasets:
        of_dataset, name = view.where(dataset=dataset), DATASETS[dataset]
        limits, runs = found_bounds(of_dataset), betas(of_dataset)
        if limits is None:
            untestable = untestable or f"no run on {name} has read the bound"
            continue
        upper, deviation = limits["M_u"]
        by_seed = runs.pivot_table(index="seed", columns="beta", values="accuracy")
        means = by_seed.mean()
        peak, largest = means.idxmax(), means.index.max()
        at_bound = means.index[np.abs(np.log(means.index / upper)).argmin()]
        if largest <= NEAR * upper:
            untestable = untestable or f"no beta on {name} is far above M_u"
            continue
        evidence += [
            Evidence(f"{name}, M_u (± one deviation)", upper, "1/nat", deviation, digits=4),
            Evidence(f"{name}, β of the highest accuracy", peak, "1/nat", digits=4),
            *(
                Evidence.of(f"{name}, accuracy at β = {b:.2g}", estimate(by_seed[b]), "%", 1)
                for b in dict.fromkeys((peak, at_bound, largest))
            ),
        ]
        if not untestable:
            p = p_paired(by_seed[at_bound] - CLEARLY, by_seed[largest])
            findings |= {
                f"{name} peaks at β = {peak:.2g}, at most half a decade above M_u = {upper:.2g}": (
                    peak <= NEAR * upper
                ),
                f"{name} loses over {CLEARLY:g} points from M_u to β = {largest:g} ({p_text(p)})": (
                    p < LEVEL
                ),
            }
    return verdict(
        "Accuracy peaks at or below about M_u and falls fast beyond it, on SIM-I to SIM-III "
        "(Fig. 3).",
        "Accuracy on the whole test set. On every SIM set its mean is highest at a β at most half "
        f"a decade above M_u, and at the largest β it is over {CLEARLY:g} points below that at M_u "
        "(paired one-sided t-test over seeds at level 5%).",
        evidence,
        untestable,
        findings,
    )


def code_near_authentic_optimum(view: View) -> Verdict:
    """Claim 2, Table 2: OMIB's code within 2.5 points of [a0; a1; a2], above every other part."""
    view = view.where(study="feature_sets")
    datasets = view.present("dataset", RELEVANT_DIMENSIONS)
    untestable = _untestable(view, datasets, ())
    findings, evidence = {}, []
    for dataset in datasets:
        of_dataset, name = view.where(dataset=dataset), DATASETS[dataset]
        accuracy = {
            part: of_dataset.values(method="features", metric=f"accuracy/{part}")
            for part in FEATURES
        } | {"omib": of_dataset.values(method="omib", metric="accuracy")}
        if any(values.empty for values in accuracy.values()):
            untestable = untestable or f"the plan lacks a feature set or OMIB on {name}"
            continue
        labels = {**FEATURES, "omib": "OMIB's code"}
        evidence += [
            Evidence.of(f"{name}, {labels[part]}", estimate(values), "%", 1)
            for part, values in accuracy.items()
        ]
        if untestable:
            continue
        ours = accuracy.pop("omib")
        p = p_paired(ours + WITHIN, accuracy.pop("authentic_optimal_mib"))
        findings[f"{name}: less than {WITHIN} points below [a0; a1; a2] ({p_text(p)})"] = p < LEVEL
        for part, values in accuracy.items():
            p = p_paired(ours, values)
            findings[f"{name}: above {FEATURES[part]} ({p_text(p)})"] = p < LEVEL
    return verdict(
        f"OMIB's code comes within {WITHIN} points of the authentic optimal code and beats the "
        "union, the unimodal and the partial feature sets (Table 2).",
        "Accuracy on the whole test set; paired one-sided t-tests over seeds at level 5%, all "
        "needed on every SIM set.",
        evidence,
        untestable,
        findings,
    )


def every_part_counts(view: View) -> Verdict:
    """Claim 3, Table 6: OMIB without a part is less accurate, on SIM and (real data) on MOSI."""
    view = view.where(study="ablation", method="omib")
    datasets = [d for d in _judged(view) if d in set(view.rows["dataset"])]
    untestable = _untestable(view, datasets, ())
    findings, evidence = {}, []
    for dataset in datasets:
        of_dataset, name = view.where(dataset=dataset), DATASETS[dataset]
        metric = ablation_metric(dataset)
        accuracy = {
            variant: with_setting(of_dataset, "ablation", variant).values(metric=metric)
            for variant in ABLATIONS
        }
        accuracy = {variant: values for variant, values in accuracy.items() if len(values)}
        evidence += [
            Evidence.of(f"{name}, {ABLATIONS[variant]}", estimate(values), "%", 1)
            for variant, values in accuracy.items()
        ]
        if untestable:
            continue
        full = accuracy.pop("full")
        for variant, values in accuracy.items():
            p = p_paired(full, values)
            findings[f"{name}: {ABLATIONS[variant]} costs accuracy ({p_text(p)})"] = p < LEVEL
    return verdict(
        "Each of warm-up, cross-attention, OMF and r adds to accuracy (Table 6).",
        "Accuracy on the whole test set (MOSI: Acc2, negative / positive; printed for CREMA-D); "
        "paired one-sided t-tests over seeds at level 5% of the full method above each variant, "
        "all needed.",
        evidence,
        untestable,
        findings,
    )


def omib_leads_on_mosi(view: View) -> Verdict:
    """Claim 4, Table 4: OMIB's mean Acc2, F1 and MAE are at least as good as any baseline's."""
    view = view.where(study="sentiment")
    datasets = view.present("dataset", DATASETS)
    untestable = _untestable(view, datasets, ())
    if view.tier != "real":
        untestable = untestable or f"{view.tier} data are not CMU-MOSI"
    findings, evidence = {}, []
    for dataset in datasets:
        of_dataset, name = view.where(dataset=dataset), DATASETS[dataset]
        methods = of_dataset.present("method", METHODS)
        if methods == ["omib"] or "omib" not in methods:
            untestable = untestable or f"the plan has no OMIB or no baseline on {name}"
            continue
        for metric in SENTIMENT:
            if metric.printed not in ("acc2", "f1", "mae"):
                continue
            means = {m: of_dataset.estimate(method=m, metric=metric.name) for m in methods}
            sign = -1 if metric.printed == "mae" else 1
            ours = means.pop("omib")
            best = max(means, key=lambda method, m=means, s=sign: s * m[method].mean)
            label = f"{name}, {metric.label}"
            evidence += [
                Evidence.of(f"{label}: OMIB", ours, metric.unit, metric.digits),
                Evidence.of(
                    f"{label}: {METHODS[best]}, best baseline", means[best], metric.unit,
                    metric.digits,
                ),
            ]  # fmt: skip
            findings[f"{label}: not behind {METHODS[best]}"] = (
                sign * ours.mean >= sign * means[best].mean
            )
    return verdict(
        "OMIB is at least as good as every baseline on CMU-MOSI in Acc2, F1 and MAE (Table 4).",
        "Means over seeds on the whole test set, both conventions of Acc2 and F1, on every variant "
        "of the features; features are not the paper's.",
        evidence,
        untestable,
        findings,
    )


def time_is_linear(view: View) -> Verdict:
    """Claim 5, Fig. 4: seconds per epoch against N are a straight line, R^2 > 0.98."""
    view = view.where(study="runtime")
    fits = {phase: fit_of(view, phase) for phase in PHASES} if len(view.rows) else {}
    sizes = np.unique([n for fit in fits.values() for n in fit.samples])
    untestable = None
    if not fits:
        untestable = "the plan measures no times"
    elif len(sizes) < FEWEST_SIZES or sizes.max() < SPAN * sizes.min():
        untestable = (
            f"{len(sizes)} sizes from {sizes.min():,.0f} to {sizes.max():,.0f}; needed: "
            f"{FEWEST_SIZES}, over a factor of {SPAN}"
        )
    elif (longest := max(fit.seconds.max() for fit in fits.values())) < LONG:
        untestable = f"the longest epoch took {longest:.2g} s; needed: {LONG:g} s"
    evidence = [
        one
        for phase, fit in fits.items()
        for one in (
            Evidence(f"{PHASES[phase].label}, R²", fit.r_squared, digits=4),
            Evidence(f"{PHASES[phase].label}, a sample", 1e6 * fit.slope, "µs", digits=1),
        )
    ]
    return verdict(
        "The time of an epoch grows linearly with N (Fig. 4).",
        f"R² of a straight line through all measurements is above {LINEAR}, in warm-up and in main "
        "training.",
        evidence,
        untestable,
        {
            f"{PHASES[phase].label}: R² = {fit.r_squared:.4f}": fit.r_squared > LINEAR
            for phase, fit in fits.items()
        },
    )


def _judged(view: View) -> list[str]:
    """The datasets whose results mean something in this tier."""
    return [d for d in DATASETS if d in RELEVANT_DIMENSIONS or view.tier == "real"]


def _untestable(view: View, datasets: list[str], needed: Iterable[str]) -> str | None:
    """Why nothing can be judged from these rows; None where it can."""
    missing = [DATASETS[one] for one in needed if one not in datasets]
    if not datasets or missing:
        return f"the plan has no {' and no '.join(missing) or 'dataset for it'}"
    return too_short(view) or few_seeds(view, MINIMUM_PAIRS)

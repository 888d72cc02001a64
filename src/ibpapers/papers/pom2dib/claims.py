"""The claims of Section VIII, each with its rule.

Claims 1 to 3 are about converged trainings on the paper's data and settings and are tested where
printed numbers are comparable; claims 5 to 7 are about the objective and are tested wherever
training is long enough; claim 4 is tested everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd
from scipy import stats

from ibpapers.papers.pom2dib.tables import (
    DATASETS,
    METHODS,
    links_selected,
    printed_number,
    why_not_printed,
)
from ibpapers.report.claims import (
    LEVEL,
    Evidence,
    Verdict,
    few_seeds,
    p_paired,
    p_text,
    too_short,
    verdict,
)
from ibpapers.report.exhibits import View
from ibpapers.report.results import estimate, with_beta, with_settings

HANDWRITTEN = "handwritten"
COMPARISON = {"study": f"comparison_{HANDWRITTEN}"}
TRADEOFF = {"study": f"rate_relevance_{HANDWRITTEN}"}
DROPPED = 0.05  # "drops all noise terms": a selection probability below this
WELL_SHORT = 0.5  # of full participation, in links


def relevance_near_full_participation(view: View) -> Verdict:
    """Claim 1, Table I: N-CE (nat) of pom2dib clearly above rsdib's and near tadib's.

    "Near" is within the printed distance to tadib plus both printed intervals.
    """
    view = view.where(**COMPARISON)
    margin = _printed_margin(view)
    untestable = _missing(view, "pom2dib", "rsdib", "tadib") or _untestable_here(view)
    findings = {}
    if not untestable:
        ours, random, full = (_seeds(view, m, "n_ce") for m in ("pom2dib", "rsdib", "tadib"))
        above, near = _p_greater(ours, random), _p_greater(ours + margin, full)
        findings = {
            f"N-CE above RS-DIB's ({p_text(above)})": above < LEVEL,
            f"less than {margin:.2f} nat below TADIB's ({p_text(near)})": near < LEVEL,
        }
    return verdict(
        "PoM²-DIB's N-CE is clearly above RS-DIB's and comes near TADIB's (Table I).",
        "N-CE on the whole test set; two one-sided Welch t-tests over seeds at level 5%, both "
        f"needed: above RS-DIB's, and above TADIB's less {margin:.2f} nat, which is the printed "
        "distance plus both printed intervals.",
        [
            *_means(view, "n_ce", "test set", 2, ("pom2dib", "rsdib", "tadib")),
            *_means(view, "training_n_ce", "training log", 2, ("pom2dib", "rsdib", "tadib")),
        ],
        untestable,
        findings,
    )


def sum_rate_ordering(view: View) -> Verdict:
    """Claim 2, Table I: sum-rate (nat) of pom2dib below tadib's, which is below dlsc's.

    The second half compares a rate with a k-NN entropy, so it is shown and not judged.
    """
    view = view.where(**COMPARISON)
    untestable = _missing(view, "pom2dib", "tadib") or _untestable_here(view)
    findings = {}
    if not untestable:
        p = _p_greater(_seeds(view, "tadib", "sum_rate"), _seeds(view, "pom2dib", "sum_rate"))
        findings = {f"sum-rate below TADIB's ({p_text(p)})": p < LEVEL}
    return verdict(
        "The sum-rate of PoM²-DIB is below TADIB's, and that below DLSC's (Table I).",
        "Sum-rate on the whole test set; one-sided Welch t-test over seeds at level 5% of "
        "PoM²-DIB below TADIB. DLSC's number is a differential entropy: shown as printed, no part "
        "of the verdict.",
        _means(view, "sum_rate", "test set", 1, METHODS),
        untestable,
        findings,
    )


def noise_is_dropped(view: View) -> Verdict:
    """Claim 3, Fig. 3: pom2dib selects every noise modality with probability below 0.05.

    For every task and seed; one counterexample is enough to fail.
    """
    view = view.where(**COMPARISON, method="pom2dib")
    noise = view.rows[view.rows["metric"].str.match(r"selection/t\d/x\d/C")]
    likeliest = noise.groupby("seed")["value"].max()
    seeds, dropped = len(likeliest), int((likeliest < DROPPED).sum())
    untestable = _missing(view, "pom2dib") or _why_not_comparable(view)
    if dropped == seeds:
        untestable = untestable or few_seeds(view)
    evidence = []
    if seeds:
        evidence = [
            Evidence("Likeliest noise link, seed where it is least so", likeliest.min()),
            Evidence("Likeliest noise link, seed where it is most so", likeliest.max()),
            Evidence("Seeds that drop every noise link", dropped, digits=0),
        ]
    return verdict(
        "On HandWritten the learnt selection drops every noise modality C (Fig. 3).",
        f"The selection probability of each noise link is below {DROPPED} for every task and seed.",
        evidence,
        untestable,
        {f"{dropped} of {seeds} seeds have every noise link below {DROPPED}": dropped == seeds},
    )


def limits_hold(view: View) -> Verdict:
    """Claim 4: no evaluation draw of pom2dib or rsdib under these limits breaks Eq. 9 or 10.

    Eq. 9 is about the transmitters that a receiver asks; that the cap of Eq. 10 may then leave a
    task with nothing breaks neither and is shown beside.

    Independently of the count of violations, the probabilities must fit: per task the sum over
    transmitters of their likeliest modality is at most E_t, per transmitter the sum over tasks
    and modalities at most E_k.
    """
    limits = view.settings["limits"]
    e_t, e_k = limits["transmitters_per_task"], limits["encodings_per_transmitter"]
    rows = view.rows[view.rows["method"].isin(["pom2dib", "rsdib"])]
    rows = rows.drop_duplicates(["run", "seed", "metric"])  # a run may be in two studies
    rows = rows[np.array([own == limits for own in with_settings(rows, "limits")["limits"]], bool)]
    violations, unserved = (
        rows.loc[rows["metric"] == metric, "value"]
        for metric in ("limit_violations", "unserved_draws")
    )
    probability = _selection(rows)
    likeliest = probability.groupby(["run", "seed", "task", "transmitter"])["value"].max()
    transmitters = likeliest.groupby(["run", "seed", "task"]).sum()
    encodings = probability.groupby(["run", "seed", "transmitter"])["value"].sum()
    evidence = []
    if len(rows):
        evidence = [
            Evidence("Trained selections", len(violations), digits=0),
            Evidence("Draws that break a limit", float(violations.sum()), digits=0),
            Evidence("Draws that leave a task with nothing, largest share", unserved.max()),
            Evidence(f"Transmitters a task, at least (limit {e_t})", transmitters.max()),
            Evidence(f"Encodings a transmitter, mean (limit {e_k})", encodings.max()),
        ]
    rounding = 1e-6  # of summed probabilities
    return verdict(
        "The limits of Eq. 9 and 10 hold in every draw of PoM²-DIB and RS-DIB.",
        "No draw of the evaluation breaks a limit, at any β and learning rate; and the selection "
        "probabilities agree with the limits.",
        evidence,
        None if len(rows) else "the plan has neither PoM²-DIB nor RS-DIB",
        {
            "no draw breaks a limit": (violations == 0).all(),
            "the probabilities agree with Eq. 9": (transmitters <= e_t + rounding).all(),
            "the probabilities agree with Eq. 10": (encodings <= e_k + rounding).all(),
        },
    )


def sum_rate_falls_with_beta(view: View) -> Verdict:
    """Claim 5, Fig. 2: sum-rate falls as beta rises, for every method with a rate term.

    Page's test for ordered alternatives: seeds are blocks, betas treatments.
    """
    view = view.where(**TRADEOFF, metric="sum_rate")
    rows = with_beta(view.rows).dropna(subset="beta")
    rates = {
        method: rows[rows["method"] == method].pivot(index="seed", columns="beta", values="value")
        for method in METHODS
        if method in set(rows["method"])
    }
    untestable = too_short(view) or few_seeds(view) or _few_betas(rates)
    findings = {}
    if not untestable:
        p = {method: _p_falling(table) for method, table in rates.items()}
        findings = {f"{METHODS[m]} falls ({p_text(p[m])})": p[m] < LEVEL for m in rates}
    return verdict(
        "The sum-rate falls as β rises (Fig. 2).",
        "Sum-rate on the whole test set; Page's trend test, betas in descending order within "
        "each seed, at level 5% for each method with a rate term, all needed.",
        [evidence for method, table in rates.items() for evidence in _falling(method, table)],
        untestable,
        findings,
    )


def partial_without_limits(view: View) -> Verdict:
    """Claim 6, Fig. 5, 6: without limits pom2dib selects few of all links, and more at beta 0.

    "Well short" is less than half; as indifferent selectors begin there, growth is needed too.
    """
    view = view.where(study="no_limits")
    datasets = view.present("dataset", DATASETS)
    beta = view.settings["studies"]["no_limits"]["beta"]
    untestable = _untestable_selections(view, datasets)
    evidence, findings = [], {}
    for dataset in datasets:
        rows = with_beta(view.where(dataset=dataset).rows)
        at_beta, at_zero = (links_selected(rows[rows["beta"] == one]) for one in (beta, 0))
        links = rows.loc[rows["metric"].str.startswith("selection/"), "metric"].nunique()
        name = DATASETS[dataset]
        evidence += [
            Evidence.of(f"{name}, links of {links}, β = {one:g}", estimate(number), "", 1)
            for one, number in ((beta, at_beta), (0, at_zero))
        ]
        if untestable:
            continue
        few = WELL_SHORT * links
        short = p_paired(pd.Series(few, at_beta.index), at_beta)
        grows = p_paired(at_zero, at_beta)
        findings |= {
            f"{name}: below {few:g} of {links} ({p_text(short)})": short < LEVEL,
            f"{name}: more at β = 0 ({p_text(grows)})": grows < LEVEL,
        }
    return verdict(
        f"Without limits the selection stays well short of all links at β = {beta:g}; at β = 0 it "
        "grows (Fig. 5, 6).",
        "Expected number of selected links, on every dataset; paired one-sided t-tests over seeds "
        f"at level 5%: below {100 * WELL_SHORT:g}% of all links at β = {beta:g}, and more links at "
        "β = 0.",
        evidence,
        untestable,
        findings,
    )


def sparse_prior_selects_fewer(view: View) -> Verdict:
    """Claim 7, Fig. 7, 8: pom2dib selects fewer links with gamma than under limits."""
    of_dataset = {
        dataset: view.where(study=f"sparse_prior_{dataset}")
        for dataset in DATASETS
        if f"sparse_prior_{dataset}" in set(view.rows["study"])
    }
    gamma = view.settings["studies"]["sparse_prior"]["gamma"]
    untestable = _untestable_selections(view, of_dataset)
    evidence, findings = [], {}
    for dataset, its in of_dataset.items():
        priced = np.array(["gamma" in t for t in with_settings(its.rows, "training")["training"]])
        sparse, limited = (links_selected(its.rows[those]) for those in (priced, ~priced))
        name = DATASETS[dataset]
        evidence += [
            Evidence.of(f"{name}, links with γ = {gamma:g}", estimate(sparse), "", 1),
            Evidence.of(f"{name}, links with limits", estimate(limited), "", 1),
        ]
        if not untestable:
            p = p_paired(limited, sparse)
            findings[f"{name}: fewer links ({p_text(p)})"] = p < LEVEL
    return verdict(
        f"A price of γ = {gamma:g} on every connection gives fewer links than the limits do "
        "(Fig. 7, 8).",
        "Expected number of selected links with γ and no limits below that with limits, on every "
        "dataset; paired one-sided t-test over seeds at level 5%.",
        evidence,
        untestable,
        findings,
    )


def _untestable_selections(view: View, datasets: Collection[str]) -> str | None:
    """Why claims about pom2dib without limits cannot be judged."""
    if not datasets:
        return "the plan has no selection without limits"
    few = (few_seeds(view.where(dataset=dataset)) for dataset in datasets)
    return too_short(view) or next(filter(None, few), None)


def _printed_margin(view: View) -> float:
    """The printed distance in N-CE from pom2dib to tadib plus both printed half-widths, nat."""
    ours, full = (printed_number(view, HANDWRITTEN, m, "n_ce_nat") for m in ("pom2dib", "tadib"))
    return full.value - ours.value + ours.half_width + full.half_width


def _has(view: View, method: str) -> bool:
    return method in set(view.rows["method"])


def _missing(view: View, *methods: str) -> str | None:
    missing = [METHODS[m] for m in methods if not _has(view, m)]
    return f"the plan has no {' and no '.join(missing)}" if missing else None


def _untestable_here(view: View) -> str | None:
    return _why_not_comparable(view) or few_seeds(view)


def _why_not_comparable(view: View) -> str | None:
    why = (why_not_printed(view, HANDWRITTEN, m) for m in METHODS if _has(view, m))
    return next(filter(None, why), None)


def _few_betas(rates: dict[str, pd.DataFrame]) -> str | None:
    if not rates:
        return "the plan has no method with a rate term"
    fewest = min(table.shape[1] for table in rates.values())
    return f"betas: {fewest}, a trend needs 3" if fewest < 3 else None


def _seeds(view: View, method: str, metric: str) -> np.ndarray:
    return view.values(method=method, metric=metric).to_numpy()


def _means(
    view: View, metric: str, source: str, digits: int, methods: Iterable[str]
) -> list[Evidence]:
    return [
        Evidence.of(
            f"{METHODS[m]}, {source}", view.estimate(method=m, metric=metric), "nat", digits
        )
        for m in methods
        if _has(view, m)
    ]


def _p_greater(larger: np.ndarray, smaller: np.ndarray) -> float:
    """p of Welch's one-sided t-test."""
    return stats.ttest_ind(larger, smaller, equal_var=False, alternative="greater").pvalue


def _p_falling(rates: pd.DataFrame) -> float:
    """p of Page's test that columns, in rising order of beta, fall; rows are seeds."""
    descending = np.arange(rates.shape[1], 0, -1)
    return stats.page_trend_test(rates.to_numpy(), predicted_ranks=descending).pvalue


def _falling(method: str, rates: pd.DataFrame) -> list[Evidence]:
    evidence = [
        Evidence.of(f"{METHODS[method]}, β = {beta:g}", estimate(rates[beta]), "nat", digits=1)
        for beta in dict.fromkeys(rates.columns[[0, -1]])
    ]
    taus = [stats.kendalltau(rates.columns, row).statistic for row in rates.to_numpy()]
    if np.isfinite(taus).all():
        evidence.append(Evidence(f"{METHODS[method]}, Kendall's τ, mean over seeds", np.mean(taus)))
    return evidence


def _selection(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows `selection/<task>/<transmitter>/<modality>` with the three parts as columns."""
    parts = rows["metric"].str.extract(r"^selection/(?P<task>\w+)/(?P<transmitter>\w+)/\w+$")
    return rows.join(parts).dropna(subset="task")

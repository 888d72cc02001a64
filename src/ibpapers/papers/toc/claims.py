"""The claims of Section VI, each with its rule.

All are judged on whatever data the plan asks for, on the stand-ins as on CMU-MOSI, since they are
about systems on one set of data; but not at the smoke scale. Acc2 and F1 are those of the figures,
negative against non-negative.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from ibpapers.papers.toc.curves import (
    CHANNELS,
    DATASETS,
    INDEPENDENT,
    METHODS,
    PAIRS,
    SCORES,
    name_of,
    over_snr,
    scores,
    without_channel,
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
from ibpapers.report.exhibits import View, signed
from ibpapers.report.results import estimate, select

LEARNT = 5.0  # points of Acc2 without a channel above one answer to all: trained far enough
LOW = 0.0  # dB; below it no training was
FEWEST_SNRS = 3  # below that, for a slope
STEP = 6.0  # dB, in which a cliff falls
MOST_STREAMS = 80.0  # percent of all that a cliff loses
NEAR_CHANCE = 2.0  # points of Acc2
CLIFF = 5.0  # points of Acc2 that there have to be to lose
NEAR_GUESS, CLEARLY = 0.05, 1.25  # nat, of 2 ln 2; below that
NEAR_HALF = 0.05  # of a probability
FEW, ENOUGH = 10, 50  # transmitted values
WITHIN = {"acc2": 2.0, "f1": 2.0, "mae": 0.05}  # points or MAE of the bound
GAIN = {"mae": 0.02, "acc2": 1.0}  # more would be a gain


def robust_at_low_snr(view: View) -> Verdict:
    """Claim 1, Fig. 5, 6: ahead of T-DeepSC in Acc2 and F1, the more so the lower the SNR.

    On every dataset and channel, of the gap in points, seeds as pairs: at no SNR its 95% interval
    is below zero; its mean over the SNRs below 0 dB is above zero; and so is minus the slope of
    its regression on these SNRs, one slope a seed.
    """
    view = view.where(study="snr")
    found = scores(view)
    untestable = _untestable(view, found, "two_stage_vib", "t_deepsc")
    findings, evidence = {}, []
    for dataset, channel, name in _curves(view, found):
        gaps = {
            score.label: _gap(found, dataset=dataset, channel=channel, metric=score.name)
            for score in SCORES
            if score.name in ("acc2", "f1")
        }
        low = {label: gap.loc[:, gap.columns < LOW] for label, gap in gaps.items()}
        if any(gap.shape[1] < FEWEST_SNRS for gap in low.values()):
            untestable = untestable or f"{name}: fewer than {FEWEST_SNRS} SNRs below {LOW:g} dB"
            continue
        slopes = {label: _slopes(gap) for label, gap in low.items()}
        for label, gap in gaps.items():
            lowest = gap.columns.min()
            at_lowest = f"{name}, {label}, gap at {signed(f'{lowest:g}')} dB"
            evidence += [
                Evidence.of(at_lowest, estimate(gap[lowest]), "points", 1),
                Evidence.of(f"{name}, {label}, slope", estimate(slopes[label]), "points/dB", 3),
            ]
        if untestable:
            continue
        behind = any((_upper_end(gap[snr]) < 0) for gap in gaps.values() for snr in gap)
        ahead = max(p_paired(gap.mean(axis=1), _zero(gap)) for gap in low.values())
        grows = max(p_paired(-slope, _zero(slope)) for slope in slopes.values())
        findings |= {
            f"{name}: nowhere behind": not behind,
            f"{name}: ahead below {LOW:g} dB ({p_text(ahead)})": ahead < LEVEL,
            f"{name}: the gap grows as the SNR falls ({p_text(grows)})": grows < LEVEL,
        }
    return verdict(
        "Two-stage VIB is at every SNR at least as good as T-DeepSC in Acc2 and F1, and the gap "
        "grows as the SNR falls (Fig. 5, 6).",
        "Gap in points between the two, for Acc2 and for F1: at no SNR is its 95% interval below "
        f"zero; its mean over the SNRs below {LOW:g} dB is above zero, and its slope over them (a "
        "regression a seed) below zero, by paired one-sided t-tests over seeds at level 5% (the "
        "larger p of the two scores), on every dataset and channel.",
        evidence,
        untestable,
        findings,
    )


def conventional_has_a_cliff(view: View) -> Verdict:
    """Claim 2, Fig. 5, 6: on AWGN conventional falls to chance within 6 dB, the learnt slowly.

    Over fading the mean of a cliff is none, so that Rayleigh is no part of the verdict.
    """
    view = view.where(study="snr")
    found = scores(view)
    untestable = _untestable(view, found, "two_stage_vib", "t_deepsc", "conventional", "noiseless")
    if utterances := view.settings["conventional"]["utterances"]:
        untestable = untestable or f"conventional has seen {utterances} utterances, not all"
    findings, evidence = {}, []
    for dataset, channel, name in _curves(view, found):
        where = {"dataset": dataset, "channel": channel}
        acc2 = {
            method: over_snr(found, method=method, metric="acc2", **where).mean()
            for method in ("conventional", "two_stage_vib", "t_deepsc")
        }
        streams = over_snr(found, method="conventional", metric="decoded", **where).mean()
        chance = without_channel(found, "acc2_chance", dataset=dataset).mean()
        if any(curve.empty for curve in (*acc2.values(), streams)):
            untestable = untestable or f"{name}: the plan lacks a system"
            continue
        falls = {method: _steepest_fall(curve) for method, curve in acc2.items()}
        evidence += [
            Evidence(f"{name}, {METHODS[method]}, steepest fall of Acc2", fall, "points", digits=1)
            for method, fall in falls.items()
        ]
        lost = _steepest_fall(streams)
        evidence.append(Evidence(f"{name}, streams lost within {STEP:g} dB", lost, "%", digits=0))
        if channel != "awgn":
            continue
        cliff, learnt = falls.pop("conventional"), max(falls.values())
        if cliff < CLIFF and not untestable:
            untestable = f"{name}: conventional loses {cliff:.1f} points of Acc2, needed: {CLIFF:g}"
        left = acc2["conventional"].iloc[0] - chance
        findings |= {
            f"{name}: {lost:.0f}% of the streams are lost within {STEP:g} dB": lost > MOST_STREAMS,
            f"{name}: conventional ends {signed(f'{left:+.1f}')} points from one answer to all": (
                left <= NEAR_CHANCE
            ),
            f"{name}: the learnt fall by {learnt:.1f}, conventional by {cliff:.1f} points": (
                2 * learnt <= cliff
            ),
        }
    return verdict(
        "Conventional collapses to chance below a threshold SNR; the learnt systems degrade "
        "gracefully (Fig. 5, 6).",
        f"On AWGN, means over seeds: within {STEP:g} dB over {MOST_STREAMS:g}% of the conventional "
        f"streams are lost, its Acc2 at the lowest SNR is at most {NEAR_CHANCE:g} points above the "
        f"best single answer to all, and the steepest fall of Acc2 within {STEP:g} dB of every "
        "learnt system is at most half of its. Rayleigh is shown only: over fading the mean of a "
        "cliff is none.",
        evidence,
        untestable,
        findings,
    )


def pairs_become_independent(view: View) -> Verdict:
    """Claim 3, Fig. 7, 8: BCE of all pairs ends at 2 ln 2 with reduction, clearly below without.

    Within 0.05 nat and below 1.25 nat, mean over seeds and the last tenth of the updates.
    """
    view = view.where(study="redundancy")
    found = scores(view)
    untestable = _untestable(view, found, "two_stage_vib", "two_stage_vib_no_red")
    findings, evidence = {}, []
    for dataset, channel, name in _curves(view, found):
        for method, words in (("two_stage_vib", "with"), ("two_stage_vib_no_red", "without")):
            rows = select(found, dataset=dataset, channel=channel, method=method)
            of_pairs = _at_the_end(view, rows, "bce")
            if not of_pairs:
                continue
            evidence += [
                Evidence.of(f"{name}, {words}: {PAIRS[pair]}", estimate(values), "nat", 3)
                for pair, values in of_pairs.items()
            ]
            means = [values.mean() for values in of_pairs.values()]
            if method == "two_stage_vib":
                off = max(abs(mean - INDEPENDENT) for mean in means)
                findings[f"{name}: with reduction {off:.3f} nat from 2 ln 2 at most"] = (
                    off <= NEAR_GUESS
                )
            else:
                findings[f"{name}: without, {max(means):.3f} nat at most"] = max(means) < CLEARLY
    return verdict(
        "With redundancy reduction the BCE of every pair ends at 2 ln 2, without it clearly below "
        "(Fig. 7, 8).",
        f"BCE of the training batches, mean over seeds and the last tenth of the updates, of every "
        f"pair, dataset and channel: within {NEAR_GUESS} nat of 2 ln 2 = {INDEPENDENT:.3f} with, "
        f"below {CLEARLY} nat without reduction.",
        evidence,
        untestable or _nothing_recorded(evidence),
        findings,
    )


def discriminators_are_fooled(view: View) -> Verdict:
    """Claim 4, Fig. 9: p_positive and p_negative of all pairs end within 0.05 of one half."""
    view = view.where(study="discriminators")
    found = scores(view)
    untestable = _untestable(view, found, "two_stage_vib")
    findings, evidence = {}, []
    for name, label in (("p_positive", "positive pairs"), ("p_negative", "negative pairs")):
        of_pairs = _at_the_end(view, select(found, method="two_stage_vib"), name)
        evidence += [
            Evidence.of(f"{PAIRS[pair]}, {label}", estimate(values), "", 3)
            for pair, values in of_pairs.items()
        ]
        off = max((abs(values.mean() - 0.5) for values in of_pairs.values()), default=0.0)
        findings[f"{label} end {off:.3f} from 0.5 at most"] = off <= NEAR_HALF
    return verdict(
        "The discriminators end at probabilities of one half, for positive and negative pairs "
        "(Fig. 9).",
        f"Means over seeds and the last tenth of the updates, of every pair: within {NEAR_HALF} of "
        "0.5.",
        evidence,
        untestable or _nothing_recorded(evidence),
        findings,
    )


def few_dimensions_suffice(view: View) -> Verdict:
    """Claim 5, Table I: 10 values are worse in MAE than 20 and more; beyond 50 nothing is gained.

    Paired one-sided t-tests over seeds; "nothing" is less than 0.02 of MAE and 1 point of Acc2.
    """
    asked = view.settings["studies"]["dimension"]["snr"]
    view = view.where(study="dimension")
    found = select(scores(view), method="two_stage_vib", snr=asked)
    tables = {
        metric: select(found, metric=metric).pivot(
            index="seed", columns="dimension", values="value"
        )
        for metric in GAIN
    }
    mae, acc2 = tables["mae"], tables["acc2"]
    beyond = [dimension for dimension in mae if dimension > ENOUGH]
    untestable = _untestable(view, found, "two_stage_vib")
    if not untestable and (missing := {FEW, ENOUGH} - set(mae)):
        untestable = f"the plan has no dimension {' and no '.join(map(str, sorted(missing)))}"
    if not beyond:
        untestable = untestable or f"the plan has no dimension above {ENOUGH}"
    findings = {}
    if not untestable:
        more = mae[[dimension for dimension in mae if dimension > FEW]].mean(axis=1)
        worse = p_paired(mae[FEW], more)
        mae_gain = p_paired(mae[beyond].mean(axis=1) + GAIN["mae"], mae[ENOUGH])
        acc2_gain = p_paired(acc2[ENOUGH] + GAIN["acc2"], acc2[beyond].mean(axis=1))
        findings = {
            f"MAE at {FEW} is above that of more ({p_text(worse)})": worse < LEVEL,
            f"beyond {ENOUGH} MAE falls by less than {GAIN['mae']} ({p_text(mae_gain)})": (
                mae_gain < LEVEL
            ),
            f"beyond {ENOUGH} Acc2 gains less than {GAIN['acc2']:g} point ({p_text(acc2_gain)})": (
                acc2_gain < LEVEL
            ),
        }
    return verdict(
        f"{FEW} transmitted values are worse in MAE than 20 and more; beyond {ENOUGH} nothing is "
        "gained (Table I).",
        f"Paired one-sided t-tests over seeds at level 5%: MAE at {FEW} above its mean over the "
        f"larger dimensions; MAE at {ENOUGH} less than {GAIN['mae']} above, and Acc2 less than "
        f"{GAIN['acc2']:g} point below, the mean over dimensions beyond.",
        [
            Evidence.of(f"{label}, {dimension} values", estimate(tables[metric][dimension]), unit,
                        digits)
            for metric, label, unit, digits in (("mae", "MAE", "", 3), ("acc2", "Acc2", "%", 1))
            for dimension in tables[metric]
        ],
        untestable,
        findings,
    )  # fmt: skip


def approaches_noiseless(view: View) -> Verdict:
    """Claim 6, Fig. 5, 6: at the highest SNR Acc2, F1 and MAE are near those without a channel.

    Within 2 points and 0.05 of MAE, by paired one-sided t-tests over seeds.
    """
    view = view.where(study="snr")
    found = scores(view)
    untestable = _untestable(view, found, "two_stage_vib", "noiseless")
    findings, evidence = {}, []
    for dataset, channel, name in _curves(view, found):
        for score in SCORES:
            if score.name not in WITHIN:
                continue
            where = {"dataset": dataset, "metric": score.name}
            ours = over_snr(found, method="two_stage_vib", channel=channel, **where)
            bound = without_channel(found, **where)
            if ours.empty or bound.empty:
                continue
            highest = ours.columns.max()
            ours, label = ours[highest], f"{name}, {score.label}"
            evidence += [
                Evidence.of(f"{label} at {highest:g} dB", estimate(ours), score.unit, score.digits),
                Evidence.of(f"{label} without channel", estimate(bound), score.unit, score.digits),
            ]
            if untestable:
                continue
            near, sign = WITHIN[score.name], -1 if score.name == "mae" else 1
            p = p_paired(sign * ours + near, sign * bound)
            findings[f"{label} less than {near:g} from the bound ({p_text(p)})"] = p < LEVEL
    return verdict(
        "At high SNR two-stage VIB approaches the bound without a channel (Fig. 5, 6).",
        f"At the highest SNR of the plan, paired one-sided t-tests over seeds at level 5%: Acc2 "
        f"and F1 less than {WITHIN['acc2']:g} points below, MAE less than {WITHIN['mae']} above "
        "those of the classifier without a channel, on every dataset and channel.",
        evidence,
        untestable,
        findings,
    )


def _curves(view: View, found: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Dataset, channel and what both are called, where the proposed method was trained."""
    ours = select(found, method="two_stage_vib")
    for dataset in DATASETS:
        there = set(select(ours, dataset=dataset)["channel"])
        for channel in CHANNELS:
            if channel in there:
                yield dataset, channel, f"{name_of(view, dataset)}, {CHANNELS[channel]}"


def _untestable(view: View, found: pd.DataFrame, *methods: str) -> str | None:
    """Why nothing can be judged from these rows; None where it can."""
    there = set(view.rows["method"])
    missing = [method for method in methods if method not in there]
    if missing:
        return f"the plan has no run of {', '.join(missing)}"
    return too_short(view) or few_seeds(view, MINIMUM_PAIRS) or _nothing_learnt(view, found)


def _nothing_learnt(view: View, found: pd.DataFrame) -> str | None:
    """Why results tell nothing of a dataset: its classifier is no better than one answer to all."""
    for dataset in view.present("dataset", DATASETS):
        best, chance = (
            without_channel(found, metric, dataset=dataset) for metric in ("acc2", "acc2_chance")
        )
        if len(best) and (above := best.mean() - chance.mean()) < LEARNT:
            return (
                f"not trained far enough: Acc2 on {name_of(view, dataset)} without a channel is "
                f"{above:.1f} points above one answer to all, needed: {LEARNT:g}"
            )
    return None


def _nothing_recorded(evidence: list[Evidence]) -> str | None:
    return None if evidence else "no run has discriminators: they need two modalities"


def _gap(found: pd.DataFrame, **where: str) -> pd.DataFrame:
    """Points by which the proposed method is above T-DeepSC: a line a seed, a column an SNR."""
    ours, theirs = (over_snr(found, method=m, **where) for m in ("two_stage_vib", "t_deepsc"))
    return (ours - theirs).dropna(axis=1)


def _slopes(gap: pd.DataFrame) -> pd.Series:
    """Slope of the gap over SNR by seed, points per dB, by least squares."""
    slope, _ = np.polyfit(gap.columns.to_numpy(), gap.to_numpy().T, 1)
    return pd.Series(slope, gap.index)


def _zero(by_seed: pd.DataFrame | pd.Series) -> pd.Series:
    return pd.Series(0.0, by_seed.index)


def _upper_end(values: pd.Series) -> float:
    """Of the 95% interval over seeds."""
    mean = estimate(values)
    return mean.mean + (mean.half_width or 0.0)


def _steepest_fall(curve: pd.Series) -> float:
    """The most that a curve over SNR loses from one SNR to another at most 6 dB lower."""
    pairs = combinations(sorted(curve.index), 2)
    return max((curve[b] - curve[a] for a, b in pairs if b - a <= STEP), default=0.0)


def _at_the_end(view: View, rows: pd.DataFrame, name: str) -> dict[str, pd.Series]:
    """By pair, what `name` was over the last updates of the run of these rows, by seed."""
    runs = set(rows["run"])
    of_runs = view.rows[view.rows["run"].isin(runs)]
    found = {pair: select(of_runs, metric=f"{name}_last/{pair}") for pair in PAIRS}
    return {pair: one.set_index("seed")["value"] for pair, one in found.items() if len(one)}

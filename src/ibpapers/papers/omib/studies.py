"""What the paper asks for: its studies, their runs, and the figures and tables drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from ibpapers.config import Params
from ibpapers.papers.omib import bounds
from ibpapers.papers.omib.settings import Settings, Simulated
from ibpapers.plan import Entropy, Exhibit, PaperPlan, Run, Study

# A view is what a method sees as one modality: some blocks of the dataset side by side.
Views = Mapping[str, Sequence[str]]
SIMULATED: Views = {"v1": ("a0", "b0", "a1", "b1"), "v2": ("a0", "b0", "a2", "b2")}
FEATURE_SETS: Views = {
    "consistent_relevant": ("a0",),
    "specific_relevant": ("a1", "a2"),
    "unimodal_1": SIMULATED["v1"],
    "unimodal_2": SIMULATED["v2"],
    "authentic_optimal_mib": ("a0", "a1", "a2"),
    "union": ("a0", "b0", "a1", "b1", "a2", "b2"),
}
MODALITIES: Mapping[str, Views] = {
    **dict.fromkeys(get_args(Simulated), SIMULATED),
    "mosi_bclstm": {name: (name,) for name in ("text", "audio", "video")},
    "mosi_transcripts": {name: (name,) for name in ("text", "audio")},
}
FULL = "full"  # OMIB with all its parts


def plan(settings: Settings, params: Params) -> PaperPlan:
    """The estimates, runs, studies, figures, tables and claims; every run stands once."""
    runs: dict[str, Run] = {}
    entropies: dict[str, Entropy] = {}

    def run(dataset: str, method: str, **special: Any) -> str:
        one = _run(settings, params, dataset, method, **special)
        return runs.setdefault(one.id, one).id

    def omib(dataset: str, beta: float | str, ablation: str = FULL) -> str:
        read = ()
        if isinstance(beta, str):
            needed = _entropies(settings, params, dataset)
            entropies.update({entropy.id: entropy for entropy in needed})
            read = tuple(entropy.id for entropy in needed)
        return run(dataset, "omib", beta=beta, ablation=ablation, entropies=read)

    def method(dataset: str, name: str, beta: float | str) -> str:
        return omib(dataset, beta) if name == "omib" else run(dataset, name)

    asked = settings.studies
    sweep, features, sentiment, ablation = (
        asked.beta_sweep, asked.feature_sets, asked.sentiment, asked.ablation,
    )  # fmt: skip
    swept = [omib(dataset, beta) for dataset in sweep.datasets for beta in sweep.betas]
    compared_features = [
        one
        for dataset in features.datasets
        for one in (
            run(dataset, "features", views=FEATURE_SETS),
            omib(dataset, features.beta),
        )
    ]
    compared = [
        method(dataset, name, sentiment.beta)
        for dataset in sentiment.datasets
        for name in sentiment.methods
    ]
    ablated = [
        omib(dataset, ablation.beta, one)
        for dataset in ablation.datasets
        for one in (FULL, *(f"without_{part}" for part in ablation.without))
    ]
    estimates = tuple(entropies)
    timed = run(asked.runtime.dataset, "omib", name="runtime", beta=0.0, ablation=FULL)
    return PaperPlan(
        runs=tuple(runs.values()),
        entropies=tuple(entropies.values()),
        studies=(
            Study("beta_sweep", "Accuracy against beta", tuple(swept)),
            Study("feature_sets", "OMIB's code against parts of the observation",
                  tuple(compared_features)),
            Study("sentiment", "Sentiment analysis", tuple(compared)),
            Study("ablation", "OMIB without one of its parts", tuple(ablated)),
            Study("runtime", "Seconds per epoch against samples", (timed,)),
        ),
        figures=(
            Exhibit("figure_3", "Fig. 3", "beta_sweep"),
            Exhibit("figure_4", "Fig. 4", "runtime"),
        ),
        tables=(
            Exhibit("table_2", "Table 2", "feature_sets"),
            Exhibit("table_4", "Table 4", "sentiment"),
            Exhibit("table_6", "Table 6", "ablation"),
            *([Exhibit("table_entropies", "Bounds", "beta_sweep", entropies=estimates)]
              if estimates else []),
        ),
        claims=(
            "accuracy_peaks_below_bound",
            "code_near_authentic_optimum",
            "every_part_counts",
            "omib_leads_on_mosi",
            "time_is_linear",
        ),
    )  # fmt: skip


def _run(
    settings: Settings,
    params: Params,
    dataset: str,
    method: str,
    beta: float | str | None = None,
    ablation: str | None = None,
    views: Views | None = None,
    entropies: tuple[str, ...] = (),
    name: str | None = None,
) -> Run:
    simulated = dataset in get_args(Simulated)
    shared = settings.sim if simulated else settings.mosi
    training = shared.training.model_dump(mode="json")
    evaluation = settings.evaluation.model_dump(mode="json")
    if name == "runtime":
        # What is measured depends on no weights: one update of each phase is model enough.
        training |= {"updates": 2, "warm_up_updates": 1}
        evaluation = {"samples": settings.studies.runtime.samples}
    parts = [method] if ablation in (None, FULL) else [method, ablation]
    if beta is not None:
        parts.append(f"beta={beta}".replace(" ", ""))
    name = name or "_".join(parts)
    return Run(
        paper="omib",
        dataset=dataset,
        method=method,
        name=name,
        entropies=entropies,
        recipe={
            "run": f"omib/{dataset}/{name}",
            "paper": "omib",
            "dataset": dataset,
            "tier": params.data,
            "scale": params.scale,
            "method": method,
            # Pairs, not a mapping: their order is the modalities', and JSON's keys have none.
            "views": [
                [view, list(blocks)] for view, blocks in (views or MODALITIES[dataset]).items()
            ],
            "beta": beta,
            "ablation": ablation,
            "seeds": settings.seeds,
            "threads": params.threads,
            "model": shared.model.model_dump(mode="json"),
            "training": training,
        },
        evaluation=evaluation,
    )


def _entropies(settings: Settings, params: Params, dataset: str) -> list[Entropy]:
    """The estimates that the bounds on beta are made of."""
    return [
        Entropy(
            paper="omib",
            dataset=dataset,
            name=name,
            recipe={
                "paper": "omib",
                "dataset": dataset,
                "tier": params.data,
                "scale": params.scale,
                "threads": params.threads,
                "views": {view: list(blocks) for view, blocks in MODALITIES[dataset].items()},
                "term": list(term),
                **settings.entropy.model_dump(mode="json"),
            },
        )
        for name, term in bounds.terms(tuple(MODALITIES[dataset])).items()
    ]

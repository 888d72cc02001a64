"""What the paper asks for: its studies, their runs, and the figures and tables drawn from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ibpapers.config import Params
from ibpapers.papers.pom2dib.settings import NO_LIMITS, OnMMFi, Settings
from ibpapers.plan import Exhibit, PaperPlan, Run, Study

# Methods without a rate term have no beta: one run serves every place of a grid.
WITHOUT_BETA = ("dlsc",)
# pom2dib_stable without one of its changes: the setting of `stable` that is pom2dib's instead.
WITHOUT = {
    "wait": {"wait": 0},
    "leave_one_out": {"baseline": "constant"},
    "sets": {"likelihood": "order"},
}
UNLIMITED = {dataset: limits.model_dump(mode="json") for dataset, limits in NO_LIMITS.items()}


def plan(settings: Settings, params: Params) -> PaperPlan:
    """The runs, studies, figures, tables and claims under `settings`; every run stands once."""
    runs: dict[str, Run] = {}

    def run(dataset: str, method: str, beta: float, variant: str = "", **changed: Any) -> str:
        given = None if method in WITHOUT_BETA else beta
        one = _run(settings, params, dataset, method, given, variant, changed)
        return runs.setdefault(one.id, one).id

    studies, figures, tables = [], [], []
    for dataset in settings.datasets:
        comparison, tradeoff = settings.studies.comparison, settings.studies.rate_relevance
        compared = {m: run(dataset, m, comparison.beta) for m in comparison.methods}
        betas = settings.mm_fi.betas if dataset == "mm_fi" else tradeoff.betas
        curves = [run(dataset, m, beta) for m in tradeoff.methods for beta in betas]
        points = [run(dataset, m, comparison.beta) for m in tradeoff.points]
        tradeoff_runs = tuple(dict.fromkeys((*curves, *points)))  # a point may lie on its curve
        letter, of_dynamics, of_ratio = {"handwritten": "ace", "mm_fi": "bdf"}[dataset]
        studies += [
            Study(f"comparison_{dataset}", "Comparison of methods", tuple(compared.values())),
            Study(f"rate_relevance_{dataset}", "Rate against relevance", tradeoff_runs),
        ]
        tables.append(Exhibit(f"table_1{letter}", f"Table I({letter})", f"comparison_{dataset}"))
        figures.append(
            Exhibit(f"figure_2{letter}", f"Fig. 2({letter})", f"rate_relevance_{dataset}")
        )
        if "pom2dib" in compared:
            figure = {"handwritten": "3", "mm_fi": "4"}[dataset]
            figures.append(
                Exhibit(
                    f"figure_{figure}",
                    f"Fig. {figure}",
                    f"comparison_{dataset}",
                    histories=(compared["pom2dib"],),
                )
            )
        asked = settings.studies.dynamics
        upto = [beta for beta in betas if beta <= asked.largest_beta]
        if dataset in asked.datasets and upto:
            shown = tuple(run(dataset, "pom2dib", beta) for beta in upto)
            study = f"dynamics_{dataset}"
            studies.append(Study(study, "Training dynamics", shown))
            title = f"Fig. 2({of_dynamics})"
            figures.append(Exhibit(f"figure_2{of_dynamics}", title, study, histories=shown))
        if dataset in settings.studies.learning_rate_ratio.datasets:
            shown = tuple(_at_ratios(settings, dataset, run))
            study = f"learning_rate_ratio_{dataset}"
            studies.append(Study(study, "Learning-rate ratio", shown))
            figures.append(
                Exhibit(f"figure_2{of_ratio}", f"Fig. 2({of_ratio})", study, histories=shown)
            )
            tables.append(Exhibit(f"table_2{letter}", f"Table II({letter})", study))
    asked, stable = settings.studies.stability, settings.stable.model_dump(mode="json")
    if "handwritten" in settings.datasets and asked.methods:
        steadied = [run("handwritten", method, asked.beta) for method in asked.methods]
        for one in asked.without:
            policy = stable | WITHOUT[one]
            steadied.append(
                run(
                    "handwritten",
                    "pom2dib_stable",
                    asked.beta,
                    f"without_{one}",
                    training={"policy": policy},
                )
            )
        shown = tuple(steadied)
        studies.append(Study("stability", "A policy that does not collapse", shown))
        tables.append(Exhibit("table_stability", "Stability", "stability", histories=shown))
    for more_studies, more_figures in (_without_limits(settings, run), _sparse(settings, run)):
        studies += more_studies
        figures += more_figures
    return PaperPlan(
        runs=tuple(runs.values()),
        studies=tuple(studies),
        figures=tuple(figures),
        tables=tuple(tables),
        claims=(
            "relevance_near_full_participation",
            "sum_rate_ordering",
            "noise_is_dropped",
            "limits_hold",
            "sum_rate_falls_with_beta",
            "partial_without_limits",
            "sparse_prior_selects_fewer",
        ),
    )


def _at_ratios(settings: Settings, dataset: str, run: Callable[..., str]) -> Iterator[str]:
    """pom2dib at every ratio of learning rates; at the settings' own it is the run of Table I."""
    asked, own = settings.studies.learning_rate_ratio, _own(settings, dataset)
    rate = own.training.learning_rate
    for ratio in asked.ratios:
        selection = ratio * rate.coding
        if selection == rate.selection:
            yield run(dataset, "pom2dib", asked.beta)
        else:
            changed = {"learning_rate": {"coding": rate.coding, "selection": selection}}
            yield run(dataset, "pom2dib", asked.beta, f"ratio={ratio!r}", training=changed)


def _without_limits(
    settings: Settings, run: Callable[..., str]
) -> tuple[list[Study], list[Exhibit]]:
    """Fig. 5 and 6: pom2dib on every dataset where no draw reaches a limit."""
    asked = settings.studies.no_limits
    datasets = [dataset for dataset in settings.datasets if dataset in asked.datasets]
    if not datasets:
        return [], []
    at_beta, at_zero = (
        tuple(run(d, "pom2dib", beta, "no_limits", limits=UNLIMITED[d]) for d in datasets)
        for beta in (asked.beta, 0.0)
    )
    return [Study("no_limits", "No limits", at_beta + at_zero)], [
        Exhibit("figure_5", "Fig. 5", "no_limits", histories=at_beta),
        Exhibit("figure_6", "Fig. 6", "no_limits", histories=at_zero),
    ]


def _sparse(settings: Settings, run: Callable[..., str]) -> tuple[list[Study], list[Exhibit]]:
    """Fig. 7 and 8: pom2dib with limits, and with the sparse prior in their place."""
    asked = settings.studies.sparse_prior
    studies, figures = [], []
    for dataset, number in (("handwritten", 7), ("mm_fi", 8)):
        if dataset not in settings.datasets or dataset not in asked.datasets:
            continue
        limited = run(dataset, "pom2dib", asked.beta)
        prior = {"limits": UNLIMITED[dataset], "training": {"gamma": asked.gamma}}
        sparse = run(dataset, "pom2dib", asked.beta, "sparse_prior", **prior)
        study = f"sparse_prior_{dataset}"
        studies.append(Study(study, "Sparse prior", (limited, sparse)))
        figures.append(Exhibit(f"figure_{number}", f"Fig. {number}", study, histories=(sparse,)))
    return studies, figures


def _own(settings: Settings, dataset: str) -> Settings | OnMMFi:
    """What holds the model, training and seeds of a dataset."""
    return settings.mm_fi if dataset == "mm_fi" else settings


def _run(
    settings: Settings,
    params: Params,
    dataset: str,
    method: str,
    beta: float | None,
    variant: str,
    changed: Mapping[str, Mapping[str, Any]],
) -> Run:
    """A method as the settings have it; a `variant` of it where `changed` has other entries.

    `changed` gives entries of the recipe's sections, such as its training.
    """
    name = "_".join(filter(None, (method, variant)))
    if beta is not None:
        name += f"_beta={beta!r}"
    own = _own(settings, dataset)
    sections = {
        "limits": settings.limits.model_dump(mode="json"),
        "model": own.model.model_dump(mode="json"),
        "training": own.training.model_dump(mode="json"),
    }
    if method == "pom2dib_stable":
        sections["training"]["policy"] = settings.stable.model_dump(mode="json")
    return Run(
        paper="pom2dib",
        dataset=dataset,
        method=method,
        name=name,
        recipe={
            "run": f"pom2dib/{dataset}/{name}",
            "paper": "pom2dib",
            "dataset": dataset,
            "tier": params.data,
            "scale": params.scale,
            "method": method,
            "beta": beta,
            "seeds": own.seeds,
            "threads": params.threads,
            **{key: given | changed.get(key, {}) for key, given in sections.items()},
        },
        evaluation=settings.evaluation.model_dump(mode="json"),
    )

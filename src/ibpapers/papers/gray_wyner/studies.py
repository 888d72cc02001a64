"""What the paper asks for: its studies, their runs, and the figures and tables drawn from them."""

from __future__ import annotations

from ibpapers.config import Params
from ibpapers.papers.gray_wyner.settings import ColouredMNIST, Model, Probe, Settings, Synthetic
from ibpapers.plan import Entropy, Exhibit, PaperPlan, Run, Study

SOURCE, DIGITS = "gray_wyner_source", "coloured_mnist"
TABLE_OF_BETA = {1.0: "3", 1.5: "4", 2.0: "5"}


def plan(settings: Settings, params: Params) -> PaperPlan:
    """The runs, studies, figures, tables and claims under `settings`."""
    make = _Maker(settings, params)
    ablation, edge = settings.studies.synthetic_ablation, settings.studies.coloured_mnist
    baselines = [
        make.synthetic(method, None, eta)
        for method in ("joint", "independent")
        for eta in settings.studies.synthetic_baselines.etas
    ]
    ablated = [
        make.synthetic(method, beta, eta)
        for method in ablation.methods
        for beta in ablation.betas
        for eta in ablation.etas
    ]
    shared = {
        (pmf, eta): make.digits("shared", pmf, edge.beta, eta)
        for pmf in edge.pmfs
        for eta in edge.etas
    }
    independent = [
        make.digits("independent", pmf, None, eta)
        for pmf in edge.independent_pmfs
        for eta in edge.etas
    ]
    probes = [make.probe(pmf, shared[pmf, max(edge.etas)]) for pmf in edge.pmfs]

    theory = {dataset: make.theory(dataset) for dataset in (SOURCE, DIGITS)}
    source, digits = ((theory[dataset].id,) for dataset in (SOURCE, DIGITS))
    study_of_betas = "synthetic_ablation"
    return PaperPlan(
        runs=(*baselines, *ablated, *shared.values(), *independent, *probes),
        studies=(
            Study("synthetic_baselines", "Baselines on the synthetic source", _ids(baselines)),
            Study(study_of_betas, "Transmit-receive trade-off", _ids([*baselines, *ablated])),
            Study("coloured_mnist", "Coloured MNIST", _ids([*shared.values(), *independent])),
            Study("reconstruction", "What the channels show", _ids(probes)),
        ),
        figures=(
            Exhibit("figure_3", "Fig. 3", study_of_betas, entropies=source),
            Exhibit("figure_4", "Fig. 4", "coloured_mnist", entropies=digits),
            Exhibit("figure_9", "Fig. 9", study_of_betas, entropies=source),
            Exhibit("figure_10", "Fig. 10", "reconstruction", histories=_ids(probes)),
        ),
        tables=(
            Exhibit("table_2", "Table 2", "synthetic_baselines"),
            *(
                Exhibit(f"table_{number}", f"Table {number}", study_of_betas)
                for beta, number in TABLE_OF_BETA.items()
                if beta in ablation.betas
            ),
            Exhibit("table_6", "Table 6", "coloured_mnist", entropies=digits),
        ),
        claims=(
            "common_rate_falls_with_beta",
            "transmit_rate_ordering",
            "shared_beats_ablations",
            "independent_pmf_needs_no_common_channel",
            "dependent_pmf_is_common",
            "rates_above_theory",
            "pmf_ordering",
        ),
        entropies=tuple(theory.values()),
    )


def _ids(runs: list[Run]) -> tuple[str, ...]:
    return tuple(run.id for run in runs)


class _Maker:
    """Makes runs under the same settings."""

    def __init__(self, settings: Settings, params: Params):
        self.settings = settings
        self.params = params

    def theory(self, dataset: str) -> Entropy:
        common = {"tier": self.params.data, "scale": self.params.scale}
        recipe = {"paper": "gray_wyner", "dataset": dataset, **common}
        return Entropy("gray_wyner", dataset, "theory", recipe)

    def synthetic(self, method: str, beta: float | None, eta: float) -> Run:
        name = f"{method}_eta={eta!r}" if beta is None else f"{method}_beta={beta!r}_eta={eta!r}"
        section = self.settings.synthetic
        return self._run(SOURCE, method, name, section, section.model, beta=beta, eta=eta)

    def digits(self, method: str, pmf: str, beta: float | None, eta: float) -> Run:
        name, section = f"{method}_{pmf}_eta={eta!r}", self.settings.coloured_mnist
        return self._run(DIGITS, method, name, section, section.model, beta=beta, eta=eta, pmf=pmf)

    def probe(self, pmf: str, codec: Run) -> Run:
        """The codec's channels, and images made from each of them alone."""
        section, model = self.settings.probe, self.settings.coloured_mnist.model
        name, after = f"probe_{pmf}", (codec.id,)
        return self._run(DIGITS, "probe", name, section, model, pmf=pmf, after=after)

    def _run(
        self,
        dataset: str,
        method: str,
        name: str,
        section: Synthetic | ColouredMNIST | Probe,
        model: Model,
        *,
        beta: float | None = None,
        eta: float | None = None,
        pmf: str | None = None,
        after: tuple[str, ...] = (),
    ) -> Run:
        return Run(
            paper="gray_wyner",
            dataset=dataset,
            method=method,
            name=name,
            recipe={
                "run": f"gray_wyner/{dataset}/{name}",
                "paper": "gray_wyner",
                "dataset": dataset,
                "tier": self.params.data,
                "scale": self.params.scale,
                "method": method,
                "pmf": pmf,
                "beta": beta,
                "eta": eta,
                "gamma": self.settings.gamma,
                "gamma_scale": self.settings.gamma_scale,
                "seeds": self.settings.seeds,
                "threads": self.params.threads,
                "model": model.model_dump(mode="json"),
                "training": section.training.model_dump(mode="json"),
            },
            evaluation=section.evaluation.model_dump(mode="json"),
            after=after,
        )

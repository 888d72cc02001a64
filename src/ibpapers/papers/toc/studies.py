"""What the paper asks for: its studies, their runs, and the figures and tables drawn from them."""

from __future__ import annotations

from ibpapers.config import Params
from ibpapers.papers.toc.settings import Settings
from ibpapers.plan import Exhibit, PaperPlan, Run, Study

MOSEI = "mosei_sequences"
WITHOUT_REDUCTION = "two_stage_vib_no_red"
WITHOUT_CHANNEL = ("noiseless", "conventional")  # trained once for all channels


def plan(settings: Settings, params: Params) -> PaperPlan:
    """The runs, studies, figures, tables and claims; every run stands once."""
    make = _Maker(settings, params)
    asked = settings.studies
    curves, redundancy, dimension = asked.snr, asked.redundancy, asked.dimension
    of_snr = [
        make.run(dataset, method, channel)
        for dataset in curves.datasets
        for method in curves.methods
        for channel in ([None] if method in WITHOUT_CHANNEL else curves.channels)
    ]
    of_redundancy = [
        make.run(dataset, method, channel)
        for dataset in redundancy.datasets
        for channel in redundancy.channels
        for method in ("two_stage_vib", WITHOUT_REDUCTION)
    ]
    watched = make.run(asked.discriminators.dataset, "two_stage_vib", asked.discriminators.channel)
    of_dimension = [
        make.run(dimension.dataset, "two_stage_vib", dimension.channel, d)
        for d in dimension.dimensions
    ]
    shown = _by_corpus(make, of_snr)
    compared = _by_corpus(make, of_redundancy)
    return PaperPlan(
        runs=tuple(make.runs.values()),
        studies=(
            Study("snr", "Sentiment against the SNR", tuple(of_snr)),
            Study("redundancy", "With and without redundancy reduction", tuple(of_redundancy)),
            Study("discriminators", "What the discriminators say", (watched,)),
            Study("dimension", "Transmitted dimension", tuple(of_dimension)),
        ),
        figures=(
            *(Exhibit(f"figure_{n}", f"Fig. {n}", "snr") for n in (5, 6) if shown[n - 5]),
            *(
                Exhibit(f"figure_{n}", f"Fig. {n}", "redundancy", histories=compared[n - 7])
                for n in (7, 8)
                if compared[n - 7]
            ),
            Exhibit("figure_9", "Fig. 9", "discriminators", histories=(watched,)),
        ),
        tables=(Exhibit("table_1", "Table I", "dimension"),),
        claims=(
            "robust_at_low_snr",
            "conventional_has_a_cliff",
            "pairs_become_independent",
            "discriminators_are_fooled",
            "few_dimensions_suffice",
            "approaches_noiseless",
        ),
    )


def _by_corpus(make: _Maker, runs: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of `runs` on CMU-MOSEI, of the first of two figures, and those on CMU-MOSI."""
    of_mosei = {run: make.runs[run].dataset == MOSEI for run in runs}
    return tuple(tuple(run for run in of_mosei if of_mosei[run] is one) for one in (True, False))


class _Maker:
    """Makes runs under the same settings; `runs` holds all by id."""

    def __init__(self, settings: Settings, params: Params):
        self.settings = settings
        self.params = params
        self.runs: dict[str, Run] = {}

    def run(
        self, dataset: str, method: str, channel: str | None, dimension: int | None = None
    ) -> str:
        """The id of a run; `channel` None for what is trained without, `dimension` as usual."""
        usual = self.settings.dimension
        dimension = usual if dimension is None else dimension
        name = method if channel is None else f"{method}_{channel}"
        if dimension != usual:
            name += f"_dimension={dimension}"
        run_id = f"toc/{dataset}/{name}"
        if run_id not in self.runs:
            # What a run starts from is trained before it, and so stands before it.
            after = (self.run(dataset, "noiseless", None),) if method == "conventional" else ()
            self.runs[run_id] = Run(
                paper="toc",
                dataset=dataset,
                method=method,
                name=name,
                recipe=self._recipe(run_id, dataset, method, channel, dimension),
                evaluation=self._evaluation(method),
                after=after,
            )
        return run_id

    def _evaluation(self, method: str) -> dict:
        evaluation = self.settings.evaluation.model_dump(mode="json")
        if method == "conventional":
            evaluation["channels"] = self.settings.studies.snr.channels
        return evaluation

    def _recipe(
        self, run_id: str, dataset: str, method: str, channel: str | None, dimension: int
    ) -> dict:
        settings = self.settings
        budget = settings.mosei if dataset == MOSEI else settings.mosi
        training = settings.training.model_dump(mode="json") | budget.model_dump(mode="json")
        if method == WITHOUT_REDUCTION:
            training["redundancy"] = 0.0
        conventional = None
        if method == "conventional":
            training |= {"updates": 1, "warm_up_updates": 0}  # its classifier is trained already
            conventional = settings.conventional.model_dump(mode="json")
        fades = channel == "rayleigh" or method == "conventional"
        return {
            "run": run_id,
            "paper": "toc",
            "dataset": dataset,
            "tier": self.params.data,
            "scale": self.params.scale,
            "method": method,
            "channel": channel,
            "fading": settings.channel.fading if fades else None,
            "equaliser": settings.channel.equaliser if fades else None,
            "dimension": dimension,
            "seeds": settings.seeds,
            "threads": self.params.threads,
            "model": settings.model.model_dump(mode="json"),
            "training": training,
            "conventional": conventional,
        }

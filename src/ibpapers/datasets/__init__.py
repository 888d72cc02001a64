"""The datasets, each built from sources: real ones to download, or samples made here."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ibpapers.errors import UserError


@dataclass(frozen=True)
class Dataset:
    """A dataset: its sources per tier, in the order its builder takes them, and its modules.

    `build_module` has `build(*source_folders, output_folder, tier, **settings)`, `load_module` has
    `load(folder)`; they are imported when needed, since a training node may lack what builds.
    `settings` names the class of its settings in `datasets.settings`; `shards` are the files that
    lie beside its `arrays.npz` (see `datasets.stored`).
    """

    name: str
    sources: dict[str, tuple[str, ...]]
    build_module: str
    load_module: str
    settings: str = "Seeded"
    shards: tuple[str, ...] = ()


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="handwritten",
            sources={
                "real": ("mnist", "fsdd"),
                "sample": ("mnist_sample", "spoken_digits_sample"),
            },
            build_module="ibpapers.datasets.handwritten_build",
            load_module="ibpapers.datasets.handwritten",
        ),
        Dataset(
            name="mm_fi",
            sources={"real": ("mm_fi",), "sample": ("mm_fi_sample",)},
            build_module="ibpapers.datasets.mm_fi_build",
            load_module="ibpapers.datasets.mm_fi",
            settings="MMFi",
            shards=tuple(
                f"{side}_{modality}.npy"
                for side in ("train", "test")
                for modality in ("rgb", "infra1", "infra2", "depth", "lidar", "mmwave", "wifi-csi")
            ),
        ),
        *(
            Dataset(
                name=name,
                sources={"real": (), "sample": ()},
                build_module="ibpapers.datasets.sim_build",
                load_module="ibpapers.datasets.sim",
                settings="Sim",
            )
            for name in ("sim1", "sim2", "sim3")
        ),
        *(
            Dataset(
                name=name,
                sources={"real": ("cmu_mosi",), "sample": ("cmu_mosi_sample",)},
                build_module=f"ibpapers.datasets.{name}_build",
                load_module="ibpapers.datasets.cmu_sentiment",
            )
            for name in ("mosi_bclstm", "mosi_transcripts")
        ),
        *(
            Dataset(
                name=f"{corpus}_sequences",
                sources={"real": (f"cmu_{corpus}_words",), "sample": ()},
                build_module="ibpapers.datasets.sequences_build",
                load_module="ibpapers.datasets.cmu_sentiment",
                settings="Sequences",
            )
            for corpus in ("mosi", "mosei")
        ),
        Dataset(
            name="coloured_mnist",
            sources={"real": ("mnist",), "sample": ("mnist_sample",)},
            build_module="ibpapers.datasets.coloured_mnist_build",
            load_module="ibpapers.datasets.coloured_mnist",
        ),
        Dataset(
            name="gray_wyner_source",
            sources={"real": (), "sample": ()},
            build_module="ibpapers.datasets.gray_wyner_source_build",
            load_module="ibpapers.datasets.gray_wyner_source",
            settings="GrayWynerSource",
        ),
    )
}

# The class of `datasets.settings` for each source whose generator takes settings.
SETTINGS_OF_SOURCES = {"mm_fi_sample": "MMFiSample"}


def build(
    dataset_name: str,
    tier: str,
    sources_root: str | Path,
    output_folder: str | Path,
    settings: Mapping[str, Any],
) -> None:
    """Build a dataset into `output_folder` from the fetched sources `sources_root/<source>`.

    Raises:
        UserError: no such dataset or tier, or a source is missing, damaged or changed.
    """
    if dataset_name not in DATASETS:
        raise UserError(f"there is no dataset {dataset_name!r}. Datasets: {', '.join(DATASETS)}.")
    dataset = DATASETS[dataset_name]
    if tier not in dataset.sources:
        raise UserError(
            f"{dataset_name} has no tier {tier!r}. Tiers: {', '.join(dataset.sources)}."
        )
    folders = [Path(sources_root) / source for source in dataset.sources[tier]]
    builder = importlib.import_module(dataset.build_module)
    builder.build(*folders, output_folder=output_folder, tier=tier, **settings)

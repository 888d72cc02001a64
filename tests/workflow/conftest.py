"""A copy of the project to run the workflow in, and the settings that make it small."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
PARTS = (
    "Makefile", "Snakefile", "dvc.yaml", "paper", "params", "params.yaml", "profiles", "published",
    "pyproject.toml", "requirements.lock", "src", "workflow", ".dvc/config", ".dvcignore",
    ".gitignore",
)  # fmt: skip

# Laid over params.yaml: seconds for the whole chain.
TINY = """
seeds: [0, 1]
model: {widths: [4]}
training: {updates: 2, batches_per_update: 1, log_selection_every: 1}
evaluation: {selection_draws: 10, log_window: 1}
studies:
  comparison: {methods: [pom2dib, tadib, dlsc]}
  rate_relevance: {methods: [pom2dib], betas: [0.001, 0.1]}
"""


@dataclass(frozen=True)
class Checkout:
    folder: Path

    def run(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this copy's Python under `settings`, its output as one text."""
        overrides = " ".join(f"{key.replace('__', '.')}={v}" for key, v in settings.items())
        return subprocess.run(
            command,
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(self.folder / "src"),
                "IBPAPERS_SET": overrides,
                "GIT_CONFIG_GLOBAL": os.devnull,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )

    def ibpapers(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "ibpapers", *arguments, **settings)

    def snakemake(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "snakemake", *arguments, **settings)

    def due(self, **settings: str) -> list[str]:
        """The messages of the jobs that would run now."""
        done = self.snakemake("--dry-run", **settings)
        assert done.returncode == 0, done.stdout
        return sorted(set(re.findall(r"^Job \d+: (.+)$", done.stdout, re.MULTILINE)))

    def settle(self) -> None:
        """Write `TINY` into params.yaml."""
        file = self.folder / "params.yaml"
        params = yaml.safe_load(file.read_text(encoding="utf-8"))
        _update(params["papers"]["pom2dib"], yaml.safe_load(TINY))
        file.write_text(yaml.safe_dump(params), encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")


def _update(below: dict, above: dict) -> None:
    for key, value in above.items():
        if isinstance(value, dict):
            _update(below[key], value)
        else:
            below[key] = value


def copy_project(folder: Path) -> Checkout:
    for part in PARTS:
        source, target = PROJECT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return Checkout(folder)


@pytest.fixture
def project() -> Path:
    return PROJECT


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return copy_project(tmp_path / "a checkout")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy in which the whole chain has run at `TINY` settings."""
    checkout = copy_project(tmp_path_factory.mktemp("chain") / "a checkout")
    checkout.settle()
    done = checkout.snakemake("--logger", "ibpapers")
    assert done.returncode == 0, done.stdout
    return checkout

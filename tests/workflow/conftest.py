"""A copy of the project to run the workflow in, and the settings that make it small."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml
from filelock import FileLock

PROJECT = Path(__file__).parents[2]
PARTS = (
    "Makefile", "Snakefile", "dvc.yaml", "paper", "params", "params.yaml", "profiles", "published",
    "pyproject.toml", "requirements.lock", "src", "workflow", ".dvc/config", ".dvcignore",
    ".gitignore",
)  # fmt: skip

# Laid over params.yaml: seconds for the whole chain.
TINY = """
datasets: [handwritten]
seeds: [0, 1]
model: {widths: [4]}
training: {updates: 12, batches_per_update: 1, log_selection_every: 4}
stable: {baseline: constant}
evaluation: {selection_draws: 10, log_window: 1}
studies:
  comparison: {methods: [pom2dib, tadib]}
  rate_relevance: {methods: [pom2dib], betas: [0.001, 0.1], points: []}
  dynamics: {datasets: []}
  learning_rate_ratio: {datasets: []}
  stability: {methods: []}
  no_limits: {datasets: []}
  sparse_prior: {datasets: []}
"""

# A checkpoint after every update.
OFTEN = "CHECKPOINT_SECONDS = 30.0", "CHECKPOINT_SECONDS = 0.0"

# What two runs of the same may differ in: how long they took, and MLflow's own names of its runs.
UNLIKE = re.compile(r"results/(logs|benchmarks|mlflow\.|mlartifacts)")


@dataclass(frozen=True)
class Checkout:
    folder: Path
    seconds: float = 0.0  # that its chain took

    @property
    def runs(self) -> Path:
        return self.folder / "results/sample-smoke/runs/pom2dib/handwritten"

    def environment(self, **settings: str) -> dict[str, str]:
        overrides = " ".join(f"{key.replace('__', '.')}={v}" for key, v in settings.items())
        return {
            **os.environ,
            "PYTHONPATH": str(self.folder / "src"),
            "IBPAPERS_SET": overrides,
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def run(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this copy's Python under `settings`, its output as one text."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )

    def done(self, *command: str, **settings: str) -> str:
        """The output of a command, which has to succeed."""
        done = self.run(*command, **settings)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def ibpapers(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "ibpapers", *arguments, **settings)

    def snakemake(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "snakemake", *arguments, **settings)

    @contextmanager
    def started(self, *command: str, **settings: str) -> Iterator["Started"]:
        """`command` at work, as from a terminal of its own; all of it is dead after the block."""
        output = self.folder / ".output"
        with output.open("w") as file:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment(**settings),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield Started(process, output)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def due(self, **settings: str) -> list[str]:
        """The messages of the jobs that would run now."""
        done = self.snakemake("--dry-run", **settings)
        assert done.returncode == 0, done.stdout
        return sorted(set(re.findall(r"^Job \d+: (.+)$", done.stdout, re.MULTILINE)))

    def artifacts(self) -> dict[str, str]:
        """The content of every result, as hashes by path."""
        files = (path for path in (self.folder / "results").rglob("*") if path.is_file())
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if not UNLIKE.match(name := path.relative_to(self.folder).as_posix())
        }

    def texts(self) -> list[Path]:
        """Code, settings and all else that a person edits."""
        kinds = ("*.py", "*.smk", "*.yaml", "*.csv", "*.typ", "*.mplstyle", "Snakefile")
        below = [path for kind in kinds for path in self.folder.rglob(kind)]
        made = {"results", ".venv", ".dvc"}
        return [path for path in below if not made & set(path.relative_to(self.folder).parts)]

    def settle(self) -> None:
        """Ask for one paper at `TINY` settings, with a checkpoint after every update."""
        file = self.folder / "params.yaml"
        params = yaml.safe_load(file.read_text(encoding="utf-8"))
        params["include"] = ["pom2dib"]
        _update(params["papers"]["pom2dib"], yaml.safe_load(TINY))
        file.write_text(yaml.safe_dump(params), encoding="utf-8")
        self.edit("src/ibpapers/training/loop.py", *OFTEN)
        self.done(sys.executable, "-m", "ibpapers", "dvc")

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def provide_environment(self) -> None:
        """A `.venv` that `make` takes for installed: this interpreter."""
        python = self.folder / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        self.done("make", "--touch", "environment")


@dataclass(frozen=True)
class Started:
    process: subprocess.Popen
    file: Path

    @property
    def output(self) -> str:
        return self.file.read_text(encoding="utf-8")

    def trainings(self) -> dict[str, psutil.Process]:
        """The processes that train, not the shells around them, by the names of their runs."""
        found = {}
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    match process.cmdline():
                        case [_, "-m", "ibpapers", "train", run]:
                            found[run.rpartition("/")[2]] = process
        return found

    def wait_until(self, condition: Callable[[], object]) -> bool:
        """Whether `condition` came true before the command ended."""
        while not condition():
            if self.process.poll() is not None:
                return False
            time.sleep(0.01)
        return True


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


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy in which the whole chain has run at `TINY` settings. Leave it as it is.

    Of the processes that run the tests one makes it, and each has a copy.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return finish(tmp_path_factory.mktemp("chain") / "a checkout")
    shared = tmp_path_factory.getbasetemp().parent / "chain"
    seconds = shared / "seconds"
    with FileLock(f"{shared}.lock"):
        if not seconds.exists():
            seconds.write_text(str(finish(shared / "a checkout").seconds))
    folder = tmp_path_factory.mktemp("chain") / "a checkout"
    copy_finished(shared / "a checkout", folder)
    return Checkout(folder, float(seconds.read_text()))


def finish(folder: Path) -> Checkout:
    checkout = copy_project(folder)
    checkout.settle()
    start = time.monotonic()
    checkout.done(sys.executable, "-m", "snakemake", "--logger", "ibpapers")
    return Checkout(checkout.folder, time.monotonic() - start)


def copy_finished(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def copy(finished: Checkout, tmp_path: Path) -> Iterator[Checkout]:
    """A finished checkout of one's own."""
    folder = tmp_path / "a copy"
    copy_finished(finished.folder, folder)
    yield Checkout(folder, finished.seconds)
    shutil.rmtree(folder)


@pytest.fixture
def changed(finished: Checkout) -> Iterator[Checkout]:
    """The finished checkout, whose settings and code are put back afterwards."""
    kept = {path: path.read_bytes() for path in finished.texts()}
    yield finished
    for path, content in kept.items():
        path.write_bytes(content)

"""Folders in which all is right, and what a refusal has to look like."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spoil
from report import fake_results

from ibpapers import plan as plans
from ibpapers.__main__ import main
from ibpapers.datasets import mnist
from ibpapers.files import sha256, write_json
from ibpapers.report import claims, exhibits, results

REPOSITORY = fake_results.REPOSITORY
PARTS = ("params", "published", "paper")
FILES = ("params.yaml", "requirements.lock", "src/ibpapers/report/ibpapers.mplstyle")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: settings, printed numbers, texts; nothing made yet."""
    return _enter(_copy_project(tmp_path / "project"), monkeypatch)


@pytest.fixture
def fetched(project: Path) -> Path:
    """The project with a few images and recordings as its sources."""
    for split, count in (("train", 20), ("test", 10)):
        images_file, labels_file = mnist.FILES[split]
        folder = project / spoil.IMAGES.parent
        pixels = np.zeros((count, mnist.SIDE, mnist.SIDE), np.uint8)
        mnist.write_idx(folder / images_file, pixels)
        mnist.write_idx(folder / labels_file, np.resize(np.arange(10, dtype=np.uint8), count))
    spoil.write(spoil.SPEECH, spoil.zipped(spoil.takes()))(project)
    for path in (spoil.IMAGES, spoil.SPEECH):
        spoil.card_source(project / path.parent)
    return project


@pytest.fixture
def built(project: Path) -> Path:
    """The project with a dataset of few samples."""
    return _build(project)


def _build(project: Path) -> Path:
    (project / spoil.ARRAYS).parent.mkdir(parents=True)
    sides = {"train": 20, "test": 10}
    content = {}
    for side, count in sides.items():
        content[f"{side}_fft"] = np.zeros((count, 196), np.float32)
        content[f"{side}_mel"] = np.zeros((count, 512), np.float32)
        content[f"{side}_digit"] = np.resize(np.arange(10), count)
    np.savez(project / spoil.ARRAYS, **content)
    spoil.card_arrays(project)
    return project


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with made-up results of all runs, its tables and verdicts; figures are blank."""
    folder = _copy_project(tmp_path_factory.mktemp("hostile") / "project")
    with pytest.MonkeyPatch.context() as patch:
        _enter(folder, patch)
        plan = plans.read()
        fake_results.write(plan)
        for run in plan.runs.values():
            _finish(run, plan.run_folder(run.id))
        _build(folder)
        results.collect(plan, "pom2dib")
        for table in plan.papers["pom2dib"].tables:
            exhibits.draw_table(plan, "pom2dib", table.name)
        for figure in plan.papers["pom2dib"].figures:
            exhibits.figure_file(plan, "pom2dib", figure.name).write_bytes(b"%PDF-1.4 blank")
        claims.judge(plan, "pom2dib")
    return folder


@pytest.fixture
def finished(everything: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `everything`."""
    return _enter(shutil.copytree(everything, tmp_path / "project"), monkeypatch)


@pytest.fixture
def printed_recipe(project: Path, capsys: pytest.CaptureFixture) -> Path:
    """The project with recipe.json, as `recipe` prints it."""
    assert main(["recipe", "pom2dib/handwritten/dlsc"]) == 0
    (project / "recipe.json").write_text(capsys.readouterr().out)
    return project


@pytest.fixture
def refuses(tmp_path: Path, capsys: pytest.CaptureFixture) -> Callable[[str], str]:
    """Run a command that has to fail well; returns its one message."""

    def run(command: str) -> str:
        before = spoil.contents(tmp_path)
        status = main(shlex.split(command))
        out, err = capsys.readouterr()
        assert status == 2, f"exit status {status}"
        assert out == "", "something on stdout"
        assert err.count("ibpapers: error: ") == 1, err
        assert "Traceback" not in err
        _, _, message = err.partition("ibpapers: error: ")
        assert len(message) < 1_500, "longer than a screen"
        assert all(line.isprintable() for line in message.splitlines())
        assert spoil.contents(tmp_path) == before, "something was written"
        return message

    return run


def _finish(run: plans.Run, folder: Path) -> None:
    """A model without parameters, and a record that fits the files of the run."""
    (folder / "model.safetensors").touch()
    hashes = {name: sha256(folder / name) for name in ("model.safetensors", "history.npz")}
    environment = fake_results.ENVIRONMENT
    record = {"recipe": run.recipe, "files": hashes, "environment": environment}
    write_json(folder / "recipe.json", record)


def _copy_project(folder: Path) -> Path:
    for part in PARTS:
        shutil.copytree(REPOSITORY / part, folder / part)
    for file in FILES:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / file, folder / file)
    settings = folder / "params.yaml"
    text = settings.read_text(encoding="utf-8")
    for pattern, line in (
        (r"^include: .*", "include: [pom2dib]"),
        (r"^    datasets: \[handwritten, .*", "    datasets: [handwritten]"),
    ):
        text = re.sub(pattern, line, text, flags=re.M)
    settings.write_text(text, "utf-8")
    return folder


def _enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder

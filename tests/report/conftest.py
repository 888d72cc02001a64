"""A folder in which everything is made from made-up results, and views of such results."""

from __future__ import annotations

import shutil
from pathlib import Path

import fake_results
import pytest

from ibpapers import plan as plans
from ibpapers.plan import Plan
from ibpapers.report import claims, exhibits, results
from ibpapers.report.exhibits import View


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A folder in which everything but the paper is made, from made-up results.

    All figures are copies of one: who looks at another draws it.
    """
    folder = tmp_path_factory.mktemp("finished")
    for name in ("published", "paper", "params"):
        shutil.copytree(fake_results.REPOSITORY / name, folder / name)
    shutil.copy(fake_results.REPOSITORY / "params.yaml", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        plan = plans.read(overrides=fake_results.FEWER)
        fake_results.write(plan)
        results.collect(plan, "pom2dib")
        drawn, *others = (figure.name for figure in plan.papers["pom2dib"].figures)
        exhibits.draw_figure(plan, "pom2dib", drawn)
        for name in others:
            shutil.copy(
                exhibits.figure_file(plan, "pom2dib", drawn),
                exhibits.figure_file(plan, "pom2dib", name),
            )
        for table in plan.papers["pom2dib"].tables:
            exhibits.draw_table(plan, "pom2dib", table.name)
        claims.judge(plan, "pom2dib")
    return folder


@pytest.fixture
def plan(finished, monkeypatch) -> Plan:
    """The plan of the finished folder, which is the working folder and is not to be changed."""
    monkeypatch.chdir(finished)
    return plans.read(overrides=fake_results.FEWER)


@pytest.fixture
def scratch(finished, tmp_path, monkeypatch) -> Plan:
    """The plan of a copy of the finished folder, which is the working folder."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return plans.read(overrides=fake_results.FEWER)


@pytest.fixture(scope="session")
def smoke() -> View:
    return fake_results.view()


@pytest.fixture(scope="session")
def comparable() -> View:
    return fake_results.view("data=real", "scale=paper")

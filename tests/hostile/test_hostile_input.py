"""Every malformed input of the closed list is refused: one message, status 2, nothing written."""

import sys
import types

import hostile_inputs as lists
import pytest
import spoil

from ibpapers.__main__ import main
from ibpapers.datasets import handwritten


def each(hostile: list[spoil.Hostile]):
    return pytest.mark.parametrize("hostile", hostile, ids=str)


def check(hostile: spoil.Hostile, folder, refuses) -> None:
    hostile.spoil(folder)
    assert hostile.said in refuses(hostile.command)


@each(lists.PARAMS)
def test_params(hostile, project, refuses):
    check(hostile, project, refuses)


@each(lists.OVERRIDES)
def test_override(hostile, project, refuses):
    check(hostile, project, refuses)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@each(lists.SOURCES)
def test_source(hostile, fetched, refuses):
    check(hostile, fetched, refuses)


@each(lists.DATASETS)
def test_dataset(hostile, built, refuses):
    check(hostile, built, refuses)


@each(lists.RESULT_FILES)
def test_result(hostile, finished, refuses):
    check(hostile, finished, refuses)


@each(lists.NAMES)
def test_name(hostile, project, refuses):
    check(hostile, project, refuses)


@each(lists.RECIPES)
def test_recipe(hostile, printed_recipe, refuses):
    check(hostile, printed_recipe, refuses)


@each(lists.SECRETS)
def test_secret(hostile, project, refuses):
    hostile.spoil(project)
    message = refuses(hostile.command)
    assert hostile.said in message
    assert "hunter2" not in message


def test_secret_of_a_store_that_does_not_answer(finished, monkeypatch, capsys):
    def client(tracking_uri):
        raise ConnectionError(f"no connection to {tracking_uri}")

    monkeypatch.setitem(sys.modules, "mlflow", types.SimpleNamespace(MlflowClient=client))
    before = spoil.contents(finished)
    assert main(["--set", f"tracking.uri={lists.STORE}", "track", "pom2dib"]) == 0
    out, err = capsys.readouterr()
    assert "no connection to http://***@host" in err
    written = [content for name, content in spoil.contents(finished).items() if name not in before]
    assert written
    assert not any("hunter2" in shown for shown in (out, err, *map(str, written)))


def test_secret_among_the_settings(project, capsys):
    assert main(["--set", f"tracking.uri={lists.STORE}", "settings"]) == 0
    out, err = capsys.readouterr()
    assert "tracking.uri = http://***@host" in out
    assert "hunter2" not in out + err


def test_overrides_of_the_shell_that_do_not_end(project, monkeypatch, refuses):
    monkeypatch.setenv("IBPAPERS_SET", "scale='laptop")
    assert "IBPAPERS_SET (make's SET): No closing quotation" in refuses("plan")


@pytest.mark.parametrize("command", ["plan", "dataset handwritten"])
def test_what_nobody_spoilt_is_accepted(command, fetched, capsys):
    assert main(command.split()) == 0


def test_a_dataset_that_nobody_spoilt_is_accepted(built):
    assert len(handwritten.load(spoil.ARRAYS.parent).test.digit) == 10


@pytest.mark.parametrize("command", [lists.COLLECT, lists.TABLE, lists.CLAIMS])
def test_results_that_nobody_spoilt_are_accepted(command, finished, capsys):
    assert main(command.split()) == 0


def test_the_list_is_closed():
    """60 malformed inputs are asked for; none may get lost, none may stand twice in a family."""
    assert len(lists.ALL) >= 200
    assert len({(each.wrong, each.command) for each in lists.ALL}) == len(lists.ALL)

"""Settings: what is wrong is said at once, with where it stands and what is allowed."""

import shutil
from pathlib import Path

import pytest
import yaml

from ibpapers.config import load, parse_yaml
from ibpapers.errors import UserError

P = "papers.pom2dib"
MISTAKES = {
    "papres.pom2dib.seeds=[1]": "unknown key; did you mean 'papers'?",
    f"{P}.training.update=5": "training.update: unknown key; did you mean 'updates'?",
    f"{P}.studies.comparison.beta=-1": "beta = -1: input should be greater than or equal to 0",
    f"{P}.studies.comparison.beta=.nan": "input should be a finite number",
    f"{P}.studies.comparison.methods=[tadip]": "'pom2dib', 'rsdib', 'tadib' or 'dlsc'",
    f"{P}.studies.comparison.methods=[]": "at least 1 item",
    f"{P}.seeds=[1, 1]": "every value may be listed once",
    f"{P}.seeds=[0.5]": "input should be a valid integer",
    f"{P}.training.updates=0": "greater than or equal to 1",
    f"{P}.training.updates='20'": "input should be a valid integer",
    f"{P}.training.updates=true": "input should be a valid integer",
    f"{P}.mm_fi.training.fft_scaling=batch": "unknown key; known here: batch_size, batches_per",
    "sources.mm_fi_sample.actions=28": "less than or equal to 27",
    "datasets.mm_fi.split=scene": "'random', 'cross_subject' or 'cross_scene'",
    "data=fake": "data = 'fake': input should be 'sample' or 'real'",
    "scale=huge": "input should be 'smoke', 'laptop' or 'paper'",
    "threads=null": "threads = None",
    "scale": "expected key.path=value",
    "data=[": "not valid YAML",
}


@pytest.mark.parametrize("override", MISTAKES)
def test_a_mistake_names_its_place_and_what_is_allowed(override):
    with pytest.raises(UserError) as error:
        load("params.yaml", [override])
    assert MISTAKES[override] in str(error.value)
    assert f"--set {override}" in str(error.value)


def copy_of_params(folder: Path) -> Path:
    shutil.copytree("params", folder / "params")
    return Path(shutil.copy("params.yaml", folder))


def test_a_missing_key_is_named(tmp_path):
    path = copy_of_params(tmp_path)
    tree = yaml.safe_load(path.read_text())
    del tree["papers"]["pom2dib"]["limits"]["transmitters_per_task"]
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(UserError, match=r"limits\.transmitters_per_task: missing"):
        load(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("data: real\ndata: real\n", "line 2.*stands twice"),
        ("a: &a [1]\nb: *a\n", "line 2.*alias"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1"),
        ("1: a\n", "is not text"),
        ("a: [1, 2\n", "not valid YAML"),
        ("? [a]\n: b\n", "is not text"),
    ],
)
def test_yaml_tricks_are_refused_with_their_line(text, problem):
    with pytest.raises(UserError, match=problem):
        parse_yaml(text, "params.yaml")


def test_deep_nesting_is_an_error_and_no_crash():
    with pytest.raises(UserError):
        parse_yaml("[" * 5000 + "]" * 5000, "params.yaml")


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 1e-3), ("5E4", 5e4), ("-2e-1", -0.2), ("17", 17), ("x1e3", "x1e3")]
)
def test_numbers_are_read_as_people_write_them(text, value):
    found = parse_yaml(text, "here")
    assert found == value
    assert type(found) is type(value)


def test_a_list_or_an_empty_file_is_no_settings(tmp_path):
    path = copy_of_params(tmp_path)
    for text in ("", "- 1\n"):
        path.write_text(text)
        with pytest.raises(UserError, match="expected keys and values"):
            load(path)


def test_a_file_that_is_absent_or_not_text_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.yaml: cannot be read"):
        load(tmp_path / "nowhere.yaml")
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"binary\.yaml: cannot be read"):
        load(path)


def test_layers_lie_in_order():
    assert load().papers.pom2dib.training.updates < 500
    laptop = load(overrides=["scale=laptop"]).papers.pom2dib.training
    assert laptop.updates == 500
    over = load(overrides=["scale=laptop", f"{P}.training.updates=7"]).papers.pom2dib.training
    assert over.updates == 7
    assert over.batches_per_update == laptop.batches_per_update


def test_paper_scale_is_the_papers_own_setting():
    settings = load(overrides=["scale=paper", "data=real"]).papers.pom2dib
    assert settings.training.updates == 2000
    assert settings.training.batches_per_update == settings.training.batch_size == 20
    assert settings.training.learning_rate.coding == 1e-4
    assert settings.training.learning_rate.selection == 5e-5
    assert settings.training.weight_decay == 1e-4
    assert settings.model.widths == [512, 256]
    assert settings.model.code_dimension == 24
    assert settings.limits.transmitters_per_task == 2
    assert settings.limits.encodings_per_transmitter == 4
    assert settings.studies.rate_relevance.betas == [0, 1e-4, 1e-3, 1e-2, 1e-1, 1]
    assert len(settings.seeds) >= 10

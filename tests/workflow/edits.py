"""Edits of a tiny checkout, and the jobs that each has to cause, no more and no fewer."""

import yaml

TRACK = "bring the runs of pom2dib into MLflow"
FIGURES = ["draw pom2dib/figure_2a", "draw pom2dib/figure_3"]
TABLES = ["fill in pom2dib/table_1a"]
CLAIMS = "judge the claims of pom2dib"
PAPER = ["typeset the report"]
DRAWN = [TRACK, "collect pom2dib", *FIGURES, *TABLES, CLAIMS, *PAPER]
RUNS = ("pom2dib_beta=0.001", "pom2dib_beta=0.1", "tadib_beta=0.001")


def made_from(*runs):
    return [f"{verb} pom2dib/handwritten/{run}" for run in runs for verb in ("train", "evaluate")]


FIRST = "from __future__ import annotations\n"

# what is edited: (file, old, new), the jobs that are due
EDITS = {
    "a beta": (
        ("params.yaml", f"- 0.001\n{8 * ' '}- 0.1", f"- 0.001\n{8 * ' '}- 0.2"),
        [*made_from("pom2dib_beta=0.2"), *DRAWN],
    ),
    "a method": (
        ("src/ibpapers/papers/pom2dib/methods/tadib.py", FIRST, f"{FIRST}UNUSED = 1\n"),
        [*made_from("tadib_beta=0.001"), *DRAWN],
    ),
    "figures": (
        ("src/ibpapers/papers/pom2dib/figures.py", FIRST, f"{FIRST}UNUSED = 1\n"),
        [*FIGURES, *PAPER],
    ),
    "the look of figures": (
        ("src/ibpapers/report/ibpapers.mplstyle", "\n", "\n\n"),
        [*FIGURES, *PAPER],
    ),
    "tables": (
        ("src/ibpapers/papers/pom2dib/tables.py", FIRST, f"{FIRST}UNUSED = 1\n"),
        [*FIGURES, *TABLES, CLAIMS, *PAPER],  # figures and claims import it
    ),
    "a printed number": (
        ("published/pom2dib_table1.csv", "\n", "\n\n"),
        [*FIGURES, *TABLES, CLAIMS, *PAPER],
    ),
    "the text": (
        ("paper/paper.typ", "\n", "\n\n"),
        PAPER,
    ),
    "a source that is made": (
        ("src/ibpapers/datasets/mnist_sample.py", "SEED =", "UNUSED = SEED ="),
        ["fetch mnist_sample", "build handwritten", *made_from(*RUNS), *DRAWN],
    ),
}


def touch_everything(checkout):
    for path in checkout.texts():
        path.touch()


def rewrite_without_change(checkout):
    """Comments, docstrings and the order of keys."""
    for path in checkout.texts():
        if path.suffix in (".py", ".smk"):
            path.write_text(f"# A comment.\n\n{path.read_text()}")
    checkout.edit("src/ibpapers/papers/pom2dib/methods/tadib.py", '"""', '"""Said otherwise: ')
    params = yaml.safe_load((checkout.folder / "params.yaml").read_text())
    text = yaml.safe_dump(_reversed(params), sort_keys=False)
    (checkout.folder / "params.yaml").write_text(text)


def _reversed(value):
    if not isinstance(value, dict):
        return value
    return {key: _reversed(value[key]) for key in reversed(value)}

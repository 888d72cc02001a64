from pathlib import Path

import pypdf
import pytest

from ibpapers.errors import UserError
from ibpapers.files import read_json, write_json
from ibpapers.report import claims, exhibits, paper

IDENTITY = {"commit": "0123abc", "torch": "2.13.0"}


@pytest.fixture
def text(scratch):
    """The sources' text of pom2dib, to append to."""
    return Path("paper/pom2dib.typ")


def test_paper_shows_identity_results_and_verdicts_and_repeats_byte_for_byte(scratch):
    paper.build(scratch, IDENTITY)
    first = Path("results/paper.pdf").read_bytes()
    paper.build(scratch, IDENTITY)
    assert Path("results/paper.pdf").read_bytes() == first
    assert (scratch.root / "paper.pdf").read_bytes() == first

    pages = pypdf.PdfReader("results/paper.pdf").pages
    shown = " ".join(" ".join(page.extract_text() for page in pages).split())
    table = read_json(exhibits.table_file(scratch, "pom2dib", "table_1a"))
    for expected in (
        "0123abc",
        "sample data, smoke scale",
        f"{table['rows'][2]['cells'][0]['value']:.1f}",
        "166.78",
        "not comparable here",
        "not testable here: 6",
        "holds: 1",
    ):
        assert expected in shown


def test_other_results_give_another_paper(scratch):
    paper.build(scratch, IDENTITY)
    before = Path("results/paper.pdf").read_bytes()
    verdicts = read_json(claims.claims_file(scratch, "pom2dib"))
    verdicts[0]["outcome"] = "fails"
    write_json(claims.claims_file(scratch, "pom2dib"), verdicts)
    paper.build(scratch, IDENTITY)
    assert Path("results/paper.pdf").read_bytes() != before


def test_unknown_name_stops_the_build(scratch, text):
    text.write_text(text.read_text() + '\n#value("settings.no_such_key")\n')
    with pytest.raises(UserError, match=r"named \W+papers\.pom2dib\.settings\.no_such_key"):
        paper.build(scratch, IDENTITY)
    assert not Path("results/paper.pdf").exists()


def test_number_typed_by_hand_stops_the_build(scratch, text):
    text.write_text(text.read_text() + "\nIt reached 97.9.\n")
    with pytest.raises(UserError, match=r"pom2dib\.typ:\d+: 97\.9"):
        paper.build(scratch, IDENTITY)


def test_missing_figure_stops_the_build(scratch):
    exhibits.figure_file(scratch, "pom2dib", "figure_3").unlink()
    with pytest.raises(UserError, match=r"figure_3\.pdf is missing"):
        paper.build(scratch, IDENTITY)


def test_a_paper_without_a_text_is_shown_all_the_same(scratch, text):
    text.unlink()
    paper.build(scratch, IDENTITY)
    assert Path("results/paper.pdf").exists()

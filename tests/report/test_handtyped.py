import pytest
from fake_results import REPOSITORY

from ibpapers.errors import UserError
from ibpapers.report import handtyped

FOUND = {
    "The rate is 133.2 nat.": ["133.2"],
    "It rose by 7.": ["7"],
    "Accuracy is 97%.": ["97%"],
    "It is −0.39.": ["−0.39"],
    "Formula $x = 0.39$.": ["0.39"],
    "#strong[bold 66]": ["66"],
    "#let rate = 133\n": ["133"],
    "#let rate = 0.5\n": ["0.5"],
    '#text("said 12 times")': ["12"],
    '#num("a.b", digits: 2) and 8': ["8"],
    "#if big [it is 5] else [no 6]\n": ["5", "6"],
    "#f(x, [in a list 9])": ["9"],
    "(#if x > 0 [+]#show-number(y)) then 3": ["3"],
    "#133.2": ["133.2"],
    "one\ntwo 22\nthree": ["22"],
}
ALLOWED = [
    "Eq. #fixed[17] of #fixed[2023], #fixed[95%].",
    '#num("papers.pom2dib.results.x1", digits: 2)',
    "// a comment with 12.5\n/* and 3 */",
    '#set text(size: 8.5pt, fill: rgb("#0072b2"))\n#grid(columns: (1fr, 2fr), inset: -1pt)',
    "$1/N sum_i log_2 p(z_(d,i)) <= 2^10$",
    "PoM2-DIB, x1, figure_2a, <eq-17>, @eq-17",
    "#items.at(0).value",
]


@pytest.mark.parametrize("text", FOUND)
def test_number_typed_by_hand_is_found(tmp_path, text):
    file = tmp_path / "paper.typ"
    file.write_text(text)
    assert [finding.number for finding in handtyped.find(file)] == FOUND[text]


@pytest.mark.parametrize("text", ALLOWED)
def test_other_numbers_are_left_alone(tmp_path, text):
    file = tmp_path / "paper.typ"
    file.write_text(text)
    assert handtyped.find(file) == []


def test_finding_names_file_and_line(tmp_path):
    (tmp_path / "paper.typ").write_text("one\ntwo 22\nthree")
    with pytest.raises(UserError, match=r"paper\.typ:2: 22"):
        handtyped.check(tmp_path)


def test_the_paper_holds_no_number_typed_by_hand():
    handtyped.check(REPOSITORY / "paper")

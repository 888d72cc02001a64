import pytest

from ibpapers.errors import UserError
from ibpapers.report import published

STATED = {"beta": 1e-3, "training": {"updates": 2000}}


@pytest.mark.parametrize(
    ("tier", "scale", "settings", "why"),
    [
        ("real", "paper", STATED | {"model": {}}, None),
        ("sample", "paper", STATED, "sample data, not the paper's"),
        ("real", "laptop", STATED, "laptop scale, not the paper's"),
        ("sample", "smoke", STATED, "sample data at smoke scale, not the paper's"),
        (
            "real",
            "paper",
            {"beta": 0.1, "training": {"updates": 10}},
            "beta is 0.1, in the paper 0.001; training.updates is 10, in the paper 2000",
        ),
    ],
)
def test_comparable_only_under_the_papers_data_and_settings(tier, scale, settings, why):
    assert published.why_not_comparable(tier, scale, settings, STATED) == why


def test_printed_number_with_its_interval(smoke):
    number = published.printed(
        smoke.printed["table1"], dataset="handwritten", method="tadib", metric="n_ce_nat"
    )
    assert number == published.Printed(-0.30, 0.02)


def test_what_is_not_printed_is_none(smoke):
    assert published.printed(smoke.printed["table1"], method="unheard-of") is None


def test_paper_without_printed_numbers_is_refused(tmp_path):
    with pytest.raises(UserError, match="no printed numbers of toc"):
        published.read("toc", tmp_path)

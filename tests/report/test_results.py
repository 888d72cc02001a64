import pandas as pd
import pytest

from ibpapers.errors import UserError
from ibpapers.report import results


def test_interval_is_students_t():
    # t(0.975, 4) = 2.776445, s = sqrt(2.5): half-width 2.776445 * 1.581139 / sqrt(5)
    estimate = results.estimate([1, 2, 3, 4, 5])
    assert estimate.mean == 3
    assert estimate.half_width == pytest.approx(1.963243, abs=1e-6)
    assert estimate.seeds == 5


def test_one_seed_has_no_interval():
    assert results.estimate([0.7]) == results.Estimate(0.7, None, 1)


def test_table_holds_every_study_and_repeats_byte_for_byte(plan):
    table = results.read(plan, "pom2dib")
    assert tuple(table.columns) == results.COLUMNS
    for study in plan.papers["pom2dib"].studies:
        assert set(table.loc[table["study"] == study.name, "run"]) == set(study.runs)
    before = results.results_file(plan, "pom2dib").read_bytes()
    results.collect(plan, "pom2dib")
    assert results.results_file(plan, "pom2dib").read_bytes() == before


def missing_column(rows):
    return rows.drop(columns="unit")


def twice(rows):
    return pd.concat([rows, rows.head(1)])


def not_a_number(rows):
    return rows.assign(value=rows["value"].mask(rows.index == 3))


def lost_seed(rows):
    return rows[~((rows["seed"] == 1) & (rows["metric"] == "n_ce"))]


def other_tier(rows):
    return rows.assign(tier="real")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (missing_column, "column 'unit' is missing"),
        (twice, "stands twice"),
        (not_a_number, "column 'value' has 1 missing"),
        (lost_seed, "every metric has every seed"),
        (other_tier, "column 'tier'"),
    ],
)
def test_spoilt_evaluation_is_refused_by_name(scratch, spoil, said):
    path = scratch.evaluation_file("pom2dib/handwritten/dlsc")
    spoil(pd.read_parquet(path)).to_parquet(path, index=False)
    with pytest.raises(UserError) as refused:
        results.collect(scratch, "pom2dib")
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b"no parquet"])
def test_unreadable_evaluation_is_refused_by_name(scratch, content):
    path = scratch.evaluation_file("pom2dib/handwritten/dlsc")
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UserError, match=r"dlsc\.parquet: cannot be read"):
        results.collect(scratch, "pom2dib")

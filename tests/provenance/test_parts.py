"""The runs behind a part: known for made-up results, in which each method has its own numbers."""

import json
from dataclasses import asdict

import pytest
from bent_views import changed
from report import fake_results

from ibpapers.errors import UserError
from ibpapers.papers.pom2dib import claims, tables
from ibpapers.provenance import parts

STUDY = "comparison_handwritten"
RUN_OF = {
    "PoM²-DIB": "pom2dib/handwritten/pom2dib_beta=0.001",
    "RS-DIB": "pom2dib/handwritten/rsdib_beta=0.001",
    "TADIB": "pom2dib/handwritten/tadib_beta=0.001",
    "DLSC": "pom2dib/handwritten/dlsc",
}


@pytest.fixture(scope="module")
def view():
    return fake_results.view(*fake_results.FEWER)


@pytest.fixture(scope="module")
def table(view):
    return as_read(asdict(tables.table_1a(view.where(study=STUDY))))


def as_read(content):
    return json.loads(json.dumps(content))


def test_every_cell_of_ours_comes_from_the_run_of_its_column(view, table):
    for row in table["rows"]:
        for method, cell in zip(table["header"], row["cells"], strict=True):
            name = f"{row['label']}/{row['source']}/{method}"
            part = parts.of_table(table, name, view.rows, STUDY)
            expected = () if row["source"] == "printed" else (RUN_OF[method],)
            assert part.runs == expected, name
            assert part.value.get("value") == cell["value"]
            assert part.study == STUDY


def test_first_line_of_a_label_is_meant_where_no_source_is_given(view, table):
    short = parts.of_table(table, "N-CE/TADIB", view.rows, STUDY)
    assert short == parts.of_table(table, "N-CE/whole test set/TADIB", view.rows, STUDY)
    assert short != parts.of_table(table, "N-CE/training log/TADIB", view.rows, STUDY)


def test_cell_that_is_no_run_s_mean_has_all_runs_of_its_study_behind_it(view, table):
    cells = ({"value": 0.123, "difference": None},) * 4
    row = {"label": "BD-rate", "source": "ours", "cells": cells}
    part = parts.of_table({**table, "rows": [row]}, "BD-rate/TADIB", view.rows, STUDY)
    assert set(part.runs) == set(RUN_OF.values())


def test_unknown_cell_lists_rows_and_columns(view, table):
    with pytest.raises(UserError, match=r"N-CE/training log.*columns: PoM²-DIB \| RS-DIB"):
        parts.of_table(table, "N-CE/RSDIB", view.rows, STUDY)


def verdict(view, name):
    return as_read([{"name": name, **asdict(getattr(claims, name)(view))}])


@pytest.mark.parametrize(
    ("claim", "methods"),
    [
        ("relevance_near_full_participation", ["PoM²-DIB", "RS-DIB", "TADIB"]),
        ("sum_rate_ordering", list(RUN_OF)),
    ],
)
def test_claim_comes_from_the_runs_whose_means_it_shows(view, claim, methods):
    part = parts.of_claim(verdict(view, claim), claim, view.rows)
    assert set(part.runs) == {RUN_OF[method] for method in methods}
    assert set(part.value) == {"claim", "outcome", "reason"}


def test_claim_with_computed_evidence_comes_from_all_runs(view):
    part = parts.of_claim(verdict(view, "limits_hold"), "limits_hold", view.rows)
    assert set(part.runs) == set(view.rows["run"])


def test_unknown_claim_lists_the_claims(view):
    with pytest.raises(UserError, match="limits_hold"):
        parts.of_claim(verdict(view, "limits_hold"), "limit", view.rows)


def test_numbers_of_the_paper(view, table):
    name = "noise_is_dropped"
    numbers = {
        "tier": "sample",
        "papers": {
            "pom2dib": {
                "settings": {"seeds": [0, 1, 2]},
                "results": {STUDY: {"tadib": {"n_ce": {"mean": -0.3}}}},
                "claims": verdict(view, name),
                "studies": [{"name": STUDY, "tables": [{"name": "table_1a", "table": table}]}],
            }
        },
    }

    def of(path):
        return parts.of_paper(numbers, path, {"pom2dib": view.rows})

    part = of(f"papers.pom2dib.results.{STUDY}.tadib.n_ce.mean")
    assert (part.value, part.runs) == (-0.3, (RUN_OF["TADIB"],))
    assert of(f"papers.pom2dib.claims.{name}.outcome").value == "not testable here"
    assert of("papers.pom2dib.claims.0.outcome").value == "not testable here"
    cell = of(f"papers.pom2dib.studies.{STUDY}.tables.table_1a.table.rows.5.cells.2.value")
    assert (cell.value, cell.runs) == (table["rows"][5]["cells"][2]["value"], (RUN_OF["TADIB"],))
    assert set(of("papers.pom2dib.settings.seeds").runs) == set(view.rows["run"])
    assert of("tier").value == "sample"
    with pytest.raises(UserError, match=r"results\.\w+ has no 'tadip', but: tadib"):
        of(f"papers.pom2dib.results.{STUDY}.tadip.n_ce")
    with pytest.raises(UserError, match="but: none"):
        of("tier.x")


def test_same_number_in_two_columns_is_told_apart_by_the_rest_of_the_column(view):
    for metric in ("n_ce", "t1_top1"):
        view = changed(view, lambda values: 0.0 * values - 0.5, metric=metric)
    table = as_read(asdict(tables.table_1a(view.where(study=STUDY))))
    for method, run in RUN_OF.items():
        assert parts.of_table(table, f"N-CE/{method}", view.rows, STUDY).runs == (run,)


def test_whole_number_of_a_claim_names_no_run(view):
    (one,) = verdict(view, "sum_rate_ordering")
    count = {"label": "Seeds", "value": 1.0}  # which is also the probability of many links
    assert (view.rows["value"] == 1.0).any()
    part = parts.of_claim([{**one, "evidence": [count]}], one["name"], view.rows)
    assert set(part.runs) == set(view.rows["run"])

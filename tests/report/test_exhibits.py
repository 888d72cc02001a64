import io

import pypdf
import pytest
from bent_views import changed, without
from fake_results import view as view_under

from ibpapers.errors import UserError
from ibpapers.files import read_json
from ibpapers.papers.pom2dib.tables import table_1a
from ibpapers.report import exhibits, results

FIGURES = ("figure_2a", "figure_3")


def line(table, label, source):
    (row,) = (row for row in table.rows if (row.label, row.source) == (label, source))
    return dict(zip(table.header, row.cells, strict=True)), row


def comparison(view):
    return view.where(study="comparison_handwritten")


def test_table_shows_mean_and_interval_over_seeds(smoke):
    cells, row = line(table_1a(comparison(smoke)), "N-CE", "whole test set")
    values = comparison(smoke).values(method="tadib", metric="n_ce")
    expected = results.estimate(values)
    assert cells["TADIB"].value == expected.mean == pytest.approx(values.mean())
    assert cells["TADIB"].half_width == expected.half_width
    assert cells["TADIB"].seeds == 3
    assert row.unit == "nat"


def test_printed_numbers_are_listed_but_not_compared_on_other_data(smoke):
    table = table_1a(comparison(smoke))
    cells, row = line(table, "Sum-rate", "printed")
    assert cells["PoM²-DIB"].value == 166.78
    assert not row.comparable
    assert all(cell.difference is None for row in table.rows for cell in row.cells)
    assert any("not comparable here: sample data at smoke scale" in note for note in table.notes)


def test_difference_to_print_on_the_papers_data_and_settings(comparable):
    table = table_1a(comparison(comparable))
    cells, row = line(table, "Sum-rate", "printed")
    ours, _ = line(table, "Sum-rate", "training log")
    assert row.comparable
    assert cells["TADIB"].difference == pytest.approx(ours["TADIB"].value - 190.11)
    assert cells["DLSC"].difference is None, "an entropy is no rate"


def test_settings_other_than_the_papers_are_not_compared():
    view = view_under("data=real", "scale=paper", "papers.pom2dib.training.updates=1999")
    _, row = line(table_1a(comparison(view)), "N-CE", "printed")
    assert not row.comparable


def test_limits_are_read_from_the_draws(smoke):
    first = {"method": "rsdib", "metric": "limit_violations", "seed": 0}
    table = table_1a(comparison(changed(smoke, lambda _: 1, **first)))
    cells, _ = line(table, "Under limits", "ours")
    assert [cell.text for cell in cells.values()] == ["yes", "no", "no", "no"]


def test_table_of_a_smaller_plan(smoke):
    table = table_1a(without(comparison(smoke), method="dlsc"))
    assert table.header == ("PoM²-DIB", "RS-DIB", "TADIB")


def test_table_carries_tier_and_scale(plan):
    content = read_json(exhibits.table_file(plan, "pom2dib", "table_1a"))
    assert (content["tier"], content["scale"]) == ("sample", "smoke")


def test_unknown_figure_is_refused(plan):
    with pytest.raises(UserError, match="no figure 'figure_9'; the plan has: figure_2a, figure_3"):
        exhibits.draw_figure(plan, "pom2dib", "figure_9")


def test_missing_history_is_refused_by_name(scratch):
    (run_id,) = scratch.papers["pom2dib"].figures[1].histories
    (scratch.run_folder(run_id) / "history.npz").unlink()
    with pytest.raises(UserError, match=r"cannot read .*history\.npz"):
        exhibits.draw_figure(scratch, "pom2dib", "figure_3")


@pytest.mark.parametrize("name", FIGURES)
def test_figure_repeats_byte_for_byte(plan, name):
    path = exhibits.figure_file(plan, "pom2dib", name)
    before = path.read_bytes()
    exhibits.draw_figure(plan, "pom2dib", name)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_vector_with_embedded_fonts_and_stamp(plan, name):
    pdf = exhibits.figure_file(plan, "pom2dib", name).read_bytes()
    (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert b"/FontFile2" in pdf
    assert not page.images or name == "figure_3", "only the colour bar may be an image"
    assert "sample data, smoke scale" in page.extract_text()
    assert "not comparable" in page.extract_text()

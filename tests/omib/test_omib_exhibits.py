"""Tables and figures on made-up results: what stands where, and what may not be compared."""

import io
import json
import math

import pypdf
import pytest
from bent_views import changed
from omib.made_up import LAPTOP, view

from ibpapers.papers.omib import figures, tables
from ibpapers.report import style

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def smoke():
    return view()


@pytest.fixture(scope="module")
def laptop():
    return view(*LAPTOP)


@pytest.fixture(scope="module")
def comparable():
    return view("data=real", "scale=paper", *LAPTOP[1:])


def line(table, label, source):
    (row,) = (row for row in table.rows if (row.label, row.source) == (label, source))
    return dict(zip(table.header, row.cells, strict=True)), row


def of(view, study):
    return view.where(study=study)


def test_table_2_has_ours_the_limit_and_the_print(smoke):
    table = tables.table_2(of(smoke, "feature_sets"))
    ours, _ = line(table, "SIM-I", "whole test set")
    expected = smoke.where(study="feature_sets", dataset="sim1")
    union = expected.estimate(metric="accuracy/union")
    assert ours["[v1; v2]"].value == union.mean
    assert ours["[v1; v2]"].half_width == union.half_width
    code = expected.estimate(method="omib", metric="accuracy")
    assert ours["OMIB's code"].value == code.mean
    limits, _ = line(table, "SIM-I", "attainable")
    assert [round(cell.value, 1) for cell in limits.values()] == [
        66.7, 83.3, 88.5, 71.0, 100, 100, 100,
    ]  # fmt: skip
    printed, row = line(table, "SIM-I", "printed")
    assert printed["a0"].value == pytest.approx(70.7)
    assert not row.comparable
    assert any("not comparable here: sample data at smoke scale" in note for note in table.notes)


def test_what_no_classifier_reaches_is_not_attainable_as_described(smoke):
    table = tables.table_2(of(smoke, "feature_sets"))
    assert table.notes[0].startswith("Not attainable as described")
    notes = {
        label: [cell.note for cell in line(table, label, "printed")[0].values()]
        for label in ("SIM-I", "SIM-III")
    }
    # .707 > .667 and .82 > .709 by far; .686 > .667 and .792 > .790 within chance.
    assert notes["SIM-I"] == [1, None, None, 1, None, None, None]
    assert notes["SIM-III"] == [2, None, 2, None, None, None, None]


def test_attainable_is_the_closed_form():
    limit, deviation = tables.attainable("sim1", "unimodal_2")
    assert limit == pytest.approx(1 - math.acos(math.sqrt(300 / 800)) / math.pi)
    assert deviation == pytest.approx(0.0165, abs=5e-4)
    assert tables.attainable("sim3", "union") == (1, 0)


def test_print_on_sim_is_compared_under_the_papers_settings(comparable):
    table = tables.table_2(of(comparable, "feature_sets"))
    assert line(table, "SIM-I", "printed")[1].comparable
    other = view("data=real", "scale=paper", "papers.omib.sim.training.learning_rate=1e-3")
    table = tables.table_2(of(other, "feature_sets"))
    assert not line(table, "SIM-I", "printed")[1].comparable
    assert any("learning_rate is 0.001, in the paper 0.0001" in note for note in table.notes)


def test_table_4_has_both_conventions_and_never_compares(comparable):
    table = tables.table_4(of(comparable, "sentiment"))
    assert table.header[0] == "Concat"
    assert table.header[-1] == "OMIB"
    found = of(comparable, "sentiment").where(dataset="mosi_bclstm", method="misa")
    for label, metric in (
        ("Acc2, negative / non-negative", "acc2_nonnegative"),
        ("Acc2, negative / positive", "acc2_positive"),
    ):
        ours, _ = line(table, label, "MOSI, bc-LSTM")
        assert ours["MISA"].value == found.estimate(metric=metric).mean
        assert ours["MISA"].seeds == 3
        printed, row = line(table, label, "printed")
        assert printed["OMIB"].value == 86.9
        assert not row.comparable
    spread = [row for row in table.rows if (row.label, row.source) == ("MAE", "±")]
    assert len(spread) == 2, "one for each variant"
    misa = dict(zip(table.header, spread[0].cells, strict=True))["MISA"]
    assert misa.value == found.estimate(metric="mae").half_width


def test_table_6_has_every_variant(smoke):
    table = tables.table_6(of(smoke, "ablation"))
    ours, _ = line(table, "SIM-I", "whole test set")
    rows = of(smoke, "ablation").rows
    accuracy = rows[rows["metric"] == "accuracy"]
    of_no_r = [json.loads(text)["ablation"] == "without_r" for text in accuracy["settings"]]
    accuracy = accuracy[of_no_r]
    assert ours["no r"].value == pytest.approx(accuracy["value"].mean())
    printed, row = line(table, "CREMA-D", "printed")
    assert (printed["full"].value, printed["no OMF"].value) == (63.6, 59.5)
    assert not row.comparable


def test_table_of_estimates_marks_the_ceiling_and_ends_in_the_bounds(smoke):
    table = tables.table_entropies(of(smoke, "beta_sweep"))
    at_ceiling, row = line(table, "SIM-I", "H(v1)")
    assert at_ceiling["MINE"].note == 1
    assert at_ceiling["MINE"].value == pytest.approx(6.0)
    assert at_ceiling["MINE"].half_width == pytest.approx(4.303 * 0.3 / math.sqrt(3), rel=1e-3)
    assert at_ceiling["ceiling"].value == 9.0
    assert row.unit == "nat"
    assert line(table, "SIM-I", "I(v1; v2)")[0]["MINE"].note is None
    upper, row = line(table, "SIM-I, bound", "M_u")
    assert upper["MINE"].value == pytest.approx(1 / (3 * (12 - 2)))
    assert upper["MINE"].half_width == pytest.approx(3 * (1 / 30) ** 2 * 0.3 * math.sqrt(3))
    assert row.unit == "1/nat"


def drawn(function, view, study):
    with style.house_style():
        return function(of(view, study))


def text_of(figure):
    buffer = io.BytesIO()
    with style.house_style():
        style.save_pdf(figure, buffer)
    return pypdf.PdfReader(buffer).pages[0].extract_text()


def test_figure_3_draws_accuracy_over_beta_and_the_bounds(laptop):
    figure = drawn(figures.figure_3, laptop, "beta_sweep")
    titles = [axes.get_title(loc="left").split(":")[0] for axes in figure.axes]
    assert titles == ["SIM-I", "SIM-II", "SIM-III"]
    first = figure.axes[0]
    lines = {one.get_label(): one for one in first.get_lines()}
    assert lines["$M_u$"].get_xdata()[0] == pytest.approx(1 / 30)
    assert lines["$M_l$"].get_xdata()[0] == pytest.approx(1 / 36)
    (curve,) = (one for one in first.get_lines() if one.get_linestyle() == "-"
                and one.get_marker() == "o")  # fmt: skip
    assert len(curve.get_xdata()) == 8
    at_10 = laptop.where(dataset="sim1", study="beta_sweep", metric="accuracy")
    at_10 = at_10.where(run="omib/sim1/omib_beta=10.0").rows["value"].mean()
    assert curve.get_ydata()[-1] == pytest.approx(at_10)
    text = text_of(figure)
    assert "SIM-I: highest, 93" in text
    assert "Not its setting: sample data at laptop scale" in text


def test_figure_3_hides_no_accuracy(laptop):
    low = changed(laptop, lambda x: x - 20, run="omib/sim3/omib_beta=10.0", metric="accuracy")
    figure = drawn(figures.figure_3, low, "beta_sweep")
    bottom, top = figure.axes[0].get_ylim()
    shown = [one.get_ydata() for axes in figure.axes for one in axes.get_lines()
             if one.get_marker() == "o"]  # fmt: skip
    assert bottom < min(map(min, shown)) < 31
    assert max(map(max, shown)) < top <= 100


def test_figure_3_of_a_smaller_plan():
    only = view("papers.omib.studies.beta_sweep.datasets=[sim2]",
                "papers.omib.studies.beta_sweep.betas=[0.01, 0.1]")  # fmt: skip
    figure = drawn(figures.figure_3, only, "beta_sweep")
    assert len(figure.axes) == 1


def test_figure_4_fits_a_line(laptop):
    fit = figures.fit_of(of(laptop, "runtime"), "main")
    assert fit.slope == pytest.approx(9e-5, rel=0.02)
    assert fit.r_squared > 0.999
    text = text_of(drawn(figures.figure_4, laptop, "runtime"))
    assert "main training: 9" in text
    assert "R² = 1.000 (warm-up)" in text


def test_a_curve_is_no_line(laptop):
    bent = of(laptop, "runtime")
    for n in (10_000, 50_000, 100_000, 200_000):
        metric = f"main_seconds_per_epoch/{n}"
        bent = changed(bent, lambda _, n=n: (n / 1e5) ** 4, metric=metric)
    assert figures.fit_of(bent, "main").r_squared < 0.9
    assert figures.fit_of(bent, "warm_up").r_squared > 0.99

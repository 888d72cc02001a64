"""Tables and figures on the printed numbers as if they were ours."""

import numpy as np
import printed_results
import pytest
from bent_views import without
from printed_results import changed, drawn

from ibpapers.papers.gray_wyner import figures, tables
from ibpapers.papers.gray_wyner.curves import (
    PRINTED_SETTINGS,
    common_rate_of_baselines,
    points,
    why_not_printed,
)
from ibpapers.report import results, style
from ibpapers.report.results import select

pytestmark = pytest.mark.slow

STUDY = {
    "figure_3": "synthetic_ablation",
    "figure_4": "coloured_mnist",
    "figure_9": "synthetic_ablation",
    "figure_10": "reconstruction",
    "table_2": "synthetic_baselines",
    "table_3": "synthetic_ablation",
    "table_4": "synthetic_ablation",
    "table_5": "synthetic_ablation",
    "table_6": "coloured_mnist",
}


@pytest.fixture(scope="module")
def printed():
    return printed_results.view(seeds=(0, 1, 2))


@pytest.fixture(scope="module")
def smoke():
    return printed_results.view("sample", "smoke")


def table(view, name):
    return getattr(tables, name)(view.where(study=STUDY[name]))


def draw(view, name):
    with style.house_style():
        return getattr(figures, name)(drawn(view, STUDY[name]))


@pytest.fixture(scope="module")
def figure_3(printed):
    return draw(printed, "figure_3")


@pytest.fixture(scope="module")
def figure_4(printed):
    return draw(printed, "figure_4")


def line(table, label, source):
    (row,) = (row for row in table.rows if (row.label, row.source) == (label, source))
    return dict(zip(table.header, row.cells, strict=True)), row


def texts(figure):
    legends = [ax.get_legend() for ax in figure.axes if ax.get_legend()]
    return [text.get_text() for legend in legends for text in legend.get_texts()]


@pytest.mark.parametrize(
    ("name", "rows"), [("table_2", 10), ("table_3", 15), ("table_4", 15), ("table_5", 15)]
)
def test_every_printed_line_has_ours_beside_it(printed, name, rows):
    found = table(printed, name)
    assert [row.source for row in found.rows] == ["ours", "printed"] * rows
    for ours, theirs in zip(found.rows[::2], found.rows[1::2]):
        assert ours.label == theirs.label
        values = [[cell.value for cell in row.cells] for row in (ours, theirs)]
        assert values[0] == pytest.approx(values[1])
        assert [cell.difference for cell in theirs.cells] == pytest.approx([0] * 7, abs=1e-9)
        assert {cell.seeds for cell in ours.cells} == {3}


def test_a_cell_is_the_mean_over_seeds_with_its_interval_and_difference(printed):
    view = printed
    seed = (view.rows["seed"] == 2) & (view.rows["metric"] == "rate_1")
    view.rows.loc[seed, "value"] += 0.3
    found = table(view, "table_3")
    ours, _ = line(found, "Shared, η = 0.1", "ours")
    expected = results.estimate([1.504, 1.504, 1.804])
    assert ours["R₁"].value == pytest.approx(expected.mean)
    assert ours["R₁"].half_width == pytest.approx(expected.half_width)
    theirs, _ = line(found, "Shared, η = 0.1", "printed")
    assert theirs["R₁"].value == 1.504
    assert theirs["R₁"].difference == pytest.approx(0.1)
    view.rows.loc[seed, "value"] -= 0.3


def test_other_settings_and_scales_are_not_compared(smoke, printed):
    found = table(smoke, "table_5")
    assert not any(row.comparable for row in found.rows if row.source == "printed")
    assert all(cell.difference is None for row in found.rows for cell in row.cells)
    assert "smoke scale" in found.notes[-1]
    assert why_not_printed(printed, "gray_wyner_source") is None
    assert why_not_printed(printed, "coloured_mnist") is None
    fewer = printed.rows.assign(
        settings=printed.rows["settings"].str.replace('"gamma": 1.0', '"gamma": 0.5')
    )
    why = why_not_printed(printed_results.replace(printed, rows=fewer), "coloured_mnist")
    assert why == "gamma is 0.5, in the paper 1.0"


def test_the_synthetic_source_is_the_papers_on_sample_data_too():
    view = printed_results.view("sample", "paper")
    assert why_not_printed(view, "gray_wyner_source") is None
    assert why_not_printed(view, "coloured_mnist") == "sample data, not the paper's"


def test_an_eta_that_was_not_run_keeps_its_printed_line(printed):
    fewer = printed_results.replace(
        printed, rows=printed.rows[~printed.rows["run"].str.endswith("eta=0.001")]
    )
    found = table(fewer, "table_2")
    assert len(found.rows) == 18
    cells, row = line(found, "Joint, η = 0.001", "printed")
    assert cells["R₀"].value == 9.745 and not row.comparable


def test_measured_bits_stand_beside_the_estimate(printed):
    found = table(printed, "table_6")
    assert found.header == ("R₁", "R₂", "R₀", "Rₜ", "Rᵣ", "digit", "colour")
    estimate, _ = line(found, "Mixture, η = 25", "estimate")
    measured, _ = line(found, "Mixture, η = 25", "bitstreams")
    theirs, _ = line(found, "Mixture, η = 25", "printed")
    assert [cell.value for cell in theirs.values()] == [
        9.965,
        4.684,
        10.025,
        24.674,
        34.699,
        0.989,
        0.999,
    ]
    assert measured["R₁"].value == pytest.approx(1.004 * 9.965)
    assert measured["R₀"].value == pytest.approx(1.004 * 10.025)
    assert measured["Rᵣ"].value == pytest.approx(1.004 * 34.699)
    assert measured["digit"].value == estimate["digit"].value == 0.989
    uncoded = without(printed, metric="measured_bits_0")
    assert {row.source for row in table(uncoded, "table_6").rows} == {"estimate", "printed"}


def test_points_average_seeds_and_tell_codecs_on_two_pmfs_apart(printed):
    found = points(printed)
    assert len(found) == 55 + 19
    (mixture,) = select(found, method="shared", pmf="mixture", eta=1)["distortion"]
    assert mixture == pytest.approx(2 - 0.993 - 1)
    (joint,) = select(found, method="joint", eta=0.5)["distortion"]
    assert joint == pytest.approx(0.402 + 0.406)
    assert set(select(found, method="independent", beta=None)["dataset"]) == set(PRINTED_SETTINGS)


def test_empirical_mutual_information_is_the_difference_of_the_baselines(printed):
    found = common_rate_of_baselines(points(printed))
    at = found.distortion.tolist().index(pytest.approx(0.762))  # independent's at eta = 0.5
    joint = np.interp(0.762, [0.263, 0.808], [4.230, 0.983])
    assert found.rate[at] == pytest.approx(1.311 - joint)
    assert common_rate_of_baselines(points(without(printed, method="joint"))) is None


def test_bd_rates_stand_in_the_legend(printed, figure_3):
    found = texts(figure_3)
    assert "Shared: +10.3%" in found
    assert "Combined: +92.5%" in found
    assert found.count("β = 2") == 1, "empirical mutual information is not monotone"
    bent = changed(printed, lambda _: 99.0, "transmit_rate", method="separated", beta=1.0, eta=0.5)
    few = bent.rows[~(bent.rows["run"].str.contains(r"shared.*eta=0\.(?:5|01)$"))]
    labels = texts(draw(printed_results.replace(bent, rows=few), "figure_3"))
    assert "Separated: no BD-rate" in labels
    assert any(label.startswith("Shared: ") and label.endswith("% p") for label in labels)


def test_theory_is_drawn_at_the_sum_of_both_errors(figure_3):
    axes = figure_3.axes[1]
    theory = axes.lines[0]
    assert theory.get_ydata()[0] == pytest.approx(2 * 0.48603, abs=1e-3)
    assert max(theory.get_xdata()) == pytest.approx(3.2956, abs=1e-2)


def test_figure_9_has_a_panel_per_rate_and_beta(printed):
    figure = draw(printed, "figure_9")
    assert len(figure.axes) == 9
    (shared,) = (ours for ours in figure.axes[5].lines if ours.get_label().startswith("Shared"))
    expected = select(points(printed), method="shared", beta=2.0).sort_values("distortion")
    np.testing.assert_allclose(shared.get_xdata(), expected["receive_rate"])
    np.testing.assert_allclose(shared.get_ydata(), expected["distortion"])
    for axes in figure.axes:
        left, right = axes.get_xlim()
        assert all(left <= x <= right for line in axes.lines[1:] for x in line.get_xdata())


def test_figure_4_shows_every_pmf_and_perfect_accuracies(printed):
    perfect = changed(printed, lambda _: 1.0, "accuracy_1", pmf="dependent", eta=1)
    perfect = changed(perfect, lambda _: 1.0, "accuracy_2", pmf="dependent", eta=1)
    figure = draw(perfect, "figure_4")
    assert len(figure.axes) == 2
    (dependent,) = (ours for ours in figure.axes[0].lines if ours.get_label() == "Dependent")
    assert min(dependent.get_ydata()) == figures.SMALLEST_ERROR
    assert "Mixture: +" in " ".join(texts(figure))


def test_axes_are_the_same_at_every_scale_and_give_way_to_a_point_outside(
    smoke, figure_3, figure_4
):
    def limits(figure):
        return [(ax.get_xlim(), ax.get_ylim()) for ax in figure.axes]

    assert limits(draw(smoke, "figure_4")) == limits(figure_4)
    far = changed(smoke, lambda _: 70.0, "transmit_rate", method="shared", beta=1.0, eta=0.001)
    found = limits(draw(far, "figure_3"))
    assert [found[i] for i in (0, 3)] == [limits(figure_3)[i] for i in (0, 3)]
    assert found[1][0][1] >= 70 > limits(figure_3)[1][0][1]


def test_figure_10_has_a_row_per_image_and_names_the_channel_that_shows_most(printed):
    figure = draw(printed, "figure_10")
    assert len(figure.axes) == 3
    mosaic = figure.axes[1].get_images()[0].get_array()
    assert mosaic.shape == (34 * printed_results.IMAGES, 34 * 4, 3)
    history = drawn(printed, "reconstruction").histories[
        "gray_wyner/coloured_mnist/probe_independent"
    ]
    shown = history["examples/reconstruction"][0, 2, 1]  # channel 2, second image
    np.testing.assert_allclose(mosaic[35:67, 103:135], np.moveaxis(shown, 0, -1).clip(0, 1))
    assert "dependent common" in figure.get_suptitle()
    mended = without(printed, metric="nothing")
    worse = (mended.rows["metric"] == "reconstruction_0") & mended.rows["run"].str.endswith(
        "mixture"
    )
    mended.rows.loc[worse, "value"] = 0.9
    assert "mixture digit" in draw(mended, "figure_10").get_suptitle()


@pytest.mark.parametrize("name", [name for name in STUDY if name not in ("table_2", "figure_10")])
def test_a_plan_of_few_methods_is_shown_all_the_same(smoke, name):
    fewer = smoke
    for method in ("combined", "joint", "independent"):
        fewer = without(fewer, method=method)
    if name.startswith("table"):
        assert table(fewer, name).rows
    else:
        assert draw(fewer, name).axes

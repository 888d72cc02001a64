import io
from dataclasses import replace

import numpy as np
import pypdf
import pytest
from bent_views import changed, without
from fake_results import REPOSITORY, history
from fake_results import view as view_under
from matplotlib.text import Text

from ibpapers import plan as plans
from ibpapers.errors import UserError
from ibpapers.files import read_json
from ibpapers.papers.pom2dib.figures import (
    figure_2b,
    figure_2c,
    figure_2f,
    figure_4,
    figure_5,
    figure_6,
    figure_7,
    figure_8,
)
from ibpapers.papers.pom2dib.settings import NO_LIMITS
from ibpapers.papers.pom2dib.tables import (
    links_selected,
    table_1a,
    table_1b,
    table_2b,
    table_stability,
    why_not_printed,
)
from ibpapers.report import exhibits, results, style

pytestmark = pytest.mark.slow

UNPRINTED = ("figure_2c", "figure_2e")
FIGURES = ("figure_2a", *UNPRINTED, "figure_3")


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


def test_the_worst_seed_of_a_variant_is_shown():
    every = "papers.pom2dib.studies.stability.without=[wait, leave_one_out, sets]"
    view = with_histories(view_under("papers.pom2dib.seeds=[0, 1, 2]", every), "stability", every)
    run = "pom2dib/handwritten/pom2dib_stable_without_wait_beta=0.001"
    lost = {"run": run, "metric": "n_ce", "seed": 1}
    noisy = {"run": run, "metric": "selection/t2/x2/C2", "seed": 2}
    view = changed(changed(view, lambda x: -1.5, **lost), lambda x: 0.4, **noisy)
    table = table_stability(view)
    assert table.header == ("PoM²-DIB", "stable", "no wait", "constant baseline", "in order")
    worst, _ = line(table, "N-CE, worst seed", "whole test set")
    assert worst["no wait"].value == -1.5
    assert worst["stable"].value > -0.7
    kept, _ = line(table, "Seeds above −0.7", "whole test set")
    assert (kept["no wait"].text, kept["stable"].text) == ("2 of 3", "3 of 3")
    noise, _ = line(table, "Noise link, worst seed", "whole test set")
    assert (noise["no wait"].value, noise["stable"].value) == (0.4, 0.02)


def test_when_half_of_the_links_are_decided_and_how_relevant_codes_are_by_then():
    """Of two tasks with two links each: two decided are half, and one may waver on the way."""
    undecided, half, all_but_one = (
        [0.5, 0.06, 0.9, 0.3],
        [0.5, 0.05, 0.97, 0.3],
        [0.0, 1.0, 1.0, 0.3],
    )
    moments = [
        [undecided, half, undecided, half, all_but_one],  # from the fourth on
        [all_but_one] * 5,  # from the first
        [half, half, half, half, undecided],  # never
    ]
    trained = {
        "update": np.arange(1, 41),
        "snapshot_update": np.array([1, 10, 20, 30, 40]),
        "snapshot/selection_probability": np.reshape(moments, (3, 5, 2, 2)),
        "n_ce": np.stack([np.arange(-41.0, -1), np.arange(-81.0, -41), np.arange(-40.0, 0)]),
    }
    without = "papers.pom2dib.studies.stability.without=[wait]"
    view = with_histories(
        view_under("papers.pom2dib.seeds=[0, 1, 2]", without), "stability", without
    )
    of_seeds = zip(view.histories, (slice(0, 2), slice(0, 3), slice(2, 3)), strict=True)
    by_seed = ("n_ce", "snapshot/selection_probability")
    histories = {
        run: {**trained, **{x: trained[x][some] for x in by_seed}} for run, some in of_seeds
    }
    table = table_stability(replace(view, histories=histories))
    at, row = line(table, "Links decided at update", "training log")
    assert (at["PoM²-DIB"].value, at["PoM²-DIB"].seeds) == (15.5, 2)  # 30 and 1
    assert [at[one].text for one in ("stable", "no wait")] == ["2 of 3 seeds", "not yet"]
    assert row.digits == 0
    n_ce, _ = line(table, "N-CE at that update", "training log")
    # Updates 21 to 30 of the one, the first of the other.
    assert n_ce["PoM²-DIB"].value == pytest.approx((-16.5 - 81) / 2)
    assert [n_ce[one].text for one in ("stable", "no wait")] == ["2 of 3 seeds", "not yet"]


def test_table_of_ratios_reads_them_from_the_runs_and_compares_each_with_its_own_number(comparable):
    view = comparable.where(study="learning_rate_ratio_mm_fi")
    table = table_2b(view)
    assert table.header == ("1:16", "1:8", "1:4", "1:2", "1:1", "2:1", "4:1")
    cells, row = line(table, "Sum-rate", "printed")
    ours, _ = line(table, "Sum-rate", "training log")
    expected = view.values(
        run="pom2dib/mm_fi/pom2dib_ratio=4.0_beta=0.001", metric="training_sum_rate"
    ).mean()
    assert ours["4:1"].value == pytest.approx(expected)
    assert row.comparable and cells["4:1"].value == 76.75
    assert cells["4:1"].difference == pytest.approx(expected - 76.75)


def test_a_ratio_that_is_not_printed_is_said_to_be_none():
    ratio = "papers.pom2dib.studies.learning_rate_ratio.ratios=[0.3, 0.5]"
    view = view_under(ratio).where(study="learning_rate_ratio_mm_fi")
    cells, row = line(table_2b(view), "N-CE", "printed")
    assert cells["3:10"].text == "not printed" and cells["1:2"].value == -1.88
    assert not row.comparable and cells["1:2"].difference is None


def test_limits_are_read_from_the_draws(smoke):
    first = {"method": "rsdib", "metric": "limit_violations", "seed": 0}
    table = table_1a(comparison(changed(smoke, lambda _: 1, **first)))
    cells, _ = line(table, "Under limits", "ours")
    assert [cell.text for cell in cells.values()] == ["yes", "no", "no", "no"]


def test_table_of_mm_fi_has_its_own_metrics_and_printed_numbers(comparable):
    view = comparable.where(study="comparison_mm_fi")
    table = table_1b(view)
    cells, row = line(table, "Pose, PA-MPJPE", "training log")
    assert row.unit == "mm"
    values = view.values(method="rsdib", metric="training_t1_pa_mpjpe")
    assert cells["RS-DIB"].value == pytest.approx(values.mean())
    cells, row = line(table, "Pose, MPJPE", "printed")
    assert cells["PoM²-DIB"].value == 107.53
    assert row.comparable and cells["TADIB"].difference is not None
    assert line(table, "Scene, Top-1", "printed")[0]["RS-DIB"].value == 100


def test_mm_fi_with_codes_of_another_size_is_not_compared():
    view = view_under("data=real", "scale=paper", "papers.pom2dib.mm_fi.model.code_dimension=24")
    _, row = line(table_1b(view.where(study="comparison_mm_fi")), "N-CE", "printed")
    assert not row.comparable


def text_of(figure):
    return " ".join(text.get_text() for text in figure.findobj(Text))


def test_figures_of_mm_fi_name_its_tasks_links_and_noise(smoke):
    view = smoke.where(study="comparison_mm_fi")
    run = plans.read(REPOSITORY / "params.yaml").run("pom2dib/mm_fi/pom2dib_beta=0.001")
    with style.house_style():
        selection = figure_4(replace(view, histories={run.id: history(run)}))
        text = text_of(selection)
        assert "task 1: pose" in text and "of 48 links" in text and "H: noise" in text
        red = [
            label.get_text()
            for axes in selection.axes
            for label in axes.get_xticklabels()
            if label.get_color() == style.OKABE_ITO["vermillion"]
        ]
        assert sorted(red) == sorted(3 * ["x1/H", "x2/H", "x3/H", "x4/H"])
        tradeoff = figure_2b(smoke.where(study="rate_relevance_mm_fi"))
    stars = [one for one in tradeoff.axes[0].lines if one.get_marker() == "*"]
    assert [star.get_xdata()[0] for star in stars] == [311.43, 67.78, 447.32, 1479.38]


def with_histories(view, study, *overrides, **arrays):
    """The view of a study with the histories of its runs, `arrays` in the place of their own."""
    overrides = f"data={view.tier}", f"scale={view.scale}", *overrides
    runs = plans.read(REPOSITORY / "params.yaml", overrides).runs
    found = view.where(study=study)
    histories = {one: {**history(runs[one]), **arrays} for one in found.rows["run"].unique()}
    return replace(found, histories=histories)


def test_a_way_through_the_information_plane_is_the_means_of_its_updates(smoke):
    rate = np.array([[10.0, 20, 60, 80, 40, 20], [30, 40, 80, 120, 60, 20]])
    n_ce = np.linspace(-4, -1, 6) * np.ones((2, 1))
    view = with_histories(smoke, "dynamics_handwritten", sum_rate=rate, n_ce=n_ce)
    with pytest.MonkeyPatch.context() as patch, style.house_style():
        patch.setattr("ibpapers.papers.pom2dib.dynamics.POINTS", 3)
        figure = figure_2c(view)
    way, last, *others = figure.axes[0].lines
    assert way.get_xdata().tolist() == [25, 85, 35]
    assert way.get_ydata() == pytest.approx([-3.7, -2.5, -1.3])
    assert last.get_xdata().tolist() == [35]
    assert figure.axes[1].lines[0].get_xdata().tolist() == [15, 70, 30]
    assert "rises and then falls again at β = 0, 10⁻³, 10⁻¹" in text_of(figure)
    assert len(others) == 2 * 2 + 1, "three betas, and guessing"


def test_log_likelihoods_stand_by_ratio_over_the_updates(smoke):
    seeds = np.array([[-6.0, -2, 0, 4, 2, 2], [-2, 2, 4, 8, 0, 0]])
    view = with_histories(smoke, "learning_rate_ratio_mm_fi", log_likelihood=seeds)
    fast = view.histories["pom2dib/mm_fi/pom2dib_ratio=4.0_beta=0.001"]
    fast |= {"log_likelihood": seeds + 1, "update": np.arange(1, 7)}
    with pytest.MonkeyPatch.context() as patch, style.house_style():
        patch.setattr("ibpapers.papers.pom2dib.dynamics.POINTS", 3)
        figure = figure_2f(view)
    usual, faster, _ = figure.axes[0].lines
    assert (usual.get_label(), faster.get_label()) == ("1:2", "4:1")
    assert faster.get_xdata().tolist() == [1.5, 3.5, 5.5]
    assert faster.get_ydata().tolist() == [-1, 5, 2]
    assert usual.get_ydata().tolist() == [-2, 4, 1]
    assert "ends between 1.00 at 1:2 and 2.00 at 4:1" in text_of(figure)


def drawn(view, study, draw, variant):
    """A figure of a variant of pom2dib in a study, and its text."""
    view = with_histories(view, study)
    shown = {run: x for run, x in view.histories.items() if run.endswith(f"/pom2dib_{variant}")}
    with style.house_style():
        figure = draw(replace(view, histories=shown))
    return figure, text_of(figure)


def test_figures_without_limits_show_both_datasets_and_every_seed(smoke):
    figure, text = drawn(smoke, "no_limits", figure_6, "no_limits_beta=0.0")
    assert "at β = 0: 14.1 of 27 on HandWritten, 33.6 of 48 on MM-Fi" in text
    for printed in ("172.3 and −0.15", "78.2 and −0.36"):
        assert printed in drawn(smoke, "no_limits", figure_5, "no_limits_beta=0.001")[1]
    bars = [[bar.get_width() for bar in axes.patches] for axes in figure.axes if axes.patches]
    for dataset, widths in zip(("handwritten", "mm_fi"), bars[:2], strict=True):
        run = f"pom2dib/{dataset}/pom2dib_no_limits_beta=0.0"
        assert widths == pytest.approx(list(links_selected(smoke.where(run=run).rows)), rel=1e-3)


def test_figures_of_the_sparse_prior_show_the_number_printed_and_that_under_limits(smoke):
    for dataset, draw, printed in (("handwritten", figure_7, 3.44), ("mm_fi", figure_8, 3.15)):
        study = f"sparse_prior_{dataset}"
        figure, text = drawn(smoke, study, draw, "sparse_prior_beta=0.001")
        assert "With γ = 0.1" in text and "with limits they end at 5.8" in text
        lines = [line for axes in figure.axes for line in axes.lines]
        assert [x.get_xdata()[0] for x in lines if x.get_marker() == "*"] == [printed]
        dashed = [line.get_xdata()[0] for line in lines if line.get_linestyle() == "--"]
        under = f"pom2dib/{dataset}/pom2dib_beta=0.001"
        assert dashed == [links_selected(smoke.where(study=study, run=under).rows).mean()]


def test_printed_numbers_without_limits_are_held_against_the_same_settings(comparable):
    one_dataset = comparable.where(dataset="handwritten")
    text = drawn(one_dataset, "no_limits", figure_6, "no_limits_beta=0.0")[1]
    assert "printed: 1690.6 and −0.08" in text and "not comparable" not in text
    study = "sparse_prior_handwritten"
    text = drawn(comparable, study, figure_7, "sparse_prior_beta=0.001")[1]
    assert "not comparable" not in text
    ours = comparable.where(run="pom2dib/handwritten/pom2dib_sparse_prior_beta=0.001")
    asked = {"limits": NO_LIMITS["handwritten"], "gamma": 0.1}
    for change, why in (
        ({"gamma": 0.2}, "training.gamma is 0.1, in the paper 0.2"),
        ({"beta": 0.0}, "beta is 0.001, in the paper 0.0"),
        ({"limits": NO_LIMITS["mm_fi"]}, "limits.transmitters_per_task is 3, in the paper 4"),
    ):
        assert why in why_not_printed(ours, "handwritten", "pom2dib", **{**asked, **change})


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
def test_figure_repeats_and_is_vector_with_embedded_fonts_and_stamp(scratch, name):
    exhibits.draw_figure(scratch, "pom2dib", name)
    pdf = exhibits.figure_file(scratch, "pom2dib", name).read_bytes()
    exhibits.draw_figure(scratch, "pom2dib", name)
    assert exhibits.figure_file(scratch, "pom2dib", name).read_bytes() == pdf
    (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert b"/FontFile2" in pdf
    assert not page.images or name == "figure_3", "only the colour bar may be an image"
    assert "sample data, smoke scale" in page.extract_text()
    of_print = "without numbers" if name in UNPRINTED else "not comparable"
    assert of_print in page.extract_text()

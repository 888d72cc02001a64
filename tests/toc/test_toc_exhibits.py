"""Tables and figures on made-up results: what stands where, and what may not be compared."""

import json
from dataclasses import replace

import numpy as np
import pytest
from bent_views import without
from toc import made_up
from toc.made_up import LAPTOP, TOC, drawn

from ibpapers import plan as plans
from ibpapers.papers import PAPERS
from ibpapers.papers.toc import figures, tables
from ibpapers.papers.toc.curves import INDEPENDENT, PAIRS, printed_score, scores, why_not_printed
from ibpapers.report import style
from ibpapers.report.results import select

MOSEI, MOSI = "mosei_sequences", "mosi_sequences"
pytestmark = pytest.mark.slow

SNRS = (-12, -9, -6, -3, 0, 6, 12, 21)
PAPER = (TOC, "data=real", "scale=paper", *LAPTOP[2:])


@pytest.fixture(scope="module")
def laptop():
    return made_up.view(*LAPTOP)


@pytest.fixture(scope="module")
def comparable():
    return made_up.view(*PAPER)


def draw(name, view):
    with style.house_style():
        return getattr(figures, name)(view)


def curves(axes, method):
    look = figures.LOOKS[method]
    return [
        one for one in axes.get_lines()
        if one.get_color() == look.color and one.get_marker() == look.marker
    ]  # fmt: skip


def stars(figure):
    return {
        (row, column): [tuple(point) for one in axes.get_lines() if one.get_marker() == "*"
                        for point in one.get_xydata()]
        for (row, column), axes in np.ndenumerate(np.reshape(figure.axes, (-1, 4)))
    }  # fmt: skip


def level(axes, look):
    (line,) = (
        one
        for one in axes.get_lines()
        if one.get_color() == look.color and one.get_marker() == "None"
    )
    return line.get_ydata()[0]


def test_scores_know_their_channel_and_snr(laptop):
    found = scores(laptop.where(study="snr"))
    faded = select(found, method="conventional", channel="rayleigh", snr=-12.0, dataset=MOSI)
    assert {"acc2", "decoded"} <= set(faded["metric"])
    rows = laptop.where(study="snr", run=f"toc/{MOSEI}/t_deepsc_rayleigh", metric="f1/21dB").rows
    same = select(found, dataset=MOSEI, method="t_deepsc", channel="rayleigh", metric="f1", snr=21)
    assert list(same["value"]) == list(rows["value"]) and len(rows) == 3
    bound = select(found, method="noiseless", channel=None, snr=None)
    assert {"mae", "mae_chance"} <= set(bound["metric"])
    assert not found["metric"].str.contains("/").any()
    few = scores(laptop.where(study="dimension"))
    assert set(select(few, dimension=10)["run"]) == {f"toc/{MOSEI}/two_stage_vib_awgn_dimension=10"}


@pytest.fixture(scope="module")
def figure_5(laptop):
    return draw("figure_5", drawn(laptop, "snr"))


def test_figure_5_draws_every_score_over_the_snr(laptop, figure_5):
    grid = np.reshape(figure_5.axes, (2, 4))
    assert [one[0].get_title(loc="left") for one in grid] == [
        "MOSEI stand-in, AWGN", "MOSEI stand-in, Rayleigh",
    ]  # fmt: skip
    labels = ["Acc2 (%)", "MAE", "F1 (%)", "Acc7 (%)"]
    assert [axes.get_ylabel() for axes in grid[1]] == labels
    assert {axes.get_xlabel() for axes in grid[1]} == {"SNR (dB)"}
    (curve,) = curves(grid[1, 1], "t_deepsc")
    run = f"toc/{MOSEI}/t_deepsc_rayleigh"
    expected = [
        laptop.where(study="snr", run=run, metric=f"mae/{snr:g}dB").rows["value"].mean()
        for snr in SNRS
    ]
    np.testing.assert_array_equal(curve.get_xdata(), SNRS)
    np.testing.assert_allclose(curve.get_ydata(), expected)
    of_acc7 = laptop.where(study="snr", dataset=MOSEI, method="noiseless")
    assert level(grid[0, 3], figures.BOUND) == pytest.approx(of_acc7.estimate(metric="acc7").mean)
    assert level(grid[0, 3], figures.CHANCE) == made_up.CHANCE["acc7"]
    assert grid[0, 0].get_ylim() == grid[1, 0].get_ylim()


def test_figure_5_says_what_it_shows(laptop, figure_5):
    title = figure_5.get_suptitle()
    at_worst = laptop.where(study="snr", dataset=MOSEI, metric="acc2/-12dB")
    ours = [
        f"{at_worst.estimate(run=f'toc/{MOSEI}/two_stage_vib_{channel}').mean:.1f}"
        for channel in ("awgn", "rayleigh")
    ]
    assert f"Acc2 at −12 dB (AWGN, Rayleigh): Two-stage VIB {', '.join(ours)}%" in title
    footnote = figure_5.get_supxlabel().replace("\n", " ")
    assert "utterance: 25; conventional, evaluated on 686 utterances: 5,312." in footnote
    assert "not comparable here: sample data at laptop scale" in footnote
    assert not any(stars(figure_5).values())
    legend = [text.get_text() for text in figure_5.legends[0].get_texts()]
    assert legend == [
        "Two-stage VIB",
        "T-DeepSC",
        "Conventional",
        "No channel",
        "One answer to all",
    ]


def test_figure_5_has_room_for_means_not_for_the_intervals_of_two_seeds(laptop):
    view = drawn(laptop, "snr")
    rows = view.rows.assign(value=view.rows["value"] * (1 + 0.2 * (view.rows["seed"] == 1)))
    figure = draw("figure_5", replace(view, rows=rows[rows["seed"] < 2]))
    bottom, top = figure.axes[0].get_ylim()
    shown = np.concatenate([one.get_ydata() for one in figure.axes[0].get_lines()])
    assert shown.min() - 5 < bottom < shown.min() and shown.max() < top < shown.max() + 5


def test_printed_numbers_are_drawn_where_they_are_comparable(comparable):
    figure = draw("figure_5", drawn(comparable, "snr"))
    shown = {place: points for place, points in stars(figure).items() if points}
    assert shown == {(0, 2): [(-6, 79.38), (-6, 65.98)], (0, 3): [(-6, 44.09), (-6, 43.1)]}
    assert "Stars: printed" in figure.get_supxlabel()
    assert printed_score(comparable, MOSI, "rayleigh", "t_deepsc", "acc2") == {-12: 63.27}


def test_figure_6_has_a_block_for_each_variant_of_mosi():
    plan = "papers.toc.studies.snr"
    view = made_up.view(
        *PAPER, f"{plan}.datasets=[mosi_bclstm, mosi_transcripts]",
        f"{plan}.methods=[two_stage_vib, t_deepsc, noiseless]", f"{plan}.channels=[rayleigh]",
        "papers.toc.evaluation.snrs=[-12.0, 0.0, 12.0]",
    )  # fmt: skip
    figure = draw("figure_6", drawn(view, "snr"))
    grid = np.reshape(figure.axes, (2, 4))
    assert [one[0].get_title(loc="left") for one in grid] == [
        "MOSI, transcripts, Rayleigh", "MOSI, bc-LSTM, Rayleigh",
    ]  # fmt: skip
    assert not any(stars(figure).values())
    assert "MOSI, transcripts: other features than the paper's" in figure.get_supxlabel()
    assert not curves(grid[0, 0], "conventional")


def test_figure_7_draws_bce_with_and_without_reduction(laptop):
    view = drawn(laptop, "redundancy", MOSEI)
    figure = draw("figure_7", view)
    grid = np.reshape(figure.axes, (2, 3))
    assert [one.get_title(loc="left") for one in grid[0]] == [
        "Video and audio", "Video and text", "Text and audio",
    ]  # fmt: skip
    assert grid[1, 0].get_ylabel() == "MOSEI stand-in\nRayleigh: BCE (nat)"
    without_reduction, guess = grid[1, 2].get_lines()[1:]
    assert without_reduction.get_color() == figures.LOOKS["two_stage_vib_no_red"].color
    assert guess.get_ydata()[0] == pytest.approx(1.3862944)
    bce = view.histories[f"toc/{MOSEI}/two_stage_vib_no_red_rayleigh"]["bce/text_audio"]
    stretches = np.array_split(bce, figures.LINES, axis=1)
    np.testing.assert_allclose(
        without_reduction.get_ydata(), [one.mean() for one in stretches], rtol=1e-6
    )
    assert without_reduction.get_xdata()[0] == pytest.approx(1 + (stretches[0].shape[1] - 1) / 2)
    assert figure.get_suptitle().startswith("BCE of the discriminators at the end: with reduction")
    assert "without 0.70 to 1.10 nat" in figure.get_suptitle()


def test_two_modalities_have_one_pair(laptop):
    view = drawn(laptop, "redundancy", MOSI)
    one = {
        run: {name: values for name, values in history.items() if "video" not in name}
        for run, history in view.histories.items()
    }
    for pair in ("video_text", "video_audio"):
        view = without(view, metric=f"bce_last/{pair}")
    figure = draw("figure_8", replace(view, histories=one))
    assert len(figure.axes) == 2
    assert figure.axes[0].get_title(loc="left") == "Text and audio"
    assert "without 1.10 nat" in figure.get_suptitle()


def test_figure_9_draws_both_probabilities(laptop):
    view = drawn(laptop, "discriminators", MOSEI)
    figure = draw("figure_9", view)
    assert len(figure.axes) == len(PAIRS)
    positive, negative, guess = figure.axes[1].get_lines()
    history = view.histories[f"toc/{MOSEI}/two_stage_vib_awgn"]
    assert len(positive.get_xdata()) == figures.LINES
    assert positive.get_ydata().mean() == pytest.approx(
        history["p_positive/video_text"].mean(), abs=0.01
    )
    assert negative.get_ydata().min() < 0.45 < 0.5 == guess.get_ydata()[0]
    assert figure.axes[0].get_ylim() == (0, 1)
    assert figure.get_suptitle() == "Discriminators at the end: p⁺ 0.51, p⁻ 0.50\n"


def line(table, label, source):
    (row,) = (row for row in table.rows if (row.label, row.source) == (label, source))
    return dict(zip(table.header, row.cells, strict=True)), row


def test_table_1_has_every_dimension_ours_and_printed(laptop):
    table = tables.table_1(laptop.where(study="dimension"))
    assert [row.label for row in table.rows if row.source == "ours"] == [
        "10", "20", "30", "50", "60", "80",
    ]  # fmt: skip
    assert [row.label for row in table.rows if row.source == "printed"] == [
        str(dimension) for dimension in range(10, 90, 10)
    ]
    ours, _ = line(table, "10", "ours")
    mean = laptop.where(study="dimension", run=f"toc/{MOSEI}/two_stage_vib_awgn_dimension=10")
    f1, mae = (mean.estimate(metric=f"{name}/12dB") for name in ("f1_nonzero", "mae"))
    assert ours["F1, −/+"].value == pytest.approx(f1.mean / 100)
    assert ours["F1, −/+"].half_width == pytest.approx(f1.half_width / 100)
    assert (ours["MAE"].value, ours["MAE"].seeds) == (mae.mean, 3)
    printed, row = line(table, "50", "printed")
    assert (printed["Acc2, −/+"].value, printed["Acc2, −/0+"].value) == (0.85414, 0.85414)
    assert printed["MAE"].value == 0.59759
    assert not row.comparable and printed["MAE"].difference is None
    assert table.caption.endswith("on MOSEI stand-in, AWGN at 12 dB")
    assert any("not comparable here: sample data" in note for note in table.notes)


def test_table_1_is_compared_under_the_papers_settings(comparable):
    table = tables.table_1(comparable.where(study="dimension"))
    ours, _ = line(table, "10", "ours")
    printed, row = line(table, "10", "printed")
    assert row.comparable
    assert printed["MAE"].difference == pytest.approx(ours["MAE"].value - 0.72271)
    assert not line(table, "40", "printed")[1].comparable, "it is not among ours"


def under(view, change):
    """`view` with `change` applied to the settings of all rows."""
    new = {text: json.dumps(change(json.loads(text))) for text in view.rows["settings"].unique()}
    return replace(view, rows=view.rows.assign(settings=view.rows["settings"].map(new)))


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("redundancy", 0.3, "training.redundancy is 0.3, in the paper 0.4"),
        ("batch_size", 64, "training.batch_size is 64, in the paper 32"),
    ],
)
def test_table_1_is_not_compared_under_other_settings(comparable, key, value, why):
    changed = under(
        comparable.where(study="dimension"),
        lambda one: {**one, "training": {**one["training"], key: value}},
    )
    table = tables.table_1(changed)
    assert not any(row.comparable for row in table.rows if row.source == "printed")
    assert any(why in note for note in table.notes)


def test_table_1_is_not_compared_at_another_snr(comparable):
    asked = {"dataset": MOSEI, "channel": "awgn", "snr": 9.0}
    view = replace(comparable.where(study="dimension"), settings={"studies": {"dimension": asked}})
    table = tables.table_1(view)
    assert not any(row.comparable for row in table.rows if row.source == "printed")
    assert any("AWGN at 9 dB, in the paper AWGN at 12 dB" in note for note in table.notes)


def test_curves_ask_for_the_papers_dimension(comparable):
    view = under(comparable.where(study="snr"), lambda one: {**one, "dimension": 40})
    assert why_not_printed(view, MOSEI) == "dimension is 40, in the paper 50"
    assert why_not_printed(view, MOSEI, at_dimension=False) is None


@pytest.mark.parametrize("overrides", [LAPTOP, PAPER], ids=["laptop", "paper"])
def test_every_exhibit_of_the_plan_has_its_function(overrides):
    paper = plans.read(made_up.REPOSITORY / "params.yaml", overrides).papers["toc"]
    for room, names in (
        ("figures", [figure.name for figure in paper.figures]),
        ("tables", [table.name for table in paper.tables]),
        ("claims", paper.claims),
    ):
        assert all(hasattr(PAPERS["toc"].room(room), name) for name in names) and names


def test_a_guess_costs_two_ln_2():
    assert pytest.approx(-2 * np.log(0.5)) == INDEPENDENT

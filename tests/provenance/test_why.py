"""Which change calls for a job: settings by key, modules by name, files by path."""

import json
from pathlib import Path

import pytest
from provenance.conftest import OVERRIDES, RUN, make
from report.fake_results import REPOSITORY

from ibpapers import jobs
from ibpapers import plan as plans
from ibpapers.errors import UserError
from ibpapers.provenance import why
from ibpapers.provenance.why import Due


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 65}}, {"a": {"b": 70}}, [("a.b", "65 -> 70")]),
        ({"a": 1}, {"b": None}, [("a", "1 -> nothing")]),
        ({"a": {"b": 1}}, {"a": 2}, [("a", '{"b": 1} -> 2')]),
        ([1, 2], [1], [("", "[1, 2] -> [1]")]),
        ({"a": ["x", "y"]}, {"a": ["y", "z"]}, [("a", "+ z, - x")]),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, [("a", "in another order")]),
        ([{"name": "s", "k": 1}], [{"name": "s", "k": 2}], [("s.k", "1 -> 2")]),
        ([{"k": 1}], [{"k": 1}, {"k": 2}], [("1", 'nothing -> {"k": 2}')]),
    ],
)
def test_changed_settings(old, new, found):
    assert list(why.changed_settings(old, new)) == found


def causes(plan, job_id, made_again=()):
    rule, _, name = job_id.partition(" ")
    return list(why._causes(plan, jobs.table(plan)[rule][name], made_again))


def test_nothing_calls_for_what_is_as_recorded(made):
    for of_rule in jobs.table(made).values():
        for job in of_rule.values():
            assert causes(made, job.id) == []


@pytest.mark.parametrize(
    ("job", "key"),
    [
        (f"train {RUN}", "training.updates=66"),
        ("figure pom2dib/figure_2a", "training.updates=66"),
        ("paper paper", "training.updates=66"),
        (f"evaluate {RUN}", "evaluation.selection_draws=1001"),
    ],
)
def test_changed_setting_is_named_as_in_params(made, job, key):
    name, _, value = key.partition("=")
    changed = plans.read(overrides=[*OVERRIDES, f"papers.pom2dib.{key}"])
    (old,) = (str(v) for k, v in _leaves(made) if k == f"papers.pom2dib.{name}")
    assert causes(changed, job) == [f"papers.pom2dib.{name}: {old} -> {value}"]


def test_seed_of_a_dataset_is_named_as_in_params(made):
    changed = plans.read(overrides=[*OVERRIDES, "datasets.handwritten.seed=1"])
    assert causes(changed, "dataset handwritten") == ["datasets.handwritten.seed: 0 -> 1"]


def _leaves(plan):
    from ibpapers.settings_table import rows

    return [(key, value) for key, value, *_ in rows(plan.params)]


@pytest.mark.parametrize(
    ("job", "path", "key"),
    [
        ("fetch mm_fi_sample", "frames", "sources.mm_fi_sample.frames"),
        ("train pom2dib/mm_fi/dlsc", "training.updates", "papers.pom2dib.mm_fi.training.updates"),
        ("train pom2dib/handwritten/dlsc", "training.updates", "papers.pom2dib.training.updates"),
        ("train pom2dib/mm_fi/dlsc", "limits", "papers.pom2dib.limits"),
    ],
)
def test_settings_are_named_by_the_section_they_stand_in(job, path, key):
    plan = plans.read(REPOSITORY / "params.yaml")
    rule, _, name = job.partition(" ")
    assert why._key(plan, jobs.table(plan)[rule][name], path) == key


def test_edited_new_and_gone_modules_are_named(made):
    job = jobs.table(made)["train"][RUN]
    record = json.loads(Path(job.record).read_text())
    record["code"] = "other"
    record["modules"]["ibpapers.papers.pom2dib.methods.tadib"] = "other"
    record["modules"]["ibpapers.gone"] = "other"
    del record["modules"]["ibpapers.training.loop"]
    Path(job.record).write_text(json.dumps(record))
    assert causes(made, job.id) == [
        "code: ibpapers.papers.pom2dib.methods.tadib edited",
        "code: ibpapers.training.loop is used now",
        "code: ibpapers.gone is not used any more",
    ]


def test_changed_input_is_a_cause_unless_it_is_made_again(made):
    printed = "published/pom2dib_table1.csv"
    Path(printed).write_text("other")
    assert causes(made, "table pom2dib/table_1a") == [f"input {printed} changed"]
    assert causes(made, "table pom2dib/table_1a", {printed}) == []


def test_missing_and_unrecorded_results(made):
    job = jobs.table(made)["train"][RUN]
    Path(job.outputs[1]).unlink()
    assert causes(made, job.id) == [f"missing {job.outputs[1]}"]
    Path(job.record).unlink()
    assert causes(made, job.id) == ["never made"]
    make(made, job)
    Path(job.record).unlink()
    assert causes(made, job.id) == ["no record of how it was made"]


def test_targets_are_jobs_rules_and_results(made):
    table = jobs.table(made)
    job = table["train"][RUN]
    assert why.targets(table, None) == []
    assert why.targets(table, job.id) == [job.outputs[0]]
    assert why.targets(table, "track") == [table["track"]["pom2dib"].outputs[0]]
    assert why.targets(table, f"./{job.outputs[2]}") == [job.outputs[2]]
    with pytest.raises(UserError, match="figure pom2dib/figure_2a"):
        why.targets(table, "figure pom2dib/figure_2b")


def test_text_gives_each_cause_once_and_fits_a_screen(made):
    table = jobs.table(made)
    assert why.text(table, []) == "Nothing would run."
    trained, evaluated = list(table["train"].values()), list(table["evaluate"].values())
    found = [
        *(Due(job, ("lr: 1 -> 2",)) for job in trained),
        *(Due(job, ()) for job in evaluated),
    ]
    total = sum(map(len, table.values()))
    assert why.text(table, found).splitlines() == [
        f"{len(found)} of {total} jobs would run.",
        "lr: 1 -> 2",
        f"    {len(trained)} train",
        "what follows from that",
        f"    {len(evaluated)} evaluate",
    ]
    many = [Due(job, (f"missing {job.id}",)) for job in (*trained, *evaluated) * 5]
    many += [Due(job, (f"{n} -> x",)) for n, job in enumerate(trained * 30)]
    assert len(why.text(table, many).splitlines()) <= 24


def test_job_follows_from_what_it_reads_or_is_unknown_to_snakemake(made, monkeypatch):
    table = jobs.table(made)
    dataset, run = table["dataset"]["handwritten"], table["train"][RUN]

    def due(*pending):
        ids = {job.id for job in pending}
        monkeypatch.setattr(why, "_pending", lambda files, overrides: ids)
        return why.due(made, table)

    assert due() == []
    assert due(run) == [Due(run, (why.UNKNOWN_TO_SNAKEMAKE,))]
    assert due(dataset, run)[1] == Due(run, ())

"""Snakemake's books are found where Snakemake keeps them, and corrected by the records."""

import json
import os
from types import SimpleNamespace

import pytest
from snakemake.persistence.file import FilePersistence

from ibpapers.jobs import Job
from ibpapers.provenance import bookkeeping, record


@pytest.mark.parametrize("path", ["results/paper.pdf", "results/" + "a long name/" * 60 + "x"])
def test_places_are_those_of_snakemake(path):
    keeper = SimpleNamespace(_fetch_max_len=lambda subject: os.pathconf(".", "PC_NAME_MAX"))
    place = FilePersistence._record_path(keeper, str(bookkeeping.MADE), path)
    assert str(bookkeeping._place(bookkeeping.MADE, path)) == place


@pytest.fixture
def job(tmp_path, monkeypatch, project):
    """A job that has been done, in an otherwise empty folder whose books do not know of it."""
    monkeypatch.setattr(record, "LOCK", project / "requirements.lock")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_text("input")
    modules = ("ibpapers.files",)
    job = Job("table", "t", ("in",), ("out.json", "more"), "out.trace.json", '{"x":1}', modules)
    with record.recorded(job):
        (tmp_path / "out.json").write_text("{}")
        (tmp_path / "more").write_text("")
    return job


def is_due(job):
    bookkeeping.put_right([job])
    return bookkeeping._place(bookkeeping.HALF_MADE, job.outputs[0]).exists()


def note(book, path, content):
    place = bookkeeping._place(book, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(content))
    return place


def test_unknown_result_is_judged_by_its_record(job, tmp_path):
    assert not is_due(job)
    (tmp_path / "in").write_text("another")
    assert is_due(job)
    (tmp_path / "in").write_text("input")
    assert not is_due(job)
    (tmp_path / "in").unlink()
    assert not is_due(job)


def test_unknown_result_of_an_input_that_is_only_newer_is_not_due(job, tmp_path):
    os.utime(tmp_path / "out.json", (0, 0))
    assert not is_due(job)
    assert (tmp_path / "out.json").stat().st_mtime >= (tmp_path / "in").stat().st_mtime


@pytest.mark.parametrize("changed", [{"settings": '{"x":2}'}, {"modules": ("ibpapers.errors",)}])
def test_unknown_result_of_other_settings_or_code_is_due(job, changed):
    assert is_due(Job(**{**vars(job), **changed}))


@pytest.mark.parametrize("lost", ["more", "out.trace.json"])
def test_result_with_a_part_missing_is_due(job, lost, tmp_path):
    for path in (*job.outputs, job.record):
        note(bookkeeping.MADE, path, dict.fromkeys(bookkeeping.NEEDED))
    assert not is_due(job)
    (tmp_path / lost).unlink()
    assert is_due(job)


def test_finished_result_is_not_half_made(job):
    """As when Snakemake was killed, and its job was not."""
    marker = note(bookkeeping.HALF_MADE, job.outputs[0], {"external_jobid": None})
    assert not is_due(job)
    assert not marker.exists()


def test_entry_that_is_lost_is_restored_from_one_of_the_same_job(job):
    known = note(bookkeeping.MADE, job.outputs[1], dict.fromkeys(bookkeeping.NEEDED))
    cut = note(bookkeeping.MADE, job.outputs[0], {"params": []})
    assert not is_due(job)
    assert cut.read_text() == known.read_text()


def test_books_outlast_a_change_that_is_taken_back(job, tmp_path):
    entry = note(bookkeeping.MADE, job.outputs[0], dict.fromkeys(bookkeeping.NEEDED))
    (tmp_path / "in").write_text("another")
    assert is_due(job)
    (tmp_path / "in").write_text("input")
    assert not is_due(job)
    assert entry.exists()


def test_edited_file_of_the_project_is_seen_whatever_its_time_says(job, tmp_path):
    known = dict.fromkeys(bookkeeping.NEEDED)
    for path in (*job.outputs, job.record):
        note(bookkeeping.MADE, path, known)
    assert not is_due(job)
    (tmp_path / "in").write_text("another")
    os.utime(tmp_path / "in", (0, 0))
    assert is_due(job)

"""The record in a PDF, and what a PDF shows beside it."""

import json

import pytest
import typst
from matplotlib.figure import Figure

from ibpapers.errors import UserError
from ibpapers.provenance import carried
from ibpapers.report import style

RECORD = {"job": "figure p/f", "inputs": {}, "commit": "a (b) \\ é", "lineage": []}


@pytest.fixture
def figure(tmp_path):
    def draw(trace, height=1.0, name="figure.pdf"):
        drawn = Figure()
        drawn.subplots().plot([0, height])
        style.save_pdf(drawn, tmp_path / name, trace)
        return tmp_path / name

    return draw


@pytest.fixture
def paper(tmp_path):
    def typeset(trace, text="text", name="paper.pdf"):
        source = tmp_path / "paper.typ"
        attach = '#pdf.attach("/trace.json", bytes(sys.inputs.trace))'
        source.write_text(f"#set document(date: none)\n{attach}\n{text}")
        inputs = {"trace": trace}
        (tmp_path / name).write_bytes(typst.compile(str(source), sys_inputs=inputs))
        return tmp_path / name

    return typeset


@pytest.mark.parametrize("kind", ["figure", "paper"])
def test_record_is_read_back(kind, request):
    make = request.getfixturevalue(kind)
    assert carried.record(make(json.dumps(RECORD))) == RECORD
    assert carried.record(make("no record")) is None
    assert carried.record(make("{}")) is None


@pytest.mark.parametrize(("kind", "other"), [("figure", 2.0), ("paper", "another text")])
def test_content_is_all_but_the_record(kind, other, request):
    make = request.getfixturevalue(kind)
    one = carried.content_hash(make(json.dumps(RECORD)))
    assert one == carried.content_hash(make(json.dumps({**RECORD, "commit": None})))
    assert one != carried.content_hash(make(json.dumps(RECORD), other))


def test_what_is_no_pdf_is_refused(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(b"%PDF-1.4 nothing")
    for read in (carried.record, carried.content_hash):
        with pytest.raises(UserError, match=r"x\.pdf cannot be read"):
            read(path)

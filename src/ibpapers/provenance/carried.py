"""The record that a PDF carries: a figure as its keywords, the paper as its attached trace.json."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import DictionaryObject, NullObject

from ibpapers.errors import UserError
from ibpapers.provenance.record import Record

ATTACHMENT = "trace.json"


def record(path: Path) -> Record | None:
    """The record in the PDF at `path`, with its lineage; None where it carries none.

    Raises:
        UserError: it is no PDF that can be read.
    """
    reader = _open(path)
    try:
        attached = reader.attachments.get(ATTACHMENT)
        text = attached[0] if attached else (reader.metadata or {}).get("/Keywords", "")
        content = json.loads(text)
    except (PyPdfError, ValueError, TypeError, KeyError):
        return None
    return content if isinstance(content, dict) and {"job", "inputs"} <= set(content) else None


def content_hash(path: Path) -> str:
    """SHA-256 of what the PDF at `path` shows: of all but the record it carries.

    Raises:
        UserError: it is no PDF that can be read.
    """
    reader, found = _open(path), hashlib.sha256()
    try:
        for number in sorted(reader.xref[0].keys() | reader.xref_objStm.keys()):
            thing = reader.get_object(number)
            if not isinstance(thing, DictionaryObject) or not _is_about_the_file(thing):
                written = io.BytesIO()
                (NullObject() if thing is None else thing).write_to_stream(written)
                found.update(written.getvalue())
    except (PyPdfError, ValueError, KeyError) as error:
        raise _unreadable(path, error) from None
    return found.hexdigest()


def _is_about_the_file(thing: DictionaryObject) -> bool:
    """Whether `thing` holds the record, or facts and hashes of the file as a whole."""
    kinds = ("/EmbeddedFile", "/Filespec", "/Metadata", "/XRef", "/ObjStm")
    return thing.get("/Type") in kinds or "/Keywords" in thing or "/Producer" in thing


def _open(path: Path) -> PdfReader:
    try:
        return PdfReader(path)
    except (OSError, PyPdfError, ValueError, KeyError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> UserError:
    return UserError(f"{path} cannot be read as a PDF: {error}")

"""Pickles: what is harmless comes through whole, what is not is refused before it does anything."""

import collections
import copyreg
import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from ibpapers.datasets import safe_pickle
from ibpapers.errors import UserError

HARMLESS = {
    "numbers": [1, 2.5, 1 + 2j, True, None, 2**70, -1],
    "text": ("a", b"\xff\x00", "ß"),
    "sets": [{1, 2}, frozenset({3})],
    "float32": np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "big endian": np.arange(5, dtype=">i4"),
    "empty": np.zeros((0, 3)),
    "bool": np.array([True, False]),
    "words": np.array(["one", "two"]),
    "bytes": np.array([b"x", b"yz"]),
    "zero-dimensional": np.array(7.0),
    "scalar": np.float32(1.5),
    "no text": np.str_(""),
    "no bytes": np.bytes_(b""),
    "slice": np.arange(20)[::3],
}


def stored(folder: Path, content: bytes) -> Path:
    path = folder / "features.pkl"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_harmless_content_comes_through(tmp_path, protocol):
    found = safe_pickle.load(stored(tmp_path, pickle.dumps(HARMLESS, protocol)))
    assert list(found) == list(HARMLESS)
    for name, expected in HARMLESS.items():
        if isinstance(expected, np.ndarray | np.generic):
            assert type(found[name]) is type(expected)
            assert found[name].dtype == expected.dtype.newbyteorder("=")
            np.testing.assert_array_equal(found[name], expected)
        else:
            assert found[name] == expected


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_text_as_objects_become_lists(tmp_path, protocol):
    texts = np.array([["a", "bb"], ["c", None]], dtype=object)
    found = safe_pickle.load(stored(tmp_path, pickle.dumps({"id": texts}, protocol)))
    assert found == {"id": [["a", "bb"], ["c", None]]}


def test_python_2_pickles_with_arrays(tmp_path):
    # cPickle of Python 2, protocol 2: bytes are `str`, the module is numpy.core.
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02"
        b"U\x01bq\x03\x87q\x04Rq\x05(K\x01K\x02\x85cnumpy\ndtype\nq\x06U\x02f8K\x00K\x01\x87Rq\x07"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10"
        + struct.pack("<2d", 1.5, -2.0)
        + b"tb."
    )
    assert safe_pickle.load(stored(tmp_path, content)).tolist() == [1.5, -2.0]


class Calls:
    """Pickles as a call of anything with any arguments, then a state."""

    def __init__(self, function, *arguments, state=None):
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.reduced


def made(obj, protocol=2) -> bytes:
    return pickle.dumps(obj, protocol)


def global_name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def array_of(dtype: bytes, shape: bytes, content: bytes) -> bytes:
    """A pickled array whose parts are given as opcodes."""
    return (
        b"\x80\x02" + global_name("numpy.core.multiarray", "_reconstruct")
        + global_name("numpy", "ndarray") + b"K\x00\x85C\x01b\x87R(K\x01" + shape + dtype
        + b"\x89" + content + b"tb."
    )  # fmt: skip


def dtype_of(code: bytes, rest: bytes = b"NNN") -> bytes:
    return (
        global_name("numpy", "dtype") + b"X" + struct.pack("<I", len(code)) + code
        + b"K\x00K\x01\x87R(K\x03X\x01\x00\x00\x00<" + rest + b"J\xff\xff\xff\xffJ\xff\xff\xff\xff"
        + b"K\x00tb"
    )  # fmt: skip


def fields_over_raw_bytes() -> bytes:
    """A type whose state lays an object field over plain bytes, to be taken for pointers."""
    field = b"X\x01\x00\x00\x00a\x85}X\x01\x00\x00\x00a" + dtype_of(b"O8") + b"K\x00\x86s"
    content = b"C\x08AAAAAAAA"
    return array_of(dtype_of(b"f8", b"N" + field), b"K\x01\x85", content)


HOSTILE = {
    "os.system": made(Calls(os.system, "touch HACKED")),
    "os.system in an old protocol": made(Calls(os.system, "touch HACKED"), 0),
    "os.system by its stack global": made(Calls(os.system, "touch HACKED"), 4),
    "in a list of many": made([1, {"a": [Calls(os.system, "touch HACKED")]}], 5),
    "as a key": made({Calls(os.system, "touch HACKED"): 1}),
    "eval": made(Calls(eval, "open('HACKED', 'w')")),
    "exec": made(Calls(exec, "open('HACKED', 'w')")),
    "getattr": made(Calls(getattr, (), "__class__")),
    "getattr by dots": b"\x80\x04\x8c\x05numpy\x8c\x0bndarray.dump\x93.",
    "attribute of what is allowed": b"\x80\x04\x8c\x05numpy\x8c\x0fndarray.__class__\x93.",
    "a loader of numpy": made(Calls(np.load, "x.npy", None, True)),
    "fromfile": made(Calls(np.fromfile, "/etc/passwd")),
    "open": made(Calls(io.open, "HACKED", "w")),
    "a class of its own": made(collections.Counter("ab")),
    "copyreg": made(Calls(copyreg._reconstructor, collections.Counter, dict, {})),
    "copyreg's registry": b"\x80\x02" + global_name("copyreg", "_extension_registry") + b".",
    "an extension code": b"\x80\x02\x82\x01.",
    "a persistent id": b"\x80\x02X\x01\x00\x00\x00aQ.",
    "an object in an array of objects": made(
        np.array([Calls(os.system, "touch HACKED")], dtype=object)
    ),
    "a dictionary in an array of objects": made(np.array([{"a": 1}], dtype=object)),
    "an array of objects in an array of objects": made(
        np.array([np.array(["a"], dtype=object), 1], dtype=object)
    ),
    "pointers for objects": array_of(dtype_of(b"O8"), b"K\x01\x85", b"C\x08AAAAAAAA"),
    "fields over raw bytes": fields_over_raw_bytes(),
    "a structured array": made(np.zeros(2, dtype=[("a", "i4")])),
    "dates": made(np.array(["2020-01-01"], dtype="datetime64[D]")),
    "a shape beyond its content": array_of(
        dtype_of(b"f8"), b"J\xff\xff\xff\x7f\x85", b"C\x08AAAAAAAA"
    ),
    "a negative shape": array_of(dtype_of(b"f8"), b"J\xff\xff\xff\xff\x85", b"C\x08AAAAAAAA"),
    "an array without content": b"\x80\x02"
    + global_name("numpy.core.multiarray", "_reconstruct")
    + b")R.",
    "a huge type": array_of(dtype_of(b"S999999999"), b"K\x01\x85", b"C\x08AAAAAAAA"),
    "what is called, altered": b"\x80\x02"
    + global_name("numpy.core.multiarray", "_reconstruct")
    + b"N}X\x09\x00\x00\x00_functionX\x01\x00\x00\x00xs\x86b.",
    "what is called, as the result": b"\x80\x02" + global_name("numpy", "dtype") + b".",
    "an encoding that is none": b"\x80\x02"
    + global_name("_codecs", "encode")
    + b"X\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R.",
    "a list that holds itself": b"\x80\x02]q\x00h\x00a.",
    "too deep": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "cut off": made(HARMLESS)[:-40],
    "empty": b"",
    "text": b"these are not the bytes",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = stored(tmp_path, HOSTILE[name])
    with pytest.raises(UserError, match=r"features\.pkl is not a pickle of arrays"):
        safe_pickle.load(path)
    assert not (tmp_path / "HACKED").exists()
    harmless = stored(tmp_path, made(HARMLESS))
    assert list(safe_pickle.load(harmless)) == list(HARMLESS), "nothing was altered for good"


def test_what_was_asked_for_is_named(tmp_path):
    with pytest.raises(UserError, match=r"it asks for (posix|nt)\.system"):
        safe_pickle.load(stored(tmp_path, HOSTILE["os.system"]))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*nowhere\.pkl"):
        safe_pickle.load(tmp_path / "nowhere.pkl")

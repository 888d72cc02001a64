"""Pickles of strangers: arrays, containers, text and numbers come out, and nothing else runs.

A pickle is a program that may call whatever it names. Here it can name a handful of things, and
gets a stand-in for each: what it builds are notes of arrays, from which real ones are made only
once their type, shape and bytes have been checked.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ibpapers.errors import UserError

KINDS = "biufcSU"  # of arrays: booleans, numbers, bytes, text
SCALARS = (str, bytes, int, float, complex, type(None))  # bool is an int


def load(path: str | Path) -> Any:
    """The content of a pickle file of any protocol, also one of Python 2.

    What comes out consists of dict, list, tuple, set, frozenset, text, bytes, numbers, None and
    numpy arrays and scalars of numbers or text. An array of objects becomes a nested list, and may
    hold text and numbers only.

    Raises:
        UserError: the file cannot be read, is no whole pickle, or holds or calls anything else.
    """
    try:
        with open(path, "rb") as file:
            return _finished(_Unpickler(file, encoding="latin1").load())
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a pickle gone wrong may raise any
        raise UserError(
            f"{path} is not a pickle of arrays, lists and dictionaries only: {error}. Other "
            "content may run code when it is read, so nothing of the file was used."
        ) from error


class _Refused(pickle.UnpicklingError):
    """The pickle asks for what is not allowed."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise _Refused(f"it asks for {module}.{name}")
        return ALLOWED[module, name]


class _Callable:
    """What a pickle may call. It cannot be altered from within a pickle."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable):
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise _Refused("it alters what it calls")


class _Type:
    """Notes of a numpy.dtype."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: Any):
        if not isinstance(code, str) or code[:1] not in (*KINDS, "O") or not _is_size(code[1:]):
            raise _Refused(f"an array of type {code!r}")
        self._code, self._order = code, "="

    def __setstate__(self, state: Any) -> None:
        _, order, *structure = state
        if order not in ("<", ">", "=", "|") or any(part is not None for part in structure[:3]):
            raise _Refused("an array of structured type")
        self._order = order

    @property
    def holds_objects(self) -> bool:
        return self._code[0] == "O"

    def real(self) -> np.dtype:
        if self.holds_objects:
            raise _Refused("objects where numbers were promised")
        return np.dtype(self._code).newbyteorder(self._order)


class _Array:
    """Notes of a numpy.ndarray."""

    __slots__ = ("_content",)

    def __init__(self) -> None:
        self._content: Any = None

    def __setstate__(self, state: Any) -> None:
        _, shape, of_type, is_fortran, content = state
        self._content = _array(content, of_type, shape, "F" if is_fortran else "C")

    def real(self) -> Any:
        if self._content is None:
            raise _Refused("an array without content")
        return self._content


def _array(content: Any, of_type: Any, shape: Any, order: str) -> Any:
    """A real array, or the nested list of one of objects."""
    if not isinstance(of_type, _Type) or not all(type(n) is int and n >= 0 for n in shape):
        raise _Refused("an array of unknown type or shape")
    if of_type.holds_objects:
        return _texts_and_numbers(content, shape)
    content = content.encode("latin1") if isinstance(content, str) else content  # Python 2
    dtype = of_type.real()
    if not isinstance(content, bytes | bytearray) or (
        len(content) != math.prod(shape) * dtype.itemsize
    ):
        raise _Refused("an array whose content does not fit its shape")
    if not dtype.itemsize:  # of empty texts, which no buffer holds
        return np.zeros(shape, dtype)
    values = np.frombuffer(bytes(content), dtype)
    return values.astype(dtype.newbyteorder("=")).reshape(shape, order=order)


def _texts_and_numbers(content: Any, shape: Any) -> list:
    if not isinstance(content, list) or len(content) != math.prod(shape):
        raise _Refused("an array of objects whose content does not fit its shape")
    if not all(isinstance(one, SCALARS) for one in content):
        raise _Refused("an array of objects that are not text or numbers")
    for size in reversed(shape[1:]):
        content = [content[i : i + size] for i in range(0, len(content), size)]
    return content


def _scalar(of_type: Any, content: Any) -> Any:
    return _array(content, of_type, (), "C")[()]


def _from_buffer(content: Any, of_type: Any, shape: Any, order: Any) -> _Array:
    array = _Array()
    array.__setstate__((1, shape, of_type, order == "F", content))
    return array


def _latin1(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise _Refused("it encodes something else than bytes")
    return text.encode("latin1")


def _is_size(text: str) -> bool:
    return not text or (text.isdecimal() and len(text) < 8)


NDARRAY = object()
_RECONSTRUCT = _Callable(lambda *_: _Array())
_NAMES = {
    ("numpy", "ndarray"): NDARRAY,
    ("numpy", "dtype"): _Callable(lambda code, *_: _Type(code)),
    ("_codecs", "encode"): _Callable(_latin1),
}
for _core in ("numpy.core", "numpy._core"):
    _NAMES[f"{_core}.multiarray", "_reconstruct"] = _RECONSTRUCT
    _NAMES[f"{_core}.multiarray", "scalar"] = _Callable(_scalar)
    _NAMES[f"{_core}.numeric", "_frombuffer"] = _Callable(_from_buffer)
for _builtins in ("builtins", "__builtin__"):
    _NAMES[_builtins, "set"] = _Callable(set)
    _NAMES[_builtins, "frozenset"] = _Callable(frozenset)
    _NAMES[_builtins, "complex"] = _Callable(complex)
    _NAMES[_builtins, "bytes"] = _Callable(lambda: b"")  # of old protocols, where there are none
ALLOWED = MappingProxyType(_NAMES)


def _finished(found: Any) -> Any:
    """`found` with real arrays in place of notes; one that holds itself recurses to an error."""
    if isinstance(found, _Array):
        return found.real()
    if isinstance(found, (*SCALARS, np.generic)):
        return found
    if type(found) not in (dict, list, tuple, set, frozenset):
        raise _Refused("something that is no container, array, text or number")
    if isinstance(found, dict):
        return {_finished(key): _finished(value) for key, value in found.items()}
    return type(found)(_finished(one) for one in found)

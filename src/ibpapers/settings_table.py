"""The settings as rows to read: every key with its value, what is allowed and what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ibpapers.config import Params
from ibpapers.secrets import without_secrets


def rows(params: Params) -> Iterator[tuple[str, str, str, str]]:
    """Key, value, what is allowed, meaning ("" where the key says it) of every setting."""
    yield from _rows(params, "")


def _rows(settings: BaseModel, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from _rows(value, f"{prefix}{name}.")
        else:
            text = without_secrets(value) if isinstance(value, str) else json.dumps(value)
            yield f"{prefix}{name}", text, _allowed(field), field.description or ""


def _allowed(field: FieldInfo) -> str:
    bounds = [_bound(constraint) for constraint in field.metadata]
    return ", ".join([_type(field.annotation), *filter(None, bounds)])


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " | ".join(map(str, get_args(annotation)))
    if get_origin(annotation) is list:
        return f"list of {_type(get_args(annotation)[0])}"
    if annotation is type(None):
        return "null"
    if metadata := getattr(annotation, "__metadata__", None):
        bounds = [_bound(constraint) for field in metadata for constraint in _constraints(field)]
        return " ".join([_type(get_args(annotation)[0]), *filter(None, bounds)])
    if arguments := get_args(annotation):
        return " | ".join(map(_type, arguments))
    return {"str": "text", "bool": "true | false"}.get(annotation.__name__, annotation.__name__)


def _constraints(metadata: Any) -> list[Any]:
    return metadata.metadata if isinstance(metadata, FieldInfo) else [metadata]


def _bound(constraint: Any) -> str:
    """A pydantic (annotated-types) constraint in words; "" for what is not a bound."""
    words = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    for name, sign in words.items():
        if hasattr(constraint, name):
            return f"{sign} {getattr(constraint, name)}"
    if hasattr(constraint, "min_length"):
        return f"at least {constraint.min_length}"
    if hasattr(constraint, "max_length"):
        return f"at most {constraint.max_length}"
    return ""

"""params.yaml, read once, checked whole, and closed: what is not listed here does not exist.

The settings are the sum of three layers, later ones winning:

1. ``params.yaml`` (complete: every key is there, at the smoke scale),
2. ``params/<scale>.yaml`` for ``scale: laptop`` and ``scale: paper``,
3. ``--set key.path=value`` on the command line.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError, create_model

from ibpapers.datasets import DATASETS, SETTINGS_OF_SOURCES, settings
from ibpapers.errors import UserError
from ibpapers.papers import PAPERS
from ibpapers.settings import Closed, Count, Listing

Tier = Literal["sample", "real"]
Scale = Literal["smoke", "laptop", "paper"]

LARGEST_FILE = 200_000  # bytes, of params.yaml or an overlay
PROBLEMS_SHOWN = 5


# One field per source whose generator takes settings, typed by its class in `datasets.settings`.
Sources = create_model(
    "Sources",
    __base__=Closed,
    **{name: (getattr(settings, kind), ...) for name, kind in SETTINGS_OF_SOURCES.items()},
)

# One field per dataset, typed by its class in `datasets.settings`.
Datasets = create_model(
    "Datasets",
    __base__=Closed,
    **{name: (getattr(settings, one.settings), ...) for name, one in DATASETS.items()},
)


class Tracking(Closed):
    """Where MLflow keeps its runs; nothing else depends on it."""

    enabled: bool
    uri: Annotated[str, Field(min_length=1, description="MLflow tracking URI")]


class JobResources(Closed):
    """What one job asks a cluster for; its CPUs are its `threads`."""

    minutes: Annotated[Count, Field(description="time limit")]
    memory_mb: Count
    gpus: Annotated[int, Field(ge=0, le=8)]


class Resources(Closed):
    """One field per rule whose jobs are submitted; no result depends on it."""

    dataset: JobResources
    entropy: JobResources
    train: JobResources
    evaluate: JobResources


# One field per paper, typed by the `Settings` of its own `settings.py`.
Papers = create_model(
    "Papers", __base__=Closed, **{name: (paper.settings(), ...) for name, paper in PAPERS.items()}
)


def _address(mirror: str) -> str:
    """`mirror`, a folder or an http(s) address. Raises ValueError where it can be neither."""
    scheme, separator, _ = mirror.partition("://")
    if not mirror.strip() or not mirror.isprintable():
        raise ValueError("expected a folder or an http(s) address, without control characters")
    if separator and scheme not in ("http", "https"):
        raise ValueError("an address begins with http:// or https://")
    urlsplit(mirror)
    return mirror


Mirror = Annotated[str, AfterValidator(_address)]


class Params(Closed):
    data: Annotated[Tier, Field(description="sample: no network needed; real: the papers' data")]
    scale: Annotated[Scale, Field(description="smoke: minutes; laptop: a night; paper: a cluster")]
    mirror: Annotated[
        Mirror | None,
        Field(description="folder or URL to take the real sources from; null: public"),
    ]
    include: Annotated[
        Listing[Literal[tuple(PAPERS)]], Field(description="the papers to compute and report")
    ]
    threads: Annotated[
        int, Field(ge=1, le=1024, description="CPU threads of one training; part of its result")
    ]
    tracking: Tracking
    resources: Resources
    sources: Sources
    datasets: Datasets
    papers: Papers


def load(path: Path | str = "params.yaml", overrides: Sequence[str] = ()) -> Params:
    """The settings of `path` under the overlay of their scale and the `key=value` overrides.

    Raises UserError that names the file, the key, the value, what is allowed, and, where a key
    is unknown, the nearest known one.
    """
    path = Path(path)
    layers = [(str(path), _read(path))]
    layers += [(f"--set {_shown(override)}", _override(override)) for override in overrides]
    merged = _merge(layers)
    scale = merged.get("scale")
    if scale in get_args(Scale) and scale != "smoke":
        overlay = path.parent / "params" / f"{scale}.yaml"
        layers.insert(1, (str(overlay), _read(overlay)))
        merged = _merge(layers)
    try:
        return Params.model_validate(merged)
    except ValidationError as error:
        raise UserError("\n".join(_explain(error, layers))) from None


class _Loader(yaml.SafeLoader):
    """YAML as people expect it: what is read is what is written there, and nothing else.

    A key stands once, nothing is an alias, no tag makes a value something else. Numbers are as in
    YAML 1.2 and JSON, and 1e-3 is one; 010, 0x10, 1_000, 1:30, yes and 2024-01-01, of which
    readers of YAML make different things, are text.
    """

    yaml_implicit_resolvers: ClassVar[dict] = {}

    def compose_node(self, parent, index):
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise _unwanted(event, f"alias *{event.anchor}: write the value out")
        if event.tag is not None:
            raise _unwanted(event, f"tag {event.tag}: write the value without it")
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            is_text = isinstance(key, str)
            if not is_text or key in seen:
                why = "stands twice" if is_text else "is not text"
                raise _unwanted(key_node, f"key {key!r} {why}")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _unwanted(found: yaml.Event | yaml.Node, why: str) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, why, found.start_mark)


for _type, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", list("tf")),
    ("int", r"[-+]?(0|[1-9]\d*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?((\d+\.\d*|\.\d+)([eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.inf)|\.nan",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_type}", re.compile(f"^(?:{_pattern})$", re.ASCII), _first
    )


def parse_yaml(text: str, where: str) -> Any:
    """The value of YAML `text`; UserError names `where` and the line."""
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        said = (getattr(error, name, None) for name in ("problem", "reason"))
        problem = next(filter(None, said), None) or str(error) or type(error).__name__
        raise UserError(f"{where}{line}: not valid YAML: {problem}") from None


def _read(path: Path) -> dict:
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if len(content) > LARGEST_FILE:
        raise UserError(f"{path}: larger than the {LARGEST_FILE:,} bytes allowed for settings")
    tree = parse_yaml(text, str(path))
    if not isinstance(tree, dict):
        raise UserError(f"{path}: expected keys and values, found {type(tree).__name__}")
    return tree


def _override(override: str) -> dict:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise UserError(f"--set {_shown(override)}: expected key.path=value")
    value = parse_yaml(text, f"--set {_shown(override)}")
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def _merge(layers: Sequence[tuple[str, dict]]) -> dict:
    merged: dict = {}
    for _, layer in layers:
        merged = _merge_two(merged, layer)
    return merged


def _merge_two(below: Mapping, above: Mapping) -> dict:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge_two(merged[key], value) if both else value
    return merged


def _explain(error: ValidationError, layers: Sequence[tuple[str, dict]]) -> Iterator[str]:
    # A misspelt key is also missing under its right name: what is wrong there comes first.
    problems = sorted(error.errors(), key=lambda problem: problem["type"] == "missing")
    for problem in problems[:PROBLEMS_SHOWN]:
        keys = problem["loc"]
        where = f"{_layer_of(keys, layers)}: {'.'.join(map(_shown, keys))}"
        if problem["type"] == "extra_forbidden":
            known = _known_keys(keys[:-1])
            near = difflib.get_close_matches(str(keys[-1]), known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
            yield f"{where}: unknown key; {hint}"
        elif problem["type"] == "missing":
            yield f"{where}: missing"
        else:
            message = _expected(problem).removeprefix("Value error, ")
            yield f"{where} = {_SHORT.repr(problem['input'])}: {message[0].lower()}{message[1:]}"
    if len(problems) > PROBLEMS_SHOWN:
        yield f"... and {len(problems) - PROBLEMS_SHOWN:,} more"


def _expected(problem: Mapping[str, Any]) -> str:
    """What pydantic says of a problem, without its own vocabulary."""
    if problem["type"] in ("model_type", "model_attributes_type"):
        return "expected keys and values"
    if problem["type"] == "bool_type":
        return "input should be true or false"
    return problem["msg"]


def _shown(text: object) -> str:
    """A key or an override in one line; control characters could rewrite the terminal."""
    text = str(text)
    return text if text.isprintable() and len(text) <= _SHORT.maxstring else _SHORT.repr(text)


# Values of any size and depth, in one line.
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 3, 200, 200


def _layer_of(keys: Sequence, layers: Sequence[tuple[str, dict]]) -> str:
    """The topmost layer that sets `keys`, which is where the user has to look."""
    for name, layer in reversed(layers):
        node: Any = layer
        for key in keys:
            try:
                node = node[key]
            except (KeyError, IndexError, TypeError):
                break
        else:
            return name
    return layers[0][0]


def _known_keys(keys: Sequence) -> list[str]:
    model: Any = Params
    for key in keys:
        model = model.model_fields[key].annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
    return sorted(model.model_fields)

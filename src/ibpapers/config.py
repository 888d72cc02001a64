"""params.yaml, read once, checked whole, and closed: what is not listed here does not exist.

The settings are the sum of three layers, later ones winning:

1. ``params.yaml`` (complete: every key is there, at the smoke scale),
2. ``params/<scale>.yaml`` for ``scale: laptop`` and ``scale: paper``,
3. ``--set key.path=value`` on the command line.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, create_model

from ibpapers.datasets import DATASETS
from ibpapers.errors import UserError
from ibpapers.papers import PAPERS
from ibpapers.settings import Closed, Count, Seed

Tier = Literal["sample", "real"]
Scale = Literal["smoke", "laptop", "paper"]


class Dataset(Closed):
    seed: Annotated[Seed, Field(description="of what is random in building it")]


# One field per dataset of the table of datasets.
Datasets = create_model("Datasets", __base__=Closed, **dict.fromkeys(DATASETS, (Dataset, ...)))


class Tracking(Closed):
    """Where MLflow keeps its runs; nothing else depends on it."""

    enabled: bool
    uri: Annotated[str, Field(min_length=1, description="MLflow tracking URI")]


# One field per paper, typed by the `Settings` of its own `settings.py`.
Papers = create_model(
    "Papers", __base__=Closed, **{name: (paper.settings(), ...) for name, paper in PAPERS.items()}
)


class Params(Closed):
    data: Annotated[Tier, Field(description="sample: no network needed; real: the papers' data")]
    scale: Annotated[Scale, Field(description="smoke: minutes; laptop: a night; paper: a cluster")]
    mirror: Annotated[
        str | None, Field(description="folder or URL to take the real sources from; null: public")
    ]
    threads: Annotated[Count, Field(description="CPU threads of one training; part of its result")]
    tracking: Tracking
    datasets: Datasets
    papers: Papers


def load(path: Path | str = "params.yaml", overrides: Sequence[str] = ()) -> Params:
    """The settings of `path` under the overlay of their scale and the `key=value` overrides.

    Raises UserError that names the file, the key, the value, what is allowed, and, where a key
    is unknown, the nearest known one.
    """
    path = Path(path)
    layers = [(str(path), _read(path))]
    layers += [(f"--set {override}", _override(override)) for override in overrides]
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
    """YAML as people expect it: 1e-3 is a number, a key stands once, and nothing is an alias."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.constructor.ConstructorError(
                None, None, f"alias *{event.anchor}: write the value out", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            is_text = isinstance(key, str)
            if not is_text or key in seen:
                why = "stands twice" if is_text else "is not text"
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} {why}", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)$"),
    list("-+.0123456789"),
)


def parse_yaml(text: str, where: str) -> Any:
    """The value of YAML `text`; UserError names `where` and the line."""
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error) or type(error).__name__
        raise UserError(f"{where}{line}: not valid YAML: {problem}") from None


def _read(path: Path) -> dict:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    tree = parse_yaml(text, str(path))
    if not isinstance(tree, dict):
        raise UserError(f"{path}: expected keys and values, found {type(tree).__name__}")
    return tree


def _override(override: str) -> dict:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise UserError(f"--set {override}: expected key.path=value")
    value = parse_yaml(text, f"--set {override}")
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
    for problem in error.errors():
        keys = problem["loc"]
        where = f"{_layer_of(keys, layers)}: {'.'.join(map(str, keys))}"
        if problem["type"] == "extra_forbidden":
            known = _known_keys(keys[:-1])
            near = difflib.get_close_matches(str(keys[-1]), known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
            yield f"{where}: unknown key; {hint}"
        elif problem["type"] == "missing":
            yield f"{where}: missing"
        else:
            message = problem["msg"].removeprefix("Value error, ")
            yield f"{where} = {problem['input']!r}: {message[0].lower()}{message[1:]}"


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

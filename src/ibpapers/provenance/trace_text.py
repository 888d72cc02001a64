"""What `trace` found, as text for a person or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SHORT = 12  # characters of a hash
WIDTH = 14  # of the column of names


def as_json(found: Mapping[str, Any]) -> str:
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False)


def as_text(found: Mapping[str, Any]) -> str:
    """The same in short; what all runs share is said once."""
    return "\n".join(_lines(found))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield _line("file", found["file"])
    yield _line("sha256", f"{found['sha256']}  ({found['state']})")
    if "part" in found:
        yield _line("part", found["part"]["name"])
        yield _line("value", _shown(found["part"]["value"]))
        yield _line("runs found", found["part"]["runs found"])
    axes = [found["tier"] and f"{found['tier']} data", found["scale"] and f"{found['scale']} scale"]
    yield _line("made from", ", ".join(filter(None, axes)) or "unknown")
    yield from _made(found)
    for path, content in found["read"].items():
        yield _line("read", f"{path}  {content[:SHORT]}")
    yield from _of_runs(found["runs"])
    for one in found["estimates"]:
        yield ""
        yield _line("estimate", one["job"].partition(" ")[2])
        yield from _made(one)
    for one in found["datasets"]:
        yield from _of_dataset(one)


def _made(one: Mapping[str, Any]) -> Iterator[str]:
    """Command, code, commit and environment of a job."""
    yield _line("command", f"python -m ibpapers {one['job']}")
    commit = one["commit"] or "no repository"
    yield _line("code", f"{one['code'][:SHORT]}  commit {commit}")
    environment = one["environment"] or {}
    versions = [f"{k} {v}" for k, v in environment.items() if k not in ("machine", "lock")]
    lock = str(environment.get("lock"))[:SHORT]
    yield _line("machine", environment.get("machine"))
    yield _line("versions", f"{', '.join(versions)}; lock {lock}")


def _of_runs(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not runs:
        return
    facts = [dict(_flat(_facts(run))) for run in runs]
    names = dict.fromkeys(name for each in facts for name in each)
    shared = {n for n in names if all(each.get(n) == facts[0].get(n) for each in facts)}
    yield ""
    yield _line("runs", f"{len(runs)}, all with" if len(runs) > 1 else runs[0]["run"])
    for name in names:
        if name in shared and (value := facts[0].get(name)) is not None:
            yield f"    {name}: {_shown(value)}"
    for run, each in zip(runs, facts, strict=True):
        own = {name: each[name] for name in names if name not in shared and name in each}
        if len(runs) > 1:
            yield ""
            yield _line("run", run["run"])
        for name, value in own.items():
            yield f"    {name}: {_shown(value)}"
        for path, content in (run["outputs"] or {}).items():
            yield f"    {path}  {content[:SHORT]}"
        yield from _in_mlflow(run["mlflow"])


def _facts(run: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run, what others may have in common with it."""
    evaluation = run.get("evaluation")
    return {
        **{k: v for k, v in (run["settings"] or {}).items() if k not in ("run", "tier", "scale")},
        "code": run["code"][:SHORT],
        "commit": run["commit"] or "no repository",
        "trained with": run["trained with"] or run["environment"],
        "machine": (run["environment"] or {}).get("machine"),
        **{path: content[:SHORT] for path, content in run["inputs"].items()},
        "evaluation": evaluation and {**evaluation["settings"], "code": evaluation["code"][:SHORT]},
    }


def _in_mlflow(stored: Mapping[str, Any] | None) -> Iterator[str]:
    for name, key in (stored["keys"] if stored else {}).items():
        run = stored["runs"][name]
        known = f"run {run}" if run else f"key {key}, in {stored['address'] or 'no store'}"
        yield f"    MLflow, {name}: {known}"


def _of_dataset(one: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield _line("dataset", one["dataset"])
    yield from _made(one)
    for path, content in (one["outputs"] or {}).items():
        yield f"    {path}  {content[:SHORT]}"
    for name, value in _flat((one["settings"] or {}).get("settings", {})):
        yield f"    {name}: {_shown(value)}"
    for source in one["sources"]:
        name = source["job"].partition(" ")[2]
        card = (one["card"] or {}).get(name, {})
        yield _line("source", f"{name}  {card.get('tier', '')} data; {card.get('licence', '')}")
        for file, content in (card.get("files") or source["settings"]).items():
            yield f"    {file}  {content or 'generated'}"


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _line(name: str, value: Any) -> str:
    return f"{name:<{WIDTH}}{value}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

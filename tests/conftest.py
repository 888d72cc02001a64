"""What all tests share."""

import os
from collections.abc import Iterator
from functools import lru_cache

import pytest

# Tensors here are tiny: threads would only be in the way of the tests that run beside.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A make that a test starts is not a part of the make that runs the tests, and must not talk of it.
for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"):
    os.environ.pop(name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole chains first, so that at the end no process waits for another's long file."""
    chains = {"workflow", "cluster"}
    items.sort(key=lambda item: ("slow" not in item.keywords, chains.isdisjoint(item.path.parts)))


@pytest.fixture(scope="session", autouse=True)
def settings_parsed_once() -> Iterator[None]:
    """Hundreds of tests read the same params.yaml: its text is parsed for the first of them."""
    from ibpapers import config

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "parse_yaml", lru_cache(maxsize=8)(config.parse_yaml))
        yield


@pytest.fixture(autouse=True)
def no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that the caller's shell lays over params.yaml are none of a test's business."""
    monkeypatch.delenv("IBPAPERS_SET", raising=False)

"""What all tests share."""

import os

import pytest

# Tensors here are tiny: threads would only be in the way of the tests that run beside.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: runs whole chains; `make test-fast` leaves it out")


@pytest.fixture(autouse=True)
def no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that the caller's shell lays over params.yaml are none of a test's business."""
    monkeypatch.delenv("IBPAPERS_SET", raising=False)

"""The rooms of a paper that a training enters, found by its recipe.

Imported by name: a listing of papers read here would be code of every training, and one more
paper in it a change of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def systems(recipe: Mapping[str, Any]) -> ModuleType:
    """With `load(recipe, inputs, device)` and `axes(system)`."""
    return import_module(f"ibpapers.papers.{recipe['paper']}.systems")


def method(recipe: Mapping[str, Any]) -> ModuleType:
    """With `build(recipe, system, seed, device)`.

    And with `together(trainees by seed)`, where several seeds can be trained as one ensemble.
    """
    return import_module(f"ibpapers.papers.{recipe['paper']}.methods.{recipe['method']}")

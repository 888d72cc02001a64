"""The papers. A paper is a folder beside this file and one line in `PAPERS`.

Every folder has the same rooms, found by name:

==================  ================================================================  ==========
module              what it holds                                                     may import
==================  ================================================================  ==========
``settings.py``     ``Settings``, its section of params.yaml                          no torch
``studies.py``      ``plan()``: runs, studies, figures, tables, claims                no torch
``entropies.py``    ``estimate()``: what trainings read, where a plan has estimates   torch
``systems.py``      ``load()``: a dataset as the paper uses it; ``axes()``            torch
``methods/*.py``    one method each: ``build()`` and what is trained                  torch
``evaluation.py``   ``evaluate()``: a trained run to tidy rows                        torch
``figures.py``      one function per figure                                           matplotlib
``tables.py``       one function per table                                            pandas
``claims.py``       one function per claim                                            pandas
``bitstream.py``    ``encode()``, ``decode()``, where trained runs can code           torch
==================  ================================================================  ==========
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType


@dataclass(frozen=True)
class Paper:
    """A paper's folder; its rooms are imported when they are entered, not before."""

    name: str
    title: str

    def room(self, name: str) -> ModuleType:
        return import_module(f"ibpapers.papers.{self.name}.{name}")

    def settings(self) -> type:
        return self.room("settings").Settings


PAPERS = {
    paper.name: paper
    for paper in (
        Paper(
            "pom2dib",
            "Multi-Modal Multi-Task Semantic Communication: "
            "A Distributed Information Bottleneck Perspective",
        ),
        Paper("omib", "Learning Optimal Multimodal Information Bottleneck Representations"),
        Paper("gray_wyner", "Lossy Common Information in a Learnable Gray-Wyner Network"),
        Paper(
            "toc",
            "Robust Multi-modal Task-oriented Communications with Redundancy-aware Representations",
        ),
    )
}

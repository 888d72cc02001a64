"""Word-aligned features of spoken utterances (CMU-MOSI, CMU-MOSEI), from the usual pickles.

Two layouts are in use. Both are one dictionary by side of the split.

**MAG-BERT** (Rahman et al. 2020): ``train``, ``dev``, ``test``, each a list of utterances
``((words, vision, audio), label, id)`` with words a list of T texts (T varies), vision [T, 47],
audio [T, 74] and label [1, 1].

**MMSA** (Mao et al. 2022): ``train``, ``valid``, ``test``, each a dictionary of arrays over all N
utterances, padded to T words: ``text`` [N, T, 768], ``audio`` [N, T, 5], ``vision`` [N, T, 20],
``regression_labels`` [N], ``raw_text`` [N], ``id`` [N]; other keys are left aside.

Widths are those of CMU-MOSI and are not demanded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import safe_pickle
from ibpapers.errors import UserError

SIDES = {"MAG-BERT": ("train", "dev", "test"), "MMSA": ("train", "valid", "test")}


@dataclass(frozen=True)
class Split:
    """N utterances of T words; shorter ones end in zeros.

    Attributes:
        audio, vision: float32 [N, T, width]; values that are not finite have become 0.
        text: float32 [N, T, width], or None (MAG-BERT's layout has the words only).
        sentiment: float32 [N].
        transcript: what was said.
        id: which utterance of which video.
    """

    audio: NDArray[np.float32]
    vision: NDArray[np.float32]
    text: NDArray[np.float32] | None
    sentiment: NDArray[np.float32]
    transcript: list[str]
    id: list[str]


@dataclass(frozen=True)
class WordAligned:
    train: Split
    validation: Split
    test: Split
    layout: str  # MAG-BERT or MMSA


def read(path: str | Path, words: int = 50) -> WordAligned:
    """Read a pickle in either layout, through `safe_pickle`; utterances are cut after `words`.

    Raises:
        UserError: the file cannot be read, is unsafe, or has neither layout; the message says
            where it differs.
    """
    content = safe_pickle.load(path)
    for layout, sides in SIDES.items():
        if isinstance(content, dict) and set(sides) <= set(content):
            read_side = _mag_bert if layout == "MAG-BERT" else _mmsa
            try:
                return WordAligned(*(read_side(content[side], words) for side in sides), layout)
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                problem = f"no {error}" if isinstance(error, KeyError) else str(error)
                raise UserError(
                    f"{path} has the sides of {layout}'s layout, but not its content: {problem}. "
                    "See ibpapers.datasets.word_aligned for the layouts that are read."
                ) from error
    found = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
    known = "; ".join(f"{', '.join(sides)} ({layout})" for layout, sides in SIDES.items())
    raise UserError(f"{path} holds {found[:200]}, not the sides of a known layout: {known}.")


def _mag_bert(utterances: list, words: int) -> Split:
    features, labels, ids = zip(*utterances, strict=True)
    spoken, vision, audio = zip(*features, strict=True)
    longest = min(words, max(len(one) for one in spoken))
    for said, *sequences in zip(spoken, vision, audio, strict=True):
        if any(len(sequence) != len(said) for sequence in sequences):
            raise ValueError(f"an utterance of {len(said)} words has features of another length")
    return Split(
        audio=np.stack([_padded(one, longest) for one in audio]),
        vision=np.stack([_padded(one, longest) for one in vision]),
        text=None,
        sentiment=np.array([np.asarray(label).item() for label in labels], np.float32),
        transcript=[" ".join(one) for one in spoken],
        id=[str(one) for one in ids],
    )


def _mmsa(side: dict[str, Any], words: int) -> Split:
    text, audio, vision = (
        _finite(np.asarray(side[name])[:, :words]) for name in ("text", "audio", "vision")
    )
    sentiment = np.asarray(side["regression_labels"], np.float32).reshape(-1)
    transcript, ids = ([str(one) for one in side[name]] for name in ("raw_text", "id"))
    sizes = {len(part) for part in (text, audio, vision, sentiment, transcript, ids)}
    if len(sizes) > 1 or {part.ndim for part in (text, audio, vision)} != {3}:
        raise ValueError("text, audio and vision are not [N, T, width] of one N with the labels")
    return Split(audio, vision, text, sentiment, transcript, ids)


def _padded(sequence: NDArray, length: int) -> NDArray[np.float32]:
    sequence = np.asarray(sequence)[:length]
    return np.pad(_finite(sequence), ((0, length - len(sequence)), (0, 0)))


def _finite(values: NDArray) -> NDArray[np.float32]:
    return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)

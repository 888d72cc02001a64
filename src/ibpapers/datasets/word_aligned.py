"""Word-aligned features of spoken utterances (CMU-MOSI, CMU-MOSEI), from the usual pickles.

Two layouts are in use. Both are one dictionary by side of the split.

**MAG-BERT** (Rahman et al. 2020): ``train``, ``dev``, ``test``, each a list of utterances
``((words, vision, audio), label, id)`` with words a list of T texts (T varies), vision [T, 47],
audio [T, 74] and label [1, 1].

**MMSA** (Mao et al. 2022): ``train``, ``valid``, ``test``, each a dictionary of arrays over all N
utterances, padded with zeros to T words: ``text`` [N, T, 768], ``audio`` [N, T, 5], ``vision``
[N, T, 20], ``regression_labels`` [N], ``id`` [N]; other keys are left aside.

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

FILE = "aligned.pkl"  # the name under which a source has it
SIDES = {"MAG-BERT": ("train", "dev", "test"), "MMSA": ("train", "valid", "test")}


@dataclass(frozen=True)
class Split:
    """N utterances of up to T words, the same in all splits; shorter ones end in zeros.

    Attributes:
        audio, vision: float32 [N, T, width]; values that are not finite have become 0.
        text: float32 [N, T, width], or the words themselves of each (MAG-BERT's layout).
        words: int64 [N], how many there are, 1 to T.
        sentiment: float32 [N].
        id: which utterance of which video.
    """

    audio: NDArray[np.float32]
    vision: NDArray[np.float32]
    text: NDArray[np.float32] | list[list[str]]
    words: NDArray[np.int64]
    sentiment: NDArray[np.float32]
    id: list[str]


@dataclass(frozen=True)
class WordAligned:
    train: Split
    validation: Split
    test: Split
    layout: str  # MAG-BERT or MMSA


def read(path: str | Path, words: int = 50) -> WordAligned:
    """Read a pickle in either layout, through `safe_pickle`.

    T is `words`, or that of the file where it is less; utterances are cut there.

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
    for said, *sequences in zip(spoken, vision, audio, strict=True):
        if any(len(sequence) != len(said) for sequence in sequences):
            raise ValueError(f"an utterance of {len(said)} words has features of another length")
    text = [[str(word) for word in said[:words]] for said in spoken]
    counts = np.array([len(said) for said in text])
    if counts.min() == 0:
        raise ValueError("an utterance has no word")
    return Split(
        audio=np.stack([_padded(one, words) for one in audio]),
        vision=np.stack([_padded(one, words) for one in vision]),
        text=text,
        words=counts,
        sentiment=np.array([np.asarray(label).item() for label in labels], np.float32),
        id=[str(one) for one in ids],
    )


def _mmsa(side: dict[str, Any], words: int) -> Split:
    whole = [_finite(np.asarray(side[name])) for name in ("text", "audio", "vision")]
    sentiment = np.asarray(side["regression_labels"], np.float32).reshape(-1)
    ids = [str(one) for one in side["id"]]
    if {one.shape[:2] for one in whole if one.ndim == 3} != {(len(ids), whole[0].shape[1])}:
        raise ValueError("text, audio and vision are not [N, T, width] of one N with the labels")
    first, counts = _extent(np.any([one.any(axis=2) for one in whole], axis=0))
    text, audio, vision = (_moved(one, first)[:, :words] for one in whole)
    return Split(audio, vision, text, np.minimum(counts, words), sentiment, ids)


def _extent(there: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of `there` [N, T], the first place of each row, and how many there are to the last one."""
    first = there.argmax(axis=1)
    last = there.shape[1] - there[:, ::-1].argmax(axis=1)
    return first, np.where(there.any(axis=1), last - first, 1)


def _moved(values: NDArray, first: NDArray[np.int64]) -> NDArray:
    """[N, T, width] with every row begun at its `first` [N]: some files have the zeros before."""
    if not first.any():
        return values
    places = (np.arange(values.shape[1]) + first[:, None]) % values.shape[1]
    return np.take_along_axis(values, places[..., None], axis=1)


def _padded(sequence: NDArray, length: int) -> NDArray[np.float32]:
    sequence = np.asarray(sequence)[:length]
    return np.pad(_finite(sequence), ((0, length - len(sequence)), (0, 0)))


def _finite(values: NDArray) -> NDArray[np.float32]:
    return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)

"""CMU-MOSI on the standard folds: sentence embeddings of the transcripts, and audio vectors."""

from __future__ import annotations

import sys
from pathlib import Path

from ibpapers import files
from ibpapers.datasets import cmu_mosi_source
from ibpapers.errors import not_installed

CONTENT = {
    "real": "CMU-MOSI: sentence embeddings of the transcripts; audio vectors of the bc-LSTM "
    "release.",
    "sample": "Generated stand-in: no utterance is real; factors and their weights are known.",
}
WARNING = (
    "No video: its vectors, like the release's text vectors, were trained on labels of utterances "
    "that are in the test fold here, and leak. The audio vectors were not."
)


def build(source_folder: str | Path, *, output_folder: str | Path, tier: str, seed: int) -> None:
    """Write `arrays.npz` and then `card.json`; nothing is random, `seed` is only recorded.

    Raises:
        UserError: the source is missing, damaged or changed, or what embeds is not installed.
    """
    utterances = cmu_mosi_source.read(source_folder)
    try:
        from ibpapers.datasets import bert, sentence_embedding

        # In capitals a transcript would be the same to the model: it is an uncased one.
        text = sentence_embedding.embed(utterances.transcript)
        weights = files.sha256(sentence_embedding.model_folder() / bert.WEIGHTS)
    except ModuleNotFoundError as error:
        raise not_installed("mosi_transcripts", error, "data") from error
    card = {
        "tier": tier,
        "content": CONTENT[tier],
        "warning": WARNING,
        "split": "standard folds",
        "seed": seed,
        "sentence_embedding": {"model": "all-MiniLM-L6-v2", "weights_sha256": weights},
    }
    modalities = {"text": text, "audio": utterances.features["audio"]}
    cmu_mosi_source.write_splits(output_folder, modalities, utterances.fold, utterances, card)
    print(f"mosi_transcripts ({tier}): {len(text)} utterances in {output_folder}", file=sys.stderr)

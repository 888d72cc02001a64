"""Views are blocks side by side, of vectors or of sequences."""

import numpy as np
import torch
from omib.conftest import CPU, build

from ibpapers.nn.perceptron import Perceptron
from ibpapers.papers.omib.networks import SequenceEncoder
from ibpapers.papers.omib.studies import MODALITIES
from ibpapers.papers.omib.systems import LOADERS, Split, System
from ibpapers.papers.omib.tasks import Regression


def test_a_view_is_its_blocks_side_by_side_in_order():
    draw = np.random.default_rng(0)
    widths = {"a": 2, "b": 3}
    blocks = {name: draw.random((6, width), dtype=np.float32) for name, width in widths.items()}
    split = Split(blocks, {"v1": ("b", "a"), "v2": ("a",)}, np.arange(6), CPU)
    views, label = split.batch(torch.tensor([4, 1]))
    np.testing.assert_array_equal(views[0], np.hstack([blocks["b"], blocks["a"]])[[4, 1]])
    np.testing.assert_array_equal(views[1], blocks["a"][[4, 1]])
    assert label.tolist() == [4, 1]
    assert dict(split.layout(Regression()).views) == {"v1": (5,), "v2": (2,)}


def test_words_and_utterances_are_fused_alike(recipe):
    draw = np.random.default_rng(0)
    blocks = {
        "text": draw.standard_normal((20, 9, 4), dtype=np.float32),  # nine words
        "audio": draw.standard_normal((20, 3), dtype=np.float32),
    }
    split = Split(blocks, {"text": ("text",), "audio": ("audio",)}, blocks["audio"][:, 0], CPU)
    system = System(split.layout(Regression()), split, None, split, 0.01, None)
    trainee = build(recipe("omib"), system)
    kinds = [type(encode) for encode in trainee.model.encoders]
    assert kinds == [SequenceEncoder, Perceptron]
    losses = [trainee.update(update)["loss"] for update in (1, 2, 3)]
    assert np.isfinite(losses).all()


def test_every_dataset_of_the_studies_can_be_loaded():
    assert set(LOADERS) == set(MODALITIES)

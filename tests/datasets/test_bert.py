"""BERT encoders: the values of torch's own layers, words from their tokens, what is refused."""

import json

import numpy as np
import pytest
import torch
from datasets import tiny_bert

from ibpapers.datasets.bert import Bert
from ibpapers.errors import UserError

CLS, SEP, IT, WAS, GOOD, UN, BELIEV, ABLE, UNKNOWN = 2, 3, 4, 5, 6, 7, 8, 9, 1


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "bert"


@pytest.mark.parametrize("old_spelling", [False, True])
def test_hidden_states_are_those_of_torchs_layers(folder, old_spelling):
    weights = tiny_bert.write(folder, old_spelling)
    texts = ["It was unbelievable", "GOOD", "was it good"]
    tokens = [[CLS, IT, WAS, UN, BELIEV, ABLE, SEP], [CLS, GOOD, SEP], [CLS, WAS, IT, GOOD, SEP]]
    (found,) = Bert(folder).encode(texts)
    assert sorted(found.rows) == [0, 1, 2]
    for row, hidden, present in zip(found.rows, found.hidden, found.present):
        expected = tiny_bert.by_torch(weights, tokens[row])
        assert present.sum() == len(expected)
        torch.testing.assert_close(hidden[: len(expected)], expected, rtol=1e-4, atol=1e-5)


def test_a_word_is_the_mean_of_its_tokens(folder):
    weights = tiny_bert.write(folder)
    utterances = [["it", "was", "unbelievable"], ["(good)", "film", " ", "it"]]
    found = Bert(folder).word_vectors(utterances, length=5)
    assert found.shape == (2, 5, tiny_bert.WIDTH) and found.dtype == np.float32
    hidden = tiny_bert.by_torch(weights, [CLS, IT, WAS, UN, BELIEV, ABLE, SEP]).numpy()
    expected = [hidden[1], hidden[2], hidden[3:6].mean(0), 0 * hidden[0], 0 * hidden[0]]
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    tokens = [CLS, UNKNOWN, GOOD, UNKNOWN, UNKNOWN, IT, SEP]
    hidden = tiny_bert.by_torch(weights, tokens).numpy()
    expected = [hidden[1:4].mean(0), hidden[4], 0 * hidden[0], hidden[5], 0 * hidden[0]]
    np.testing.assert_allclose(found[1], expected, atol=1e-5)


def test_what_does_not_fit_the_places_is_cut(folder):
    weights = tiny_bert.write(folder)
    found = Bert(folder).word_vectors([["it"] * 30], length=30)[0]
    fit = tiny_bert.PLACES - 2
    hidden = tiny_bert.by_torch(weights, [CLS, *[IT] * fit, SEP]).numpy()
    np.testing.assert_allclose(found[:fit], hidden[1:-1], atol=1e-5)
    assert (found[fit:] == 0).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "config.json: No such file"),
        (lambda folder: (folder / "model.safetensors").unlink(), "No such file"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "is not read as a BERT"),
        (lambda folder: changed(folder, hidden_act="relu"), "no BERT encoder|not of a BERT"),
        (lambda folder: changed(folder, model_type="roberta"), "not of a BERT encoder"),
        (lambda folder: changed(folder, num_hidden_layers=3), "'encoder.layer.2.* is missing"),
        (lambda folder: changed(folder, hidden_size=16), "is not read as a BERT model"),
    ],
)
def test_what_is_no_bert_is_refused(folder, spoil, message):
    tiny_bert.write(folder)
    spoil(folder)
    with pytest.raises(UserError, match=message):
        Bert(folder)


def changed(folder, **entries):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))

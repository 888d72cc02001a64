"""Word-aligned features: files in both layouts, generated here, give the same utterances."""

import pickle

import numpy as np
import pytest

from ibpapers.datasets import word_aligned
from ibpapers.errors import UserError

COUNTS = {"train": 5, "dev": 2, "test": 3}
WORDS = ["it", "was", "a", "very", "good", "film", "i", "think"]


@pytest.fixture
def utterances():
    """By side: words, vision, audio, sentiment and id of every utterance."""
    rng = np.random.default_rng(0)

    def one(side, number):
        length = 1 + (3 * number) % len(WORDS)
        vision, audio = rng.standard_normal((length, 47)), rng.standard_normal((length, 74))
        return WORDS[:length], vision, audio, number / 2 - 1, f"{side}_{number}"

    return {side: [one(side, number) for number in range(n)] for side, n in COUNTS.items()}


def mag_bert(utterances):
    return {
        side: [(tuple(features), np.array([[label]]), name) for *features, label, name in us]
        for side, us in utterances.items()
    }


def mmsa(utterances, length=10, before=False):
    def padded(sequences):
        return np.stack([pad(one) for one in sequences])

    def pad(one):
        missing = length - len(one)
        return np.pad(one, ((missing, 0) if before else (0, missing), (0, 0)))

    def side(us):
        words, vision, audio, sentiment, names = zip(*us)
        return {
            "raw_text": np.array([" ".join(one) for one in words], dtype=object),
            "text": padded([np.ones((len(one), 768), np.float32) for one in words]),
            "vision": padded(vision),
            "audio": padded(audio),
            "regression_labels": np.array(sentiment, np.float32),
            "classification_labels": np.zeros(len(us)),
            "annotations": ["Neutral"] * len(us),
            "id": list(names),
        }

    return {{"dev": "valid"}.get(name, name): side(us) for name, us in utterances.items()}


def write(folder, content):
    path = folder / "aligned.pkl"
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize("layout", [mag_bert, mmsa])
def test_utterances_come_through(tmp_path, utterances, layout):
    found = word_aligned.read(write(tmp_path, layout(utterances)))
    assert found.layout == {mag_bert: "MAG-BERT", mmsa: "MMSA"}[layout]
    sides = zip((found.train, found.validation, found.test), utterances.values(), strict=True)
    for split, expected in sides:
        assert split.audio.dtype == split.vision.dtype == split.sentiment.dtype == np.float32
        for i, (words, vision, audio, sentiment, name) in enumerate(expected):
            for ours, theirs in ((split.audio[i], audio), (split.vision[i], vision)):
                np.testing.assert_allclose(ours[: len(words)], theirs, rtol=1e-6)
                assert (ours[len(words) :] == 0).all()
            assert split.sentiment[i] == sentiment
            assert split.words[i] == len(words)
            assert split.id[i] == name
            if layout is mag_bert:
                assert split.text[i] == words
            else:
                assert (split.text[i].any(axis=1) == (np.arange(10) < len(words))).all()


@pytest.mark.parametrize("layout", [mag_bert, mmsa])
def test_long_utterances_are_cut_and_what_is_not_finite_is_zero(tmp_path, utterances, layout):
    _, _, audio, *_ = utterances["train"][2]
    audio[0, 3], audio[1, 5] = -np.inf, np.nan
    found = word_aligned.read(write(tmp_path, layout(utterances)), words=4).train
    assert found.audio.shape == (5, 4, 74)
    assert found.vision.shape == (5, 4, 47)
    assert np.isfinite(found.audio).all()
    assert found.words.tolist() == [1, 4, 4, 2, 4]
    assert found.audio[2, 0, 3] == found.audio[2, 1, 5] == 0


def without(content, key):
    for side in content.values():
        del side[key]
    return content


def test_zeros_before_the_words_are_put_behind_them(tmp_path, utterances):
    behind = word_aligned.read(write(tmp_path, mmsa(utterances))).train
    before = word_aligned.read(write(tmp_path, mmsa(utterances, before=True))).train
    for name in ("text", "audio", "vision", "words"):
        np.testing.assert_array_equal(getattr(before, name), getattr(behind, name))


def test_silence_within_an_utterance_is_a_word_and_an_empty_one_has_one(tmp_path, utterances):
    content = mmsa(utterances)
    for name in ("text", "audio", "vision"):
        content["train"][name][4, 2] = 0  # the fifth utterance has 5 words
        content["train"][name][0] = 0
    found = word_aligned.read(write(tmp_path, content)).train
    assert found.words[4] == 5
    assert found.words[0] == 1


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda us: [1, 2], "holds list, not the sides of a known layout: train, dev, test"),
        (lambda us: {"train": 1, "test": 2}, "holds train, test, not the sides"),
        (lambda us: without(mmsa(us), "audio"), "MMSA's layout, but not its content: no 'audio'"),
        (lambda us: {**mag_bert(us), "dev": [1, 2]}, "MAG-BERT's layout, but not its content"),
        (lambda us: {**mag_bert(us), "dev": []}, "MAG-BERT's layout, but not its content"),
        (
            lambda us: {**mmsa(us), "valid": {**mmsa(us)["valid"], "id": ["a"]}},
            "MMSA's layout, but not its content: text, audio and vision are not",
        ),
        (
            lambda us: {**mag_bert(us), "dev": [(([], [], []), np.zeros((1, 1)), "a")]},
            "MAG-BERT's layout, but not its content: an utterance has no word",
        ),
    ],
)
def test_other_content_is_named(tmp_path, utterances, spoil, message):
    with pytest.raises(UserError, match=message):
        word_aligned.read(write(tmp_path, spoil(utterances)))


def test_features_that_do_not_fit_the_words_are_refused(tmp_path, utterances):
    content = mag_bert(utterances)
    (words, vision, audio), label, name = content["dev"][0]
    content["dev"][0] = ((words, vision[:-1], audio), label, name)
    with pytest.raises(UserError, match="words has features of another length"):
        word_aligned.read(write(tmp_path, content))


def test_a_hostile_file_is_refused(tmp_path):
    path = tmp_path / "aligned.pkl"
    path.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    with pytest.raises(UserError, match=r"it asks for posix\.system"):
        word_aligned.read(path)

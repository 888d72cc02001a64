"""CMU-MOSI and CMU-MOSEI word by word: the user's file in both layouts; the stand-in's factors."""

import pickle
from math import log

import numpy as np
import pytest
from datasets import tiny_bert

from ibpapers import datasets
from ibpapers.datasets import cmu_sentiment, cmu_sentiment_write, sequences_sample
from ibpapers.datasets.bert import Bert
from ibpapers.datasets.cmu_sentiment import MODALITIES
from ibpapers.datasets.fetch import fetch
from ibpapers.errors import UserError

SAMPLE = {"train": 600, "validation": 20, "test": 400, "video": 47}
SETTINGS = {"seed": 0, "words": 6, "bert": None, "sample": SAMPLE}
SIDES_OF = {"train": 9, "dev": 3, "test": 4}
SAID = ["it", "was", "unbelievable", "good", "film", "IT"]


def mag_bert(rng):
    def one(number):
        length = 1 + number % len(SAID)
        vision, audio = rng.normal(5, 3, (length, 47)), rng.normal(-2, 7, (length, 74))
        audio[:, 3] = 4  # constant
        return (SAID[:length], vision, audio), np.array([[number / 4 - 1]]), f"clip[{number}]"

    return {side: [one(number) for number in range(n)] for side, n in SIDES_OF.items()}


def mmsa(rng):
    def side(n):
        there = np.arange(8) < 1 + np.arange(n)[:, None] % 8
        widths = {"text": 768, "audio": 5, "vision": 20}
        arrays = {
            name: rng.normal(5, 3, (n, 8, width)).astype(np.float32) * there[..., None]
            for name, width in widths.items()
        }
        return {**arrays, "regression_labels": np.arange(n) / 4 - 1, "id": list(map(str, range(n)))}

    return {{"dev": "valid"}.get(name, name): side(n) for name, n in SIDES_OF.items()}


def build(tmp_path, content=None, name="mosi", **settings):
    """The dataset, from a mirror with `content` pickled, or the stand-in."""
    if content is not None:
        source = f"cmu_{name}_words"
        mirror = tmp_path / "mirror" / source
        mirror.mkdir(parents=True)
        (mirror / "aligned.pkl").write_bytes(pickle.dumps(content))
        fetch(source, tmp_path / "sources" / source, str(mirror.parent))
    tier = "sample" if content is None else "real"
    folder = tmp_path / "dataset"
    datasets.build(
        f"{name}_sequences", tier, tmp_path / "sources", folder, {**SETTINGS, **settings}
    )
    return cmu_sentiment.load(folder)


def test_mmsas_file_is_standardised_over_the_words(tmp_path):
    content = mmsa(np.random.default_rng(0))
    found = build(tmp_path, content, "mosei")
    assert found.card["modalities"] == list(MODALITIES)
    assert found.card["utterances"] == {"train": 9, "validation": 3, "test": 4}
    assert found.card["tier"] == "real" and "MMSA" in found.card["split"]
    assert list(found.card["sources"]) == ["cmu_mosei_words"]
    assert found.train.words.tolist() == [1, 2, 3, 4, 5, 6, 6, 6, 1], "cut after 6"
    for name, theirs in (("text", "text"), ("audio", "audio"), ("video", "vision")):
        train = content["train"][theirs][:, :6]
        words = np.concatenate([train[i, :n] for i, n in enumerate(found.train.words)])
        expected = (content["test"][theirs][3, :4] - words.mean(0)) / words.std(0)
        ours = found.test.modalities[name]
        assert ours.shape == (4, 6, words.shape[1]) and ours.dtype == np.float32
        np.testing.assert_allclose(ours[3, :4], expected, atol=1e-4)
        assert (ours[3, 4:] == 0).all()
    np.testing.assert_array_equal(found.validation.sentiment, [-1, -0.75, -0.5])


def test_mag_berts_words_become_vectors(tmp_path):
    tiny_bert.write(tmp_path / "bert")
    content = mag_bert(np.random.default_rng(0))
    found = build(tmp_path, content, bert=str(tmp_path / "bert"))
    assert found.test.words.tolist() == [1, 2, 3, 4]
    assert found.train.modalities["audio"].shape == (9, 6, 73), "the constant column is left out"
    assert found.train.modalities["video"].shape == (9, 6, 47)
    model = Bert(tmp_path / "bert")
    raw = {
        side: model.word_vectors([said for (said, _, _), _, _ in us], 6)
        for side, us in content.items()
    }
    there = np.arange(6) < found.train.words[:, None]
    mean, deviation = raw["train"][there].mean(0), raw["train"][there].std(0)
    expected = (raw["test"][3, :4] - mean) / deviation
    np.testing.assert_allclose(found.test.modalities["text"][3, :4], expected, atol=1e-4)
    assert (found.test.modalities["text"][3, 4:] == 0).all()
    assert len(found.card["word_vectors"]["weights_sha256"]) == 64


def test_words_alone_ask_for_a_model(tmp_path):
    with pytest.raises(UserError, match=r"Set `bert` of the dataset in params\.yaml"):
        build(tmp_path, mag_bert(np.random.default_rng(0)))


def test_what_the_user_has_to_bring_is_said(tmp_path):
    expected = (
        r"cmu_mosei_words has no public address.*Put aligned\.pkl \(CMU-MOSEI word by word: "
        r"MAG-BERT's mosei\.pkl or MMSA's aligned_50\.pkl\) into a folder <mirror>/cmu_mosei_words/"
    )
    with pytest.raises(UserError, match=expected):
        fetch("cmu_mosei_words", tmp_path / "source")
    with pytest.raises(UserError, match=r"aligned\.pkl.*No such file.*MMSA's aligned_50\.pkl"):
        fetch("cmu_mosei_words", tmp_path / "source", str(tmp_path))


def test_standardising_in_blocks_changes_nothing(tmp_path, monkeypatch):
    splits = sequences_sample.draw(
        {"train": 50, "validation": 5, "test": 7}, 4, {"text": 9}, np.random.default_rng(0)
    )
    arrays = []
    for name, block in (("whole", 2048), ("parts", 8)):
        monkeypatch.setattr(cmu_sentiment_write, "BLOCK", block)
        cmu_sentiment_write.write(tmp_path / name, splits, {"tier": "sample"})
        arrays.append(cmu_sentiment.load(tmp_path / name).test.modalities["text"])
    np.testing.assert_allclose(*arrays, atol=1e-6)


@pytest.mark.parametrize(("name", "video"), [("mosi", 47), ("mosei", 35)])
def test_the_stand_in_has_its_shape(tmp_path, name, video):
    found = build(tmp_path, name=name, sample={**SAMPLE, "train": 30, "test": 10, "video": video})
    assert found.card["tier"] == "sample" and "no utterance is real" in found.card["content"]
    for side, count in (("train", 30), ("validation", 20), ("test", 10)):
        split = getattr(found, side)
        widths = {name: values.shape for name, values in split.modalities.items()}
        assert widths == {
            "text": (count, 6, 768),
            "audio": (count, 6, 74),
            "video": (count, 6, video),
        }
        assert split.words.min() >= 1 and split.words.max() <= 6
        assert np.abs(split.sentiment).max() <= 3
        np.testing.assert_allclose(split.sentiment * 5, np.round(split.sentiment * 5), atol=1e-5)
        for values in split.modalities.values():
            assert (values.any(axis=2) == (np.arange(6) < split.words[:, None])).all()
    assert set(found.train.words.tolist()) == {2, 3, 4, 5, 6}


def test_the_stand_in_is_always_the_same(tmp_path):
    small = {**SAMPLE, "train": 30}
    first = build(tmp_path / "first", sample=small).card
    assert first == build(tmp_path / "again", sample=small).card
    assert first["arrays"] != build(tmp_path / "other", sample=small, seed=1).card["arrays"]


@pytest.fixture(scope="module")
def large():
    """The stand-in's splits with many utterances and narrow text."""
    counts = {"train": 4000, "validation": 1, "test": 4000}
    widths = {"text": 60, "audio": 60, "video": 60}
    return sequences_sample.draw(counts, 5, widths, np.random.default_rng(3))


def means(split):
    """[N, width] of each modality, over its words."""
    return {n: v.sum(1) / split.words[:, None] for n, v in split.modalities.items()}


def test_the_stand_in_tells_of_sentiment_what_it_states(large):
    """What a linear model explains of the sentiment is what its factors make of it."""
    about = sequences_sample.about()
    train, test = means(large["train"]), means(large["test"])
    for name in (*MODALITIES, "all"):
        of = MODALITIES if name == "all" else (name,)
        x, y = (np.hstack([side[n] for n in of]) for side in (train, test))
        weights = np.linalg.lstsq(x, large["train"].sentiment, rcond=None)[0]
        predicted, label = y @ weights, large["test"].sentiment
        explained = np.corrcoef(predicted, label)[0, 1] ** 2
        assert explained == pytest.approx(about["explained_at_best"][name], abs=0.04)
        acc2 = np.mean((predicted >= 0) == (label >= 0))
        assert acc2 == pytest.approx(about["acc2_at_best"][name], abs=0.02)
    assert about["explained_at_best"]["text"] > 2 * about["explained_at_best"]["audio"]
    assert 0.83 < about["acc2_at_best"]["all"] < 0.86


def test_what_is_told_at_best_is_the_variance_that_views_explain():
    """c^T S^-1 c of each group's first factor, seen as often as the modalities have it."""
    r = sequences_sample.CORRELATION
    for name, stated in sequences_sample.about()["explained_at_best"].items():
        of, explained = MODALITIES if name == "all" else (name,), 0
        for group in sequences_sample.GROUPS:
            views = len(set(of) & set(group.modalities))
            covariance = r * np.ones((views, views)) + (1 - r) * np.eye(views)
            c = np.full(views, r**0.5)
            explained += group.share * (c @ np.linalg.solve(covariance, c))
        assert stated == pytest.approx(explained)


def test_the_stand_in_has_the_information_that_it_states(large):
    """Canonical correlations of two modalities are those of their common factors."""
    about = sequences_sample.about()
    assert about["information_nats"]["text_audio"] == pytest.approx(-8 / 2 * log(1 - 0.81))
    vectors = means(large["train"])
    bases = {n: np.linalg.svd(v - v.mean(0), full_matrices=False)[0] for n, v in vectors.items()}
    for pair, stated in about["information_nats"].items():
        one, other = pair.split("_")
        correlations = np.linalg.svd(bases[one].T @ bases[other])[1]
        assert (correlations[:8] > 0.8).all() and (correlations[8:] < 0.25).all()
        found = -np.log(1 - correlations[:8] ** 2).sum() / 2
        assert found == pytest.approx(stated, rel=0.1)
        assert found < stated, "the words' own noise takes a little"

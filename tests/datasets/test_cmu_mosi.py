"""CMU-MOSI in its two variants: the right split for the right vectors; the stand-in's factors."""

import csv
import gzip

import numpy as np
import pytest

from ibpapers import datasets, files
from ibpapers.datasets import cmu_mosi_sample, cmu_mosi_source, cmu_sentiment
from ibpapers.datasets import sentence_embedding as embedding
from ibpapers.datasets.fetch import fetch
from ibpapers.errors import UserError


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The generated stand-in."""
    folder = tmp_path_factory.mktemp("sources")
    fetch("cmu_mosi_sample", folder / "cmu_mosi_sample")
    return folder


def build(name, source, folder, tier="sample", seed=0):
    datasets.build(name, tier, source, folder, {"seed": seed})
    return cmu_sentiment.load(folder)


@pytest.fixture
def embedded(monkeypatch):
    """Embeddings that cost nothing: the length of a transcript, and a constant."""
    monkeypatch.setattr(
        embedding, "embed", lambda texts: np.array([[len(t), 1] for t in texts], np.float32)
    )


def test_bclstm_vectors_keep_to_their_own_split(source, tmp_path):
    utterances = cmu_mosi_source.read(source / "cmu_mosi_sample")
    found = build("mosi_bclstm", source, tmp_path)
    assert list(found.train.modalities) == ["text", "audio", "video"]
    sizes = [len(side.sentiment) for side in (found.train, found.validation, found.test)]
    assert sizes == [360, 40, 200]
    on_test = utterances.bclstm_side == "test"
    np.testing.assert_array_equal(found.test.sentiment, utterances.sentiment[on_test])
    held_out = set(found.card["validation_videos"])
    assert len(held_out) == 2
    assert not held_out & set(utterances.video[on_test])
    assert "leak" in found.card["warning"]
    assert found.card["split"] == "bc-LSTM"


def test_transcripts_keep_to_the_standard_folds_and_have_no_video(source, tmp_path, embedded):
    utterances = cmu_mosi_source.read(source / "cmu_mosi_sample")
    found = build("mosi_transcripts", source, tmp_path)
    assert list(found.train.modalities) == ["text", "audio"]
    for side in cmu_sentiment.SIDES:
        expected = utterances.sentiment[utterances.fold == side]
        np.testing.assert_array_equal(getattr(found, side).sentiment, expected)
    assert "No video" in found.card["warning"]
    lengths = np.array([len(one) for one in utterances.transcript])[utterances.fold == "test"]
    text = found.test.modalities["text"]
    assert text.shape == (180, 1), "the constant column is left out"
    assert np.corrcoef(text[:, 0], lengths)[0, 1] == pytest.approx(1)


def test_columns_are_standardised_by_the_training_side(source, tmp_path):
    found = build("mosi_bclstm", source, tmp_path)
    assert found.train.modalities["video"].shape == (360, 68), "32 columns are constant"
    utterances = cmu_mosi_source.read(source / "cmu_mosi_sample")
    on_test = utterances.bclstm_side == "test"
    training = ~on_test & ~np.isin(utterances.video, found.card["validation_videos"])
    raw = utterances.features["audio"].astype(float)
    expected = (raw[on_test] - raw[training].mean(0)) / raw[training].std(0)
    np.testing.assert_allclose(found.test.modalities["audio"], expected, atol=1e-4)


def test_other_seed_other_validation_videos_same_seed_same_bytes(source, tmp_path):
    first = build("mosi_bclstm", source, tmp_path / "first").card
    again = build("mosi_bclstm", source, tmp_path / "again").card
    other = build("mosi_bclstm", source, tmp_path / "other", seed=1).card
    assert first == again
    assert first["validation_videos"] != other["validation_videos"]


def test_the_stand_in_has_the_shares_that_it_states(source):
    """What a linear model explains of the sentiment is what its factors make of it."""
    assert sum(w**2 for w in cmu_mosi_sample.WEIGHTS.values()) == pytest.approx(1, abs=1e-3)
    utterances = cmu_mosi_source.read(source / "cmu_mosi_sample")
    for name, features in utterances.features.items():
        share = cmu_mosi_sample.WEIGHTS["shared"] ** 2 + cmu_mosi_sample.WEIGHTS[name] ** 2
        assert explained(features, utterances.sentiment) == pytest.approx(share, abs=0.1)
    everything = np.hstack(list(utterances.features.values()))
    assert explained(everything, utterances.sentiment) > 0.85


def explained(features, sentiment):
    """Adjusted share of variance, of the principal directions that are not noise."""
    scaled = features[:, features.std(0) > 0]
    scaled = (scaled - scaled.mean(0)) / scaled.std(0)
    directions = np.linalg.svd(scaled, full_matrices=False)[0][:, :36]
    directions = directions[:, : 12 if features.shape[1] <= 100 else 36]
    target = sentiment - sentiment.mean()
    rest = target - directions @ (directions.T @ target)
    n, p = len(target), directions.shape[1]
    return 1 - (rest @ rest) / (target @ target) * (n - 1) / (n - p - 1)


def test_the_stand_in_is_always_the_same(source, tmp_path):
    cmu_mosi_sample.generate(tmp_path)
    for name in (cmu_mosi_source.FEATURES, cmu_mosi_source.LABELS):
        ours = files.sha256(tmp_path / name)
        assert ours == files.sha256(source / "cmu_mosi_sample" / name)


def test_labels_of_other_utterances_are_refused(source, tmp_path):
    folder = tmp_path / "cmu_mosi_sample"
    cmu_mosi_sample.generate(folder)
    path = folder / cmu_mosi_source.LABELS
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))
    with gzip.open(path, "wt", newline="") as file:
        csv.writer(file).writerows([rows[0], rows[2], rows[1], *rows[3:]])
    card = files.read_json(source / "cmu_mosi_sample" / "card.json")
    card["files"][cmu_mosi_source.LABELS]["sha256"] = files.sha256(path)
    files.write_json(folder / "card.json", card)
    features = card["files"][cmu_mosi_source.FEATURES]
    features["sha256"] = files.sha256(folder / cmu_mosi_source.FEATURES)
    files.write_json(folder / "card.json", card)
    with pytest.raises(UserError, match="lists other utterances"):
        cmu_mosi_source.read(folder)


def test_what_has_no_public_address_says_so(tmp_path):
    with pytest.raises(UserError, match=r"cmu_mosi has no public address.*mirror: <mirror>"):
        fetch("cmu_mosi", tmp_path)


def test_a_package_that_is_not_installed_is_named(source, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "PACKAGE", "no_such_model")
    with pytest.raises(UserError, match="mosi_transcripts is made with no_such_model"):
        build("mosi_transcripts", source, tmp_path)


@pytest.mark.slow
def test_embeddings_are_the_models_and_do_not_depend_on_company():
    # Published cosines of all-MiniLM-L6-v2 to the first sentence.
    published = {
        "That is a happy person": 1.0,
        "That is a very happy person": 0.94291496,
        "That is a happy dog": 0.69457746,
        "Today is a sunny day": 0.25687605,
    }
    together = embedding.embed(list(published))
    assert together.shape == (4, 384)
    np.testing.assert_allclose(together @ together[0], list(published.values()), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.vstack([embedding.embed([sentence]) for sentence in published])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.slow
def test_the_real_data_build(tmp_path, mirror):
    fetch("cmu_mosi", tmp_path / "cmu_mosi", mirror)
    found = build("mosi_bclstm", tmp_path, tmp_path / "bclstm", tier="real")
    assert len(found.train.sentiment) + len(found.validation.sentiment) == 1_447
    assert len(found.test.sentiment) == 752
    assert found.train.modalities["video"].shape[1] == 68
    found = build("mosi_transcripts", tmp_path, tmp_path / "transcripts", tier="real")
    sizes = [len(side.sentiment) for side in (found.train, found.validation, found.test)]
    assert sizes == [1_284, 229, 686]
    assert found.train.modalities["text"].shape[1] == 384

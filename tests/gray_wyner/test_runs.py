"""From recipes to evaluated files, a probe that starts from a codec, and the two verbs' room."""

import json

import numpy as np
import pytest
from PIL import Image
from small_runs import DIGITS, SOURCE, run_name

from ibpapers.errors import UserError
from ibpapers.files import read_json
from ibpapers.inputs import Inputs
from ibpapers.papers.gray_wyner import bitstream
from ibpapers.papers.gray_wyner.evaluation import evaluate
from ibpapers.training import train

pytestmark = pytest.mark.slow

CODEC = "shared_mixture_eta=10.0"


@pytest.fixture(scope="module")
def trained(recipes, folders, tmp_path_factory):
    """A function: train a run by name, once; its folder and inputs."""
    done = {}

    def of(name, runs=None):
        if name not in done:
            recipe, folder = recipes[name][0], tmp_path_factory.mktemp("run")
            inputs = Inputs(folders[recipe["dataset"]], {}, runs or {})
            train(recipe, inputs, folder, code="c0de")
            done[name] = folder, inputs
        return done[name]

    return of


@pytest.fixture(scope="module")
def rows(recipes, trained):
    """A function: value by metric of a run."""

    def of(name, runs=None):
        table = evaluate(*trained(name, runs), recipes[name][1])
        assert not table.duplicated(["seed", "metric"]).any() and np.isfinite(table["value"]).all()
        return table.set_index("metric")["value"], table

    return of


@pytest.mark.parametrize(
    "name",
    [
        CODEC,
        run_name("joint"),
        run_name("shared"),
        run_name("independent"),
    ],
)
def test_rates_and_distortions_add_up(rows, name):
    found, table = rows(name)
    rate = [found[f"rate_{channel}"] for channel in range(3)]
    pixels = 16 * 16 if "mixture" not in name else 32 * 32
    assert found["transmit_rate"] == pytest.approx(sum(rate))
    assert found["receive_rate"] == pytest.approx(2 * rate[0] + rate[1] + rate[2])
    assert found["transmit_bits"] == pytest.approx(pixels * sum(rate))
    assert found["bits_1"] == pytest.approx(pixels * rate[1])
    settings = json.loads(table["settings"].iloc[0])
    cost = (settings["beta"] or 1) * rate[0] + rate[1] + rate[2]
    assert found["objective"] == pytest.approx(
        settings["eta"] * cost + found["distortion_1"] + found["distortion_2"], rel=1e-5
    )
    if "joint" in name:
        assert rate[1] == rate[2] == 0 and found["receive_rate"] == 2 * found["transmit_rate"]
    if "independent" in name:
        assert rate[0] == 0
    assert ("agreement" in found) == ("shared" in name)
    assert ("accuracy_1" in found) == ("mixture" in name)
    assert found["transmit_rate"] >= found["transmit_bound"] >= 0
    assert found["receive_rate"] >= found["receive_bound"] >= found["transmit_bound"]


def test_the_best_epoch_is_the_one_that_is_kept(trained, rows):
    found, _ = rows(CODEC)
    with np.load(trained(CODEC)[0] / "history.npz", allow_pickle=False) as history:
        scores = history["validation"][0]
        assert np.flatnonzero(~np.isnan(scores)).tolist() == [1, 3]
        best = int(history["best_update"][0])
    assert best == np.nanargmin(scores) + 1
    assert found["best_epoch"] == best / 2 and found["epochs"] == 2
    assert found["validation"] == pytest.approx(np.nanmin(scores))


def test_measured_bits_are_those_of_files(rows):
    found, _ = rows(CODEC)
    lengths = [found[f"measured_bits_{channel}"] for channel in range(3)]
    assert found["measured_transmit_bits"] == pytest.approx(sum(lengths))
    assert 0 < found["measured_bits_file"] - sum(lengths) <= 8 * 12 / 10
    assert "measured_bits_0" not in rows(run_name("joint"))[0]


def test_a_probe_shows_each_channel_of_its_frozen_codec(recipes, trained, rows):
    codec, _ = trained(CODEC)
    before = (codec / "model.safetensors").read_bytes()
    runs = {f"gray_wyner/{DIGITS}/{CODEC}": codec}
    found, _ = rows("probe_mixture", runs)
    assert (codec / "model.safetensors").read_bytes() == before
    folder, _ = trained("probe_mixture", runs)
    assert [found[f"reconstruction_{channel}"] > 0 for channel in range(3)] == [True] * 3
    assert "rate_0" not in found and found["validation"] == pytest.approx(
        sum(found[f"reconstruction_{channel}"] for channel in range(3)), rel=0.2
    )
    with np.load(folder / "history.npz", allow_pickle=False) as history:
        assert history["examples/image"].shape == (1, 10, 3, 32, 32)
        assert history["examples/reconstruction"].shape == (1, 3, 10, 3, 32, 32)
        assert 0 <= history["examples/reconstruction"].min() <= 1
    hashes = read_json(folder / "recipe.json")["inputs"]
    assert set(hashes) == {"dataset", *runs}


def test_the_same_recipe_gives_the_same_bytes(recipes, folders, trained, tmp_path):
    folder, inputs = trained(run_name("joint"))
    train(recipes[run_name("joint")][0], inputs, tmp_path, code="c0de")
    for name in ("model.safetensors", "history.npz", "recipe.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.fixture
def images(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 3, 32, 32), dtype=np.uint8)
    np.save(tmp_path / "images.npy", pixels)
    return tmp_path / "images.npy"


def test_images_become_a_file_that_answers_both_tasks(trained, images, tmp_path):
    run, file, output = trained(CODEC), tmp_path / "coded", tmp_path / "answers.npz"
    said = bitstream.encode(*run, [images, images], file)
    assert said.startswith(f"14 images in {8 * file.stat().st_size} bits: channel 0 ")
    bitstream.decode(*run, file, (1, 2), output)
    with np.load(output, allow_pickle=False) as both:
        assert both["answer_1"].shape == (14, 10) and both["symbols_2"].shape[0] == 14
        first = both["answer_1"]
        assert np.array_equal(first[:7], first[7:])
    said = bitstream.decode(*run, file, (1,), output)
    assert said == f"task 1 answered from channel 0, channel 1 of {file}"
    with np.load(output, allow_pickle=False) as one:
        assert sorted(one.files) == ["answer_1", "symbols_0", "symbols_1"]
        assert np.array_equal(one["answer_1"], first)


def test_pictures_are_read(trained, tmp_path):
    Image.new("RGB", (32, 32), (255, 0, 0)).save(tmp_path / "red.png")
    assert bitstream.encode(*trained(CODEC), [tmp_path / "red.png"], tmp_path / "c").startswith(
        "1 "
    )


def test_what_cannot_be_coded_is_refused(trained, recipes, images, tmp_path):
    run, output = trained(CODEC), tmp_path / "output"
    np.save(tmp_path / "small.npy", np.zeros((2, 3, 16, 16), np.uint8))
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (32, 16)).save(tmp_path / "low.png")
    with open(tmp_path / "cut.npy", "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 3, 32, 32)}
        np.lib.format.write_array_header_1_0(file, header)
    refused = {
        "small.npy": r"uint8 \[2, 3, 16, 16\]; this codec takes",
        "text.png": "cannot be read as images",
        "low.png": "cannot be read as images: 32 x 16 pixels, not 32 x 32",
        "cut.npy": "cannot be read as images",
        "absent.npy": "cannot be read as images",
    }
    for name, message in refused.items():
        with pytest.raises(UserError, match=message):
            bitstream.encode(*run, [tmp_path / name], output)
    with pytest.raises(UserError, match=r"text\.png: this is no bitstream of this run"):
        bitstream.decode(*run, tmp_path / "text.png", (1, 2), output)
    runs = {f"gray_wyner/{DIGITS}/{CODEC}": run[0]}
    with pytest.raises(UserError, match="probe is no codec"):
        bitstream.encode(*trained("probe_mixture", runs), [images], output)
    assert not output.exists()


def test_the_synthetic_source_can_be_coded_too(trained, tmp_path):
    pixels = np.random.default_rng(0).choice(np.arange(-4, 5) / 4, (3, 2, 16, 16))
    np.save(tmp_path / "x.npy", pixels.astype(np.float32))
    run = trained(run_name("joint", SOURCE))
    bitstream.encode(*run, [tmp_path / "x.npy"], tmp_path / "coded")
    bitstream.decode(*run, tmp_path / "coded", (2,), tmp_path / "answers.npz")
    with np.load(tmp_path / "answers.npz", allow_pickle=False) as found:
        assert sorted(found.files) == ["answer_2", "symbols_0"]

"""PoM2-DIB on MM-Fi: who sees what (Eq. 26), and all methods at work on it."""

import shutil
from importlib import import_module

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ibpapers import config, files, plan
from ibpapers.datasets import mm_fi, stored
from ibpapers.errors import UserError
from ibpapers.information.pose_error import mpjpe, pa_mpjpe
from ibpapers.inputs import Inputs
from ibpapers.papers.pom2dib import systems
from ibpapers.papers.pom2dib.evaluation import evaluate
from ibpapers.papers.pom2dib.tasks import Classification, PoseRegression
from ibpapers.training import train
from ibpapers.training.seeds import generator

CPU = torch.device("cpu")
COUNTS = {"train": 30, "test": 13}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of random frames, as the builder leaves it."""
    folder, draw = tmp_path_factory.mktemp("mm_fi"), np.random.default_rng(0)
    shards, arrays = {}, {}
    for side, count in COUNTS.items():
        for name, shape in mm_fi.SHAPES.items():
            rows = draw.integers(0, 5000, size=(count, *shape)).astype(mm_fi.DTYPES[name])
            shard = stored.write_shard(folder, f"{side}_{name}", rows.shape, rows.dtype, [rows])
            shards[f"{side}_{name}"] = shard
        arrays[f"{side}_pose"] = draw.standard_normal((count, 17, 3), dtype=np.float32)
        arrays[f"{side}_action"] = draw.integers(0, 27, count)
        arrays[f"{side}_scene"] = draw.integers(0, 4, count)
    for name, shape in mm_fi.SHAPES.items():
        columns = 1 if name in ("depth", "wifi-csi") else shape[-1]
        arrays[f"{name}_mean"] = np.full(columns, 2500, np.float32)
        arrays[f"{name}_deviation"] = np.arange(1, columns + 1, dtype=np.float32) * 1000
    stored.write(folder, arrays, {"tier": "sample"}, shards)
    return folder


@pytest.fixture(scope="module")
def system(folder):
    return systems.load({"dataset": "mm_fi", "training": {}}, Inputs(folder), CPU)


@pytest.fixture(scope="module")
def recipe():
    """A function: the recipe of a method under tiny settings."""
    overrides = [
        "papers.pom2dib.mm_fi.model.widths=[4]",
        "papers.pom2dib.mm_fi.model.code_dimension=3",
        "papers.pom2dib.mm_fi.training.batches_per_update=2",
        "papers.pom2dib.mm_fi.training.batch_size=6",
        "papers.pom2dib.mm_fi.training.updates=2",
    ]
    runs = plan.make(config.load("params.yaml", overrides)).runs
    names = {"dlsc": "dlsc"}
    return lambda method: runs[f"pom2dib/mm_fi/{names.get(method, f'{method}_beta=0.001')}"].recipe


def test_a_shard_of_another_form_is_refused(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    card = files.read_json(copy / "card.json")
    for rows, found in (
        (np.zeros((30, 17, 3), np.float32), r"float32 \[30, 17, 3\]; expected float32 \[30, 17,"),
        (np.zeros((29, 17, 2), np.float32), r"float32 \[29, 17, 2\]; expected"),
        (np.zeros((30, 17, 2)), r"float64 \[30, 17, 2\]; expected"),
        (np.array([{}]), "cannot be read"),
    ):
        np.save(copy / "train_rgb.npy", rows, allow_pickle=True)
        card["shards"]["train_rgb"]["sha256"] = files.sha256(copy / "train_rgb.npy")
        files.write_json(copy / "card.json", card)
        with pytest.raises(UserError, match=found):
            mm_fi.load(copy)


def build(recipe, system, seed=0):
    method = import_module(f"ibpapers.papers.pom2dib.methods.{recipe['method']}")
    return method.build(recipe, system, seed, CPU)


def test_transmitters_see_the_rows_of_eq_26():
    assert ["".join(names) for names in systems.MM_FI.transmitters] == [
        "ABCH", "DEFH", "GEFH", "BCFH",
    ]  # fmt: skip
    assert len(systems.MM_FI.links) == 16
    assert systems.MM_FI.metrics == ("t1_mpjpe", "t1_pa_mpjpe", "t2_top1", "t3_top1")
    assert [task.baseline for task in systems.MM_FI.tasks] == [0, 3, 1.3]


def test_batches_are_the_standardised_rows_with_fresh_noise(system, folder):
    index = torch.tensor([[3, 29, 3], [0, 1, 7]])
    data = system.train.batches(index, generator(0, "one"))
    for name, width in systems.MM_FI.widths.items():
        assert data.modalities[name].shape == (2, 3, width)
        assert data.modalities[name].dtype == torch.float32
    rows = np.load(folder / "train_mmwave.npy")[index]
    expected = (rows - 2500) / (1000 * np.arange(1, 6))
    np.testing.assert_allclose(data.modalities["F"], expected.reshape(2, 3, -1), atol=1e-6)
    depth = np.load(folder / "train_depth.npy")[index].astype(float)
    expected = (depth - 2500) / 1000
    np.testing.assert_allclose(data.modalities["D"], expected.reshape(2, 3, -1), atol=1e-6)
    pose, action, scene = data.targets
    with np.load(folder / "arrays.npz") as arrays:
        np.testing.assert_array_equal(pose, arrays["train_pose"][index])
        np.testing.assert_array_equal(action, arrays["train_action"][index])
        np.testing.assert_array_equal(scene, arrays["train_scene"][index])
    other = system.train.batches(index, generator(0, "two"))
    assert torch.equal(other.modalities["A"], data.modalities["A"])
    assert not torch.equal(other.modalities["H"], data.modalities["H"])
    assert (system.train.size, system.test.size) == (30, 13)


def test_every_letter_is_the_sensor_of_the_paper():
    assert systems.SENSORS == {
        "A": "rgb", "B": "infra1", "C": "infra2", "D": "depth", "E": "lidar", "F": "mmwave",
        "G": "wifi-csi",
    }  # fmt: skip
    for letter, sensor in systems.SENSORS.items():
        assert systems.MM_FI.widths[letter] == np.prod(mm_fi.SHAPES[sensor])


def test_the_loss_of_a_pose_is_its_mean_squared_error_and_its_metrics_are_in_mm():
    draw = generator(0, "poses")
    output, target = torch.randn(4, 5, 51, generator=draw), torch.randn(4, 5, 17, 3, generator=draw)
    task = PoseRegression("t1", 17, 0.0)
    expected = [F.mse_loss(o.view(5, 17, 3), t).item() for o, t in zip(output, target)]
    assert task.loss(output, target).tolist() == pytest.approx(expected, rel=1e-5)
    for error, found in zip((mpjpe, pa_mpjpe), task.measure(output, target), strict=True):
        plain = [
            np.mean([1000 * error(o.view(17, 3), t).item() for o, t in zip(*batch)])
            for batch in zip(output, target)
        ]
        assert found.tolist() == pytest.approx(plain, rel=1e-4)


def test_a_classification_counts_what_is_right():
    logits = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    labels = torch.tensor([[0, 2]])
    task = Classification("t2", 3, 1.0)
    expected = F.cross_entropy(logits[0], labels[0]).item()
    assert task.loss(logits, labels).tolist() == pytest.approx([expected])
    assert task.measure(logits, labels)[0].tolist() == [50.0]


@pytest.mark.parametrize("method", ["pom2dib", "rsdib", "tadib", "dlsc"])
def test_every_method_takes_steps(recipe, system, method):
    trainee = build(recipe(method), system)
    before = [p.clone() for p in trainee.coding.global_decoders[0].parameters()]
    record = trainee.update(1)
    assert {"t1_mpjpe", "t1_pa_mpjpe", "t2_top1", "t3_top1"} <= set(record)
    assert "t1_top1" not in record
    assert record["links"] == 48 or method in ("pom2dib", "rsdib")
    after = trainee.coding.global_decoders[0].parameters()
    assert any(not torch.equal(p, b) for p, b in zip(after, before))
    assert all(np.isfinite(value) for value in record.values())


def test_relevance_is_minus_the_losses_and_each_decoder_has_its_own_targets(recipe, system):
    trainee = build(recipe("tadib"), system)
    draw = generator(1, "data")
    data = system.train.batches(torch.arange(12).view(2, 6), draw)
    links = trainee.selector.draw(2, draw).links
    found = trainee.losses(data, links, draw)
    codes = found.codes
    for task, target in enumerate(data.targets):
        received = codes.z.new_zeros(2, 16, 6, 3)
        mine = codes.task == task
        received[codes.draw[mine], codes.link[mine]] = codes.z[mine]
        output = trainee.coding.global_decoders[task](received.transpose(1, 2).flatten(2))
        for b in range(2):
            plain = (
                F.mse_loss(output[b].view(6, 17, 3), target[b])
                if task == 0
                else F.cross_entropy(output[b], target[b])
            )
            assert found.outcome.relevance[b, task].item() == pytest.approx(plain.item(), rel=1e-5)
    local = trainee.coding.local_loss(codes, data.targets)
    for p in (0, len(local) // 2, len(local) - 1):
        task, b = codes.task[p], codes.draw[p]
        name = trainee.coding.link_embedding[codes.link[p]].expand_as(codes.z[p])
        output = trainee.coding.local_decoders[task](torch.cat([codes.z[p], name], -1))
        target = data.targets[task][b]
        plain = (
            F.mse_loss(output.view(6, 17, 3), target)
            if task == 0
            else F.cross_entropy(output, target)
        )
        assert local[p].item() == pytest.approx(plain.item(), rel=1e-5)


def test_a_run_is_trained_and_evaluated(recipe, folder, tmp_path):
    train({**recipe("pom2dib"), "seeds": [3]}, Inputs(folder), tmp_path / "run", code="c0de")
    settings = {"seed": 0, "batch_size": 6, "selection_draws": 50, "log_window": 2}
    table = evaluate(tmp_path / "run", Inputs(folder), settings)
    found = table.set_index("metric")
    units = found["unit"]
    assert units["t1_mpjpe"] == units["training_t1_pa_mpjpe"] == "mm"
    assert (units["t2_top1"], units["links"], units["n_ce"]) == ("percent", "count", "nat")
    assert found["value"]["t1_pa_mpjpe"] < found["value"]["t1_mpjpe"]
    assert found["value"]["limit_violations"] == 0
    assert sum(found.index.str.startswith("selection/t3/x")) == 16
    with pytest.raises(UserError, match=r"13 test samples: too few for .* = 14"):
        evaluate(tmp_path / "run", Inputs(folder), {**settings, "batch_size": 14})

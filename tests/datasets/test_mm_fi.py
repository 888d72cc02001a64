"""MM-Fi: the generated stand-in, the reader, and the dataset built from either."""

import shutil

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from ibpapers import files
from ibpapers.datasets import (
    cards,
    mm_fi,
    mm_fi_build,
    mm_fi_files,
    mm_fi_motion,
    mm_fi_sample,
    stored,
)
from ibpapers.datasets import mm_fi_sensors as sensors
from ibpapers.datasets.fetch import fetch, verified_card
from ibpapers.datasets.mm_fi_files import Sequence
from ibpapers.errors import UserError

SIZES = {"seed": 0, "subjects": 2, "actions": 2, "frames": 2}
FRAMES = 4 * 2 * 2 * 2
FIRST = "E01/S09/A01"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated") / "mm_fi_sample"
    fetch("mm_fi_sample", folder, settings=SIZES)
    return folder


@pytest.fixture
def source(generated, tmp_path):
    """A copy that may be changed; `changed` makes its card fit again."""
    return shutil.copytree(generated, tmp_path / "source")


def changed(source):
    card = cards.of_source(source)
    listed = mm_fi_files.FOLDER
    card["files"][listed]["sha256"] = files.listing_sha256(source / listed)
    files.write_json(source / "card.json", card)


def build(source, folder, split="random", protocol="all", seed=0, tier="sample"):
    mm_fi_build.build(source, folder, tier=tier, seed=seed, split=split, protocol=protocol)
    return mm_fi.load(folder)


def at(source, modality, frame=1, sequence=FIRST):
    return source / "frames" / sequence / modality / mm_fi_files.frame_name(modality, frame)


# The stand-in: files


def test_the_stand_in_is_laid_out_as_the_dataset_is(generated):
    root = generated / "frames"
    found = mm_fi_files.sequences(root)
    assert [(one.scene, one.subject) for one in found[::2]] == [
        (1, 9), (1, 10), (2, 19), (2, 20), (3, 29), (3, 30), (4, 39), (4, 40),
    ]  # fmt: skip
    for one in found:
        for modality, suffix in mm_fi_files.SUFFIXES.items():
            names = sorted(path.name for path in (root / str(one) / modality).iterdir())
            assert names == [f"frame001{suffix}", f"frame002{suffix}"]
    poses = np.load(root / FIRST / "ground_truth.npy")
    assert poses.shape == (2, 17, 3)
    assert np.load(at(generated, "infra2")).shape == (17, 2)
    with Image.open(at(generated, "depth")) as image:
        assert image.size == (640, 480) and np.asarray(image).dtype == np.uint16
    assert len(np.fromfile(at(generated, "lidar")).reshape(-1, 3)) > 1000
    assert np.fromfile(at(generated, "mmwave")).size % 5 == 0
    csi = loadmat(at(generated, "wifi-csi"))
    assert csi["CSIamp"].shape == csi["CSIphase"].shape == (3, 114, 10)


def test_the_same_settings_give_the_same_files_and_another_seed_others(tmp_path):
    def content(name, seed):
        mm_fi_sample.generate(tmp_path / name, seed=seed, subjects=1, actions=1, frames=1)
        below = (tmp_path / name).rglob("*.*")
        return {path.relative_to(tmp_path / name): path.read_bytes() for path in below}

    first = content("first", 0)
    assert content("again", 0) == first
    assert content("first", 0) == first  # over what is there
    other = content("other", 1)
    assert other.keys() == first.keys()
    assert sum(other[name] != first[name] for name in first) > 0.7 * len(first)


# The stand-in: movement and sensors


def performed(action, seed=3, seconds=None):
    seconds = np.arange(0, 6, 0.1) if seconds is None else seconds
    return mm_fi_motion.perform(action, seconds, np.random.default_rng(seed))


def test_bones_keep_their_lengths_and_every_action_moves_in_its_own_way():
    poses = np.stack([performed(action) for action in range(27)])
    for above, below in mm_fi_motion.BONES:
        lengths = np.linalg.norm(poses[:, :, above] - poses[:, :, below], axis=-1)
        assert np.ptp(lengths) < 1e-9
    differences = np.abs(poses[:, None] - poses).max((2, 3, 4))
    assert differences[~np.eye(27, dtype=bool)].min() > 0.1
    assert np.ptp(poses, axis=1).max((1, 2)).min() > 0.1


def test_actions_to_the_right_mirror_those_to_the_left():
    names = mm_fi_motion.JOINTS
    swap = {"left": "right", "right": "left"}
    mirrored = [names.index(" ".join(swap.get(w, w) for w in name.split())) for name in names]
    for left, right in ((3, 4), (6, 7), (12, 13), (16, 17), (21, 22)):
        expected = performed(left)[:, mirrored] * (-1, 1, 1)
        np.testing.assert_allclose(performed(right), expected, atol=1e-9)


def test_who_raises_a_hand_has_it_above_the_head():
    wrist, head = (mm_fi_motion.JOINTS.index(name) for name in ("left wrist", "head"))
    height = performed(12)[:, :, 1]
    assert (height[:, wrist] > height[:, head]).any()
    assert (height[:, wrist] < height[:, head]).any()


def test_key_points_are_the_projected_joints(monkeypatch):
    monkeypatch.setattr(sensors, "KEY_POINT_NOISE", 0.0)
    scene = sensors.SCENES[0]
    joints = np.array([[0.0, 0.0, 2.0], [0.5, -1.0, 4.0]])
    found = sensors.key_points(joints, scene, "rgb", np.random.default_rng(0))
    np.testing.assert_allclose(found, [[320, 240], [320 + 520 / 8, 240 - 520 / 4]])
    left, right = (
        sensors.key_points(joints, scene, camera, np.random.default_rng(0))
        for camera in ("infra1", "infra2")
    )
    np.testing.assert_allclose((left - right)[:, 0], 1.05 * 520 * 0.1 / joints[:, 2], rtol=1e-4)


def test_depth_is_that_of_the_figure_and_of_the_walls_behind():
    scene = sensors.SCENES[2]  # without furniture
    image = sensors.depth_image(np.array([[0.0, 0.0, 2.5]]), scene)
    assert image[240, 320] == 2500
    assert image[200, 320] == 4200  # the back wall
    floor = scene.walls[3] * scene.focal / (479.5 - 240) * 1000
    assert image[479, 320] == pytest.approx(floor, abs=1)


def test_lidar_points_lie_on_the_walls_or_on_the_body(monkeypatch):
    monkeypatch.setitem(sensors.POSITION_NOISE, "lidar", 0.0)
    scene = sensors.SCENES[2]
    points = sensors.lidar_points(np.full((50, 3), 0.5), scene, np.random.default_rng(0))
    x, y, z = -points[:, 1], -points[:, 2] + sensors.SENSOR_HEIGHT["lidar"], points[:, 0]
    left, right, ceiling, floor, back = scene.walls
    on = [np.isclose(x, left), np.isclose(x, right), np.isclose(y, ceiling), np.isclose(y, floor)]
    on += [np.isclose(z, back), np.isclose(z, 0.5)]
    assert np.any(on, axis=0).all()
    assert all(one.any() for one in on)


def figure(joints, velocities):
    return sensors.Figure(joints, velocities, joints)


def test_doppler_is_the_speed_away_from_the_radar(monkeypatch):
    monkeypatch.setattr(sensors, "DOPPLER_NOISE", 0.0)
    monkeypatch.setattr(sensors, "RADAR_FAILS", 0.0)
    joints = np.tile([0.0, 0.0, 3.0], (17, 1))
    for velocity, expected in (((0, 0, 2.0), 2.0), ((0, 0, -1.0), -1.0), ((1.5, 0, 0), 0.0)):
        moving = figure(joints, np.tile(velocity, (17, 1)))
        points = sensors.mmwave_points(moving, np.random.default_rng(0))
        assert len(points)
        np.testing.assert_allclose(points[:, 3], expected, atol=1e-12)


def test_nothing_may_come_back_to_the_radar(monkeypatch):
    monkeypatch.setattr(sensors, "RADAR_FAILS", 1.0)
    still = figure(np.ones((17, 3)), np.zeros((17, 3)))
    assert sensors.mmwave_points(still, np.random.default_rng(0)).shape == (0, 5)


def test_one_path_has_the_amplitude_and_the_phase_of_its_length(monkeypatch):
    monkeypatch.setattr(sensors, "CSI_NOISE", 0.0)
    monkeypatch.setattr(sensors, "LOST", 0.0)
    scene = sensors.Scene((-2, 2, -2, 2, 5), (), (0, 3), 0.0, 520.0, (1.2, 0.3, 3.4))
    away = figure(np.full((17, 3), 1e6), np.zeros((17, 3)))
    amplitude, phase = sensors.csi(away, scene, np.random.default_rng(0))
    distance = 3.0  # to the first antenna
    gain_control = amplitude[0] + 20 * np.log10(distance)
    assert np.ptp(gain_control, axis=0).max() < 1e-6  # the same for all subcarriers
    assert abs(gain_control).max() < 3
    turns = 2 * np.pi * 312_500 * distance / sensors.SPEED_OF_LIGHT
    steps = np.angle(np.exp(1j * np.diff(phase[0, :, 0])))
    np.testing.assert_allclose(steps, -turns, atol=1e-6)


def test_a_moving_body_changes_the_channel_between_packets(monkeypatch):
    monkeypatch.setattr(sensors, "CSI_NOISE", 0.0)
    monkeypatch.setattr(sensors, "LOST", 0.0)
    body = sensors.place(performed(0)[0], sensors.SCENES[0])
    rng = np.random.default_rng
    still, moving = (
        sensors.csi(figure(body, np.full((17, 3), speed)), sensors.SCENES[0], rng(0))[1]
        for speed in (0.0, 1.0)
    )
    assert np.ptp(still, axis=2).max() < 1e-9
    assert np.ptp(np.exp(1j * moving), axis=2).max() > 0.05


def test_csi_has_readings_that_are_not_finite():
    body = sensors.place(performed(0)[0], sensors.SCENES[0])
    rng = np.random.default_rng(0)
    still = figure(body, np.zeros((17, 3)))
    amplitudes = np.stack([sensors.csi(still, sensors.SCENES[0], rng)[0] for _ in range(4)])
    assert np.isinf(amplitudes).any() and np.isnan(amplitudes).any()
    assert np.isfinite(amplitudes).mean() > 0.99


# Cleaning and shaping


def test_csi_is_cleaned_as_a_plain_loop_would():
    rng = np.random.default_rng(1)
    amplitude = rng.normal(40, 5, (3, 114, 10))
    amplitude[rng.random(amplitude.shape) < 0.1] = np.nan
    amplitude[rng.random(amplitude.shape) < 0.1] = np.inf
    amplitude[0, 0, 3] = -np.inf
    expected = amplitude.copy()
    expected[np.isinf(expected)] = np.nan
    for packet in range(10):
        piece = expected[:, :, packet]
        piece[np.isnan(piece)] = np.nanmean(piece)
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    np.testing.assert_allclose(mm_fi_build.clean_csi(amplitude), expected, atol=1e-6)


def test_csi_that_is_constant_or_lost_becomes_zero_and_lost_packets_the_mean():
    for value in (3.0, np.nan, np.inf):
        assert not mm_fi_build.clean_csi(np.full((3, 114, 10), value)).any()
    amplitude = np.full((3, 114, 10), 4.0)
    amplitude[:, :57] = 2.0
    amplitude[:, :, 5] = np.nan
    cleaned = mm_fi_build.clean_csi(amplitude)
    assert (cleaned[:, :, 5] == 0.5).all()
    assert (cleaned[:, :57, 0] == 0).all() and (cleaned[:, 57:, 0] == 1).all()


def test_points_are_padded_or_chosen_at_random():
    points = np.arange(30.0).reshape(10, 3)
    rng = np.random.default_rng(2)
    padded = mm_fi_build.fit_points(points, 12, rng)
    np.testing.assert_array_equal(padded, [*points, [0] * 3, [0] * 3])
    assert mm_fi_build.fit_points(points[:0], 4, rng).shape == (4, 3)
    times = np.zeros(10)
    for _ in range(600):
        chosen = mm_fi_build.fit_points(points, 4, rng)
        assert (np.diff(chosen[:, 0]) > 0).all()  # in their order, none twice
        times[chosen[:, 0].astype(int) // 3] += 1
    np.testing.assert_allclose(times / 600, 0.4, atol=0.1)


def test_crops_are_windows_at_every_place():
    array = np.arange(20).reshape(4, 5)
    rng, corners = np.random.default_rng(3), set()
    for _ in range(200):
        window = mm_fi_build.crop(array, (3, 4), rng)
        row, column = divmod(int(window[0, 0]), 5)
        np.testing.assert_array_equal(window, array[row : row + 3, column : column + 4])
        corners.add((row, column))
    assert corners == {(0, 0), (0, 1), (1, 0), (1, 1)}


# The dataset


def test_the_dataset_has_the_promised_shapes_labels_and_card(generated, tmp_path):
    dataset = build(generated, tmp_path / "out")
    skipped = dataset.card["skipped_frames"]
    assert len(dataset.train.action) + len(dataset.test.action) + skipped == FRAMES
    assert dataset.card["tier"] == "sample"
    assert skipped == dataset.card["empty_files"]["mmwave"]
    for side, split in (("train", dataset.train), ("test", dataset.test)):
        for name, shape in mm_fi.SHAPES.items():
            assert split.modalities[name].shape == shape
            rows = np.load(tmp_path / "out" / f"{side}_{name}.npy")
            assert rows.dtype == mm_fi.DTYPES[name]
            assert len(rows) == len(split.action)
            assert np.isfinite(rows).all() and rows.any()
        assert split.pose.dtype == np.float32 and split.pose.shape[1:] == (17, 3)
        assert set(split.action) == {0, 1}
    assert set(dataset.train.scene) == {0, 1, 2, 3}
    train = np.load(tmp_path / "out" / "train_lidar.npy")
    np.testing.assert_allclose(dataset.mean["lidar"], train.mean((0, 1)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(dataset.deviation["lidar"], train.std((0, 1)), rtol=1e-3)
    assert dataset.mean["depth"].shape == (1,)


def test_rows_of_all_modalities_are_of_the_same_frame(generated, tmp_path):
    dataset = build(generated, tmp_path / "out", split="cross_scene")
    arrays = np.load(tmp_path / "out" / "arrays.npz")
    row = 5
    subject, action, frame = (arrays[f"train_{x}"][row] for x in ("subject", "action", "frame"))
    one = Sequence(mm_fi_files.scene_of(subject), int(subject), int(action) + 1)
    folder = generated / "frames" / str(one)
    poses = np.load(folder / "ground_truth.npy")
    np.testing.assert_allclose(dataset.train.pose[row], poses[frame - 1], rtol=1e-6)
    assert dataset.train.scene[row] == one.scene - 1
    for camera in mm_fi_files.KEY_POINTS:
        expected = np.load(folder / camera / f"frame{frame:03}.npy")
        found = dataset.train.modalities[camera].take(np.array(row))
        np.testing.assert_array_equal(found, expected)
    echoes = np.fromfile(folder / "mmwave" / f"frame{frame:03}.bin").reshape(-1, 5)
    found = dataset.train.modalities["mmwave"].take(np.array(row))
    np.testing.assert_allclose(found[: len(echoes)], echoes, rtol=1e-6)
    assert not found[len(echoes) :].any()


def test_same_seed_same_bytes_other_seed_other_crops(generated, tmp_path):
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        build(generated, tmp_path / name, split="cross_subject", seed=seed)
    content = {
        name: {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("first", "again", "other")
    }
    assert content["first"] == content["again"]
    differ = {n for n in content["first"] if content["first"][n] != content["other"][n]}
    assert {"train_depth.npy", "train_wifi-csi.npy", "arrays.npz", "card.json"} <= differ
    assert "train_rgb.npy" not in differ


def test_frames_with_an_empty_file_are_left_out_and_counted(source, tmp_path):
    before = build(source, tmp_path / "before").card
    victims = [("lidar", FIRST, 1), ("mmwave", FIRST, 1), ("mmwave", "E03/S30/A02", 2)]
    already = sum(not at(source, *victim[::2], victim[1]).stat().st_size for victim in victims)
    assert not already
    for modality, sequence, frame in victims:
        at(source, modality, frame, sequence).write_bytes(b"")
    changed(source)
    card = build(source, tmp_path / "after").card
    assert card["skipped_frames"] == before["skipped_frames"] + 2
    assert card["empty_files"]["lidar"] == 1
    assert card["empty_files"]["mmwave"] == before["empty_files"]["mmwave"] + 2
    arrays = np.load(tmp_path / "after" / "arrays.npz")
    left = [
        (subject, action, frame)
        for side in ("train", "test")
        for subject, action, frame in zip(
            *(arrays[f"{side}_{x}"] for x in ("subject", "action", "frame"))
        )
    ]
    assert (9, 0, 1) not in left and (9, 0, 2) in left


def mat(content):
    def write(path):
        savemat(path, content)

    return write


def png(shape, dtype):
    def write(path):
        Image.fromarray(np.zeros(shape, dtype)).save(path)

    return write


CORRUPT = {
    "key points, no npy": ("rgb", lambda path: path.write_bytes(b"nothing"), "is no npy file"),
    "key points, objects": (
        "infra1",
        lambda path: np.save(path, np.array([{}]), allow_pickle=True),
        "is no npy file",
    ),
    "key points, too few": ("infra2", lambda path: np.save(path, np.zeros((16, 2))), r"\[16, 2\]"),
    "key points, NaN": ("rgb", lambda path: np.save(path, np.full((17, 2), np.nan)), "no finite"),
    "depth, cut off": (
        "depth",
        lambda path: path.write_bytes(path.read_bytes()[:2000]),
        "is no whole PNG",
    ),
    "depth, other size": ("depth", png((48, 64), np.uint16), "not 640 x 480 with 16 bit"),
    "depth, 8 bit": ("depth", png((480, 640), np.uint8), "not 640 x 480 with 16 bit"),
    "lidar, odd length": ("lidar", lambda path: path.write_bytes(b"0" * 25), "25 bytes"),
    "mmwave, columns": ("mmwave", lambda path: path.write_bytes(b"0" * 24), "no multiple of 5"),
    "csi, cut off": (
        "wifi-csi",
        lambda path: path.write_bytes(path.read_bytes()[:9000]),
        "is no MATLAB 5 file",
    ),
    "csi, other key": ("wifi-csi", mat({"CSIphase": np.zeros(3)}), "has no CSIamp"),
    "csi, shape": ("wifi-csi", mat({"CSIamp": np.zeros((3, 114))}), r"not \[3, 114, 10\]"),
}


@pytest.mark.parametrize(("modality", "spoil", "said"), CORRUPT.values(), ids=CORRUPT)
def test_a_corrupt_file_names_itself(generated, tmp_path, modality, spoil, said):
    one = shutil.copytree(generated / "frames" / FIRST, tmp_path / FIRST)
    path = one / modality / mm_fi_files.frame_name(modality, 1)
    spoil(path)
    with pytest.raises(UserError, match=said) as refused:
        mm_fi_files.read_frame(one, modality, 1)
    assert str(path) in str(refused.value)


def test_a_missing_or_corrupt_file_stops_the_build(source, tmp_path):
    at(source, "depth", 2).unlink()
    changed(source)
    with pytest.raises(UserError, match=r"A01/depth/frame002\.png is missing: .* has 2 frames"):
        build(source, tmp_path / "out")
    at(source, "depth", 2).write_bytes(b"nothing")
    changed(source)
    with pytest.raises(UserError, match=r"A01/depth/frame002\.png is no whole PNG"):
        build(source, tmp_path / "out")
    np.save(source / "frames" / FIRST / "ground_truth.npy", np.zeros((2, 17)))
    changed(source)
    with pytest.raises(UserError, match=r"A01/ground_truth\.npy holds \[2, 17\]"):
        build(source, tmp_path / "out")
    assert not (tmp_path / "out" / "card.json").exists()


# Splits


WHOLE = [Sequence(mm_fi_files.scene_of(s), s, a) for s in range(1, 41) for a in range(1, 28)]


def test_the_random_split_has_8_of_40_subjects_of_every_action():
    sides = mm_fi_build._split(WHOLE, "random", seed=0)
    assert sorted(sides["train"] + sides["test"]) == sorted(WHOLE)
    for action in range(1, 28):
        assert sum(one.action == action for one in sides["test"]) == 8
    first, second = ({s.subject for s in sides["test"] if s.action == a} for a in (1, 2))
    assert first != second
    assert mm_fi_build._split(WHOLE, "random", seed=1) != sides


def test_other_splits_hold_out_subjects_or_the_last_scene():
    held_out = mm_fi_build._split(WHOLE, "cross_subject", seed=0)["test"]
    assert {one.subject for one in held_out} == {5, 10, 15, 20, 25, 30, 35, 40}
    assert len(held_out) == 8 * 27
    held_out = mm_fi_build._split(WHOLE, "cross_scene", seed=0)["test"]
    assert {one.scene for one in held_out} == {4}
    assert len(held_out) == 10 * 27


def test_protocols_part_the_actions():
    daily, rehabilitation = (mm_fi_build.PROTOCOLS[name] for name in ("daily", "rehabilitation"))
    assert (len(daily), len(rehabilitation)) == (14, 13)
    assert daily | rehabilitation == mm_fi_build.PROTOCOLS["all"] == set(range(1, 28))


def test_a_protocol_leaves_its_actions_and_an_empty_side_is_refused(generated, tmp_path):
    dataset = build(generated, tmp_path / "daily", protocol="daily")
    assert set(dataset.train.action) == {1}
    one = shutil.copytree(generated, tmp_path / "one")
    for scene in (1, 2, 3):
        shutil.rmtree(one / f"frames/E0{scene}")
    changed(one)
    with pytest.raises(UserError, match=r"split 'cross_scene' .* leaves no train frames"):
        build(one, tmp_path / "empty", split="cross_scene")


# The real data


def test_the_real_data_are_brought_by_the_user_and_linked(generated, tmp_path):
    with pytest.raises(UserError, match=r"no public address .* <mirror>/mm_fi/"):
        fetch("mm_fi", tmp_path / "mm_fi")
    with pytest.raises(UserError, match="on this machine"):
        fetch("mm_fi", tmp_path / "mm_fi", "https://mirror.test/data")
    mirror = tmp_path / "mirror"
    with pytest.raises(UserError, match=r"mirror/mm_fi is missing"):
        fetch("mm_fi", tmp_path / "mm_fi", str(mirror))
    shutil.copytree(generated / "frames", mirror / "mm_fi")
    for _ in range(2):
        fetch("mm_fi", tmp_path / "mm_fi", str(mirror))
    assert (tmp_path / "mm_fi" / "frames").is_symlink()
    assert verified_card(tmp_path / "mm_fi")["tier"] == "real"
    with pytest.raises(UserError) as refused:
        build(tmp_path / "mm_fi", tmp_path / "out", tier="real")
    gaps = 40 * 27 - 16
    assert "Missing: E01/S01/A01, E01/S01/A02, " in str(refused.value)
    assert f"and {gaps - 5:,} more" in str(refused.value)
    (mirror / "mm_fi" / FIRST / "rgb" / "frame002.npy").unlink()
    with pytest.raises(UserError, match="frames is missing or has changed"):
        verified_card(tmp_path / "mm_fi")


def test_a_modality_that_is_missing_is_named(source):
    shutil.rmtree(source / "frames" / FIRST / "infra1")
    assert f"{FIRST}/infra1" in mm_fi_files.missing(source / "frames")


@pytest.mark.parametrize("folder", ["E01/S11/A01", "E01/S01/A28", "E01/S41/A01"])
def test_folders_that_mm_fi_has_not_are_refused(tmp_path, folder):
    (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(UserError, match="MM-Fi has"):
        mm_fi_files.sequences(tmp_path)


def test_a_folder_without_sequences_is_refused(tmp_path):
    with pytest.raises(UserError, match="no copy of MM-Fi"):
        mm_fi_files.sequences(tmp_path)


# Memory


def test_pieces_bound_the_memory_of_a_build(generated, monkeypatch):
    monkeypatch.setattr(mm_fi_build, "PIECE", 3)
    frames = [(one, f) for one in mm_fi_files.sequences(generated / "frames")[:4] for f in (1, 2)]
    pieces = list(mm_fi_build._pieces("", generated / "frames", frames, "depth", 0))
    assert [len(piece) for piece in pieces] == [3, 3, 2]
    row = 2 * 128 * 128
    assert max(piece.nbytes for piece in pieces) == 3 * row


def test_the_whole_of_mm_fi_is_built_and_read_in_a_fraction_of_4_gib():
    frames = 40 * 27 * 297
    row = {
        name: np.dtype(mm_fi.DTYPES[name]).itemsize * int(np.prod(shape))
        for name, shape in mm_fi.SHAPES.items()
    }
    assert frames * sum(row.values()) > 4 * 2**32  # far more than fits
    labels = frames * (17 * 3 * 4 + 2 * 8 + 2 * 2)
    building = mm_fi_build.PIECE * max(row.values()) + 2 * labels
    reading = 2 * sum(min(frames * size, stored.RESIDENT) for size in row.values()) + labels
    assert building < 2**28
    assert reading < 3 * 2**29


# What the stand-in is good for


@pytest.mark.slow
def test_every_sensor_knows_of_the_pose_and_most_of_the_scene_and_the_action(tmp_path):
    sizes = {"seed": 0, "subjects": 2, "actions": 9, "frames": 6}
    fetch("mm_fi_sample", tmp_path / "source", settings=sizes)
    data = build(tmp_path / "source", tmp_path / "out")
    train, test = data.train, data.test
    centre = train.pose.mean(0)

    def flat(split, name):
        rows = split.modalities[name].take(np.arange(len(split.action))).astype(np.float32)
        rows = (rows - data.mean[name]) / data.deviation[name]
        return rows.reshape(len(rows), -1) / np.sqrt(rows[0].size)

    def accuracy(weights, labels, truth):
        return (np.argmax(weights @ np.eye(labels.max() + 1)[labels], axis=1) == truth).mean()

    error, action, scene = {}, {}, {}
    for name in mm_fi.SHAPES:
        ours, theirs = flat(train, name), flat(test, name)
        ridge = np.linalg.inv(ours @ ours.T + 0.1 * np.eye(len(ours)))
        weights = theirs @ ours.T @ ridge  # of the training frames, in a linear prediction
        pose = centre + np.tensordot(weights, train.pose - centre, axes=1)
        error[name] = np.linalg.norm(pose - test.pose, axis=-1).mean()
        action[name] = accuracy(weights, train.action, test.action)
        scene[name] = accuracy(weights, train.scene, test.scene)
    blind = np.linalg.norm(centre - test.pose, axis=-1).mean()
    assert all(one < blind for one in error.values()), error
    assert max(error[name] for name in mm_fi_files.KEY_POINTS) < 0.5 * blind
    assert min(action[name] for name in mm_fi_files.KEY_POINTS) > 3 / 9, action
    assert all(one > 1 / 3 for one in scene.values()), scene
    assert scene["lidar"] > 0.9

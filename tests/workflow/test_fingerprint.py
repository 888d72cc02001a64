"""The hash of a job's code: what changes it and what does not."""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ibpapers import fingerprint

FILES = {
    "__init__.py": "",
    "entry.py": """
        '''What it does.'''
        import toy.direct
        from toy import beside
        def work(x):
            '''Returns x.'''
            from toy.inside import late  # only when needed
            return late(x)
    """,
    "direct.py": "from .package import exported\n",
    "beside.py": "value = 0\n",
    "inside.py": "def late(x):\n    return x\n",
    "package/__init__.py": "from toy.package.deep import exported\n",
    "package/deep.py": "exported = 1\n",
    "package/stranger.py": "nobody = 'imports this'\n",
    "listing/__init__.py": "MEMBERS = ['member']\n",
    "listing/member.py": "value = 1\n",
}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The fingerprint module as part of a package `toy`."""
    for name, text in FILES.items():
        path = tmp_path / "toy" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text.replace("\n        ", "\n").lstrip("\n"))
    source = Path(fingerprint.__file__).read_text(encoding="utf-8")
    (tmp_path / "toy" / "fingerprint.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("toy.fingerprint")
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
        del sys.modules[name]


def edit(toy: ModuleType, name: str, old: str, new: str) -> None:
    """Edit a file of `toy` and give it an old modification time."""
    path = Path(toy.__file__).parent / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, (0, 0))
    toy.code_hash.cache_clear()
    toy._parse.cache_clear()
    toy._file.cache_clear()


def test_closure_follows_every_kind_of_import(toy):
    assert toy.closure("toy.entry") == {
        "toy.entry", "toy.direct", "toy.beside", "toy.inside", "toy.package", "toy.package.deep",
    }  # fmt: skip


def test_package_counts_only_where_its_own_names_are_imported(toy):
    assert toy.closure("toy.listing.member") == {"toy.listing.member"}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("entry.py", "  # only when needed", ""),
        ("entry.py", "Returns x.", "Returns x, as it is."),
        ("entry.py", "'''What it does.'''\n", ""),
        ("inside.py", "    return x", "\n    return (\n        x\n    )"),
        ("package/stranger.py", "nobody", "none"),
        ("listing/__init__.py", "'member'", "'member', 'another'"),
    ],
)
def test_hash_ignores_comments_docstrings_layout_and_strangers(toy, name, old, new):
    before = toy.code_hash("toy.entry", "toy.listing.member")
    edit(toy, name, old, new)
    assert toy.code_hash("toy.entry", "toy.listing.member") == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("entry.py", "late(x)", "late(-x)"),
        ("inside.py", "return x", "return None"),
        ("package/deep.py", "= 1", "= 1.0"),
        ("package/deep.py", "= 1", "= '1'"),
        ("package/__init__.py", "import exported", "import exported as exported"),
    ],
)
def test_hash_sees_edits_with_an_old_modification_time(toy, name, old, new):
    before = toy.code_hash("toy.entry")
    edit(toy, name, old, new)
    assert toy.code_hash("toy.entry") != before


def test_unknown_module_is_an_error(toy):
    with pytest.raises(ModuleNotFoundError, match=r"toy\.nowhere"):
        toy.code_hash("toy.nowhere")


def test_training_code_is_the_method_and_the_engine():
    names = fingerprint.closure("ibpapers.papers.pom2dib.methods.tadib", "ibpapers.training")
    assert {"ibpapers.training.loop", "ibpapers.papers.pom2dib.methods.tadib"} <= names
    strangers = ("methods.rsdib", "methods.pom2dib", "ibpapers.report", "plan", "ibpapers.papers")
    assert not [name for name in names if name.endswith(strangers) or ".report." in name]

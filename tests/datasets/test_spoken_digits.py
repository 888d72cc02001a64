import stat
import zipfile

import numpy as np
import pytest

from ibpapers.datasets import archive, fetch, spoken_digits, spoken_digits_sample
from ibpapers.errors import UserError


def write_zip(path, members, mode=0o100644):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return path


def test_git_tree_is_the_hash_that_git_gives():
    members = [
        archive.Member("root/recordings/0_a_10.wav", b"ten", executable=True),
        archive.Member("root/recordings/0_a_0.wav", b"zero", executable=False),
        archive.Member("root/recordings/0_a_2.wav", b"", executable=False),
    ]
    # git add recordings; git write-tree; git ls-tree: what git 2 printed for these files.
    assert archive.git_tree(members) == "ae994785e13605057e81234b0a31d0d65cb4c7bd"


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/etc/outside", "a\\outside"])
def test_archive_with_a_member_outside_is_refused(tmp_path, name):
    path = write_zip(tmp_path / "evil.zip", {"fine": b"", name: b""})
    with pytest.raises(UserError, match=r"evil\.zip .*outside the archive's folder"):
        archive.read_members(path, max_bytes=100)


def test_archive_with_a_link_is_refused(tmp_path):
    path = write_zip(tmp_path / "evil.zip", {"link": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777)
    with pytest.raises(UserError, match="link"):
        archive.read_members(path, max_bytes=100)


def test_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    path = write_zip(tmp_path / "bomb.zip", {"zeros": bytes(1_000_000)})
    assert path.stat().st_size < 2_000
    with pytest.raises(UserError, match=r"bomb\.zip unpacks to 1,000,000 bytes"):
        archive.read_members(path, max_bytes=999_999)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archive_with_a_name_twice_is_refused(tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("same", b"1")
        target.writestr("same", b"2")
    with pytest.raises(UserError, match="lists a name twice"):
        archive.read_members(path, max_bytes=100)


def test_damaged_archive_is_refused(tmp_path):
    path = write_zip(tmp_path / "cut.zip", {"noise": np.random.default_rng(1).bytes(9_000)})
    content = bytearray(path.read_bytes())
    content[4_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"cut\.zip is not a whole, plain zip archive"):
        archive.read_members(path, max_bytes=10_000)


def test_wav_comes_back(wav):
    samples = np.array([0, -32_768, 32_767, 5], np.int16)
    np.testing.assert_array_equal(spoken_digits.decode_wav(wav(samples), "it"), samples)


def test_wav_of_another_form_is_refused(wav):
    samples = np.zeros(100, np.int16)
    cases = {
        "16000 Hz": wav(samples, rate=16_000),
        r"2 channel\(s\)": wav(samples, channels=2),
        "8 bit": wav(samples.astype(np.uint8)),
        "is truncated: 150 of 200 bytes": wav(samples)[:-50],
        "is empty": wav(samples[:0]),
        "not a WAV file": wav(samples)[:20],
        "is not a WAV file": b"",
    }
    for complaint, content in cases.items():
        with pytest.raises(UserError, match=rf"^take 3.*{complaint}"):
            spoken_digits.decode_wav(content, "take 3")


def test_recordings_are_sorted_and_split_by_index(tmp_path, wav):
    keys = [(7, "zoe", 10), (7, "zoe", 9), (7, "ann", 4), (0, "zoe", 5), (7, "ann", 0)]
    members = {
        f"{spoken_digits.FOLDER}{digit}_{speaker}_{index}.wav": wav(
            np.full(index + 1, digit, np.int16)
        )
        for digit, speaker, index in keys
    }
    path = write_zip(tmp_path / "fsdd.zip", members)
    found = spoken_digits.read(path)
    assert list(zip(found.digit, found.speaker, found.index, strict=True)) == sorted(keys)
    assert found.is_test.tolist() == [False, True, True, False, False]
    assert [len(waveform) - 1 for waveform in found.waveform] == found.index.tolist()


def test_a_stray_recording_or_none_is_refused(tmp_path):
    stray = write_zip(tmp_path / "stray.zip", {f"{spoken_digits.FOLDER}zero.wav": b""})
    with pytest.raises(UserError, match=r"unexpected .*zero\.wav in .*stray\.zip"):
        spoken_digits.read(stray)
    none = write_zip(tmp_path / "none.zip", {"README.md": b""})
    with pytest.raises(UserError, match=r"none\.zip has no recordings"):
        spoken_digits.read(none)


def test_speech_is_the_same_in_every_process_and_differs_between_voices():
    american = spoken_digits_sample.speak_in_new_process("american", takes=2)
    again = spoken_digits_sample.speak_in_new_process("american", takes=2)
    linda = spoken_digits_sample.speak_in_new_process("linda", takes=1)
    assert list(american) == [f"{d}_american_{i}.wav" for d in range(10) for i in range(2)]
    for name, samples in american.items():
        np.testing.assert_array_equal(samples, again[name])
    slowness = [
        len(american[f"{d}_american_0.wav"]) / len(american[f"{d}_american_1.wav"])
        for d in range(10)
    ]
    assert max(slowness) > 1.1
    assert min(slowness) < 0.9
    takes = [spoken_digits_sample.to_wav(samples) for samples in american.values()]
    takes += [spoken_digits_sample.to_wav(samples) for samples in linda.values()]
    assert len(set(takes)) == 30
    for take in takes:
        waveform = spoken_digits.decode_wav(take, "take")
        assert 0.1 < len(waveform) / spoken_digits.SAMPLE_RATE < 1
        assert np.abs(waveform).max() > 1_000


@pytest.mark.slow
def test_spoken_sample_is_complete_and_the_same_each_time(tmp_path):
    for folder in ("one", "two"):
        fetch.fetch("spoken_digits_sample", tmp_path / folder)
    one, two = (tmp_path / folder / spoken_digits.FILE for folder in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    recordings = spoken_digits.read(one)
    assert np.bincount(recordings.digit[recordings.is_test]).tolist() == [30] * 10
    assert np.bincount(recordings.digit[~recordings.is_test]).tolist() == [270] * 10

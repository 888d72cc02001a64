"""The Free Spoken Digit Dataset (FSDD), read from its zip archive."""

import io
import re
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import archive
from ibpapers.errors import UserError

FILE = "free-spoken-digit-dataset-1.0.10.zip"
FOLDER = "free-spoken-digit-dataset-1.0.10/recordings/"
SAMPLE_RATE = 8_000  # Hz
TEST_INDICES = range(5)  # FSDD's own split: the other takes of each speaker are for training
MAX_UNPACKED = 64_000_000  # bytes, three times the real archive

_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<index>[0-9]+)\.wav")


@dataclass(frozen=True)
class Recordings:
    """R recordings, sorted by digit, speaker and index.

    Attributes:
        digit: int64 [R].
        speaker: names [R].
        index: int64 [R], the take: 0-4 for testing, the rest for training.
        waveform: R arrays of int16, each as long as its recording, at 8 kHz.
    """

    digit: NDArray[np.int64]
    speaker: NDArray[np.str_]
    index: NDArray[np.int64]
    waveform: list[NDArray[np.int16]]

    @property
    def is_test(self) -> NDArray[np.bool_]:
        """Which recordings are for testing, [R]."""
        return np.isin(self.index, TEST_INDICES)


def read(path: str | Path) -> Recordings:
    """Read all recordings of an archive laid out as FSDD's.

    Raises:
        UserError: the archive is unsafe or damaged, holds no recordings, or a recording has a
            name, rate, sample format or length other than FSDD's.
    """
    takes = []
    for member in _recordings(path):
        where = f"{member.name} in {path}"
        name = _NAME.fullmatch(member.name.removeprefix(FOLDER))
        if name is None:
            raise UserError(
                f"unexpected {where}: recordings are called {{digit}}_{{speaker}}_{{index}}.wav. "
                f"{archive.ADVICE}"
            )
        key = int(name["digit"]), name["speaker"], int(name["index"])
        takes.append((*key, decode_wav(member.content, where)))
    takes.sort(key=lambda take: take[:3])
    digit, speaker, index, waveform = zip(*takes, strict=True)
    return Recordings(np.array(digit), np.array(speaker), np.array(index), list(waveform))


def git_tree(path: str | Path) -> str:
    """Return git's hash of the archive's `recordings/`, which does not depend on how it was zipped.

    Raises:
        UserError: the archive is unsafe or damaged, or holds no recordings.
    """
    return archive.git_tree(_recordings(path))


def decode_wav(content: bytes, where: str) -> NDArray[np.int16]:
    """Return the samples of a WAV file of 8 kHz, mono, 16 bit.

    Args:
        content: the file.
        where: what an error calls it.

    Raises:
        UserError: another rate or format, no samples, or fewer bytes than the header promises.
    """
    try:
        with wave.open(io.BytesIO(content)) as file:
            form = file.getframerate(), file.getnchannels(), 8 * file.getsampwidth()
            promised = file.getnframes()
            samples = file.readframes(promised)
    except (wave.Error, EOFError, RuntimeError) as error:  # the last: a chunk beyond the end
        raise UserError(
            f"{where} is not a WAV file: {str(error) or 'damaged header'}. {archive.ADVICE}"
        ) from error
    if form != (SAMPLE_RATE, 1, 16):
        raise UserError(
            f"{where} has {form[0]} Hz, {form[1]} channel(s) and {form[2]} bit; only 8000 Hz, "
            f"1 channel, 16 bit is allowed. {archive.ADVICE}"
        )
    if not promised:
        raise UserError(f"{where} is empty: it holds no samples. {archive.ADVICE}")
    if len(samples) != 2 * promised:
        raise UserError(
            f"{where} is truncated: {len(samples)} of {2 * promised} bytes. {archive.ADVICE}"
        )
    return np.frombuffer(samples, dtype="<i2").astype(np.int16)


def _recordings(path: str | Path) -> list[archive.Member]:
    members = archive.read_members(path, MAX_UNPACKED)
    recordings = [member for member in members if member.name.startswith(FOLDER)]
    if not recordings:
        raise UserError(f"{path} has no recordings under {FOLDER}. {archive.ADVICE}")
    return recordings

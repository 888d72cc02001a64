"""A stand-in for FSDD: the ten digits spoken by eSpeak NG, zipped as FSDD is."""

import ctypes
import io
import multiprocessing
import os
import wave
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibpapers import files
from ibpapers.datasets import spoken_digits
from ibpapers.datasets.progress import Progress
from ibpapers.errors import UserError

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# eSpeak's variants with an echo (f2 to f5, Alicia) read memory that they never set: they differ
# from run to run, these do not.
VOICES = {
    "american": "en-us",
    "annie": "en-us+Annie",
    "british": "en-gb-x-rp+m3",
    "caribbean": "en-029+m7",
    "linda": "en-us+linda",
    "scottish": "en-gb-scotland",
}
TAKES = 50  # per voice and digit, as in FSDD
RATE = (130, 220)  # words per minute
PITCH = (30, 70)  # eSpeak's 0-100
PITCH_RANGE = (30, 70)  # eSpeak's 0-100, from monotone to lively
SILENCE = 0.01  # of the peak: what is softer at either end is cut
UP, DOWN = 160, 441  # 22,050 Hz * 160 / 441 = 8,000 Hz
SEED = 20_240_502

# From eSpeak's speak_lib.h.
_SYNCHRONOUS = 2
_RATE, _PITCH, _RANGE = 1, 3, 4
_ON_SAMPLES = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def generate(folder: str | Path) -> str:
    """Write 3,000 recordings (6 voices, 10 digits, 50 takes) as FSDD's zip into `folder`.

    Voices differ in timbre and accent, takes in rate, pitch and intonation. The seed is fixed, so
    the archive is always the same. Returns where the speech comes from.
    """
    origin = f"eSpeak NG in espeakng-loader {version('espeakng-loader')}"
    progress = Progress("spoken_digits_sample", len(VOICES))
    recordings: dict[str, bytes] = {}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for done, spoken in enumerate(threads.map(speak_in_new_process, VOICES), start=1):
            recordings |= {name: to_wav(samples) for name, samples in spoken.items()}
            progress.update(done)
    with files.atomic_write(Path(folder) / spoken_digits.FILE) as temporary:
        _write_zip(temporary, recordings)
    return origin


def speak_in_new_process(speaker: str, takes: int = TAKES) -> dict[str, NDArray[np.int16]]:
    """Return one speaker's recordings, `{digit}_{speaker}_{index}.wav` -> samples at 22,050 Hz.

    eSpeak keeps its state from one utterance to the next: what it says depends on what it said
    before in the process. A new process always says the same.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_speak, speaker, takes).result()


def to_wav(samples: NDArray[np.int16]) -> bytes:
    """Return eSpeak's samples (22,050 Hz) as FSDD has them: 8 kHz, trimmed, as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, spoken_digits.SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(_trim(_to_8_khz(samples)).astype("<i2").tobytes())
    return buffer.getvalue()


def _speak(speaker: str, takes: int) -> dict[str, NDArray[np.int16]]:
    rng = np.random.default_rng([SEED, list(VOICES).index(speaker)])
    lowest, highest = np.transpose([RATE, PITCH, PITCH_RANGE])
    settings = rng.integers(lowest, highest, endpoint=True, size=(10, TAKES, 3))
    utter = _synthesiser(VOICES[speaker])
    return {
        f"{digit}_{speaker}_{index}.wav": utter(WORDS[digit], *settings[digit, index].tolist())
        for digit in range(10)
        for index in range(takes)
    }


def _synthesiser(voice: str) -> Callable[[str, int, int, int], NDArray[np.int16]]:
    """Start eSpeak NG; return a function (word, rate, pitch, range) -> samples at 22,050 Hz."""
    import espeakng_loader

    espeak = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    _expect(22_050, espeak.espeak_Initialize(_SYNCHRONOUS, 0, data, 0), "start")
    _expect(0, espeak.espeak_SetVoiceByName(voice.encode()), f"load the voice {voice}")
    pieces: list[bytes] = []

    @_ON_SAMPLES
    def keep(samples, count, _events):
        if samples:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    def utter(word: str, rate: int, pitch: int, pitch_range: int) -> NDArray[np.int16]:
        pieces.clear()
        espeak.espeak_SetSynthCallback(keep)
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            _expect(0, espeak.espeak_SetParameter(parameter, value, 0), f"take {value} as setting")
        text = word.encode()
        _expect(0, espeak.espeak_Synth(text, len(text) + 1, 0, 0, 0, 1, None, None), f"say {word}")
        return np.frombuffer(b"".join(pieces), np.int16)

    return utter


def _expect(expected: int, returned: int, what: str) -> None:
    if returned != expected:
        raise UserError(
            f"eSpeak NG cannot {what} (it returned {returned}). "
            "Install espeakng-loader again, at the version of the lock file."
        )


def _to_8_khz(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    from scipy.signal import resample_poly

    resampled = resample_poly(samples.astype(np.float64), UP, DOWN, window=_low_pass())
    return np.clip(np.rint(resampled), -32_768, 32_767).astype(np.int16)


@cache
def _low_pass() -> NDArray[np.float64]:
    """Return the filter that resample_poly would otherwise design anew for every recording."""
    from scipy.signal import firwin

    return firwin(20 * DOWN + 1, 1 / DOWN, window=("kaiser", 5.0))


def _trim(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    loudness = np.abs(samples.astype(np.int32))
    audible = np.flatnonzero(loudness > SILENCE * loudness.max())
    return samples[audible[0] : audible[-1] + 1]


def _write_zip(path: Path, recordings: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(recordings):
            # A ZipInfo of its own dates every member 1980, not now.
            entry = zipfile.ZipInfo(spoken_digits.FOLDER + name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, recordings[name])

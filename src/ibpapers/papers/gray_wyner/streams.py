"""Bits that come out: a codec's symbols as one stream per channel, and back.

Encoder and decoder walk through the same positions with the same code on the same shapes, so that
both see the very same floats: the images in batches of `BATCH`, one thread, the parameters of
every position from the symbols before it alone, rounded to a grid. What is left of differences
between machines, and any damage, is found by checksums of the symbols.

A file is a header and the streams of the codec's channels in their order. The header has, in
bytes: 1 check of the rest of the header; the number of images and the lengths of all streams but
the last, as LEB128; 2 for each channel, the CRC-16 of its symbols. All checks begin with the
identity of the model: a file of another run fails them.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import constriction
import numpy as np
import torch
from torch import Tensor

from ibpapers.errors import UserError
from ibpapers.files import sha256
from ibpapers.nn.discretised_gaussian import SMALLEST_SCALE
from ibpapers.nn.entropy_model import EntropyModel
from ibpapers.papers.gray_wyner.codec import COMMON, Codec, Symbols, position_major

BATCH = 100  # images that are coded together: part of the format
GRID = 2**12  # steps per unit of mean and scale
LARGEST_SYMBOL = 2**10 - 1
MOST_IMAGES = 2**20
WORD = 4  # bytes of the range coder's words

_MODEL = constriction.stream.model.QuantizedGaussian(-LARGEST_SYMBOL, LARGEST_SYMBOL)
_Encoder = constriction.stream.queue.RangeEncoder
_Decoder = constriction.stream.queue.RangeDecoder

FOREIGN = (
    "this is no bitstream of this run, or it was cut or damaged, or it was written on a machine "
    "that computes otherwise. Encode the images again, with the run that decodes them."
)


def identity(run_folder: Path, seed: int) -> int:
    """16 bits that stand for the model of one seed of a trained run."""
    text = json.dumps([sha256(run_folder / "model.safetensors"), seed])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:2], "big")


def write(codec: Codec, symbols: Symbols, model: int) -> bytes:
    """The file of `symbols`, [N, C, h, w] of every channel of the codec; `model` is its `identity`.

    Raises:
        UserError: a symbol is too large, or there are too many images.
    """
    count = len(next(iter(symbols.values())))
    if not 0 < count <= MOST_IMAGES:
        raise UserError(f"a bitstream holds 1 to {MOST_IMAGES:,} images, not {count:,}")
    integers = {channel: _integers(symbols[channel]) for channel in codec.widths}
    for channel, values in integers.items():
        largest = np.abs(values).max()
        if largest > LARGEST_SYMBOL:
            raise UserError(
                f"a symbol of channel {channel} is {largest} in magnitude; a bitstream holds "
                f"symbols up to {LARGEST_SYMBOL}. Train the codec with a higher eta."
            )
    streams = [_encode(codec, channel, symbols) for channel in codec.widths]
    checks = [_check(values, model) for values in integers.values()]
    return _Header.of(count, streams, checks, model).written + b"".join(streams)


def read(
    codec: Codec, file: bytes, model: int, shape: tuple[int, int], channels: tuple[int, ...]
) -> Symbols:
    """The symbols of some `channels`, from their streams and that of the common one alone.

    `shape` is (h, w) of a representation.

    Raises:
        UserError: the file is not one of this model, or it is damaged.
    """
    header = _Header.read(file, len(codec.widths), model)
    wanted = [c for c in codec.widths if c == COMMON or c in channels]
    streams = dict(zip(codec.widths, header.streams(file), strict=True))
    checks = dict(zip(codec.widths, header.checks, strict=True))
    found: Symbols = {}
    for channel in wanted:
        found[channel] = _decode(codec, channel, streams[channel], header.count, shape, found)
        if _check(_integers(found[channel]), model) != checks[channel]:
            raise UserError(FOREIGN)
    return {channel: found[channel] for channel in channels if channel in found}


def stream_lengths(codec: Codec, file: bytes, model: int) -> dict[int, int]:
    """The bytes of each channel's stream in a file, without its header."""
    streams = _Header.read(file, len(codec.widths), model).streams(file)
    return {channel: len(stream) for channel, stream in zip(codec.widths, streams, strict=True)}


@dataclass(frozen=True)
class _Header:
    count: int
    lengths: tuple[int, ...]  # of all streams but the last
    checks: tuple[int, ...]
    written: bytes

    @classmethod
    def of(cls, count: int, streams: list[bytes], checks: list[int], model: int) -> _Header:
        lengths = tuple(len(stream) for stream in streams[:-1])
        numbers = b"".join(_leb128(number) for number in (count, *lengths))
        rest = numbers + b"".join(check.to_bytes(2, "big") for check in checks)
        return cls(count, lengths, tuple(checks), _header_check(rest, model) + rest)

    @classmethod
    def read(cls, file: bytes, channels: int, model: int) -> _Header:
        position = 1
        numbers = []
        for _ in range(channels):
            number, position = _read_leb128(file, position)
            numbers.append(number)
        end = position + 2 * channels
        checks = [int.from_bytes(file[i : i + 2], "big") for i in range(position, end, 2)]
        count, *lengths = numbers
        whole = file[:1] == _header_check(file[1:end], model) and end + sum(lengths) <= len(file)
        if not whole or not 0 < count <= MOST_IMAGES:
            raise UserError(FOREIGN)
        return cls(count, tuple(lengths), tuple(checks), file[:end])

    def streams(self, file: bytes) -> list[bytes]:
        starts = np.cumsum([len(self.written), *self.lengths]).tolist()
        return [file[i:j] for i, j in zip(starts, [*starts[1:], len(file)], strict=True)]


class _Position(NamedTuple):
    """One place of one batch: `symbols` [N, C] of it, a view to be filled in when decoding."""

    symbols: Tensor
    mean: np.ndarray  # [N * C]
    scale: np.ndarray


def _positions(model: EntropyModel, symbols: Tensor, common: Tensor | None) -> Iterator[_Position]:
    """Walk through `symbols` [N, C, h, w] in the order in which they are coded.

    Each place is yielded with what it is to be coded with; the next ones are only looked at after
    the caller has had the chance to fill it in.
    """
    for start in range(0, len(symbols), BATCH):
        piece = slice(start, start + BATCH)
        place = position_major(symbols[piece])
        condition = model.condition(None if common is None else common[piece])
        for row in range(place.shape[0]):
            for column in range(place.shape[1]):
                mean, scale = model.at(place, condition, row, column)
                yield _Position(place[row, column], *_on_grid(mean, scale))
        symbols[piece] = place.permute(2, 3, 0, 1)


def _on_grid(mean: Tensor, scale: Tensor) -> tuple[np.ndarray, np.ndarray]:
    parameters = torch.stack([mean, scale.clamp_min(SMALLEST_SCALE)]).flatten(1)
    return tuple((parameters.cpu().double() * GRID).round().div(GRID).numpy())


@torch.no_grad()
def _encode(codec: Codec, channel: int, symbols: Symbols) -> bytes:
    with _one_thread():
        coder, known = _Encoder(), []
        walk = _positions(
            _model(codec, channel), symbols[channel].clone(), _given(channel, symbols)
        )
        for position in walk:
            values = _integers(position.symbols)
            coder.encode(values, _MODEL, position.mean, position.scale)
            known.append((values, position.mean, position.scale))
        values, mean, scale = (np.concatenate(column) for column in zip(*known, strict=True))
        return _shortest(coder.get_compressed(), values, mean, scale)


@torch.no_grad()
def _decode(
    codec: Codec, channel: int, stream: bytes, count: int, shape: tuple[int, int], found: Symbols
) -> Tensor:
    with _one_thread():
        device = next(codec.parameters()).device
        symbols = torch.zeros(count, codec.widths[channel], *shape, device=device)
        coder = _Decoder(_words(stream))
        try:
            for position in _positions(_model(codec, channel), symbols, _given(channel, found)):
                values = coder.decode(_MODEL, position.mean, position.scale)
                position.symbols.copy_(torch.from_numpy(values).view(position.symbols.shape))
        except AssertionError:  # the coder's word for bits that no encoder writes
            raise UserError(FOREIGN) from None
        return symbols


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _model(codec: Codec, channel: int) -> EntropyModel:
    return codec.entropy_models[str(channel)]


def _given(channel: int, symbols: Symbols) -> Tensor | None:
    return None if channel == COMMON else symbols.get(COMMON)


def _shortest(words: np.ndarray, values: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> bytes:
    """The range coder's words without the bytes at their end that make no difference.

    Any number within the coder's last interval decodes to the same symbols, also one with fewer
    digits, whose missing ones the decoder takes for zeros.
    """
    whole = words.astype(">u4").tobytes()
    for length in range(max(0, len(whole) - WORD), len(whole)):
        floor = int.from_bytes(whole[:length], "big")
        for number in (floor, floor + 1):
            if number < 256**length:
                stream = number.to_bytes(length, "big")
                if _decodes_to(stream, values, mean, scale):
                    return stream
    return whole


def _decodes_to(stream: bytes, values: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> bool:
    try:
        return np.array_equal(_Decoder(_words(stream)).decode(_MODEL, mean, scale), values)
    except AssertionError:
        return False


def _words(stream: bytes) -> np.ndarray:
    padded = stream + bytes(-len(stream) % WORD)
    return np.frombuffer(padded, ">u4").astype(np.uint32)


def _integers(symbols: Tensor) -> np.ndarray:
    return symbols.cpu().numpy().astype(np.int32).reshape(-1)


def _check(values: np.ndarray, model: int) -> int:
    return binascii.crc_hqx(values.astype("<i2").tobytes(), model)


def _header_check(rest: bytes, model: int) -> bytes:
    return bytes([binascii.crc_hqx(rest, model) & 0xFF])


def _leb128(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _leb128(high) if high else bytes([low])


def _read_leb128(file: bytes, position: int) -> tuple[int, int]:
    """The number that starts at `position`, and where it ends."""
    number = shift = 0
    while position < len(file) and shift < 35:
        byte = file[position]
        position += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, position
    raise UserError(FOREIGN)

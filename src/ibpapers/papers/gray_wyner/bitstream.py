"""`encode` and `decode` of a trained run: images to a file of three bitstreams, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ibpapers.errors import UserError
from ibpapers.files import atomic_write
from ibpapers.inputs import Inputs
from ibpapers.papers.gray_wyner import streams, transforms
from ibpapers.papers.gray_wyner.codec import PRIVATE, Codec
from ibpapers.papers.gray_wyner.trainee import GrayWyner
from ibpapers.training import finished


def encode(run_folder: Path, inputs: Inputs, images: Sequence[Path], output: Path) -> str:
    """Write the bitstreams of all `images` into one file; returns what was done, in words.

    Pictures are read with Pillow; a ``.npy`` file holds a batch [N, M, H, W], bytes or what the
    codec was trained on.

    Raises:
        UserError: an image cannot be read, or is not of the codec's size.
    """
    codec, model, shape, _ = _load(run_folder, inputs)
    x = torch.cat([_read(path, shape) for path in images])
    with torch.no_grad():
        encoded = [codec.encoder(piece.to(_device(codec))) for piece in x.split(streams.BATCH)]
        parts = [one.symbols for one in encoded]
        symbols = {
            channel: torch.cat([part[channel] for part in parts]) for channel in codec.widths
        }
        estimate = codec.bits(symbols).sum().item()
    file = streams.write(codec, symbols, model)
    with atomic_write(output) as temporary:
        temporary.write_bytes(file)
    lengths = streams.stream_lengths(codec, file, model)
    each = ", ".join(f"channel {channel} {8 * length}" for channel, length in lengths.items())
    return (
        f"{len(x)} images in {8 * len(file)} bits: {each}, header "
        f"{8 * (len(file) - sum(lengths.values()))}; estimated: {estimate:.0f}"
    )


def decode(run_folder: Path, inputs: Inputs, path: Path, tasks: Sequence[int], output: Path) -> str:
    """Answer `tasks` (1, 2) from the common stream and each task's own; returns what was done.

    `output` is an npz file: ``answer_<task>`` float32, classes' logits [N, classes] or images
    [N, 1, H, W], and ``symbols_<channel>`` int16 [N, C, h, w] of the streams that were read.

    Raises:
        UserError: the file cannot be read, is not of this run, or is damaged.
    """
    codec, model, _, shape = _load(run_folder, inputs)
    try:
        file = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    wanted = tuple(c for c in codec.widths if c in tasks or c not in PRIVATE)
    try:
        symbols = streams.read(codec, file, model, shape, wanted)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    arrays = {
        f"symbols_{c}": values.cpu().numpy().astype(np.int16) for c, values in symbols.items()
    }
    with torch.no_grad():
        for task in tasks:
            arrays[f"answer_{task}"] = codec.answer(task, symbols).cpu().numpy()
    with atomic_write(output) as temporary, open(temporary, "wb") as opened:
        np.savez(opened, **arrays)
    answered = " and ".join(f"task {task}" for task in tasks)
    return f"{answered} answered from {', '.join(f'channel {c}' for c in symbols)} of {path}"


class _Coder(NamedTuple):
    """The codec of a run's first seed, the identity of its model, and the sizes it works on."""

    codec: Codec
    model: int
    images: tuple[int, int, int]  # [M, H, W]
    maps: tuple[int, int]  # [h, w] of a representation


def _load(run_folder: Path, inputs: Inputs) -> _Coder:
    run = finished.load(run_folder, inputs)
    recipe, seed = run.recipe, run.recipe["seeds"][0]
    learner = run.trainee(seed)
    if not isinstance(learner, GrayWyner):
        raise UserError(f"{recipe['run']}: {recipe['method']} is no codec; nothing to code with")
    images, factor = run.system.data.shape, transforms.factor(recipe["model"]["widths"])
    maps = images[1] // factor, images[2] // factor
    return _Coder(learner.codec, streams.identity(run_folder, seed), images, maps)


def _device(codec: torch.nn.Module) -> torch.device:
    return next(codec.parameters()).device


def _read(path: Path, shape: tuple[int, int, int]) -> Tensor:
    """Images [N, M, H, W] in a file; bytes are scaled to [0, 1]."""
    try:
        pixels = _array(path) if path.suffix == ".npy" else _picture(path, shape)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as images: {error}") from error
    if pixels.shape[1:] != shape or pixels.dtype not in (np.uint8, np.float32):
        raise UserError(
            f"{path}: holds {pixels.dtype} {list(pixels.shape)}; this codec takes uint8 or float32 "
            f"[N, {', '.join(map(str, shape))}]"
        )
    scaled = pixels / np.float32(255) if pixels.dtype == np.uint8 else pixels
    return torch.from_numpy(np.array(scaled))


def _array(path: Path) -> np.ndarray:
    # Mapped, since a file may promise more than it holds.
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _picture(path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        if image.size != shape[:0:-1]:
            raise ValueError(f"{image.width} x {image.height} pixels, not {shape[2]} x {shape[1]}")
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)[None]

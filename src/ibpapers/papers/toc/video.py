"""H.264 of grey frames, by libx264 and libavcodec: real streams, the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

FULL_RANGE = 2  # AVCOL_RANGE_JPEG: black is 0 and white 255
START = b"\0\0\0\1"
START_CODE = re.compile(b"\0\0\0?\1")
SEI = 6  # type of the NAL units that hold what a decoder does not need


def encode(frames: NDArray[np.uint8], qp: int) -> list[bytes]:
    """Code grey `frames` [T, height, width], at least one, with the quantiser `qp` (0: lossless).

    Returns a packet for every frame, in order: a frame is known as soon as its packet and those
    before it are. The encoder's note on itself (SEI) is left out.
    """
    _, height, width = frames.shape
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "gray"
    codec.time_base, codec.color_range = Fraction(1, 25), FULL_RANGE
    codec.options = {"qp": str(qp), "bf": "0", "threads": "1"}  # no frame waits for a later one
    packets = []
    for time, frame in enumerate(frames):
        packets += codec.encode(_picture(frame, time))
    packets += codec.encode(None)
    return [_without_notes(bytes(packet)) for packet in packets]


def decode(packets: Sequence[bytes]) -> NDArray[np.uint8]:
    """The frames [T, height, width] of the first T packets that `encode` returned."""
    codec = av.CodecContext.create("h264", "r")
    codec.thread_count = 1
    pictures = []
    for packet in packets:
        pictures += codec.decode(av.Packet(packet))
    pictures += codec.decode(None)
    return np.stack([_luma(picture) for picture in pictures])


def _picture(frame: NDArray[np.uint8], time: int) -> av.VideoFrame:
    height, width = frame.shape
    picture = av.VideoFrame(width, height, "gray")
    picture.pts = time
    (plane,) = picture.planes
    lines = np.zeros((height, plane.line_size), np.uint8)
    lines[:, :width] = frame
    plane.update(lines)
    return picture


def _luma(picture: av.VideoFrame) -> NDArray[np.uint8]:
    plane = picture.planes[0]
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return lines[: picture.height, : picture.width]


def _without_notes(packet: bytes) -> bytes:
    units = [unit for unit in START_CODE.split(packet) if unit]
    return b"".join(START + unit for unit in units if unit[0] & 31 != SEI)

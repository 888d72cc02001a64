"""What cameras, LiDAR, radar and WiFi would see of a figure in one of four rooms.

Coordinates are the first camera's: metres, x to the right, y down, z into the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets.mm_fi_files import CSI, DEPTH
from ibpapers.datasets.mm_fi_motion import BONES, JOINTS

SURFACE = 110  # points a bone
RADII = np.array([0.13 if JOINTS[j] in ("spine", "thorax") else 0.06 for _, j in BONES])
RADII[[JOINTS[j] == "head" for _, j in BONES]] = 0.1

KEY_POINT_NOISE = 3.0  # pixels
DEPTH_CELL = 4  # pixels to a side: so coarse is the outline of the figure
POSITION_NOISE = {"lidar": 0.02, "mmwave": 0.06}  # metres
ECHOES = 9.0  # radar points per m/s of the joints' mean speed
DOPPLER_NOISE = 0.05  # m/s
RADAR_FAILS = 0.01  # of frames: nothing at all comes

SPEED_OF_LIGHT = 299_792_458.0
CARRIER, SPACING = 5.31e9, 312_500.0  # Hz; of the subcarriers
PACKETS_PER_SECOND = 100.0
CSI_NOISE = 0.02  # of the strongest path
LOST = 0.002  # of CSI readings: infinite or NaN


@dataclass(frozen=True)
class Scene:
    """A room: where its walls are, what stands in it, where the person stands, how walls reflect.

    `walls` are x of the left and right one, y of ceiling and floor, z of the back one. `boxes` are
    pieces of furniture, each its lowest and highest corner. `place` is (x, z) of the person.
    """

    walls: tuple[float, float, float, float, float]
    boxes: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...]
    place: tuple[float, float]
    reflection: float
    focal: float  # pixels
    transmitter: tuple[float, float, float]


SCENES = (
    Scene((-2.0, 2.2, -1.6, 1.1, 5.0), (((0.9, 0.2, 3.9), (1.9, 1.1, 4.6)),), (0.0, 3.1), 0.6,
          520.0, (-1.8, 0.2, 2.0)),
    Scene((-3.0, 2.6, -1.9, 1.0, 6.2), (((-2.6, -0.4, 4.2), (-1.6, 1.0, 5.2)),), (0.2, 3.4), 0.4,
          520.0, (-2.4, 0.0, 2.6)),
    Scene((-1.7, 1.8, -1.5, 1.2, 4.2), (), (-0.15, 2.9), 0.75, 500.0, (-1.5, 0.4, 1.4)),
    Scene((-2.4, 3.4, -2.1, 1.1, 5.6), (((1.6, 0.4, 3.0), (2.6, 1.1, 4.4)),
          ((-2.3, -0.2, 4.0), (-1.4, 1.1, 5.4))), (0.1, 3.3), 0.5, 540.0, (-2.2, 0.1, 3.2)),
)  # fmt: skip

# Where the two infra-red cameras stand beside the first, and how their images are scaled.
INFRA = {"infra1": (-0.05, 1.05), "infra2": (0.05, 1.05)}
SENSOR_HEIGHT = {"lidar": 0.12, "mmwave": -0.1}  # metres below the camera


@dataclass(frozen=True)
class Figure:
    """A person in one frame: joints [17, 3], their velocities [17, 3] (m/s), surface [N, 3]."""

    joints: NDArray
    velocities: NDArray
    surface: NDArray


def place(joints: NDArray, scene: Scene) -> NDArray:
    """Bring joints [..., 17, 3] of `mm_fi_motion.perform` before the camera, which they face."""
    x, z = scene.place
    floor = scene.walls[3]
    return np.stack([x + joints[..., 0], floor - joints[..., 1], z - joints[..., 2]], axis=-1)


def cover(joints: NDArray, rng: np.random.Generator) -> NDArray:
    """Points on the surface of the bodies with `joints` [F, 17, 3]: [F, bones * SURFACE, 3].

    The same points of the body in every frame; the half that faces the camera.
    """
    along = rng.random((len(BONES), SURFACE, 1))
    outwards = rng.standard_normal((len(BONES), SURFACE, 3))
    outwards /= np.linalg.norm(outwards, axis=-1, keepdims=True)
    outwards[..., 2] = -abs(outwards[..., 2])
    above, below = (joints[:, [bone[i] for bone in BONES], None] for i in (0, 1))
    surface = above + along * (below - above) + RADII[:, None, None] * outwards
    return surface.reshape(len(joints), -1, 3)


def key_points(
    joints: NDArray, scene: Scene, camera: str, rng: np.random.Generator
) -> NDArray[np.float32]:
    """The joints [17, 3] in the image of `camera`, as a detector finds them: pixels [17, 2]."""
    shift, scale = INFRA.get(camera, (0.0, 1.0))
    height, width = DEPTH
    focal = scale * scene.focal
    seen = joints[:, :2] - (shift, 0.0)
    pixels = focal * seen / joints[:, 2:] + (width / 2, height / 2)
    return (pixels + KEY_POINT_NOISE * rng.standard_normal(pixels.shape)).astype(np.float32)


def depth_image(surface: NDArray, scene: Scene) -> NDArray[np.uint16]:
    """The distance along z of what each pixel shows, millimetres [480, 640]."""
    height, width = DEPTH
    rows, columns = height // DEPTH_CELL, width // DEPTH_CELL
    focal = scene.focal / DEPTH_CELL
    column = (focal * surface[:, 0] / surface[:, 2] + columns / 2).astype(int)
    row = (focal * surface[:, 1] / surface[:, 2] + rows / 2).astype(int)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    nearest = np.full((rows, columns), np.inf)
    np.minimum.at(nearest, (row[inside], column[inside]), surface[inside, 2])
    figure = nearest.repeat(DEPTH_CELL, 0).repeat(DEPTH_CELL, 1)
    return (1000 * np.minimum(figure, _room_depth(scene))).astype(np.uint16)


def lidar_points(surface: NDArray, scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points [N, 3] of the body and of the room, N about 1,300."""
    body = surface[rng.random(len(surface)) < 0.2]
    room = _room_points(scene)
    room = room[rng.random(len(room)) < 0.9]
    points = np.concatenate([body, room])
    return _measured(points, "lidar", rng)


def mmwave_points(figure: Figure, rng: np.random.Generator) -> NDArray[np.float64]:
    """Echoes [N, 5] of what moves: x, y, z, Doppler (m/s, away is positive), intensity (dB).

    Few where little moves, so that there may be none.
    """
    speed = np.linalg.norm(figure.velocities, axis=-1)
    count = 0 if rng.random() < RADAR_FAILS else min(rng.poisson(3 + ECHOES * speed.mean()), 60)
    joint = rng.choice(len(JOINTS), size=count, p=(speed + 0.05) / (speed + 0.05).sum())
    away = figure.joints / np.linalg.norm(figure.joints, axis=-1, keepdims=True)
    doppler = (figure.velocities * away).sum(-1)[joint]
    points = _measured(figure.joints[joint], "mmwave", rng)
    distance = np.linalg.norm(figure.joints[joint], axis=-1)
    intensity = 60 - 40 * np.log10(distance) + 2 * rng.standard_normal(count)
    noisy = doppler + DOPPLER_NOISE * rng.standard_normal(count)
    return np.column_stack([points, noisy, intensity])


def csi(
    figure: Figure, scene: Scene, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Amplitude (dB) and phase (radians) of ten packets [3, 114, 10], a few of them not finite.

    The channel is a sum of paths: the direct one, one by each wall, and one by each joint, which
    moves on between packets.
    """
    antennas, _, packets = CSI
    wavelength = SPEED_OF_LIGHT / CARRIER
    receivers = np.array([[1.2 + 0.5 * i * wavelength, 0.3, 0.4] for i in range(antennas)])
    transmitter = np.array(scene.transmitter)
    time = np.arange(packets) / PACKETS_PER_SECOND
    moving = figure.joints[:, None] + figure.velocities[:, None] * time[:, None]  # [17, 10, 3]
    to_body = np.linalg.norm(moving - transmitter, axis=-1)
    from_body = np.linalg.norm(moving[:, None] - receivers[:, None], axis=-1)  # [17, 3, 10]
    images = np.concatenate([transmitter[None], _images(transmitter, scene)])
    still = np.linalg.norm(images[:, None] - receivers, axis=-1)[..., None]  # [6, 3, 1]
    lengths = np.concatenate(
        [np.broadcast_to(still, (*still.shape[:2], packets)), to_body[:, None] + from_body]
    )
    strength = np.concatenate([[1.0], np.full(len(images) - 1, scene.reflection)])
    gains = np.concatenate(
        [
            np.broadcast_to(strength[:, None, None] / still, (*still.shape[:2], packets)),
            0.5 / (to_body[:, None] * from_body),
        ]
    )
    delay = lengths / SPEED_OF_LIGHT
    paths = np.empty((len(delay), *CSI), complex)
    paths[:, :, 0] = gains * np.exp(-2j * np.pi * CARRIER * delay)
    paths[:, :, 1:] = np.exp(-2j * np.pi * SPACING * delay)[:, :, None]
    channel = paths.cumprod(axis=2).sum(axis=0)  # from one subcarrier to the next a path turns on
    noise = rng.standard_normal((2, *channel.shape)) * CSI_NOISE * gains.max()
    channel = channel + noise[0] + 1j * noise[1]
    amplitude = 20 * np.log10(abs(channel)) + rng.normal(0, 0.5, packets)  # gain control
    lost = rng.random(CSI) < LOST
    amplitude[lost] = np.where(rng.random(lost.sum()) < 0.5, -np.inf, np.nan)
    return amplitude, np.angle(channel)


def _images(transmitter: NDArray, scene: Scene) -> NDArray:
    """The mirror images [5, 3] of the transmitter behind the walls."""
    images = np.repeat(transmitter[None], 5, axis=0)
    for image, axis, wall in zip(images, (0, 0, 1, 1, 2), scene.walls, strict=True):
        image[axis] = 2 * wall - image[axis]
    return images


@cache
def _room_depth(scene: Scene) -> NDArray[np.float64]:
    """The distance along z to walls and furniture, metres [480, 640]."""
    height, width = DEPTH
    x = (np.arange(width) + 0.5 - width / 2) / scene.focal
    y = (np.arange(height)[:, None] + 0.5 - height / 2) / scene.focal
    return _along(x, y, scene)


@cache
def _room_points(scene: Scene) -> NDArray[np.float64]:
    """What a LiDAR hits in the empty room [1040, 3]: 20 rings of 52 rays to the front."""
    ring, ray = np.radians(np.linspace(-22, 22, 20)), np.radians(np.linspace(-45, 45, 52))
    x, y = np.tan(ray), np.tan(ring)[:, None] / np.cos(ray)
    z = _along(x, y, scene)
    return np.stack([x * z, y * z, z], axis=-1).reshape(-1, 3)


def _along(x: NDArray, y: NDArray, scene: Scene) -> NDArray[np.float64]:
    """How far along z the rays through (x, y, 1) go until they hit something."""
    left, right, ceiling, floor, back = scene.walls
    with np.errstate(divide="ignore", invalid="ignore"):
        side = np.where(x < 0, left / x, right / x)
        level = np.where(y < 0, ceiling / y, floor / y)
        far = np.minimum(np.minimum(side, level), back)
        for low, high in scene.boxes:
            enter, leave = np.full(far.shape, low[2]), np.full(far.shape, high[2])
            for direction, i in ((x, 0), (y, 1)):
                ends = low[i] / direction, high[i] / direction
                enter = np.maximum(enter, np.minimum(*ends))
                leave = np.minimum(leave, np.maximum(*ends))
            far = np.where(enter < leave, np.minimum(far, enter), far)
    return far


def _measured(points: NDArray, sensor: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points in the sensor's own coordinates (x ahead, y to the left, z up), with its noise."""
    x, y, z = (points - (0.0, SENSOR_HEIGHT[sensor], 0.0)).T
    own = np.column_stack([z, -x, -y])
    return own + POSITION_NOISE[sensor] * rng.standard_normal(own.shape)

"""Jointed figures that perform the 27 actions of MM-Fi: poses in metres over time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# The 17 joints in MM-Fi's order, and whom each hangs on.
JOINTS = (
    "pelvis", "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
    "spine", "thorax", "neck", "head", "left shoulder", "left elbow", "left wrist",
    "right shoulder", "right elbow", "right wrist",
)  # fmt: skip
PARENTS = (0, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
BONES = tuple((parent, joint) for joint, parent in enumerate(PARENTS) if joint)
PERIOD = 3.0  # seconds of one repetition, about

# A movement is the degrees of freedom that it drives, each from 0 to an amplitude and back within
# a repetition. Angles in degrees: "swing" turns a limb forwards, "spread" sideways, "bend" folds
# its middle joint; "lean" bows the trunk forwards, "tilt" to the left, "turn" twists it to the
# left. Lengths in metres: "sink" lowers the pelvis, "step" moves it forwards, "side" to the left.
# A pair (amplitude, cycles) repeats that often; a negative number of cycles begins half-way, with
# none it is held.
Movement = Mapping[str, float | tuple[float, float]]


def _mirrored(movement: Movement) -> Movement:
    swapped = {"left": "right", "right": "left"}

    def mirror(name: str, value: float | tuple[float, float]) -> float | tuple[float, float]:
        if name not in ("tilt", "turn", "side"):
            return value
        return (-value[0], value[1]) if isinstance(value, tuple) else -value

    return {
        " ".join(swapped.get(word, word) for word in name.split()): mirror(name, value)
        for name, value in movement.items()
    }


def _both(movement: Movement) -> Movement:
    return {**movement, **_mirrored(movement)}


_TWIST = {**_both({"left arm swing": 80, "left arm bend": 90}), "turn": 60}
_LIMB = {"left arm spread": 90, "left leg spread": 35}
_LUNGE = {"left leg swing": 55, "left leg bend": 70, "right leg swing": -30, "sink": 0.22,
          "step": 0.3}  # fmt: skip
_SIDE_LUNGE = {"left leg spread": 40, "left leg bend": 60, "right leg spread": 30, "sink": 0.2,
               "side": 0.25}  # fmt: skip
_RAISE = {"left arm swing": 170}
_WAVE = {"left arm spread": (150, 0), "left arm bend": (70, 4)}
_THROW = {"left arm swing": (150, -1), "left arm bend": (100, 2), "turn": -30, "step": 0.15}
_KICK = {"left leg swing": 75, "left leg bend": (50, 2), "right arm swing": 30}
_EXTEND = {"left arm spread": 165, "tilt": -30, "right leg spread": 15}

ACTIONS: tuple[Movement, ...] = (
    _both({"left arm spread": 175}) | {"lean": -12},  # stretching and relaxing
    _both({"left arm spread": (90, 0), "left arm swing": (85, 2)}),  # chest, horizontally
    _both({"left arm swing": (175, 2), "left arm bend": 20}),  # chest, vertically
    _TWIST,
    _mirrored(_TWIST),
    {"left leg swing": (70, 2), "left leg bend": (90, 2), "right leg swing": (70, -2),
     "right leg bend": (90, -2), "left arm swing": (40, -2), "right arm swing": (40, 2)},  # marking
    _LIMB,
    _mirrored(_LIMB),
    _LUNGE,
    _mirrored(_LUNGE),
    _both(_LIMB) | {"sink": -0.05},
    _both({"left arm swing": 85, "left leg swing": 85, "left leg bend": 120}) | {"sink": 0.4,
     "lean": 20},  # squat
    _RAISE,
    _mirrored(_RAISE),
    _SIDE_LUNGE,
    _mirrored(_SIDE_LUNGE),
    _WAVE,
    _mirrored(_WAVE),
    _both({"left leg swing": 60, "left leg bend": 75}) | {"lean": 80, "right arm swing": 70,
     "sink": 0.25},  # picking up
    _THROW,
    _mirrored(_THROW),
    _KICK,
    _mirrored(_KICK),
    _EXTEND,
    _mirrored(_EXTEND),
    _both({"left arm swing": (110, 3), "left leg bend": (30, 3)}) | {"sink": (-0.3, 3)},  # jumping
    {"lean": 75},  # bowing
)  # fmt: skip


def perform(action: int, seconds: NDArray[np.float64], subject: np.random.Generator) -> NDArray:
    """The joints [frames, 17, 3] at `seconds` of a person who performs `action`, 0 to 26.

    In metres, the ankles of the person at rest on the floor at y = 0; x to the person's left, y
    upwards, z to where the person faces. `subject` draws how tall, how fast and how far.
    """
    height, pace, reach = subject.normal((1.7, 1.0, 1.0), (0.08, 0.1, 0.08))
    start = subject.random()

    def driven(name: str) -> NDArray:
        value = ACTIONS[action].get(name, 0.0)
        amplitude, cycles = value if isinstance(value, tuple) else (value, 1.0)
        if not cycles:
            return np.full(len(seconds), amplitude)
        turns = abs(cycles) * (pace * seconds / PERIOD + start) + (0.5 if cycles < 0 else 0.0)
        return reach * amplitude * (1 - np.cos(2 * np.pi * turns)) / 2

    return _pose(driven, height, len(seconds))


def _pose(driven, height: float, frames: int) -> NDArray:
    """Forward kinematics; lengths of limbs are shares of the body's `height`."""
    thigh, shin, trunk, upper_arm, forearm = (height * s for s in (0.245, 0.246, 0.29, 0.17, 0.15))
    hip, shoulder = 0.06 * height, 0.11 * height
    joints = np.zeros((frames, len(JOINTS), 3))
    place = {name: i for i, name in enumerate(JOINTS)}

    def put(name: str, on: str, offset: NDArray) -> None:
        joints[:, place[name]] = joints[:, place[on]] + offset

    joints[:, 0] = np.stack(
        [driven("side"), thigh + shin - driven("sink"), driven("step")], axis=-1
    )
    trunk_turn = _turn(1, driven("turn")) @ _turn(0, driven("lean")) @ _turn(2, -driven("tilt"))
    put("spine", "pelvis", trunk_turn @ np.array([0, trunk / 2, 0]))
    put("thorax", "spine", trunk_turn @ np.array([0, trunk / 2, 0]))
    put("neck", "thorax", trunk_turn @ np.array([0, 0.06 * height, 0.02 * height]))
    put("head", "neck", trunk_turn @ np.array([0, 0.07 * height, 0]))
    for side, sign in (("left", 1), ("right", -1)):
        put(f"{side} shoulder", "thorax", trunk_turn @ np.array([sign * shoulder, 0, 0]))
        bend = driven(f"{side} arm bend")
        upper = trunk_turn @ _limb(driven, f"{side} arm", sign)
        put(f"{side} elbow", f"{side} shoulder", upper @ np.array([0, -upper_arm, 0]))
        fore = upper @ _turn(0, -bend)
        put(f"{side} wrist", f"{side} elbow", fore @ np.array([0, -forearm, 0]))
        put(f"{side} hip", "pelvis", np.array([sign * hip, 0, 0]))
        upper = _limb(driven, f"{side} leg", sign)
        put(f"{side} knee", f"{side} hip", upper @ np.array([0, -thigh, 0]))
        lower = upper @ _turn(0, driven(f"{side} leg bend"))
        put(f"{side} ankle", f"{side} knee", lower @ np.array([0, -shin, 0]))
    return joints


def _limb(driven, name: str, sign: int) -> NDArray:
    return _turn(2, sign * driven(f"{name} spread")) @ _turn(0, -driven(f"{name} swing"))


def _turn(axis: int, degrees: NDArray) -> NDArray:
    """Rotations [frames, 3, 3] about x, y or z, counted 0, 1, 2."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turns = np.zeros((len(degrees), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turns[:, axis, axis] = 1
    turns[:, i, i] = turns[:, j, j] = cos
    turns[:, i, j], turns[:, j, i] = -sin, sin
    return turns

"""Every random number is drawn from a generator made here, and every generator has a name."""

from __future__ import annotations

import hashlib

import torch


def generator(*key: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator whose stream is fixed by `key`, e.g. ``generator(seed, "update", 17)``.

    Nothing has to be remembered to resume: update 17 draws the same numbers whenever it runs.
    """
    text = "/".join(map(str, key)).encode()
    number = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
    return torch.Generator(device=device).manual_seed(number)

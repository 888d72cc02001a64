"""Where to compute, and how to get the same bytes there every time."""

from __future__ import annotations

import os

import torch


def pick() -> torch.device:
    """The GPU that CUDA_VISIBLE_DEVICES leaves visible first, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def describe(device: torch.device) -> str:
    """The device's name as it is recorded with a result."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def gains_from_ensembles(device: torch.device) -> bool:
    """Whether small networks are faster computed together than one after the other."""
    return device.type == "cuda"


def make_deterministic(threads: int) -> None:
    """Fix the order of sums: the thread count on a CPU, the algorithms on a GPU."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    # The same as use_deterministic_algorithms(), which imports the compiler: over a second a job.
    torch.set_deterministic_debug_mode("warn")


def use_large_pages() -> None:
    """Have PyTorch ask for memory in pages of 2 MiB, where the kernel has them.

    What it frees goes back to the kernel; with pages of 4 KiB, to get it anew takes a tenth of an
    update of TADIB. To be called before the first tensor is made.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

"""A training that is asked to stop, however early, does so after the update it is at."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Ctrl-C, the end of a job's time on a cluster, and the warning some schedulers send before it.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


@contextmanager
def awaited() -> Iterator[Callable[[], bool]]:
    """During the block, `SIGNALS` interrupt nothing; the yielded function says whether one came.

    A second SIGINT raises KeyboardInterrupt at once. Outside the main thread, to which signals
    go, nothing changes.
    """
    received: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and number in received:
            raise KeyboardInterrupt
        received.append(number)

    in_main_thread = threading.current_thread() is threading.main_thread()
    before = {n: signal.signal(n, remember) for n in SIGNALS} if in_main_thread else {}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

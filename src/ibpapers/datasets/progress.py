"""Progress as plain lines, readable in a log."""

import sys
import time

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Prints `label: 40%` to stderr, at most every five seconds, and always the last line."""

    def __init__(self, label: str, total: int) -> None:
        self.label = label
        self.total = total
        self._last_line = time.monotonic()

    def update(self, done: int) -> None:
        """Report that `done` of the total is finished."""
        now = time.monotonic()
        if done >= self.total or now - self._last_line >= SECONDS_BETWEEN_LINES:
            print(f"{self.label}: {100 * done // max(self.total, 1)}%", file=sys.stderr, flush=True)
            self._last_line = now

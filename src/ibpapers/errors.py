"""The one error that is meant for the person at the terminal."""

import difflib
from collections.abc import Collection

from ibpapers.secrets import without_secrets


class UserError(Exception):
    """Something the user can put right: a bad file, setting or address.

    The message says what is wrong, where, what is allowed and what to do; the command line shows
    it without a traceback, a log keeps it. So passwords in the addresses it quotes are masked.
    """

    def __init__(self, message: str) -> None:
        super().__init__(without_secrets(message))


class AlreadyDone(Exception):
    """Another process has done the same job in the meantime; nothing is left to do."""


def not_installed(what: str, error: ModuleNotFoundError, group: str) -> UserError:
    """`what` needs the package that `error` misses; it is of a dependency group."""
    return UserError(
        f"{what} is made with {error.name}, which is not installed. "
        f"Install the dependency group `{group}`."
    )


CHOICES_SHOWN = 10


def choices(name: str, known: Collection[str]) -> str:
    """The `known` names for a message, those like `name` first; a few stand for many."""
    near = difflib.get_close_matches(name, known, n=3)
    shown = list(dict.fromkeys([*near, *known]))[:CHOICES_SHOWN]
    more = len(known) - len(shown)
    return (", ".join(shown) or "none") + (f" and {more:,} more" if more else "")

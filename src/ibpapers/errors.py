"""The one error that is meant for the person at the terminal."""

from ibpapers.tracking.secrets import without_secrets


class UserError(Exception):
    """Something the user can put right: a bad file, setting or address.

    The message says what is wrong, where, what is allowed and what to do; the command line shows
    it without a traceback, a log keeps it. So passwords in the addresses it quotes are masked.
    """

    def __init__(self, message: str) -> None:
        super().__init__(without_secrets(message))


class AlreadyDone(Exception):
    """Another process has done the same job in the meantime; nothing is left to do."""

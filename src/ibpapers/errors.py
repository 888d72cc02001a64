"""The one error that is meant for the person at the terminal."""


class UserError(Exception):
    """Something the user can put right: a bad file, setting or address.

    The message says what is wrong, where, what is allowed and what to do; the command line shows
    it without a traceback.
    """

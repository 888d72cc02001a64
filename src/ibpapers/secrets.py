"""Addresses as they may be shown."""

import re


def without_secrets(text: str) -> str:
    """`text` with user and password, and the values of queries, in addresses replaced by stars.

    What stands before an address's last @ counts as its password, which may hold a slash or an @.
    """
    text = re.sub(r"(://)[^\s'\"]*@", r"\1***@", text)
    return re.sub(r"([?&][^=&\s]+=)[^&\s'\"]+", r"\1***", text)

"""Addresses as they may be shown."""

import re


def without_secrets(text: str) -> str:
    """`text` with user and password, and the values of queries, in addresses replaced by stars."""
    text = re.sub(r"(://)[^/@\s]*@", r"\1***@", text)
    return re.sub(r"([?&][^=&\s]+=)[^&\s]+", r"\1***", text)

"""What one step of the report wrote as JSON, read by the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ibpapers.errors import UserError
from ibpapers.files import read_json


def read(path: Path, kind: Any, made_by: str) -> Any:
    """The JSON at `path`, which has the fields of `kind` (a dataclass, a list of them) and more.

    Raises:
        UserError: it is missing or damaged; the message names the first field that is wrong.
    """
    content = read_json(path)
    try:
        TypeAdapter(kind).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise UserError(
            f"{path} is damaged: {where}: {first['msg']}. Make it again: "
            f"python -m ibpapers {made_by}"
        ) from None
    return content

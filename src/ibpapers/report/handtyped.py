"""Finds numbers typed by hand in Typst sources: results enter the paper from files only.

Digits are allowed

- in a name ("figure_2a", "x1"), a label and a comment,
- in a formula, as whole numbers ("log_2", not "0.39"),
- in code, as a length ("8pt", "100%", "1fr") or a whole number of one digit (columns, digits),
- in ``#fixed[...]``, the explicit allowance for a number that is no result: of a section, an
  equation, a year, a constant of the method.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ibpapers.errors import UserError

_NAME = r"[^\W\d][\w-]*"
_NUMBER = r"[-−+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?:\s?%)?"
_KEYWORD = r"(?:let|set|show|import|include|if|for|while|context|return)(?![\w-])"
_SKIP = rf"(?<!:)//[^\n]*|/\*.*?\*/|<{_NAME}>|@{_NAME}|\#fixed\[[^\]]*\]|\\."
_MARKUP = re.compile(
    rf"""(?P<skip>{_SKIP})|(?P<formula>\$[^$]*\$)|(?P<code>\#(?:(?P<keyword>{_KEYWORD})|{_NAME})?)|(?P<name>{_NAME})
    |(?P<number>{_NUMBER})|(?P<open>\[)|(?P<close>\])|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_CODE = re.compile(
    rf"""(?P<skip>{_SKIP})|(?P<formula>\$[^$]*\$)|(?P<string>"(?:\\.|[^"\\])*")
    |(?P<length>-?\d+(?:\.\d+)?(?:pt|mm|cm|em|fr|deg|%))|(?P<name>{_NAME})|(?P<number>{_NUMBER})
    |(?P<open>[\[({{])|(?P<close>[\])}}])|(?P<end>[\n;])|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_CALL = re.compile(rf"(?P<open>[\[({{])|(?P<field>\.{_NAME})")


@dataclass(frozen=True)
class Finding:
    """A number typed by hand: its file, line (from 1), and the number."""

    file: Path
    line: int
    number: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.number}"


def check(folder: Path) -> None:
    """Raise UserError that lists every number typed by hand in the Typst files of `folder`."""
    findings = [finding for file in sorted(folder.glob("*.typ")) for finding in find(file)]
    if findings:
        listed = "\n".join(f"  {finding}" for finding in findings)
        raise UserError(
            f"numbers typed by hand in the paper:\n{listed}\n"
            'Take a result from the result files with #num("..."); '
            "write a number that is no result as #fixed[...]."
        )


def find(file: Path) -> list[Finding]:
    """The numbers typed by hand in one Typst file, in order."""
    text = file.read_text(encoding="utf-8")
    return [
        Finding(file, text.count("\n", 0, position) + 1, number.strip())
        for position, number in _numbers(text)
    ]


def _numbers(text: str) -> Iterator[tuple[int, str]]:
    """Position and text of each number that is not allowed where it stands.

    `modes` is the nesting of markup, statements (code up to the end of the line), calls (code as
    long as brackets or fields follow) and groups (code in brackets).
    """
    modes, position = ["markup"], 0
    while position < len(text):
        in_markup = modes[-1] == "markup"
        if modes[-1] == "call":
            match = _CALL.match(text, position)
            if not match:
                modes.pop()
                continue
        else:
            match = (_MARKUP if in_markup else _CODE).match(text, position)
        kind, token = match.lastgroup, match[0]
        if kind == "code":
            modes.append("statement" if match["keyword"] else "call")
        elif kind == "open":
            modes.append("markup" if token == "[" else "group")
        elif kind == "close":
            while modes[-1] in ("statement", "call"):
                modes.pop()
            if len(modes) > 1 and modes[-1] == ("markup" if token == "]" else "group"):
                modes.pop()
        elif kind == "end" and modes[-1] == "statement":
            modes.pop()
        elif kind == "formula":
            yield from _within(match, r"\d+[.,]\d+")
        elif kind == "string" and _is_text(token):
            yield from _within(match, rf"(?<![\w.-]){_NUMBER}(?!\w)")
        elif kind == "number" and (in_markup or not re.fullmatch(r"-?\d", token)):
            yield position, token
        position = match.end()


def _is_text(string: str) -> bool:
    """Whether a string may be read by people: more than one word, or a bare number."""
    return bool(re.search(r"\s", string)) or not re.search(r"[^\W\d]", string)


def _within(match: re.Match, pattern: str) -> Iterator[tuple[int, str]]:
    for number in re.finditer(pattern, match[0]):
        yield match.start() + number.start(), number[0]

"""Zip archives from elsewhere, read into memory without ever touching the disk."""

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ibpapers.errors import UserError

ADVICE = "Delete the file and fetch it again."


@dataclass(frozen=True)
class Member:
    """A regular file of an archive."""

    name: str
    content: bytes
    executable: bool


def read_members(path: str | Path, max_bytes: int) -> list[Member]:
    """Return the regular files of a zip, in the order in which the archive lists them.

    Raises:
        UserError: the archive is damaged or encrypted; or a name is absolute, leaves the
            archive's folder or occurs twice; or a member is a link or is neither stored nor
            deflated; or the members together unpack to more than `max_bytes`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _refuse_unsafe(path, entries, max_bytes)
            return [
                Member(entry.filename, _content(archive, entry), bool(_mode(entry) & stat.S_IXUSR))
                for entry in entries
                if not entry.is_dir()
            ]
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror or error}. Fetch it first."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise UserError(f"{path} is not a whole, plain zip archive: {error}. {ADVICE}") from error


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as member:
        # A size bounds the memory; without one a member unpacks to what it is, not what it states.
        return member.read(entry.file_size)


def git_tree(members: Iterable[Member]) -> str:
    """Return the SHA-1 that git gives to a flat folder holding `members`, as 40 hex digits.

    Only the last part of each name counts.
    """
    entries = b""
    for name, member in sorted((PurePosixPath(m.name).name.encode(), m) for m in members):
        mode = b"100755" if member.executable else b"100644"
        entries += mode + b" " + name + b"\0" + _git_object("blob", member.content).digest()
    return _git_object("tree", entries).hexdigest()


def _git_object(kind: str, content: bytes) -> "hashlib._Hash":
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False)


def _refuse_unsafe(path: str | Path, entries: list[zipfile.ZipInfo], max_bytes: int) -> None:
    names = [entry.filename for entry in entries]
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        if not entry.filename:
            raise UserError(f"{path} holds a file without a name. {ADVICE}")
        if ".." in parts or entry.filename.startswith("/") or "\\" in entry.filename:
            raise UserError(
                f"{path} holds {entry.filename!r}, which lies outside the archive's folder. "
                f"Only names inside it are allowed. {ADVICE}"
            )
        if stat.S_ISLNK(_mode(entry)):
            raise UserError(
                f"{path} holds the link {entry.filename!r}. Only files are allowed. {ADVICE}"
            )
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UserError(
                f"{path} holds {entry.filename!r} compressed in an unusual way. Only stored and "
                f"deflated files are allowed. {ADVICE}"
            )
    if len(set(names)) < len(names):
        raise UserError(f"{path} lists a name twice. Each name may occur once. {ADVICE}")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max_bytes:
        raise UserError(
            f"{path} unpacks to {unpacked:,} bytes; at most {max_bytes:,} are allowed. {ADVICE}"
        )


def _mode(entry: zipfile.ZipInfo) -> int:
    return entry.external_attr >> 16

"""Fetch a source: from its public addresses, from a mirror, or by generating it."""

import base64
import importlib
import os
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen
from urllib.response import addinfourl

from ibpapers import files
from ibpapers.datasets import cards, sources
from ibpapers.datasets.cards import CARD
from ibpapers.datasets.progress import Progress
from ibpapers.errors import UserError, not_installed

TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 18  # bytes


def fetch(
    name: str,
    folder: str | Path,
    mirror: str | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Bring all files of the source `name` into `folder`, and `card.json` last.

    A file that is there already and has the right content is kept; a partial download (`.part`)
    is resumed. Nothing gets its final name before its checksum was verified.

    Args:
        mirror: a folder or http(s) address holding `<source>/<file>`, used in place of the public
            addresses. A source that is one folder stays there and is linked: `<source>/` is it.
            Generated sources do not use it.
        settings: what a generator takes.

    Raises:
        UserError: no such source; or it has no public address and there is no mirror; or no
            address delivers a file with the right checksum; or a file cannot be written; or what
            generates the source is not installed.
    """
    source = sources.find(name)
    folder = Path(folder)
    if source.is_generated:
        origin = _generate(name, folder, settings)
        origins = dict.fromkeys((file.name for file in source.files), origin)
    elif source.files[0].is_folder:
        origins = {source.files[0].name: _link_folder(source, folder, mirror)}
    else:
        known = _known_origins(folder)
        origins = {
            file.name: _fetch_file(file, folder, _addresses(source, file, mirror), known)
            for file in source.files
        }
    contents = {file.name: _describe(file, folder, origins[file.name]) for file in source.files}
    card = {"name": name, "tier": source.tier, "licence": source.licence, "files": contents}
    if settings:
        card["settings"] = dict(settings)
    files.write_json(folder / CARD, card)
    print(f"{name}: {len(source.files)} file(s) in {folder}", file=sys.stderr)


def verified_card(folder: str | Path) -> dict[str, Any]:
    """Return the card of a fetched source, after checking every file against it.

    Raises:
        UserError: the card or a file is missing, or a file is not the one that was fetched.
    """
    folder = Path(folder)
    card = cards.of_source(folder)
    for name, described in card["files"].items():
        path = folder / name
        if not path.exists() or _sha256(path) != described["sha256"]:
            raise UserError(
                f"{path} is missing or has changed since it was fetched (sha256 should be "
                f"{described['sha256']}). Fetch {card['name']} again."
            )
    return card


def _sha256(path: Path) -> str:
    return files.listing_sha256(path) if path.is_dir() else files.sha256(path)


def _generate(name: str, folder: Path, settings: Mapping[str, Any]) -> str:
    try:
        return importlib.import_module(f"{__package__}.{name}").generate(folder, **settings)
    except ModuleNotFoundError as error:
        raise not_installed(name, error, "data") from error


def _link_folder(source: sources.Source, folder: Path, mirror: str | None) -> str:
    """Link `<mirror>/<source>/` into `folder`, which may be far too large to copy."""
    if mirror is None or urlsplit(mirror).scheme in ("http", "https"):
        raise UserError(
            f"{source.name} has no public address ({source.licence}). Put your copy into a folder "
            f"<mirror>/{source.name}/ on this machine and set `mirror: <mirror>`, or use "
            "`data: sample`."
        )
    theirs = Path(mirror).absolute() / source.name
    if not theirs.is_dir():
        raise UserError(
            f"{theirs} is missing: {source.name} ({source.licence}) is not downloaded. Put your "
            "copy there, or set `mirror` to the folder above it, or use `data: sample`."
        )
    link = folder / source.files[0].name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(theirs)
    except OSError as error:
        raise UserError(f"cannot write {link}: {error.strerror or error}.") from error
    return f"mirror folder: {source.name}"


class _UnreachableError(Exception):
    """An address did not deliver; what came so far can be resumed."""


class _WrongContentError(Exception):
    """An address delivered something else; nothing of it is kept."""


def _fetch_file(
    file: sources.SourceFile, folder: Path, addresses: list[str], known: dict[str, str]
) -> str:
    """Put one verified file into `folder`; return where it came from."""
    path = folder / file.name
    if path.exists() and _mismatch(file, path) is None:
        return known.get(file.name, "was there already")
    part = path.with_name(f"{path.name}.part")
    failures = []
    try:
        if file.expected is None:  # what came so far may be of another file
            part.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        for address in addresses:
            try:
                _complete(file, part, address)
                os.replace(part, path)
                return _origin(address)
            except (_UnreachableError, _WrongContentError) as failure:
                failures.append(f"{_public(address)}: {failure}")
    except OSError as error:
        raise UserError(
            f"cannot write {part}: {error.strerror or error}. Free some space, or choose another "
            "folder; what has come so far is resumed."
        ) from error
    raise UserError(
        f"cannot fetch {path}: {'; '.join(failures)}. Try again (a partial download is resumed), "
        f"or give a mirror that holds the right file ({file.expected or file.what})."
    )


def _complete(file: sources.SourceFile, part: Path, address: str) -> None:
    """Fill `part` from `address` and verify it.

    A partial file may stem from another address whose archive has other bytes, so a mismatch
    after resuming is tried once more from the beginning.
    """
    resumed = part.exists()
    try:
        _transfer(file, part, address)
    except _WrongContentError:
        if not resumed:
            raise
        _transfer(file, part, address)


def _transfer(file: sources.SourceFile, part: Path, address: str) -> None:
    at_hand = part.stat().st_size if part.exists() else 0
    try:
        with _open(address, at_hand) as response:
            resumes = response.status == HTTPStatus.PARTIAL_CONTENT
            with open(part, "ab" if resumes else "wb") as target:
                _copy(response, target, file)
        if mismatch := _mismatch(file, part):
            raise _WrongContentError(mismatch)
    except _WrongContentError:
        part.unlink(missing_ok=True)
        raise


def _copy(response: addinfourl, target: BinaryIO, file: sources.SourceFile) -> None:
    length = response.headers["Content-Length"]
    promised = target.tell() + int(length) if length else None
    progress = Progress(file.name, promised or file.max_bytes)
    while chunk := _read(response):
        target.write(chunk)
        if target.tell() > file.max_bytes:
            raise _WrongContentError(f"is larger than the {file.max_bytes:,} bytes allowed")
        progress.update(target.tell())
    target.flush()
    os.fsync(target.fileno())
    if promised is not None and target.tell() < promised:
        raise _UnreachableError(f"broke off after {target.tell():,} of {promised:,} bytes")


def _read(response: addinfourl) -> bytes:
    try:
        return response.read(CHUNK)
    except (OSError, HTTPException) as error:
        raise _UnreachableError(f"broke off ({error})") from error


def _open(address: str, offset: int) -> addinfourl:
    try:
        return urlopen(_request(address, offset), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _WrongContentError(f"has nothing after the {offset:,} bytes at hand") from error
        raise _UnreachableError(f"{error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise _UnreachableError(str(getattr(error, "reason", error))) from error


def _request(address: str, offset: int) -> Request:
    parts = urlsplit(address)
    request = Request(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    if parts.username:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        token = base64.b64encode(user.encode()).decode()
        # Unredirected: another host to which this one points must not learn it.
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _addresses(source: sources.Source, file: sources.SourceFile, mirror: str | None) -> list[str]:
    if mirror is None and not file.urls:
        raise UserError(
            f"{source.name} has no public address ({source.licence}). Put {file.name} "
            f"({file.expected or file.what}) into a folder <mirror>/{source.name}/ and set "
            "`mirror: <mirror>`, or use `data: sample`."
        )
    if mirror is None:
        return list(file.urls)
    if urlsplit(mirror).scheme not in ("http", "https"):
        return [(Path(mirror).absolute() / source.name / file.name).as_uri()]
    parts = urlsplit(mirror)
    return [urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{source.name}/{file.name}"))]


def _public(address: str) -> str:
    """Return an address as it may be shown: without user, password and query."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _origin(address: str) -> str:
    """Return where a file came from, without what only means something on this machine."""
    if address.startswith("file:"):
        return f"mirror folder: {'/'.join(Path(urlsplit(address).path).parts[-2:])}"
    return _public(address)


def _mismatch(file: sources.SourceFile, path: Path) -> str | None:
    """Return how the content at `path` differs from what is pinned, None if it does not."""
    if file.expected is None:
        return None
    try:
        found = file.content_id(path)
    except UserError as error:
        return str(error)
    return None if found == file.expected else f"expected {file.expected}, found {found}"


def _known_origins(folder: Path) -> dict[str, str]:
    try:
        card = cards.of_source(folder)
    except UserError:  # missing or damaged: it is about to be written anew
        return {}
    return {name: file["origin"] for name, file in card["files"].items() if "origin" in file}


def _describe(file: sources.SourceFile, folder: Path, origin: str) -> dict[str, Any]:
    path = folder / file.name
    described = {"sha256": _sha256(path), "content": file.content_id(path), "origin": origin}
    return described if file.is_folder else {**described, "bytes": path.stat().st_size}

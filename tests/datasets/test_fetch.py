import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ibpapers import files
from ibpapers.datasets import fetch, sources
from ibpapers.errors import UserError

CONTENT = np.random.default_rng(2).bytes(600_000)
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Server(ThreadingHTTPServer):
    """Serves `/good/tiny/data.bin`; keeps the headers of all requests and the bytes it sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.headers_seen = []
        self.bytes_sent = 0
        self.content = CONTENT
        self.supports_range = True
        self.breaks_after = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        server = self.server
        server.headers_seen.append(self.headers)
        if self.path.partition("?")[0] != "/good/tiny/data.bin":
            self.send_error(404)
            return
        start = 0
        if server.supports_range and "Range" in self.headers:
            start = int(re.fullmatch(r"bytes=(\d+)-", self.headers["Range"])[1])
            if start >= len(server.content):
                self.send_error(416)
                return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        body = body[: server.breaks_after]
        server.bytes_sent += len(body)
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def tiny(monkeypatch, server):
    """A source of one file; its first public address is gone, its second works."""
    urls = tuple(f"http://{server.address}/{place}/tiny/data.bin" for place in ("gone", "good"))
    file = sources.SourceFile("data.bin", len(CONTENT), "sha256", CHECKSUM, urls)
    source = sources.Source("tiny", "real", "CC0", (file,))
    monkeypatch.setitem(sources.SOURCES, "tiny", source)


def contents(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_next_address_is_tried(tmp_path, server):
    fetch.fetch("tiny", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert contents(tmp_path) == ["card.json", "data.bin"]
    card = fetch.verified_card(tmp_path)
    assert card["files"]["data.bin"] == {
        "sha256": CHECKSUM.removeprefix("sha256:"),
        "bytes": len(CONTENT),
        "content": CHECKSUM,
        "origin": f"http://{server.address}/good/tiny/data.bin",
    }


def test_a_mirror_folder_is_used_instead(tmp_path, server):
    (tmp_path / "mirror" / "tiny").mkdir(parents=True)
    (tmp_path / "mirror" / "tiny" / "data.bin").write_bytes(CONTENT)
    fetch.fetch("tiny", tmp_path / "here", str(tmp_path / "mirror"))
    card = files.read_json(tmp_path / "here" / "card.json")
    assert card["files"]["data.bin"]["origin"] == "mirror folder: tiny/data.bin"
    assert not server.headers_seen


@pytest.mark.parametrize(
    "wrong",
    [CONTENT[:-1] + b"?", CONTENT[:-1], CONTENT + b"!"],
    ids=["altered", "short", "long"],
)
def test_wrong_content_gets_no_name(tmp_path, wrong):
    (tmp_path / "mirror" / "tiny").mkdir(parents=True)
    (tmp_path / "mirror" / "tiny" / "data.bin").write_bytes(wrong)
    found = f"sha256:{hashlib.sha256(wrong).hexdigest()}"
    complaint = (
        "larger than the 600,000 bytes allowed"
        if len(wrong) > len(CONTENT)
        else f"expected {CHECKSUM}, found {found}"
    )
    with pytest.raises(UserError, match=rf"cannot fetch .*here/data\.bin.*{complaint}"):
        fetch.fetch("tiny", tmp_path / "here", str(tmp_path / "mirror"))
    assert contents(tmp_path / "here") == []


def test_a_partial_download_is_resumed(tmp_path, server):
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:400_000])
    fetch.fetch("tiny", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.headers_seen[-1]["Range"] == "bytes=400000-"
    assert server.bytes_sent == 200_000


def test_a_broken_transfer_is_kept_and_resumed(tmp_path, server):
    server.breaks_after = 250_000
    with pytest.raises(UserError, match="broke off after 250,000 of 600,000 bytes"):
        fetch.fetch("tiny", tmp_path)
    assert contents(tmp_path) == ["data.bin.part"]
    server.breaks_after = None
    fetch.fetch("tiny", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.bytes_sent == len(CONTENT)


@pytest.mark.parametrize(
    "part", [bytes(100), bytes(600_000), CONTENT + b"!"], ids=["short", "full", "long"]
)
def test_a_partial_download_of_something_else_is_started_over(tmp_path, part):
    (tmp_path / "data.bin.part").write_bytes(part)
    fetch.fetch("tiny", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_what_no_checksum_pins_is_not_put_together_from_two(tmp_path, server, monkeypatch):
    """What is left of a transfer may be of another file of the user's."""
    file = sources.SourceFile("data.bin", len(CONTENT), "sha256", None, (), "one of some")
    monkeypatch.setitem(sources.SOURCES, "tiny", sources.Source("tiny", "real", "none", (file,)))
    (tmp_path / "data.bin.part").write_bytes(b"?" * 400_000)
    fetch.fetch("tiny", tmp_path, f"http://{server.address}/good")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    described = fetch.verified_card(tmp_path)["files"]["data.bin"]
    assert described["content"] == CHECKSUM
    fetch.fetch("tiny", tmp_path, "http://127.0.0.1:1/gone")
    assert fetch.verified_card(tmp_path)["files"]["data.bin"] == described, "kept"


def test_a_server_that_cannot_resume_is_read_from_the_beginning(tmp_path, server):
    server.supports_range = False
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:400_000])
    fetch.fetch("tiny", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.bytes_sent == len(CONTENT)


def test_a_file_at_hand_is_kept_and_a_damaged_one_replaced(tmp_path, server):
    fetch.fetch("tiny", tmp_path)
    card = files.read_json(tmp_path / "card.json")
    server.headers_seen.clear()
    fetch.fetch("tiny", tmp_path)
    assert not server.headers_seen
    assert files.read_json(tmp_path / "card.json") == card

    (tmp_path / "data.bin").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"data\.bin is missing or has changed"):
        fetch.verified_card(tmp_path)
    fetch.fetch("tiny", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_credentials_reach_the_mirror_and_nobody_else(tmp_path, server, capsys):
    mirror = f"http://anna:s3cret@{server.address}/good?token=t0ken"
    fetch.fetch("tiny", tmp_path, mirror)
    assert server.headers_seen[-1]["Authorization"] == "Basic YW5uYTpzM2NyZXQ="
    server.content = b"other"
    (tmp_path / "data.bin").unlink()
    with pytest.raises(UserError) as refusal:
        fetch.fetch("tiny", tmp_path, mirror)
    told = (tmp_path / "card.json").read_text() + str(refusal.value) + capsys.readouterr().err
    for secret in ("anna", "s3cret", "t0ken"):
        assert secret not in told

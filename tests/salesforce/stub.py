"""A server that answers exactly what a test tells it, byte for byte, and remembers what it was asked."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    client_port: int = 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """What is sent back; ``drip`` seconds lie between the bytes, and ``cut`` ends the body early."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0
    cut: int | None = None
    silent: bool = False

    def encoded(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return b"" if self.body is None else json.dumps(self.body).encode()


Script = Callable[[Asked], Answer]


@dataclass
class Stub:
    """A running server."""

    url: str
    asked: list[Asked]
    script: Script = lambda _: Answer(404)
    stop: threading.Event = field(default_factory=threading.Event)

    def say(self, *answers: Answer) -> None:
        """Give these answers in turn, the last one for ever."""
        waiting = list(answers)
        self.script = lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Quiet."""

    def answer(self) -> None:
        """Any method is answered alike."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else self._chunks()
        asked = Asked(self.command, self.path, dict(self.headers.items()), body, self.client_address[1])
        self.stub.asked.append(asked)
        answer = self.stub.script(asked)
        if answer.silent:
            self.stub.stop.wait(5)
            self.close_connection = True
            return
        content = answer.encoded()
        self.send_response(answer.status)
        for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self._send(content[: answer.cut], answer.drip)
        if answer.cut is not None:
            self.close_connection = True

    def _send(self, content: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(content)
            return
        for byte in content:
            try:
                self.wfile.write(bytes([byte]))
            except OSError:
                return
            if self.stub.stop.wait(drip):
                return

    def _chunks(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return b""
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)


for _method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.answer)


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def running_stub() -> Iterator[Stub]:
    """A stub on a free loopback port, gone at the end of the block."""
    stub = Stub("", [])
    with _Server(("127.0.0.1", 0), type("Bound", (_Handler,), {"stub": stub})) as server:
        stub.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            stub.stop.set()
            server.shutdown()
            thread.join(5)


def recorded(folder: Path, name: str) -> Answer:
    """An answer of a real org."""
    answer = json.loads((folder / "recorded" / name).read_text(encoding="utf-8"))["response"]
    kept = {"Sforce-Limit-Info", "Content-Type", "Location", "Sforce-Locator", "Sforce-NumberOfRecords"}
    headers = {k: v for k, v in (answer.get("headers") or {}).items() if k.title() in {n.title() for n in kept}}
    return Answer(answer["status"], answer.get("body"), headers)


EXPIRED = Answer(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])

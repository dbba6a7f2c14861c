"""The HTTP server: keep-alive connections, one thread each."""

import os
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from emulator.call import Call, Response
from emulator.exchange import Sent, exchange, headers_of
from emulator.grants import Grants
from emulator.world import World, open_world

_REASONS = {200: "OK", 201: "Created", 204: "No Content", 300: "Multiple Choices", 302: "Found", 304: "Not Modified",
            400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
            409: "Conflict", 500: "Server Error", 503: "Service Unavailable"}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    world: World

    def log_message(self, format: str, *args: Any) -> None:
        """Calls are listed by the control API instead."""

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_GET
    do_PUT = do_GET
    do_PATCH = do_GET
    do_DELETE = do_GET
    do_HEAD = do_GET

    def _handle(self) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        base = f"http://{headers.get('host') or self._address()}"
        call, query = Call.arriving(self.world, self.command, self.path, headers, self._body(headers), base)
        sent = exchange(call, query)
        try:
            self._send(call, sent)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _address(self) -> str:
        host, port = self.connection.getsockname()[:2]
        return f"{host}:{port}"

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _drop(self) -> None:
        """Close without a word, as a broken network does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.rfile.close()

    def _send(self, call: Call, sent: Sent) -> None:
        response = sent.response
        if response is None:
            self._drop()
            return
        if sent.cut is not None:
            self.close_connection = True
        head = self._head(call, response)
        if call.method == "HEAD":
            self.wfile.write(head)
        elif sent.cut is not None or sent.drip:
            self.wfile.write(head)
            self._drip(response.whole()[: sent.cut], sent.drip)
        else:
            self.wfile.write(head + response.content())
            self._send_file(response)

    def _drip(self, content: bytes, seconds: float) -> None:
        if not seconds:
            self.wfile.write(content)
        for at in range(len(content) if seconds else 0):
            self.wfile.write(content[at : at + 1])
            time.sleep(seconds)

    def _send_file(self, response: Response) -> None:
        file = response.file
        if file is not None and file.end > file.start:
            with file.path.open("rb") as source:
                self.connection.sendfile(source, file.start, file.end - file.start)

    def _head(self, call: Call, response: Response) -> bytes:
        lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Answer')}"]
        lines += [f"{name}: {value}" for name, value in headers_of(call, response).items()]
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Server(ThreadingMixIn, TCPServer):
    """Threads, one per connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    world: World


def serve(port: int, folder: Path, host: str = "127.0.0.1") -> Server:
    """A listening server, not yet running; loopback only."""
    if host not in {"127.0.0.1", "localhost", "::1"}:
        raise ValueError("the emulator listens on loopback only")
    grants = Grants()
    if lifetime := os.environ.get("EMULATOR_TOKEN_LIFETIME"):
        grants.lifetime = float(lifetime)
    world = open_world(folder, grants)
    server = Server((host, port), type("BoundHandler", (Handler,), {"world": world}))
    server.world = world
    return server

"""The HTTP server: keep-alive connections, one thread each, faults on the way in and out."""

import os
import socket
import struct
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from emulator.call import KNOWN_ERRORS, Call, Response, refusal
from emulator.grants import Grants
from emulator.routes import dispatch
from emulator.world import World, open_world

_REASONS = {200: "OK", 201: "Created", 204: "No Content", 300: "Multiple Choices", 302: "Found", 304: "Not Modified",
            400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
            409: "Conflict", 500: "Server Error", 503: "Service Unavailable"}  # fmt: skip
_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
    ("X-Robots-Tag", "none"),
    ("Vary", "Accept-Encoding"),
    ("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private"),
)
_WITHOUT_USAGE = ("/services/oauth2/", "/id/")


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
        began, started_at = time.monotonic(), time.time()
        parts = urlsplit(self.path)
        headers = {key.lower(): value for key, value in self.headers.items()}
        call = Call(
            self.world,
            self.command,
            unquote(parts.path),
            {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()},
            headers,
            self._body(headers),
            f"http://{headers.get('host') or self._address()}",
        )
        sent, status = 0, 0
        try:
            status, sent = self._answer(call)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            if not call.path.startswith(("/_control", "/_static", "/favicon")):
                self._note(call, parts.query, status, sent, time.monotonic() - began, started_at)

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

    def _note(self, call: Call, query: str, status: int, sent: int, seconds: float, at: float) -> None:
        self.world.record_call(
            {
                "method": call.method,
                "path": call.path,
                "query": query,
                "org": call.found_org.id if call.found_org else None,
                "user": call.username or None,
                "status": status,
                "time": at,
                "seconds": round(seconds, 4),
                "bytes": sent,
            }
        )

    def _answer(self, call: Call) -> tuple[int, int]:
        """Status and bytes sent; 0 and 0 where the connection was dropped."""
        fault = None
        if not call.path.startswith("/_"):
            fault = self.world.fault_for(call.method, call.path, _org_of(call))
        if fault is not None:
            time.sleep(float(fault.get("delay", 0)))
            if fault.get("expire_tokens"):
                self.world.grants.expire(fault.get("org"))
            if fault.get("drop") in (True, "before"):
                return self._drop()
        if fault is not None and "status" in fault:
            response = _scripted(fault)
        else:
            try:
                response = dispatch(call)
            except KNOWN_ERRORS as error:
                response = refusal(call, error)
        if fault is not None and fault.get("drop") == "after":
            return self._drop()
        return response.status, self._send(call, response, fault)

    def _drop(self) -> tuple[int, int]:
        """Close without a word, as a broken network does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.rfile.close()
        return 0, 0

    def _send(self, call: Call, response: Response, fault: dict[str, Any] | None) -> int:
        body, file = response.content(), response.file
        length = len(body) + (file.end - file.start if file else 0)
        head = self._head(call, response, length)
        if call.method == "HEAD":
            self.wfile.write(head)
            return 0
        if fault is not None and "truncate" in fault:
            whole = body + (file.path.read_bytes()[file.start : file.end] if file else b"")
            self.wfile.write(head + whole[: int(fault["truncate"])])
            self.close_connection = True
            return int(fault["truncate"])
        self.wfile.write(head + body)
        if file is not None and file.end > file.start:
            with file.path.open("rb") as source:
                self.connection.sendfile(source, file.start, file.end - file.start)
        return length

    def _head(self, call: Call, response: Response, length: int) -> bytes:
        lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Answer')}"]
        lines.append(f"Date: {formatdate(call.found_org.now().timestamp() if call.found_org else None, usegmt=True)}")
        has_body = response.status not in {204, 304}
        if has_body:
            lines.append(f"Content-Type: {response.kind}")
            lines.append(f"Content-Length: {length}")
        names = {name.lower() for name in response.headers}
        lines += [f"{name}: {value}" for name, value in _ALWAYS if name.lower() not in names]
        org = call.found_org
        if org is not None and response.status != 401 and not call.path.startswith(_WITHOUT_USAGE):
            lines.append(f"Sforce-Limit-Info: api-usage={org.api_used}/{org.api_limit}")
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _org_of(call: Call) -> str | None:
    """The org of a call's token, before it is checked: 15 characters in front of the exclamation mark."""
    token = call.headers.get("authorization", "").partition(" ")[2]
    access = call.world.grants.access.get(token)
    return access.org_id if access else None


def _scripted(fault: dict[str, Any]) -> Response:
    body = fault.get("body", "")
    content = body.encode() if isinstance(body, str) else None
    kind = fault.get("type", "application/json;charset=UTF-8")
    return Response(int(fault["status"]), body, dict(fault.get("headers") or {}), kind, content)


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

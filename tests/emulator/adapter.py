"""requests led to an emulator in this process, as if it listened at its address."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from emulator.local import ConnectionDropped, LocalAnswer, LocalEmulator

_send = HTTPAdapter.send


class LocalAdapter(HTTPAdapter):
    """Carries requests to one emulator."""

    def __init__(self, local: LocalEmulator) -> None:
        super().__init__()
        self._local = local

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """The emulator's answer; raises what requests raises."""
        parts = urlsplit(str(request.url))
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            answer = self._local.send(str(request.method), target, dict(request.headers), _bytes_of(request.body))
        except ConnectionDropped:
            raise requests.ConnectionError("Connection reset by peer", request=request) from None
        built: requests.Response = self.build_response(request, _raw(answer))
        if not options.get("stream"):
            _ = built.content  # read now, as requests does
        return built


def _bytes_of(body: Any) -> bytes:
    """A body as requests prepares it: none, text, bytes or an open file."""
    content = body.read() if hasattr(body, "read") else body
    return content.encode() if isinstance(content, str) else bytes(content or b"")


def _raw(answer: LocalAnswer) -> HTTPResponse:
    content = answer.body[: answer.cut]
    source = _Dripping(content, answer.drip) if answer.drip else io.BytesIO(content)
    return HTTPResponse(
        body=source,
        headers=answer.headers,
        status=answer.status,
        preload_content=False,
        decode_content=False,
        enforce_content_length=True,
    )


class _Dripping(io.BytesIO):
    """Bytes that come one at a time."""

    def __init__(self, content: bytes, seconds: float) -> None:
        super().__init__(content)
        self._seconds = seconds

    def read1(self, size: int | None = -1, /) -> bytes:
        time.sleep(self._seconds)
        return super().read1(1)


@contextmanager
def leading_to(local: LocalEmulator) -> Iterator[None]:
    """Within the block every session of requests reaches the emulator at its address, and the network elsewhere."""
    adapter = LocalAdapter(local)

    def send(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        if isinstance(self, LocalAdapter) or not str(request.url).startswith(local.base_url + "/"):
            return _send(self, request, *args, **options)
        return adapter.send(request, *args, **options)

    HTTPAdapter.send = send  # type: ignore[method-assign]
    try:
        yield
    finally:
        HTTPAdapter.send = _send  # type: ignore[method-assign]

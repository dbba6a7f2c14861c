"""Which programs make up Syncline on one machine."""

import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from celery import Celery

from config.runner.process import Program
from config.runner.supervisor import Service

CHECKOUT = Path(__file__).resolve().parents[2]
QUEUES = {"interactive": 4, "routine": 4, "bulk": 4}  # threads, in a process of each queue's own


def answers(url: str) -> Callable[[], bool]:
    """Whether a web server answers there, with anything but a failure of its own."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # our own loopback address
                return bool(answer.status < 500)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code < 500
        except OSError:
            return False

    return ask


class Stack:
    """The programs of one copy, with its environment and its logs in its state folder."""

    def __init__(self, state: Path, environment: Mapping[str, str]) -> None:
        self._state = state
        self.environment = {**os.environ, **environment, "NO_BOOTSTRAP": "1", "PYTHONUNBUFFERED": "1"}
        self._celery = Celery(broker=environment["REDIS_URL"], set_as_current=False)

    def program(
        self,
        name: str,
        *arguments: str,
        death_signal: signal.Signals = signal.SIGTERM,
        files: tuple[int, ...] = (),
    ) -> Program:
        """A Python module of the product as a program."""
        logs = self._state / "logs"
        logs.mkdir(exist_ok=True)
        return Program(
            name=name,
            argv=(sys.executable, "-m", *arguments),
            log=logs / f"{name}.log",
            environment=self.environment,
            folder=CHECKOUT,
            death_signal=death_signal,
            files=files,
        )

    def manage(self, *arguments: str) -> Program:
        return self.program(arguments[0], "django", *arguments)

    def emulator(self, port: int) -> Service:
        """The stand-in for Salesforce."""
        data = self._state / "emulator"
        data.mkdir(exist_ok=True)
        program = self.program("emulator", "emulator", "--port", str(port), "--data", str(data))
        return Service(program, answers(f"http://127.0.0.1:{port}/"))

    def web(self, listener: int, address: str) -> Service:
        """gunicorn on a socket that is ours, so that the address stays taken while it restarts."""
        arguments = ["--worker-class", "gthread", "--workers", "2", "--threads", "8", "--bind", f"fd://{listener}"]
        arguments += ["--graceful-timeout", "4", "--timeout", "60", "--worker-tmp-dir", str(self._state)]
        arguments += ["--preload", "--no-control-socket", "config.wsgi:application"]
        program = self.program("web", "gunicorn", *arguments, files=(listener,))
        return Service(program, answers(f"{address}/healthz"))

    def worker(self, queue: str) -> Service:
        """A worker of one queue. It may be killed at any time: work is held by leases in the database."""
        hostname = f"{queue}@syncline"
        arguments = ["-A", "config.celery:app", "worker", "--queues", queue, "--hostname", hostname]
        arguments += ["--pool", "threads", "--concurrency", str(QUEUES[queue]), "--loglevel", "INFO"]
        arguments += ["--without-gossip", "--without-mingle"]
        program = self.program(f"worker-{queue}", "celery", *arguments, death_signal=signal.SIGKILL)
        return Service(program, lambda: bool(self._celery.control.ping([hostname], timeout=0.5, limit=1)))

    def beat(self) -> Service:
        """The clock that wakes what is due."""
        schedule = self._state / "beat-schedule"
        written = f"{schedule.name}*"  # dbm adds an ending of its own
        for old in self._state.glob(written):
            old.unlink()
        arguments = ["-A", "config.celery:app", "beat", "--schedule", str(schedule), "--pidfile=", "--loglevel", "INFO"]
        program = self.program("beat", "celery", *arguments, death_signal=signal.SIGKILL)
        return Service(program, lambda: any(self._state.glob(written)))

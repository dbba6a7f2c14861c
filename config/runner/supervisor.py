"""Keeps programs running: starts them in order, restarts what dies, and stops everything in reverse."""

import contextlib
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType

from config.runner.process import Child, Program, RunnerError, log_tail, wait_until_ready

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SHORT_LIFE = 15.0
MOST_SHORT_LIVES = 5
LONGEST_BACKOFF = 8.0
SECONDS_TO_STOP = 9.0


class Stopped(Exception):
    """Somebody asked the supervisor to stop."""


@dataclass(slots=True)
class Service:
    """A program that has to run all the time, and how to tell that it does its work."""

    program: Program
    is_ready: Callable[[], bool]
    child: Child | None = None
    short_lives: int = 0
    restart_at: float | None = None
    restarts: int = field(default=0)


class Supervisor:
    """Services in stages: a stage starts together, when the one before is ready, and stops together."""

    def __init__(
        self,
        *,
        say: Callable[[str], None] = print,
        note_children: Callable[[Sequence[int]], None] = lambda pids: None,
    ) -> None:
        self._say = say
        self._note_children = note_children
        self._stages: list[list[Service]] = []
        self._is_stopping = False
        self._wake: list[socket.socket] = []

    @contextlib.contextmanager
    def signals(self) -> Iterator["Supervisor"]:
        """Ctrl-C and its like end the waiting, wherever it is; afterwards everything is stopped."""
        wake, wake_write = socket.socketpair()
        wake.setblocking(False)
        wake_write.setblocking(False)
        self._wake = [wake]
        before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        wakeup = signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
        try:
            yield self
        finally:
            self.stop()
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._wake = []
            wake.close()
            wake_write.close()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True

    def pause(self, seconds: float) -> None:
        """Wait, and raise Stopped as soon as a signal says so."""
        deadline = time.monotonic() + seconds
        while not self._is_stopping and (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select(self._wake, [], [], left)
            for wake in readable:
                wake.recv(64)
        if self._is_stopping:
            raise Stopped

    @property
    def services(self) -> list[Service]:
        return [service for stage in self._stages for service in stage]

    def start(self, *services: Service, seconds: float = 60.0) -> None:
        """Start a stage and return when each of its services is ready."""
        self.launch(*services)
        self.wait_for(*services, seconds=seconds)

    def launch(self, *services: Service) -> None:
        """Start a stage without waiting for it."""
        self._stages.append(list(services))
        for service in services:
            self._start_child(service)

    def wait_for(self, *services: Service, seconds: float = 60.0) -> None:
        for service in services:
            if service.child is not None:
                wait_until_ready(service.child, service.is_ready, seconds=seconds, pause=self.pause)

    def _start_child(self, service: Service) -> None:
        service.child = Child(service.program)
        service.restart_at = None
        self._note_children([s.child.pid for s in self.services if s.child is not None])

    def run_once(self, program: Program) -> None:
        """Run a program to its end; raise with the end of its log when it fails."""
        child = Child(program)
        try:
            while child.exit_code is None:
                self.pause(0.05)
        finally:
            child.kill()
        if child.exit_code != 0:
            raise RunnerError(f"{program.name} failed; the end of {program.log}:\n{log_tail(program.log)}")

    def watch(self) -> None:
        """Restart whatever dies, until a signal comes (raises Stopped) or one cannot be kept alive."""
        while True:
            for service in self.services:
                self._look_after(service)
            self.pause(0.25)

    def _look_after(self, service: Service) -> None:
        now = time.monotonic()
        if service.restart_at is not None:
            if now >= service.restart_at:
                service.restarts += 1
                self._start_child(service)
            return
        child = service.child
        if child is None or child.exit_code is None:
            return
        child.kill()  # what it may have left of its group
        name, log = service.program.name, service.program.log
        service.short_lives = service.short_lives + 1 if now - child.started_at < SHORT_LIFE else 1
        if service.short_lives > MOST_SHORT_LIVES:
            raise RunnerError(f"{name} keeps stopping; the end of {log}:\n{log_tail(log)}")
        delay = min(0.25 * 2 ** (service.short_lives - 1), LONGEST_BACKOFF)
        self._say(f"{name} stopped (exit code {child.exit_code}) and is started again; see {log}")
        service.restart_at = now + delay

    def stop(self) -> None:
        """Stop all stages, the last one first, within ten seconds."""
        deadline = time.monotonic() + SECONDS_TO_STOP
        while self._stages:
            stage = [service.child for service in self._stages.pop() if service.child is not None]
            for child in stage:
                child.ask_to_stop()
            for child in stage:
                # Each stage still to come keeps a second and a half, so that the database always stops cleanly.
                child.stop(seconds=deadline - 1.5 * len(self._stages) - time.monotonic())
        self._note_children([])

"""The supervisor starts in order, restarts what dies, gives up on what cannot live, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.runner.process import Child, Program, RunnerError
from config.runner.stack import CHECKOUT
from config.runner.state import has_started, when_started
from config.runner.supervisor import Service, Stopped, Supervisor
from tests.runner.tools import eventually

SLEEPS = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
PARENT = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);\
 print('born', flush=True); time.sleep(600)"

SUPERVISES = """
import sys
from pathlib import Path
from config.runner.process import Program
from config.runner.supervisor import Service, Stopped, Supervisor
pids = lambda numbers: Path(sys.argv[1]).write_text(" ".join(map(str, numbers)))
supervisor = Supervisor(note_children=pids)
sleep = (sys.executable, "-c", "import time; time.sleep(600)")
sleeps = lambda name: Service(Program(name, sleep, Path(sys.argv[1]).with_name(name)), lambda: True)
try:
    with supervisor.signals():
        supervisor.start(sleeps("one"))
        supervisor.start(sleeps("two"), sleeps("three"))
        print("ready", flush=True)
        supervisor.watch()
except Stopped:
    print("stopped", flush=True)
"""


def program(folder: Path, name: str, code: str) -> Program:
    return Program(name=name, argv=(sys.executable, "-c", code), log=folder / f"{name}.log")


def service(folder: Path, name: str, code: str = SLEEPS) -> Service:
    return Service(program(folder, name, code), lambda: True)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor(say=lambda text: None)
    yield made
    made.stop()


def pid_of(one: Service) -> int:
    assert one.child is not None
    return one.child.pid


def watch(supervisor: Supervisor) -> None:
    with supervisor.signals():
        supervisor.watch()


def watch_until(supervisor: Supervisor, holds: Callable[[], bool]) -> None:
    """Let the supervisor watch until a condition holds, then end its watch as Ctrl-C would."""

    def interrupt() -> None:
        if eventually(holds):
            os.kill(os.getpid(), signal.SIGINT)
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(Stopped):
        watch(supervisor)
    thread.join()


def test_dying_child_is_started_again(tmp_path: Path, supervisor: Supervisor) -> None:
    one = service(tmp_path, "one")
    supervisor.start(one)
    first = pid_of(one)
    os.kill(first, signal.SIGKILL)

    watch_until(supervisor, lambda: one.restarts == 1 and when_started(pid_of(one)) != "")

    assert one.restarts == 1
    assert pid_of(one) != first


def test_child_that_cannot_live_ends_it_all_with_the_end_of_its_log(
    tmp_path: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.runner.supervisor.LONGEST_BACKOFF", 0.01)
    healthy, broken = service(tmp_path, "healthy"), service(tmp_path, "broken", "raise SystemExit('no such table')")

    supervisor.launch(healthy)
    pid = pid_of(healthy)
    supervisor.launch(broken)

    with pytest.raises(RunnerError, match=r"broken keeps stopping[\s\S]*no such table"):
        watch(supervisor)

    assert when_started(pid) == ""


def test_child_that_dies_before_it_is_ready_is_reported(tmp_path: Path, supervisor: Supervisor) -> None:
    broken = Service(program(tmp_path, "broken", "raise SystemExit('bad setting')"), lambda: False)
    with pytest.raises(RunnerError, match=r"broken stopped at once[\s\S]*bad setting"):
        supervisor.start(broken)


def test_child_that_never_gets_ready_is_reported(tmp_path: Path, supervisor: Supervisor) -> None:
    slow = Service(program(tmp_path, "slow", SLEEPS), lambda: False)
    with pytest.raises(RunnerError, match="slow was not ready within 0 s"):
        supervisor.start(slow, seconds=0.3)


def test_failing_step_is_reported_with_the_end_of_its_log(tmp_path: Path, supervisor: Supervisor) -> None:
    with pytest.raises(RunnerError, match=r"prepare failed[\s\S]*no connection"):
        supervisor.run_once(program(tmp_path, "prepare", "raise SystemExit('no connection')"))


def test_stages_stop_last_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    tells = "import signal, sys, time\n\
def leave(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2] + ' '); sys.exit()\n\
signal.signal(signal.SIGTERM, leave); open(sys.argv[1] + sys.argv[2], 'w').close(); time.sleep(600)"
    supervisor = Supervisor()
    for name in ("database", "web"):
        told = Program(name, (sys.executable, "-c", tells, str(order), name), tmp_path / f"{name}.log")
        ready = tmp_path / f"order{name}"
        supervisor.start(Service(told, ready.exists))

    supervisor.stop()

    assert order.read_text(encoding="utf-8").split() == ["web", "database"]


def test_child_that_does_not_listen_is_ended_by_force(tmp_path: Path) -> None:
    deaf = Child(program(tmp_path, "deaf", STUBBORN))
    assert eventually(lambda: "deaf" in deaf.program.log.read_text(encoding="utf-8"))

    deaf.stop(seconds=0.2)

    assert deaf.exit_code == -signal.SIGKILL


def test_grandchildren_end_with_their_parent(tmp_path: Path) -> None:
    parent = Child(program(tmp_path, "parent", PARENT))
    assert eventually(lambda: "born" in parent.program.log.read_text(encoding="utf-8"))
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    grandchild = int(children.read_text(encoding="utf-8"))

    parent.stop(seconds=5)

    assert eventually(lambda: when_started(grandchild) == "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_however_the_supervisor_ends_nothing_is_left(tmp_path: Path, number: signal.Signals, code: int) -> None:
    noted = tmp_path / "pids"
    running = subprocess.Popen(
        [sys.executable, "-c", SUPERVISES, str(noted)], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )
    assert running.stdout is not None
    with running.stdout:
        assert running.stdout.readline() == "ready\n"
        children = {pid: when_started(pid) for pid in map(int, noted.read_text(encoding="utf-8").split())}
        assert len(children) == 3
        assert all(children.values())

        began = time.monotonic()
        running.send_signal(number)
        assert running.wait(timeout=20) == code

        assert eventually(lambda: not any(has_started(pid, at) for pid, at in children.items()))
        assert time.monotonic() - began < 10

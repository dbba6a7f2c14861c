"""Each running copy has a state of its own; a killed one leaves nothing in the way of the next."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.runner.files import is_reachable
from config.runner.ports import free_port, is_listening, listen, reserve
from config.runner.process import Account, RunnerError
from config.runner.state import environment_of_running, open_state, state_home, when_started

NOBODY = Account(user=65534, group=65534)


def test_second_copy_at_the_same_time_gets_a_state_of_its_own(folder: Path) -> None:
    with (
        open_state(folder / "s", "demo", numbered=True) as first,
        open_state(folder / "s", "demo", numbered=True) as two,
    ):
        assert (first.folder.name, two.folder.name) == ("demo", "demo-2")
    with open_state(folder / "s", "demo", numbered=True) as again:
        assert again.folder.name == "demo"


def test_second_copy_of_up_is_refused(folder: Path) -> None:
    with (
        open_state(folder / "s", "up", numbered=False),
        pytest.raises(RunnerError, match="Already running"),
        open_state(folder / "s", "up", numbered=False),
    ):
        pass


def test_secrets_are_drawn_once_and_are_nobody_elses(folder: Path) -> None:
    with open_state(folder / "s", "demo", numbered=True) as state:
        drawn = state.secrets()
        assert state.path("secrets.json").stat().st_mode & 0o777 == 0o600
    with open_state(folder / "s", "demo", numbered=True) as state:
        assert state.secrets() == drawn
    with open_state(folder / "s", "other", numbered=True) as state:
        assert not set(state.secrets().values()) & set(drawn.values())


def test_survivors_of_a_killed_copy_are_ended(folder: Path) -> None:
    survivor = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open_state(folder / "s", "demo", numbered=True) as state:
        state.note_children([survivor.pid])
        state.end_survivors(seconds=0.2)
        assert survivor.wait(timeout=10) == -9
        assert not state.path("children.json").exists()


def test_somebody_elses_process_with_a_survivors_number_is_left_alone(folder: Path) -> None:
    with open_state(folder / "s", "demo", numbered=True) as state:
        state.path("children.json").write_text(f'{{"{os.getpid()}": "1"}}', encoding="utf-8")
        state.end_survivors(seconds=0.2)
    assert when_started(os.getpid())


def test_other_commands_find_the_environment_of_a_running_copy_only(folder: Path) -> None:
    home = folder / "s"
    with open_state(home, "demo", numbered=True) as state:
        state.remember({"DATABASE_URL": "x"})
        assert environment_of_running(home, ["up", "demo"]) == {"DATABASE_URL": "x"}
    assert environment_of_running(home, ["up", "demo"]) == {}


def test_state_lies_elsewhere_when_the_checkout_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setattr("config.runner.state.unprivileged_account", lambda: None)

    assert folder / "cache" in state_home(folder).parents


@pytest.mark.parametrize(("mode", "expected"), [(0o755, True), (0o711, True), (0o700, False)])
def test_reachable_is_what_another_account_may_pass_through(folder: Path, mode: int, expected: bool) -> None:
    inner = folder / "inner"
    inner.mkdir()
    folder.chmod(0o711)
    inner.chmod(mode)

    assert is_reachable(inner / "missing", NOBODY) is expected


def test_taken_port_gives_the_next_one_or_a_sentence() -> None:
    with listen(free_port(), or_next=True) as first:
        port = first.getsockname()[1]
        assert is_listening(port)
        with listen(port, or_next=True) as second:
            assert port < second.getsockname()[1] <= port + 100
        with pytest.raises(RunnerError, match=f"Port {port} is taken; set SYNCLINE_PORT"):
            listen(port, or_next=False)


def test_reserved_port_is_not_reserved_twice() -> None:
    port, reservation = reserve(free_port())
    with reservation:
        another, second = reserve(port)
        second.close()
        assert another > port
    again, third = reserve(port)
    third.close()
    assert again == port

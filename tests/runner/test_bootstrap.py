"""What ``manage.py`` decides before anything is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import manage

DEMO = manage.stamp_for("demo")
TEST = manage.stamp_for("test")


@pytest.mark.parametrize(
    ("found", "lock", "lacking"),
    [
        pytest.param({}, "demo", "everything", id="no environment"),
        pytest.param(DEMO, "demo", "nothing", id="the demo's, for the demo"),
        pytest.param(DEMO, "test", "packages", id="the demo's, for the tests: added to it"),
        pytest.param(TEST, "test", "nothing", id="the tests', for the tests"),
        pytest.param(TEST, "demo", "nothing", id="the tests', for the demo: never rebuilt down"),
        pytest.param({**DEMO, "demo": "old"}, "demo", "everything", id="the lock has changed"),
        pytest.param({**TEST, "test": "old"}, "test", "everything", id="the tests' lock has changed"),
        pytest.param({**TEST, "test": "old"}, "demo", "nothing", id="the tests' lock has changed, for the demo"),
        pytest.param({**DEMO, "python": "3.99"}, "demo", "everything", id="made by another Python"),
    ],
)
def test_environment_is_completed_or_made_anew(found: dict[str, str], lock: str, lacking: str) -> None:
    assert manage.missing(found, lock) == lacking


@pytest.mark.parametrize(
    ("arguments", "module", "rest"),
    [
        (["test", "-k", "x"], "pytest", ["-k", "x"]),
        (["demo"], "config.runner", ["demo"]),
        (["up"], "config.runner", ["up"]),
        (["migrate", "--plan"], "config.runner", ["migrate", "--plan"]),
        ([], "config.runner", []),
    ],
)
def test_command_line(arguments: list[str], module: str, rest: list[str]) -> None:
    assert manage.command_line("python", arguments) == ["python", "-m", module, *rest]


def test_steps_aside_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_BOOTSTRAP", "1")

    assert manage.steps_aside("test")


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        pytest.param("/somewhere/else", True, id="another active environment that has the packages"),
        pytest.param(str(manage.environment_folder()), False, id="our own, which is kept up to date"),
        pytest.param(sys.base_prefix, False, id="no environment"),
    ],
)
def test_steps_aside_in_another_environment(monkeypatch: pytest.MonkeyPatch, prefix: str, expected: bool) -> None:
    monkeypatch.delenv("NO_BOOTSTRAP", raising=False)
    monkeypatch.setattr(sys, "prefix", prefix)

    assert manage.steps_aside("demo") is expected


def test_environment_that_lacks_packages_is_not_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_BOOTSTRAP", raising=False)
    monkeypatch.setattr(sys, "prefix", "/somewhere/else")
    monkeypatch.setitem(manage.NEEDED, "demo", ("a_package_that_does_not_exist",))

    assert not manage.steps_aside("demo")


def test_unwritable_checkout_keeps_its_environment_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert manage.environment_folder().parent.parent == tmp_path


def test_half_made_environment_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    assert manage.read_stamp(tmp_path) == {}

    (tmp_path / manage.STAMP).write_text('{"python": "3.11", "de')
    assert manage.read_stamp(tmp_path) == {}


def test_environment_whose_python_is_gone_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / manage.STAMP).write_text('{"python": "3.11"}')

    assert manage.read_stamp(tmp_path) == {}


def test_old_python_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))

    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        manage.main()


def test_without_arguments_the_commands_are_listed() -> None:
    answer = subprocess.run(
        [sys.executable, str(manage.BASE / "manage.py")],
        env={**os.environ, "NO_BOOTSTRAP": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "manage.py demo" in answer.stdout

"""What ``demo`` tells its processes about Salesforce."""

from pathlib import Path

import pytest

from config.runner.commands import EMULATOR_CLIENT, demo_environment
from config.runner.state import open_state


def told(folder: Path, given: dict[str, str]) -> dict[str, str]:
    with open_state(folder / "s", "demo", numbered=True) as state:
        environment = demo_environment(state, 8100, given)
    return {name: value for name, value in environment.items() if name.startswith("SALESFORCE")}


def test_demo_uses_its_stand_in(folder: Path) -> None:
    assert told(folder, {}) == {
        "SALESFORCE_LOGIN_URL": "http://127.0.0.1:8100",
        "SALESFORCE_TRUSTED_HOSTS": "127.0.0.1:8100",
        **EMULATOR_CLIENT,
    }


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        pytest.param("127.0.0.1:9000", {"SALESFORCE_TRUSTED_HOSTS": "127.0.0.1:9000,127.0.0.1:8100"}, id="loopback"),
        pytest.param("crm.example.com", {}, id="elsewhere: the stand-in is not trusted beside it"),
        pytest.param("127.0.0.1:9000, crm.example.com", {}, id="mixed"),
        pytest.param("", {}, id="none"),
    ],
)
def test_salesforce_given_from_outside_is_used_as_it_is(folder: Path, trusted: str, expected: dict[str, str]) -> None:
    given = {"SALESFORCE_LOGIN_URL": "http://127.0.0.1:9000", "SALESFORCE_TRUSTED_HOSTS": trusted}

    assert told(folder, given) == expected

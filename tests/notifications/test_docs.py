"""The snippet in docs/webhooks.md does what it says."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.domain.webhooks import signature

BODY = b'{"event":"record.updated","name":"Zo\xc3\xab"}'
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def check() -> Callable[..., bool]:
    text = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    space: dict[str, Any] = {}
    exec(snippet, space)
    found: Callable[..., bool] = space["is_from_syncline"]
    return found


@pytest.mark.parametrize(
    ("secret", "body", "late", "expected"),
    [
        ("whsec_a", BODY, 0, True),
        ("whsec_a", BODY, 299, True),
        ("whsec_a", BODY, 301, False),
        ("whsec_a", BODY, -301, False),
        ("whsec_b", BODY, 0, False),
        ("whsec_a", BODY + b" ", 0, False),
    ],
)
def test_snippet_knows_what_is_ours(
    check: Callable[..., bool], secret: str, body: bytes, late: int, expected: bool
) -> None:
    header = signature("whsec_a", BODY, NOW)
    assert check(secret, header, body, now=NOW.timestamp() + late) is expected


@pytest.mark.parametrize("header", ["", "v1=", "t=,v1=", "t=1,t=2,v1=x", "t=x,v1=y", "nonsense", "=,=,="])
def test_snippet_refuses_nonsense(check: Callable[..., bool], header: str) -> None:
    assert not check("whsec_a", header, BODY, now=NOW.timestamp())


def test_snippet_takes_either_secret_while_one_is_rotated(check: Callable[..., bool]) -> None:
    new, old = signature("new", BODY, NOW), signature("old", BODY, NOW)
    header = f"{new},{old.partition(',')[2]}"
    assert [check(secret, header, BODY, now=NOW.timestamp()) for secret in ("new", "old", "third")] == [
        True, True, False,
    ]  # fmt: skip

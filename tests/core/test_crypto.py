"""Secrets at rest: only for their own row, with keys that can be changed."""

import base64
import secrets

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from apps.core.crypto import CannotDecrypt, is_sealed_with_newest_key, seal, unseal

HERE = "integrations_connection:1:access_token"


def key(name: str) -> str:
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.SYNCLINE_ENCRYPTION_KEYS = (key("first"),)


@pytest.mark.parametrize("plain", ["", "00D!token", "ключ 🔑", "x" * 10_000])
def test_what_was_sealed_opens_in_its_place(plain: str) -> None:
    assert unseal(seal(plain, binding=HERE), binding=HERE) == plain


def test_the_same_secret_never_looks_the_same_twice_and_never_shows() -> None:
    sealed = [seal("00D!token", binding=HERE) for _ in range(20)]
    assert len(set(sealed)) == 20
    assert not any("00D!token" in one for one in sealed)


@pytest.mark.parametrize("there", ["integrations_connection:2:access_token", "integrations_connection:1:refresh", ""])
def test_a_secret_copied_to_another_row_or_column_does_not_open(there: str) -> None:
    with pytest.raises(CannotDecrypt):
        unseal(seal("00D!token", binding=HERE), binding=there)


def test_a_new_key_seals_and_the_old_one_still_opens(settings: Settings) -> None:
    old = seal("00D!token", binding=HERE)
    assert is_sealed_with_newest_key(old)
    settings.SYNCLINE_ENCRYPTION_KEYS = (key("second"), *settings.SYNCLINE_ENCRYPTION_KEYS)
    assert not is_sealed_with_newest_key(old)
    assert unseal(old, binding=HERE) == "00D!token"
    assert seal("00D!token", binding=HERE).startswith("second:")


def test_without_its_key_a_secret_stays_shut(settings: Settings) -> None:
    sealed = seal("00D!token", binding=HERE)
    settings.SYNCLINE_ENCRYPTION_KEYS = (key("second"),)
    with pytest.raises(CannotDecrypt, match="first"):
        unseal(sealed, binding=HERE)
    settings.SYNCLINE_ENCRYPTION_KEYS = (key("first"),)  # the same name, another key
    with pytest.raises(CannotDecrypt):
        unseal(sealed, binding=HERE)


@pytest.mark.parametrize("broken", ["", "first:", "first:!!!", "first:AAAA", "plain text", "first"])
def test_what_is_no_sealed_secret_is_refused_and_never_given_back(broken: str) -> None:
    with pytest.raises(CannotDecrypt):
        unseal(broken, binding=HERE)


def test_a_secret_that_was_tampered_with_does_not_open() -> None:
    sealed = seal("00D!token", binding=HERE)
    for at in range(len("first:"), len(sealed) - 4, 7):
        other = "A" if sealed[at] != "A" else "B"
        with pytest.raises(CannotDecrypt):
            unseal(sealed[:at] + other + sealed[at + 1 :], binding=HERE)


@pytest.mark.parametrize("configured", ["first:short", "first:!!!!", "first"])
def test_a_bad_key_stops_the_start_and_says_how_keys_look(settings: Settings, configured: str) -> None:
    settings.SYNCLINE_ENCRYPTION_KEYS = (configured,)
    with pytest.raises(ImproperlyConfigured, match="id:base64key"):
        seal("x", binding=HERE)

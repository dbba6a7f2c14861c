"""Filters that turn names into words."""

from typing import Any

import pytest

from apps.console.templatetags.words import bare_site, breakable, sentence, spaced, told


@pytest.mark.parametrize(
    ("name", "words"),
    [("full_sync_started", "Full sync started"), ("DNS_set", "DNS set"), ("api_key_made", "API key made"), ("", "")],
)
def test_a_name_of_the_database_becomes_words(name: str, words: str) -> None:
    assert spaced(name) == words


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("\n  Two-Factor Authentication\n", "Two-factor authentication"),
        ("Change Password", "Change password"),
        ("Your API Keys", "Your API keys"),
        ("", ""),
    ],
)
def test_a_title_becomes_a_sentence_and_abbreviations_stay(title: str, words: str) -> None:
    assert sentence(title) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (None, "—"),
        ([], "—"),
        ({}, "—"),
        (0, "0"),
        (["record.created", "run.finished"], "record.created, run.finished"),
        ([{"kind": "change_case", "values": {"field": "title"}}, {"kind": "stop"}], "change case, field: title; stop"),
    ],
)
def test_a_value_of_the_audit_log_is_no_code(value: Any, words: str) -> None:
    assert told(value) == words


@pytest.mark.parametrize(
    ("website", "words"), [("https://www.example.com/", "example.com"), ("example.com/a", "example.com/a"), ("—", "—")]
)
def test_a_website_is_shown_as_people_say_it(website: str, words: str) -> None:
    assert bare_site(website) == words


def test_an_address_breaks_before_its_at_and_stays_harmless() -> None:
    assert breakable("ada@example.com") == "ada<wbr>@example.com"
    assert "<b>" not in breakable("<b>@example.com")
    assert breakable("—") == "<wbr>—"

"""Filters that turn names into words."""

import pytest

from apps.console.templatetags.words import sentence, spaced


@pytest.mark.parametrize(
    ("name", "words"), [("full_sync_started", "Full sync started"), ("DNS_set", "DNS set"), ("", "")]
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

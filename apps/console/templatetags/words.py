"""Filters that turn what the database calls things into words."""

import re

from django import template

register = template.Library()


@register.filter
def spaced(name: str) -> str:
    """``full_sync_started`` as "Full sync started"; what has capitals of its own keeps them."""
    words = str(name).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


@register.filter
def sentence(title: str) -> str:
    """A Title In Capitals As a sentence has it; abbreviations stay as they are."""
    words = " ".join(title.split())
    return words[:1] + re.sub(r"\b[A-Z](?=[a-z])", lambda capital: capital[0].lower(), words[1:])

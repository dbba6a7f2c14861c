"""Filters that turn what the database calls things into words."""

import re
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def spaced(name: str) -> str:
    """``full_sync_started`` as "Full sync started"; what has capitals of its own keeps them."""
    words = re.sub(r"\b(?:api|url|csv)\b", lambda short: short[0].upper(), str(name).replace("_", " ").strip())
    return words[:1].upper() + words[1:]


@register.filter
def told(value: Any) -> str:
    """A value of the audit log as a sentence has it: yes and no, lists with commas, nothing as a dash."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        parts = (
            told(one) if isinstance(one, dict | list) or key == "kind" else f"{key}: {told(one)}"
            for key, one in value.items()
        )
        return ", ".join(part.replace("_", " ") for part in parts) or "—"
    if isinstance(value, list):
        between = "; " if any(isinstance(one, dict) for one in value) else ", "
        return between.join(map(told, value)) or "—"
    return "—" if value is None or value == "" else str(value)


@register.filter
def bare_site(website: str) -> str:
    """A website as people say it: ``https://www.example.com/`` as "example.com"."""
    return re.sub(r"^https?://(?:www\.)?", "", website, flags=re.IGNORECASE).removesuffix("/")


@register.filter
def breakable(email: str) -> SafeString:
    """An address that a narrow column breaks before its @."""
    name, at, domain = email.rpartition("@")
    return format_html("{}<wbr>{}{}", name, at, domain)


@register.filter
def sentence(title: str) -> str:
    """A Title In Capitals As a sentence has it; abbreviations stay as they are."""
    words = " ".join(title.split())
    return words[:1] + re.sub(r"\b[A-Z](?=[a-z])", lambda capital: capital[0].lower(), words[1:])

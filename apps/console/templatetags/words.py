"""Filters that turn what the database calls things into words."""

from django import template

register = template.Library()


@register.filter
def spaced(name: str) -> str:
    """``full_sync_started`` as "Full sync started"; what has capitals of its own keeps them."""
    words = str(name).replace("_", " ").strip()
    return words[:1].upper() + words[1:]

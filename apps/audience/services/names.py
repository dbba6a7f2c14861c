"""Names of lists and sequences: one line, not blank, not taken."""

from django.db.models import Model

from apps.domain.values import clean_text

LONGEST_NAME = 200


class BadName(ValueError):
    """A name that cannot be used, with the reason in words."""


def checked_name(text: str, model: type[Model], *, but: int | None = None) -> str:
    """The name on one line. Raises BadName where it is blank, too long or another's already."""
    name = " ".join(clean_text(text).split())
    if not name:
        raise BadName("It needs a name.")
    if len(name) > LONGEST_NAME:
        raise BadName(f"This is too long: at most {LONGEST_NAME} characters.")
    others = model._default_manager.filter(name_key=name.lower())
    if (others.exclude(pk=but) if but is not None else others).exists():
        raise BadName(f"“{name}” exists already.")
    return name

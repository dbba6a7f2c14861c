"""Custom fields: making, renaming and removing their definitions."""

import re
import unicodedata
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.audience.fields import FIELDS, Kind
from apps.audience.models import CustomField
from apps.domain.values import clean_text
from apps.tenants.actors import Actor
from apps.tenants.audit import audit

KINDS = tuple(kind for kind in Kind if kind is not Kind.REFERENCE)
CHOICES = frozenset({Kind.PICKLIST, Kind.MULTIPICKLIST})
MOST_FIELDS = 200
"""Of one record type: each of them is a part of every record's page and form."""
MOST_OPTIONS = 1_000
_LONGEST_KEY, _LONGEST_LABEL, _LONGEST_OPTION = 80, 120, 255
_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_RESERVED = frozenset({"id", "custom", "version", "score", "source", "tenant", "created_at", "updated_at", "is_active"})


class BadField(ValueError):
    """A definition that cannot be: words by part (label, key, kind, options)."""

    def __init__(self, **errors: str) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


def create_custom_field(
    *,
    record_type: str,
    label: str,
    kind: str,
    user: Actor | None,
    key: str = "",
    options: Iterable[str] = (),
) -> CustomField:
    """Define a field; a blank ``key`` is made of the label. A removed field of the same key and type comes back with
    the values that records still hold. Raises BadField."""
    words = _label(label)
    if kind not in KINDS:
        raise BadField(kind="There is no such type.")
    chosen = Kind(kind)
    name = _key(key or key_of(words), record_type)
    choices = _options(options, chosen)
    if CustomField.objects.filter(record_type=record_type).count() >= MOST_FIELDS:
        raise BadField(label=f"There are {MOST_FIELDS} custom fields already, and that is the most.")
    former = CustomField.with_removed.select_for_update().filter(record_type=record_type, key=name).first()
    if former is None:
        row = _insert(CustomField(record_type=record_type, key=name, label=words, kind=chosen, options=choices))
    elif former.removed_at is None:
        raise BadField(key=f"“{name}” exists already: choose another key.")
    elif former.kind != chosen:
        known = Kind(former.kind).label if former.kind in KINDS else former.kind
        raise BadField(key=f"A removed field “{name}” held {known}; choose another key, or make it of this type.")
    else:
        row = former
        row.label, row.options, row.removed_at = words, choices, None
        row.save(update_fields=["label", "options", "removed_at"])
    facts = {"label": row.label, "kind": row.kind, "options": list(row.options)}
    audit(actor=user, action="custom_field_created", subject=_subject(row), after=facts)
    return row


def rename_custom_field(
    *, field: CustomField, label: str, user: Actor | None, options: Iterable[str] | None = None
) -> CustomField:
    """Change the label, and the options of a picklist (None: leave them); key and type stay. Raises BadField."""
    row: CustomField = CustomField.objects.select_for_update().get(id=field.pk)
    choices = row.options if options is None else _options(options, Kind(row.kind))
    words = _label(label)
    after = {"label": words, "options": choices}
    before = {"label": row.label, "options": row.options}
    if before != after:
        row.label, row.options = words, choices
        row.save(update_fields=["label", "options"])
        audit(actor=user, action="custom_field_changed", subject=_subject(row), before=before, after=after)
    return row


def remove_custom_field(*, field: CustomField, user: Actor | None) -> None:
    """Take a field away. Records keep what they hold, unseen; no other type can take its key."""
    row: CustomField | None = CustomField.objects.select_for_update().filter(id=field.pk).first()
    if row is not None:
        row.removed_at = timezone.now()
        row.save(update_fields=["removed_at"])
        audit(actor=user, action="custom_field_removed", subject=_subject(row), before={"label": row.label})


def key_of(label: str) -> str:
    """A key made of a label: "Größe (EU)" → "grosse_eu"; "" where nothing of it can be used."""
    plain = unicodedata.normalize("NFKD", label.replace("ß", "ss")).encode("ascii", "ignore").decode()
    key = "_".join(re.findall(r"[a-z0-9]+", plain.lower()))[:_LONGEST_KEY].strip("_")
    return f"field_{key}"[:_LONGEST_KEY] if key[:1].isdigit() else key


def _insert(row: CustomField) -> CustomField:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise BadField(key=f"“{row.key}” exists already: choose another key.") from error
    return row


def _label(text: str) -> str:
    label = " ".join(clean_text(text).split())
    if not label:
        raise BadField(label="It needs a name.")
    if len(label) > _LONGEST_LABEL:
        raise BadField(label=f"This is too long: at most {_LONGEST_LABEL} characters.")
    return label


def _key(text: str, record_type: str) -> str:
    key = text.strip()
    if not _KEY.fullmatch(key) or len(key) > _LONGEST_KEY:
        words = "Lower-case letters, digits and single underscores, beginning with a letter, such as shoe_size."
        raise BadField(key=words)
    if key in _RESERVED or key in FIELDS.get(record_type, {}):
        raise BadField(key=f"“{key}” is a field of Syncline itself: choose another key.")
    return key


def _options(options: Iterable[str], kind: Kind) -> list[str]:
    found = list(dict.fromkeys(word for option in options if (word := " ".join(clean_text(option).split()))))
    if kind not in CHOICES:
        return []
    if not found:
        raise BadField(options="A picklist needs at least one option.")
    if len(found) > MOST_OPTIONS:
        raise BadField(options=f"At most {MOST_OPTIONS:,} options.")
    if any(len(option) > _LONGEST_OPTION for option in found):
        raise BadField(options=f"An option has at most {_LONGEST_OPTION} characters.")
    if kind is Kind.MULTIPICKLIST and any(";" in option for option in found):
        raise BadField(options="An option of which several can be chosen has no semicolon.")
    return found


def _subject(row: CustomField) -> str:
    return f"{row.record_type}: {row.label}"

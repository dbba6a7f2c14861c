"""Saving filters under a name, and removing them."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.audience.models import SavedFilter
from apps.audience.selectors.saved_filters import filter_type, filterable_fields
from apps.domain.comparisons import check_filter
from apps.domain.filters import BadFilter, from_dict, rules_of
from apps.tenants.audit import audit
from apps.tenants.models import User

LONGEST_NAME = 80
MOST_FILTERS = 100
RECORD_TYPES = ("person", "company")


class CannotSave(Exception):
    """Why a filter is not saved, in words; ``field`` is name or tree."""

    def __init__(self, message: str, field: str = "tree") -> None:
        super().__init__(message)
        self.field = field


def save_filter(
    *, record_type: str, name: str, tree: dict[str, Any], user: User | None, existing: SavedFilter | None = None
) -> SavedFilter:
    """Save a filter under a name, or change the one that is there. Raises CannotSave."""
    said = " ".join(name.replace("\0", "").split())
    _check(record_type, said, tree)
    if existing is None and SavedFilter.objects.filter(record_type=record_type).count() >= MOST_FILTERS:
        raise CannotSave(f"There are {MOST_FILTERS} saved filters already. Remove one first.", "name")
    row = existing or SavedFilter(record_type=record_type)
    before = {"name": row.name, "filter": row.tree} if existing is not None else {}
    row.name, row.tree, row.updated_at = said, tree, timezone.now()
    row.actor_label = user.display_name if user else ""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise CannotSave("Another saved filter has this name.", "name") from error
    action = "filter_saved" if existing is None else "filter_changed"
    audit(
        actor=user, action=action, subject=f"Saved filter {said}", before=before, after={"name": said, "filter": tree}
    )
    return row


def remove_filter(*, saved: SavedFilter, user: User | None) -> None:
    """Remove a saved filter. Steps that loaded it have their own copy and keep it."""
    before = {"name": saved.name, "filter": saved.tree}
    saved.delete()
    audit(actor=user, action="filter_removed", subject=f"Saved filter {before['name']}", before=before)


def _check(record_type: str, name: str, tree: dict[str, Any]) -> None:
    if record_type not in RECORD_TYPES:
        raise CannotSave("There is no such kind of record.")
    if not name:
        raise CannotSave("Give the filter a name.", "name")
    if len(name) > LONGEST_NAME:
        raise CannotSave(f"This name is too long: at most {LONGEST_NAME} characters.", "name")
    try:
        read = from_dict(tree)
        check_filter(read)
    except BadFilter as error:
        raise CannotSave(str(error)) from error
    rules = list(rules_of(read))
    if not rules:
        raise CannotSave("Add at least one rule.")
    known = filterable_fields(record_type)
    for rule in rules:
        if rule.field not in known:
            raise CannotSave(f"There is no field “{rule.field[:60]}”.")
        if rule.type is not filter_type(known[rule.field]):
            raise CannotSave(f"The rule about {known[rule.field].label} cannot be compared.")

"""What runs did to rows: the drill-down of a run, and the history of a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.audience.fields import local_label
from apps.core.paging import Order
from apps.domain.decider import REASON_WORDS
from apps.sync.models import EntryAction, RunEntry
from apps.sync.selectors.records import record_names

BY_NUMBER = Order("number", ("number",), (int,))

ACTION_WORDS: dict[str, str] = {
    EntryAction.CREATED: "Created",
    EntryAction.UPDATED: "Updated",
    EntryAction.LINKED: "Linked",
    EntryAction.DEACTIVATED: "Deactivated",
    EntryAction.REACTIVATED: "Reactivated",
    EntryAction.MOVED: "Link moved",
    EntryAction.SKIPPED: "Skipped",
    EntryAction.FAILED: "Failed",
}
_RULE_WORDS: dict[str, str] = {
    **{str(reason): words for reason, words in REASON_WORDS.items()},
    "consent": "An opt-out on either side counts on both.",
    "converted": "The lead was converted to this account.",
    "restored": "The record is back in Salesforce.",
    "status_map": "A step translates the state here into this status.",
    "automatic": "Syncline tells this by itself.",
}
_OTHER_FIELDS = {"email_opt_out": "E-mail opt-out", "is_active": "Active"}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an entry: before, after, and the rule that decided, in words. ``lost`` is the loser's value."""

    field: str
    label: str
    before: str
    after: str
    rule: str
    lost: str | None


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry as pages show it."""

    entry: RunEntry
    action: str
    record_name: str
    changes: list[Change]


def entries_of_run(run_id: int, *, sobject: str = "", action: str = "") -> "QuerySet[RunEntry]":
    """Entries of a run, for paging by number."""
    rows: QuerySet[RunEntry] = RunEntry.objects.filter(run_id=run_id)
    if sobject:
        rows = rows.filter(sobject=sobject)
    return rows.filter(action=action) if action else rows


def entry_views(entries: Sequence[RunEntry]) -> list[EntryView]:
    """Entries with the names of their records: one question for each type of record among them."""
    names = record_names((entry.local_type, entry.local_id) for entry in entries)
    return [
        EntryView(
            entry=entry,
            action=action_words(entry.action),
            record_name=names.get((entry.local_type, entry.local_id or 0), ""),
            changes=changes_of(entry),
        )
        for entry in entries
    ]


def action_words(action: str) -> str:
    """An action in words; one of another release by its name."""
    return ACTION_WORDS.get(action) or action.replace("_", " ").capitalize()


def changes_of(entry: RunEntry) -> list[Change]:
    """The changed fields of an entry."""
    changes: Mapping[str, Any] = entry.changes or {}
    return [
        Change(
            field=name,
            label=_OTHER_FIELDS.get(name) or local_label(entry.local_type, name),
            before=_value_words(name, change.get("before")),
            after=_value_words(name, change.get("after")),
            rule=rule_words(str(change.get("rule") or "")),
            lost=change.get("lost"),
        )
        for name, change in changes.items()
    ]


def _value_words(name: str, value: object) -> str:
    """A value as it was; what is decided outside the mappings is yes or no."""
    text = "" if value is None else str(value)
    return {"true": "yes", "false": "no"}.get(text, text) if name in _OTHER_FIELDS else text


def rule_words(rule: str) -> str:
    """The rule that decided a field, in words."""
    return _RULE_WORDS.get(rule) or rule.replace("_", " ")


def history_of(local_type: str, local_id: int, *, limit: int = 30) -> list[EntryView]:
    """What runs did to one record, the newest first. Its creation is told by its link, which the entry's index
    leaves out so that creating costs less."""
    rows = RunEntry.objects.filter(local_type=local_type, local_id=local_id).exclude(action=EntryAction.CREATED)
    entries = list(rows.order_by("-number")[:limit])
    return [
        EntryView(entry=entry, action=action_words(entry.action), record_name="", changes=changes_of(entry))
        for entry in entries
    ]


def deactivated_at(history: Sequence[EntryView]) -> datetime | None:
    """When a record was last deactivated, as far as its history goes back."""
    return next((view.entry.at for view in history if view.entry.action == EntryAction.DEACTIVATED), None)

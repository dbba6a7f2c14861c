"""A record's history: what runs did, what members did, and how it began; the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.audience.fields import local_label
from apps.audience.models import Record, RecordChange, Source
from apps.sync.linking import LINK
from apps.sync.models import EntryAction
from apps.sync.selectors.entries import Change, EntryView
from apps.sync.selectors.links import LinkView

SOURCE_WORDS: dict[str, str] = {
    Source.SALESFORCE: "Salesforce",
    Source.FORM: "A form",
    Source.IMPORT: "An import",
    Source.API: "The API",
    Source.MANUAL: "By hand",
}
_SWITCHES: dict[tuple[str, str], str] = {
    ("is_active", "false"): "Deactivated",
    ("is_active", "true"): "Reactivated",
    ("email_opt_out", "true"): "Unsubscribed",
    ("email_opt_out", "false"): "Opted in again",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One moment in a record's history."""

    at: datetime
    title: str
    detail: str
    run_id: int | None
    changes: list[Change] = field(default_factory=list)


def timeline_of(
    local_type: str,
    record: Record,
    links: Sequence[LinkView],
    history: Sequence[EntryView],
    changes: Sequence[RecordChange],
) -> list[Event]:
    """What is known of a record's past."""
    events = [
        Event(
            at=view.entry.at,
            title=view.action,
            detail=f"{'From' if view.entry.way == 'in' else 'To'} Salesforce {view.entry.sobject}",
            run_id=view.entry.run_id,
            changes=view.changes,
        )
        for view in history
        if view.entry.action != EntryAction.CREATED
    ]
    events += [_edit(local_type, change) for change in changes if change.changes]
    maker = next((change.actor_label for change in changes if not change.changes), "")
    events.append(_creation(record, links, maker))
    return sorted(events, key=lambda event: event.at, reverse=True)


def _edit(local_type: str, change: RecordChange) -> Event:
    """What a member changed; a switch is told by what it did."""
    lines: dict[str, Any] = change.changes
    detail = f"By {change.actor_label}"
    if len(lines) == 1:
        name, line = next(iter(lines.items()))
        if name == LINK:
            told = f"Linked with {line['after']}" if line.get("after") else f"Unlinked from {line.get('before')}"
            return Event(change.at, f"{told} by hand", detail, None)
        words = _SWITCHES.get((name, str(line.get("after"))))
        if words is not None:
            return Event(change.at, words, detail, None)
    shown = [
        Change(name, local_label(local_type, name), str(line.get("before", "")), str(line.get("after", "")), "", None)
        for name, line in lines.items()
    ]
    return Event(change.at, "Edited here", detail, None, shown)


def _creation(record: Record, links: Sequence[LinkView], maker: str) -> Event:
    """A record's creation; one made by a pull was made together with its first link."""
    first = next((link for link in links if link.created_at == record.created_at), None)
    if record.source == Source.SALESFORCE and first is not None:
        return Event(record.created_at, "Created", f"From Salesforce {first.sobject}", first.created_run_id)
    words = SOURCE_WORDS.get(record.source, record.source)
    return Event(record.created_at, "Created", f"{words}, by {maker}" if maker else words, None)

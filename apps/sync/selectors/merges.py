"""Records that became one because Salesforce merged their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from apps.core.paging import Order
from apps.sync.models import EntryAction, RunEntry
from apps.sync.selectors.entries import Change, changes_of
from apps.sync.selectors.records import record_names

MERGED = Order("merged", ("number",), (int,), descending=True)
MERGE_RULES = (
    "The record of the row that Salesforce kept stays; the other is deactivated and keeps its history.",
    "Blank fields of the one that stays are filled from the other; a value that both have is never overwritten.",
    "An opt-out of either holds for the one that stays.",
    "Lists, campaigns, opportunities, people of a company and all links move to the one that stays; what both have "
    "is kept once.",
    "The one that stays is then read again, and synced by the mappings as ever.",
)


@dataclass(frozen=True, slots=True)
class MergeLine:
    """What a merge did to one of the two records."""

    at: datetime
    run_id: int
    sobject: str
    remote_id: str
    local_type: str
    local_id: int | None
    name: str
    is_kept: bool
    changes: list[Change]


def merged_entries() -> "QuerySet[RunEntry]":
    """What merges did, for paging; two entries each."""
    rows: QuerySet[RunEntry] = RunEntry.objects.filter(action=EntryAction.MERGED)
    return rows


def merge_lines(entries: Sequence[RunEntry]) -> list[MergeLine]:
    """Entries of merges with the names of their records. The one that gave its values away is not the one kept."""
    names = record_names((entry.local_type, entry.local_id) for entry in entries)
    return [
        MergeLine(
            at=entry.at,
            run_id=entry.run_id,
            sobject=entry.sobject,
            remote_id=entry.remote_id,
            local_type=entry.local_type,
            local_id=entry.local_id,
            name=names.get((entry.local_type, entry.local_id or 0), ""),
            is_kept=not any(line.get("before") and not line.get("after") for line in (entry.changes or {}).values()),
            changes=changes_of(entry),
        )
        for entry in entries
    ]

"""Moves: what a deletion, a merge or a conversion in Salesforce does to the links here."""

from collections.abc import Mapping
from enum import StrEnum

from apps.domain.rows import RemoteRow


class Fate(StrEnum):
    """What has become of a remote row."""

    PRESENT = "present"
    DELETED = "deleted"
    MERGED = "merged"
    CONVERTED = "converted"


class Move(StrEnum):
    """What happens to the link of a row that is gone, and to its record.

    END: the link is closed; without another live one the record is deactivated. FOLLOW: the record is linked with
    the winner instead. MERGE: both rows had a record here, and the winner's takes in the other. ATTACH: a converted
    lead that was never linked is noted with the person of its contact.
    """

    NONE = "none"
    END = "end"
    FOLLOW = "follow"
    MERGE = "merge"
    ATTACH = "attach"


def fate_of(row: RemoteRow) -> Fate:
    """A merge is a deletion that names its winner (facts, "Deletes, merges, undelete"); a converted lead names its
    contact. One whose contact cannot be seen is an ordinary row that is only ever read."""
    if row.is_deleted:
        return Fate.MERGED if row.merged_into else Fate.DELETED
    return Fate.CONVERTED if row.is_converted and row.converted_contact else Fate.PRESENT


def successor_of(row: RemoteRow) -> str:
    """The id of the row that takes this one's place; empty where none does."""
    return {Fate.MERGED: row.merged_into, Fate.CONVERTED: row.converted_contact}.get(fate_of(row), "")


def move_of(row: RemoteRow, *, own: int | None, is_live: bool, heir: int | None) -> Move:
    """The move of a row. ``own`` and ``heir`` are the records linked with the row and with its successor.

    Only the linked id counts: a tombstone without link, or one whose link is closed already, moves nothing.
    """
    fate = fate_of(row)
    if fate is Fate.PRESENT:
        return Move.NONE
    if own is None:
        return Move.ATTACH if fate is Fate.CONVERTED and heir is not None else Move.NONE
    if not is_live:
        return Move.NONE
    if fate is Fate.DELETED or own == heir:
        return Move.END
    return Move.FOLLOW if heir is None else Move.MERGE


def merged_values(survivor: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """What the surviving record takes from the other: only what it does not have itself."""
    return {name: text for name, text in other.items() if text and not survivor.get(name)}

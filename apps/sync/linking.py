"""Linking by hand: which row of Salesforce is which record, said by a person; and taking the two apart again."""

from collections.abc import Iterable

from django.db.models import F
from django.utils import timezone

from apps.audience.fields import RECORD_COLUMNS
from apps.audience.models import Company, Person
from apps.audience.services.records import actor_label, note_change
from apps.audience.services.values import filled_fields
from apps.domain.leading import LinkFacts, leading_link
from apps.domain.values import Unreadable, normalize_id
from apps.integrations.models import Connection
from apps.outbox.queue import queue_change
from apps.sync.local import records_of
from apps.sync.models import MatchChoice, RecordLink, SyncRun
from apps.sync.push.creating import MAKE_NEW
from apps.sync.selectors.links import record_behind
from apps.sync.services import sync_now, sync_row_now
from apps.tenants.actors import Actor
from apps.tenants.audit import audit

PREFIXES: dict[str, dict[str, str]] = {
    "person": {"00Q": "Lead", "003": "Contact"},
    "company": {"001": "Account"},
}
"""What each record type may be linked with, by the first characters of an id."""
LINK = "salesforce_link"
"""The line of a record's timeline that tells of linking by hand."""


def type_of(record: Person | Company) -> str:
    """The record's local type."""
    return "person" if isinstance(record, Person) else "company"


class CannotLink(Exception):
    """Why two are not linked, or not taken apart, in words."""


def link_by_hand(*, connection: Connection, record: Person | Company, remote_id: str, user: Actor | None) -> SyncRun:
    """Say that a row of Salesforce is this record, and queue the run that reads it, links it and syncs both ways.

    A row that is linked with another record is refused. Raises CannotLink and CannotStart.
    """
    local_type = type_of(record)
    wanted, sobject = _row(local_type, remote_id)
    _free(connection, wanted, local_type, record.pk)
    _say(connection, wanted, local_type, record.pk, user)
    note_change(record_bumped(record), lines=_line("", wanted), user=user, at=timezone.now())
    audit(actor=user, action="linked_by_hand", subject=f"{record} and {sobject} {wanted}", after={"row": wanted})
    return sync_row_now(connection=connection, sobject=sobject, remote_id=wanted, user=user)


def make_record_of(*, connection: Connection, local_type: str, remote_id: str, user: Actor | None) -> SyncRun:
    """Say that a row of Salesforce is none of the records that are here, and queue the run that makes one of it."""
    wanted, sobject = _row(local_type, remote_id)
    if record_behind(connection, wanted) is not None:
        raise CannotLink("This row is linked by now.")
    _say(connection, wanted, local_type, None, user)
    audit(actor=user, action="made_by_hand", subject=f"A record of {sobject} {wanted}", after={"row": wanted})
    return sync_row_now(connection=connection, sobject=sobject, remote_id=wanted, user=user)


def send_as_new(*, connection: Connection, record: Person | Company, user: Actor | None) -> SyncRun:
    """Say that a record is none of those that Salesforce has, and queue the run that makes a row of it there."""
    local_type, now = type_of(record), timezone.now()
    if record.is_linked:
        raise CannotLink("It is linked with Salesforce by now.")
    fields = [*filled_fields(local_type, record), MAKE_NEW]
    queue_change(local_type=local_type, local_id=record.pk, fields=fields, origin="user", at=now)
    audit(actor=user, action="sent_as_new", subject=str(record))
    return sync_now(connection=connection, local_type=local_type, record_id=record.pk, user=user)


def unlink(*, connection: Connection, record: Person | Company, remote_id: str, user: Actor | None) -> None:
    """Take a record and a row of Salesforce apart. Both stay as they are, and no sync brings them together again;
    linking by hand does."""
    local_type = type_of(record)
    key = RECORD_COLUMNS[local_type]
    row = records_of(local_type).select_for_update().get(id=record.pk)
    links = list(RecordLink.objects.select_for_update().filter(connection_id=connection.pk, **{key: record.pk}))
    link = next((one for one in links if one.remote_id == remote_id and not one.is_apart), None)
    if link is None:
        raise CannotLink("These two are not linked any more.")
    link.is_live = link.is_leading = False
    link.base_remote = link.base_local = link.layout_id = None
    link.notes = {**(link.notes or {}), "apart": True}
    facts = [LinkFacts(one.remote_id, one.sobject, one.remote_created_at, one.is_live) for one in links]
    leading = leading_link(facts)
    for one in links:
        one.is_leading = leading is not None and one.remote_id == leading.remote_id
        _save(one)
    named = (leading.sobject, leading.remote_id) if leading else ("", "")
    records_of(local_type).filter(id=row.pk).update(leading_sobject=named[0], leading_remote_id=named[1])
    note_change(record_bumped(record), lines=_line(remote_id, ""), user=user, at=timezone.now())
    audit(actor=user, action="unlinked_by_hand", subject=f"{record} and {link}", before={"row": remote_id})


def record_bumped(record: Person | Company) -> Person | Company:
    """The record as a new version: what is judged meanwhile is judged again."""
    records = records_of(type_of(record))
    records.filter(id=record.pk).update(version=F("version") + 1, updated_at=timezone.now())
    found: Person | Company = records.get(id=record.pk)
    return found


def candidates_of(local_type: str, ids: Iterable[int]) -> list[Person | Company]:
    """The records among which somebody chooses, those that are still there."""
    return list(records_of(local_type).filter(id__in=list(ids)).order_by("id"))


def _row(local_type: str, typed: str) -> tuple[str, str]:
    try:
        wanted = normalize_id(typed.strip())
    except Unreadable as error:
        raise CannotLink("This is no Salesforce id: one has 15 or 18 letters and digits.") from error
    known = PREFIXES.get(local_type, {})
    sobject = known.get(wanted[:3])
    if sobject is None:
        names = " or ".join(f"{name} ({prefix}…)" for prefix, name in known.items())
        raise CannotLink(f"This is the id of something else. It has to be a {names}.")
    return wanted, sobject


def _free(connection: Connection, remote_id: str, local_type: str, record_id: int) -> None:
    """Make way for a link: one that was taken apart, or whose row was deleted, is forgotten. Raises CannotLink."""
    link = RecordLink.objects.select_for_update().filter(connection_id=connection.pk, remote_id=remote_id).first()
    if link is None:
        return
    if link.is_live:
        own = getattr(link, RECORD_COLUMNS[local_type]) == record_id
        raise CannotLink(
            "They are linked already." if own else "That row is linked with another record here. Unlink it there first."
        )
    RecordLink.objects.filter(connection_id=connection.pk, remote_id=remote_id).delete()


def _say(connection: Connection, remote_id: str, local_type: str, record_id: int | None, user: Actor | None) -> None:
    MatchChoice.objects.update_or_create(
        connection_id=connection.pk,
        remote_id=remote_id,
        defaults={
            "local_type": local_type,
            "local_id": record_id,
            "actor_label": actor_label(user),
            "at": timezone.now(),
        },
    )


def _save(link: RecordLink) -> None:
    RecordLink.objects.filter(connection_id=link.connection_id, remote_id=link.remote_id).update(
        is_live=link.is_live,
        is_leading=link.is_leading,
        base_remote=link.base_remote,
        base_local=link.base_local,
        layout_id=link.layout_id,
        notes=link.notes,
    )


def _line(before: str, after: str) -> dict[str, dict[str, str]]:
    return {LINK: {"before": before, "after": after}}

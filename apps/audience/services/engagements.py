"""Taking in events: each once, whoever sends it how often, with what it does to the person, in one transaction.

A batch costs the same handful of statements whether it holds ten events or a thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection, transaction
from django.utils import timezone
from psycopg2.extras import Json, execute_values

from apps.audience.models import (
    RUNNING,
    ConsentChange,
    Engagement,
    EnrolmentStatus,
    EventKind,
    Person,
    RecordChange,
    SequenceEnrolment,
    TaskState,
    TaskSwitch,
)
from apps.audience.services.event_drafts import BadEvent, CheckedEvent, EventDraft, checked
from apps.audience.services.event_effects import AUTOMATIC, OPT_OUT, STATUSES, WRITTEN, Affected, apply_event
from apps.audience.services.event_people import UNKNOWN, resolve_people
from apps.audience.services.facts import call_attention
from apps.audience.services.records import actor_label
from apps.audience.services.scores import points_by_kind
from apps.audience.services.sequences import note_statuses, tell_status
from apps.audience.services.values import filled_fields
from apps.outbox.queue import queue_changes
from apps.tenants.actors import Actor
from apps.tenants.scope import current_tenant_id

MOST_AT_ONCE = 1_000
"""Events of one transaction; more go in parts, so that people are not locked for long."""

__all__ = ["EventDraft", "EventOutcome", "EventState", "record_engagements"]

_IDS = """
SELECT nextval(pg_get_serial_sequence('audience_engagement', 'id')) FROM generate_series(1, %s)
"""
_COLUMNS = (
    "tenant_id",
    "id",
    "person_id",
    "kind",
    "happened_at",
    "received_at",
    "subject",
    "details",
    "external_id",
    "origin",
    "points",
    "score",
    "is_first_click",
    "task_state",
)
_INSERT = """
INSERT INTO audience_engagement ({columns}) VALUES %s
ON CONFLICT (tenant_id, external_id) WHERE external_id <> '' DO NOTHING RETURNING id
"""
_TYPES = {
    "score": "integer",
    "most_recent_visit": "timestamptz",
    "first_touch_at": "timestamptz",
    "last_touch_at": "timestamptz",
    "email_opt_out": "boolean",
    "email_bounced": "boolean",
    "is_active": "boolean",
    "version": "bigint",
    "updated_at": "timestamptz",
}
_MOST_RACES = 5
_LABELS = {"api": "the API", "import": "an import", "rule": "a rule"}
_VERSIONED = frozenset({OPT_OUT, "email_bounced", "is_active"})
"""Columns whose change is a new version of the record; scores and visits are not, or no form could be saved."""
_TOLD = frozenset({*AUTOMATIC, *STATUSES})


class EventState(StrEnum):
    """What became of an event that was sent."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """The fate of one event, in the place in which it was sent. ``words`` say why it was refused."""

    state: EventState
    engagement_id: int | None = None
    person_id: int | None = None
    is_new_person: bool = False
    words: str = ""


class _Raced(Exception):
    """Another request inserted one of the events a moment ago, for somebody else: the batch is begun anew."""


def record_engagements(*, events: Sequence[EventDraft], origin: str, actor: Actor | None = None) -> list[EventOutcome]:
    """Take in events in the order in which they happened; one outcome each, in the order in which they were sent.

    An event whose ``external_id`` is known already is a duplicate and does nothing, even if it comes ten times at
    once. One bad event stops no other.
    """
    outcomes: dict[int, EventOutcome] = {}
    for start in range(0, len(events), MOST_AT_ONCE):
        part = dict(enumerate(events[start : start + MOST_AT_ONCE], start))
        outcomes |= _record(part, origin, actor)
    return [outcomes[place] for place in range(len(events))]


def _record(drafts: Mapping[int, EventDraft], origin: str, actor: Actor | None) -> dict[int, EventOutcome]:
    now = timezone.now()
    outcomes: dict[int, EventOutcome] = {}
    good = {}
    for place, draft in drafts.items():
        try:
            good[place] = checked(draft, now)
        except BadEvent as error:
            outcomes[place] = EventOutcome(EventState.REFUSED, words=str(error))
    for _ in range(_MOST_RACES):
        try:
            with transaction.atomic():
                return outcomes | _take(good, origin, actor, now)
        except _Raced:
            continue
    raise _Raced


def _take(
    events: Mapping[int, CheckedEvent], origin: str, actor: Actor | None, now: datetime
) -> dict[int, EventOutcome]:
    outcomes: dict[int, EventOutcome] = {}
    fresh = _without_duplicates(events, outcomes)
    resolved = resolve_people(fresh, origin=origin, label=_label(origin, actor), now=now)
    for place, words in resolved.refused.items():
        outcomes[place] = EventOutcome(EventState.REFUSED, words=words)
    ids = set(resolved.people.values())
    people = Person.objects.select_for_update().filter(id__in=ids).order_by("id") if ids else []
    affected = {one.pk: Affected(one) for one in people}
    for place in [place for place, pk in resolved.people.items() if pk not in affected]:
        outcomes[place] = EventOutcome(EventState.REFUSED, words=UNKNOWN)
        del resolved.people[place]
    # Whoever was before us has let go of these people by now, and their events show.
    fresh = _without_duplicates({place: fresh[place] for place in resolved.people}, outcomes)
    if not fresh:
        return outcomes
    rows = _rows(fresh, resolved.people, affected, origin, now)
    _insert(rows)
    _store(affected, origin, actor, now)
    _follow_sequences(affected, origin, now)
    call_attention(at=now)
    for place, row in rows.items():
        is_new = row.person_id in resolved.made
        outcomes[place] = EventOutcome(EventState.RECORDED, row.pk, row.person_id, is_new)
    return outcomes


def _label(origin: str, actor: Actor | None) -> str:
    return actor_label(actor) if actor is not None else _LABELS.get(origin, "an event")


def _without_duplicates(
    events: Mapping[int, CheckedEvent], outcomes: dict[int, EventOutcome]
) -> dict[int, CheckedEvent]:
    """Those that are not in the table and not further up in the batch."""
    wanted = {event.external_id for event in events.values()} - {""}
    rows = Engagement.objects.exclude(external_id="").filter(external_id__in=wanted)
    known = {key: (pk, of) for key, pk, of in rows.values_list("external_id", "id", "person_id")} if wanted else {}
    fresh: dict[int, CheckedEvent] = {}
    seen: set[str] = set()
    for place, event in events.items():
        if event.external_id in known:
            outcomes[place] = EventOutcome(EventState.DUPLICATE, *known[event.external_id])
        elif event.external_id and event.external_id in seen:
            outcomes[place] = EventOutcome(EventState.DUPLICATE)
        else:
            fresh[place] = event
            seen.add(event.external_id)
    return fresh


# -- rows -----------------------------------------------------------------------------------------------------------


def _rows(
    events: Mapping[int, CheckedEvent],
    people: Mapping[int, int],
    affected: Mapping[int, Affected],
    origin: str,
    now: datetime,
) -> dict[int, Engagement]:
    """A row for each event, with what it adds; the people are changed in memory."""
    switched = set(TaskSwitch.objects.values_list("kind", flat=True))
    points = points_by_kind()
    clicked = _clicked_links([people[p] for p, event in events.items() if event.kind is EventKind.EMAIL_CLICKED])
    rows: dict[int, Engagement] = {}
    for place, number in zip(
        sorted(events, key=lambda p: (events[p].happened_at, p)), _new_ids(len(events)), strict=True
    ):
        event, one = events[place], affected[people[place]]
        click = (one.person.pk, str(event.details.get("link", "")))
        is_first = event.kind is EventKind.EMAIL_CLICKED and click not in clicked
        clicked |= {click} if is_first else set()
        becomes_task = event.kind in switched and (is_first or event.kind is not EventKind.EMAIL_CLICKED)
        added = apply_event(one, event, points)
        rows[place] = Engagement(
            tenant_id=current_tenant_id(),
            id=number,
            person_id=one.person.pk,
            kind=event.kind,
            happened_at=event.happened_at,
            received_at=now,
            subject=event.subject,
            details=event.details,
            external_id=event.external_id,
            origin=origin,
            points=added,
            score=one.person.score,
            is_first_click=is_first,
            task_state=TaskState.WAITING if becomes_task else TaskState.NONE,
        )
    return rows


def _clicked_links(person_ids: Sequence[int]) -> set[tuple[int, str]]:
    """What these people have clicked before: (person, link)."""
    if not person_ids:
        return set()
    rows = Engagement.objects.filter(person_id__in=set(person_ids), is_first_click=True)
    return {(person_id, str(link or "")) for person_id, link in rows.values_list("person_id", "details__link")}


def _new_ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_IDS, [count])
        return [number for (number,) in cursor.fetchall()]


def _insert(rows: Mapping[int, Engagement]) -> None:
    """Insert all, in the order of their external ids, so that two requests never wait for each other."""
    ordered = sorted(rows.values(), key=lambda row: (row.external_id, row.pk))
    values = [
        tuple(Json(row.details) if name == "details" else getattr(row, name) for name in _COLUMNS) for row in ordered
    ]
    with connection.cursor() as cursor:
        statement = _INSERT.format(columns=", ".join(_COLUMNS))
        made = execute_values(cursor.cursor, statement, values, page_size=MOST_AT_ONCE, fetch=True)
    if len(made) < len(ordered):
        raise _Raced


# -- people ---------------------------------------------------------------------------------------------------------


def _store(affected: Mapping[int, Affected], origin: str, actor: Actor | None, now: datetime) -> None:
    """Write the changed people in one statement, who opted out and why, and what Salesforce is to be told."""
    changed = [one for one in affected.values() if one.changed]
    label = _label(origin, actor)
    for one in changed:
        if one.changed & _VERSIONED:
            one.person.version += 1
            one.person.updated_at = now
    _update(changed)
    actor_id = actor.pk if actor is not None else None
    ConsentChange.objects.bulk_create(
        ConsentChange(
            person_id=one.person.pk,
            opted_out=True,
            source=one.opted_out_by,
            actor_id=actor_id,
            actor_label=label,
            at=now,
        )
        for one in changed
        if one.opted_out_by
    )
    RecordChange.objects.bulk_create(
        RecordChange(
            person_id=one.person.pk,
            version=one.person.version,
            actor_id=actor_id,
            actor_label=label,
            changes=_lines(one),
            at=now,
        )
        for one in changed
        if one.changed & _VERSIONED
    )
    _queue(changed, origin, now)


def _lines(one: Affected) -> dict[str, dict[str, str]]:
    return {
        name: {"before": str(one.before[name]).lower(), "after": str(getattr(one.person, name)).lower()}
        for name in sorted(one.changed & _VERSIONED)
    }


def _queue(changed: Sequence[Affected], origin: str, now: datetime) -> None:
    """What Syncline writes by itself goes to rows that exist; consent and somebody who is back are news like any."""
    by_itself, news = {}, {}
    for one in changed:
        if one.person.is_linked:
            by_itself[one.person.pk] = sorted(one.changed & _TOLD)
        if OPT_OUT in one.changed:
            news[one.person.pk] = [OPT_OUT]
        if "is_active" in one.changed and not one.person.is_linked:
            news[one.person.pk] = [*news.get(one.person.pk, []), *filled_fields("person", one.person)]
    queue_changes(local_type="person", changes=by_itself, origin=origin, at=now, releases=False)
    queue_changes(local_type="person", changes=news, origin=origin, at=now)


def _update(changed: Sequence[Affected]) -> None:
    if not changed:
        return
    columns = (*WRITTEN, "version", "updated_at")
    values = [(one.person.pk, *(getattr(one.person, name) for name in columns)) for one in changed]
    listed = ", ".join(f"{name} = v.{name}" for name in columns)
    types = ", ".join(["%s::bigint", *(f"%s::{_TYPES.get(name, 'text')}" for name in columns)])
    statement = (
        f"UPDATE audience_person AS p SET {listed} FROM (VALUES %s) AS v (id, {', '.join(columns)}) "
        f"WHERE p.tenant_id = {current_tenant_id():d} AND p.id = v.id"
    )
    with connection.cursor() as cursor:
        execute_values(cursor.cursor, statement, values, template=f"({types})", page_size=MOST_AT_ONCE)


def _follow_sequences(affected: Mapping[int, Affected], origin: str, now: datetime) -> None:
    """Who replied has replied in every sequence that they are in; who opted out or cannot be reached leaves them."""
    moved: dict[int, EnrolmentStatus] = {}
    for pk, one in affected.items():
        if one.has_replied or one.is_stopped:
            moved[pk] = EnrolmentStatus.REPLIED if one.has_replied else EnrolmentStatus.REMOVED
    if not moved:
        return
    running = SequenceEnrolment.objects.filter(person_id__in=moved, status__in=RUNNING)
    names = dict(running.order_by("changed_at").values_list("person_id", "sequence__name"))
    for status in EnrolmentStatus.REPLIED, EnrolmentStatus.REMOVED:
        ids = [pk for pk in names if moved[pk] is status]
        running.filter(person_id__in=ids).update(status=status, changed_at=now)
        note_statuses({pk: (names[pk], status) for pk in ids}, origin=origin, at=now)
        tell_status([affected[pk].person for pk in ids], status, origin=origin, at=now)

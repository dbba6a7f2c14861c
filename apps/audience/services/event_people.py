"""Whose events they are: people are looked for by id, external key and e-mail, and made where that was asked for, in a
handful of statements however many events come at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.audience.models import EventKind, Person, PersonWord, RecordChange, Source
from apps.audience.services.erasures import ERASED_WORDS, erased_among
from apps.audience.services.event_drafts import CheckedEvent
from apps.audience.services.facts import Fact, note_facts
from apps.audience.services.values import BadValues, fields_of, put, read_values
from apps.domain.values import further_words
from apps.outbox.queue import queue_changes

KNOWN_BY = ("email", "first_name", "last_name")
NAMELESS = "Somebody needs a name or an e-mail address."
UNKNOWN = "There is no such person."
_SOURCES = {"import": Source.IMPORT, "manual": Source.MANUAL}


@dataclass
class Resolved:
    """The person of each event, by its place in the batch; or why there is none."""

    people: dict[int, int] = field(default_factory=dict)
    made: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)


def resolve_people(events: Mapping[int, CheckedEvent], *, origin: str, label: str, now: datetime) -> Resolved:
    """Find the people of ``events``; make those who are not here where their event asks for it."""
    resolved = Resolved()
    _look(events, resolved)
    missing = {place: event for place, event in events.items() if place not in resolved.people}
    wanted = {place: event for place, event in missing.items() if event.creates and event.person_id is None}
    _refuse_erased(wanted, resolved)
    drafts = _drafts(wanted, resolved, origin, now)
    if drafts:
        Person.objects.bulk_create(drafts, ignore_conflicts=True)
        _look({place: wanted[place] for place in wanted.keys() - resolved.refused.keys()}, resolved)
        _note_made(drafts, resolved, origin=origin, label=label, now=now)
    for place in missing:
        if place not in resolved.people:
            resolved.refused.setdefault(place, UNKNOWN)
    return resolved


def _refuse_erased(wanted: dict[int, CheckedEvent], resolved: Resolved) -> None:
    """An event makes nobody who was erased."""
    if not wanted:
        return
    gone = erased_among(value for event in wanted.values() for value in (event.email, event.external_key))
    for place, event in list(wanted.items()):
        if gone & {event.email, event.external_key}:
            resolved.refused[place] = ERASED_WORDS
            del wanted[place]


def _look(events: Mapping[int, CheckedEvent], resolved: Resolved) -> None:
    named = {event.person_id for event in events.values()} - {None}
    present = set(Person.objects.filter(id__in=named).values_list("id", flat=True)) if named else set()
    by_key = ids_by_key(event.external_key for event in events.values() if event.person_id is None)
    by_email = ids_by_email(event.email for event in events.values() if event.person_id is None)
    for place, event in events.items():
        if event.person_id is not None:
            found = event.person_id if event.person_id in present else None
        else:
            found = by_key.get(event.external_key) or by_email.get(event.email)
        if found is not None:
            resolved.people[place] = found


def ids_by_key(keys: Iterable[str]) -> dict[str, int]:
    """Ids of people by their external key."""
    wanted = set(keys) - {""}
    rows = Person.objects.exclude(external_key="").filter(external_key__in=wanted)
    return dict(rows.values_list("external_key", "id")) if wanted else {}


def ids_by_email(addresses: Iterable[str]) -> dict[str, int]:
    """Ids of people, inactive ones included, by their e-mail address in lower case."""
    wanted = set(addresses) - {""}
    rows = Person.objects.exclude(email_key="").filter(email_key__in=wanted)
    return dict(rows.values_list("email_key", "id")) if wanted else {}


def _drafts(events: Mapping[int, CheckedEvent], resolved: Resolved, origin: str, now: datetime) -> list[Person]:
    """A person for each who is named, of the values of the first event that names them."""
    known = fields_of("person") if events else {}
    drafts: list[Person] = []
    named: set[str] = set()
    for place, event in events.items():
        names = {f"key {event.external_key}" if event.external_key else "", f"mail {event.email}"} - {"", "mail "}
        if names & named:
            named |= names
            continue
        try:
            values = _values(event, known)
        except BadValues as error:
            resolved.refused[place] = str(error)
            continue
        source = Source.FORM if event.kind is EventKind.FORM_SUBMITTED else _SOURCES.get(origin, Source.API)
        person = Person(source=source, created_at=now, updated_at=now, external_key=event.external_key)
        put("person", person, values, known)
        drafts.append(person)
        named |= names
    return drafts


def _values(event: CheckedEvent, known: Mapping[str, Any]) -> dict[str, Any]:
    typed = {**event.values, "email": event.email} if event.email else dict(event.values)
    filled = {name: value for name, value in read_values("person", typed, known).items() if value not in ("", None)}
    if not any(filled.get(name) for name in KNOWN_BY):
        raise BadValues({"email": NAMELESS})
    return filled


def _note_made(drafts: Sequence[Person], resolved: Resolved, *, origin: str, label: str, now: datetime) -> None:
    """Those of the drafts that were really made: their words, who made them, and what waits for Salesforce."""
    ids = set(resolved.people.values())
    made = list(Person.objects.filter(id__in=ids, created_at=now, version=1)) if ids else []
    keys = {draft.external_key for draft in drafts} - {""}
    addresses = {draft.email.lower() for draft in drafts} - {""}
    made = [one for one in made if one.external_key in keys or one.email_key in addresses]
    resolved.made |= {one.pk for one in made}
    note_made(made, origin=origin, label=label, now=now)


def note_made(made: Sequence[Person], *, origin: str, label: str, now: datetime) -> None:
    """Write down what belongs to people who were just inserted."""
    known = fields_of("person")
    words = [
        PersonWord(word=word, person_id=one.pk)
        for one in made
        for word in sorted(further_words(one.first_name) | further_words(one.last_name))
    ]
    PersonWord.objects.bulk_create(words)
    RecordChange.objects.bulk_create(
        RecordChange(person_id=one.pk, version=one.version, actor_label=label, changes={}, at=now) for one in made
    )
    filled = {one.pk: [n for n, target in known.items() if _holds(one, target)] for one in made}
    queue_changes(local_type="person", changes=filled, origin=origin, at=now)
    note_facts([Fact(one.pk, EventKind.PERSON_CREATED, subject="Created") for one in made], origin=origin, at=now)


def _holds(person: Person, target: Any) -> bool:
    if target.name.startswith("custom:"):
        return bool(person.custom.get(target.name.removeprefix("custom:")))
    return getattr(person, target.column) not in ("", None)

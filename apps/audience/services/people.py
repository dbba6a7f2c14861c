"""Making and changing people."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.audience.announcing import announce_edit
from apps.audience.models import ConsentChange, EventKind, Person, PersonWord, Source
from apps.audience.services.erasures import refuse_erased
from apps.audience.services.facts import Fact, note_facts
from apps.audience.services.records import (
    BY_HAND,
    actor_label,
    locked,
    note_change,
    refuse_taken_key,
    save_change,
    switch_active,
)
from apps.audience.services.values import BadValues, columns_of, differing, filled_fields, put, read_values
from apps.domain.values import further_words
from apps.outbox.queue import queue_change
from apps.tenants.actors import Actor

OPT_OUT = "email_opt_out"
_NAMES = frozenset({"first_name", "last_name"})
_KNOWN_BY = ("email", "first_name", "last_name")
_NAMELESS = "Somebody needs a name or an e-mail address."


class EmailTaken(Exception):
    """Another person, active or not, has this e-mail address."""

    def __init__(self, person: Person) -> None:
        super().__init__(f"{person.display_name} has this e-mail address already.")
        self.person = person


class SourceMissing(Exception):
    """Nobody is opted in again without a word on who said so, and where."""

    def __init__(self) -> None:
        super().__init__("Write down who said so, and where: only the person's own wish opts in again.")


def create_person(
    *,
    values: Mapping[str, str],
    user: Actor | None,
    source: Source = Source.MANUAL,
    origin: str = BY_HAND,
    external_key: str = "",
) -> Person:
    """Make a person of typed values by field. Raises BadValues, EmailTaken and ExternalKeyTaken."""
    filled = {name: value for name, value in read_values("person", values).items() if value not in ("", None)}
    if not any(filled.get(name) for name in _KNOWN_BY):
        raise BadValues({"last_name": _NAMELESS})
    refuse_erased(filled.get("email", ""), external_key)
    now = timezone.now()
    person = Person(source=source, external_key=external_key, created_at=now, updated_at=now)
    lines = put("person", person, filled)
    _save_unless_taken(person)
    _index_words(person)
    note_change(person, lines={}, user=user, at=now)
    announce_edit(person, lines, origin=origin)
    queue_change(local_type="person", local_id=person.pk, fields=list(filled), origin=origin, at=now)
    note_facts([Fact(person.pk, EventKind.PERSON_CREATED, "Created")], origin=origin, at=now)
    return person


def update_person(
    *,
    person: Person,
    values: Mapping[str, str],
    seen_version: int | None,
    user: Actor | None,
    origin: str = BY_HAND,
) -> Person:
    """Change what differs of the typed values; where nothing does, nothing is written.

    Raises BadValues, RecordMoved and EmailTaken.
    """
    read = read_values("person", values)
    row = locked(person, seen_version)
    changed = differing("person", row, read)
    if not changed:
        return row
    if not any(changed.get(name, getattr(row, name)) for name in _KNOWN_BY):
        raise BadValues({"last_name": _NAMELESS})
    if changed.get("email"):
        refuse_erased(changed["email"])
        _refuse_taken(changed["email"], but=row)
    lines = put("person", row, changed)
    try:
        with transaction.atomic():
            save_change(
                row,
                columns=columns_of("person", changed),
                lines=lines,
                queued=changed,
                user=user,
                origin=origin,
            )
    except IntegrityError:
        _refuse_taken(row.email, but=row)
        raise
    if _NAMES & changed.keys():
        _index_words(row)
    return row


def deactivate_person(
    *, person: Person, user: Actor | None, seen_version: int | None = None, origin: str = BY_HAND
) -> Person:
    """Take a person out of use here. Their row in Salesforce stays as it is. Raises RecordMoved."""
    return switch_active(person, is_active=False, seen_version=seen_version, user=user, origin=origin)


def reactivate_person(
    *, person: Person, user: Actor | None, seen_version: int | None = None, origin: str = BY_HAND
) -> Person:
    """Take a person into use again; one who is not in Salesforce yet is queued whole. Raises RecordMoved."""
    whole = [] if person.is_linked else filled_fields("person", person)
    return switch_active(person, is_active=True, seen_version=seen_version, user=user, queued=whole, origin=origin)


def set_opt_out(
    *,
    person: Person,
    opted_out: bool,
    source: str,
    user: Actor | None,
    seen_version: int | None = None,
    origin: str = BY_HAND,
) -> Person:
    """Opt a person out of e-mail, or in again by their own wish, whose source is kept.

    The one place that opts in: no sync does. Raises SourceMissing and RecordMoved.
    """
    said = source.strip()
    if not opted_out and not said:
        raise SourceMissing
    row = locked(person, seen_version)
    if row.email_opt_out == opted_out:
        return row
    row.email_opt_out = opted_out
    lines = {OPT_OUT: {"before": str(not opted_out).lower(), "after": str(opted_out).lower()}}
    save_change(row, columns=[OPT_OUT], lines=lines, queued=[OPT_OUT], user=user, origin=origin)
    ConsentChange.objects.create(
        person_id=row.pk,
        opted_out=opted_out,
        source=said,
        actor_id=user.pk if user else None,
        actor_label=actor_label(user),
        at=row.updated_at,
    )
    if opted_out:
        note_facts([Fact(row.pk, EventKind.UNSUBSCRIBED, said)], origin=origin, at=row.updated_at)
    return row


def _save_unless_taken(person: Person) -> None:
    _refuse_taken(person.email)
    refuse_taken_key(Person, person.external_key)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        _refuse_taken(person.email)
        refuse_taken_key(Person, person.external_key)
        raise


def _refuse_taken(email: str, but: Person | None = None) -> None:
    if not email:
        return
    others = Person.objects.filter(email_key=email.lower())
    other = (others.exclude(id=but.pk) if but is not None else others).first()
    if other is not None:
        raise EmailTaken(other)


def _index_words(person: Person) -> None:
    """Names of several words are found by their further words, too."""
    PersonWord.objects.filter(person_id=person.pk).delete()
    words = further_words(person.first_name) | further_words(person.last_name)
    PersonWord.objects.bulk_create(PersonWord(word=word, person_id=person.pk) for word in sorted(words))

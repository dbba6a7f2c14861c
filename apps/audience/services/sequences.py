"""Sequences: making them, and leading people through them. A person's ``sequence_status`` is that of the enrolment that
changed last."""

from collections.abc import Iterable
from collections.abc import Sequence as Many
from datetime import datetime

from django.utils import timezone

from apps.audience.models import RUNNING, EnrolmentStatus, EventKind, Person, Sequence, SequenceEnrolment
from apps.audience.services.facts import Fact, note_facts
from apps.audience.services.names import checked_name
from apps.domain.values import clean_text
from apps.outbox.queue import queue_changes
from apps.tenants.actors import Actor
from apps.tenants.audit import audit

STATUS = "sequence_status"
_LONGEST_DESCRIPTION = 5_000


class IsArchived(Exception):
    """Nobody is enrolled in a sequence that is archived."""

    def __init__(self, sequence: Sequence) -> None:
        super().__init__(f"{sequence.name} is archived: nobody is enrolled in it any more.")


def create_sequence(*, name: str, description: str = "", user: Actor | None) -> Sequence:
    """Make a sequence. Raises BadName."""
    words = clean_text(description)[:_LONGEST_DESCRIPTION]
    row: Sequence = Sequence.objects.create(name=checked_name(name, Sequence), description=words)
    audit(actor=user, action="sequence_created", subject=row.name)
    return row


def update_sequence(
    *, sequence: Sequence, name: str, description: str, is_active: bool, user: Actor | None
) -> Sequence:
    """Rename, describe, archive or take up again. Raises BadName."""
    row: Sequence = Sequence.objects.select_for_update().get(id=sequence.pk)
    after = {
        "name": checked_name(name, Sequence, but=row.pk),
        "description": clean_text(description)[:_LONGEST_DESCRIPTION],
        "is_active": is_active,
    }
    before = {key: getattr(row, key) for key in after}
    if before == after:
        return row
    for key, value in after.items():
        setattr(row, key, value)
    row.updated_at = timezone.now()
    row.save(update_fields=[*after, "updated_at"])
    audit(actor=user, action="sequence_changed", subject=row.name, before=before, after=after)
    return row


def enrol(*, people: Iterable[Person | int], sequence: Sequence, origin: str, user: Actor | None = None) -> int:
    """Enrol people in a sequence; those who are in it already stay where they are. Answers how many are new in it.

    Raises IsArchived.
    """
    if not sequence.is_active:
        raise IsArchived(sequence)
    return _put(_ids(people), sequence, EnrolmentStatus.ACTIVE, origin=origin, user=user, joins=True)


def move(
    *,
    people: Iterable[Person | int],
    to: Sequence,
    origin: str,
    source: Sequence | None = None,
    user: Actor | None = None,
) -> int:
    """Enrol people in ``to`` and take them out of ``source``, or of every other sequence. Raises IsArchived."""
    ids = _ids(people)
    enrolled = enrol(people=ids, sequence=to, origin=origin, user=user)
    others = SequenceEnrolment.objects.filter(person_id__in=ids, status__in=RUNNING).exclude(sequence_id=to.pk)
    others = others.filter(sequence_id=source.pk) if source is not None else others
    others.update(status=EnrolmentStatus.REMOVED, changed_at=timezone.now())
    return enrolled


def set_status(
    *,
    people: Iterable[Person | int],
    sequence: Sequence,
    status: EnrolmentStatus,
    origin: str,
    user: Actor | None = None,
) -> int:
    """Pause, finish or remove people in a sequence, or have them go on; answers how many changed."""
    return _put(_ids(people), sequence, status, origin=origin, user=user, joins=False)


def _ids(people: Iterable[Person | int]) -> list[int]:
    return sorted({one if isinstance(one, int) else int(one.pk) for one in people})


def _put(
    ids: Many[int], sequence: Sequence, status: EnrolmentStatus, *, origin: str, user: Actor | None, joins: bool
) -> int:
    now = timezone.now()
    people = {one.pk: one for one in Person.objects.select_for_update().filter(id__in=ids).order_by("id")}
    rows = SequenceEnrolment.objects.filter(sequence_id=sequence.pk, person_id__in=people)
    present = dict(rows.values_list("person_id", "status"))
    if joins:
        changed = [i for i in people if present.get(i) not in RUNNING]
        fresh = [i for i in changed if i not in present]
        SequenceEnrolment.objects.bulk_create(
            SequenceEnrolment(
                sequence_id=sequence.pk, person_id=i, status=status, origin=origin, enrolled_at=now, changed_at=now
            )
            for i in fresh
        )
        again = [i for i in changed if i in present]
        rows.filter(person_id__in=again).update(status=status, origin=origin, enrolled_at=now, changed_at=now)
    else:
        changed = [i for i in people if i in present and present[i] != status]
        rows.filter(person_id__in=changed).update(status=status, changed_at=now)
    note_statuses(dict.fromkeys(changed, (sequence.name, status)), origin=origin, at=now, user=user)
    tell_status([people[i] for i in changed], status, origin=origin, at=now)
    return len(changed)


def note_statuses(
    changed: "dict[int, tuple[str, EnrolmentStatus]]", *, origin: str, at: datetime, user: Actor | None = None
) -> None:
    """Write into the timeline which sequence people now stand in how: person → (sequence, status)."""
    who = {"by": user.display_name} if user is not None else {}
    facts = [
        Fact(
            i, EventKind.SEQUENCE_CHANGED, f"{name}: {status.label}", {"sequence": name, "status": status.value, **who}
        )
        for i, (name, status) in changed.items()
    ]
    note_facts(facts, origin=origin, at=at)


def tell_status(people: Many[Person], status: EnrolmentStatus, *, origin: str, at: datetime) -> None:
    """Put the status on the people, and queue it for the linked ones."""
    moved = [one for one in people if one.sequence_status != status]
    Person.objects.filter(id__in=[one.pk for one in moved]).update(sequence_status=status)
    linked = {one.pk: [STATUS] for one in moved if one.is_linked}
    queue_changes(local_type="person", changes=linked, origin=origin, at=at, releases=False)

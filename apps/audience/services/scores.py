"""The score: what each kind of event adds, and changes by hand, by rules and through the API."""

from collections.abc import Mapping

from django.utils import timezone

from apps.audience.models import RECEIVED_KINDS, EventKind, Person, ScoreRule
from apps.audience.services.event_effects import MOST_POINTS, added_points
from apps.audience.services.facts import Fact, note_facts
from apps.outbox.queue import queue_changes
from apps.tenants.actors import Actor
from apps.tenants.audit import audit

SCORE = "score"
LARGEST_POINTS = 1_000
DEFAULT_POINTS: dict[str, int] = {
    EventKind.FORM_SUBMITTED: 10,
    EventKind.EMAIL_SENT: 0,
    EventKind.EMAIL_OPENED: 1,
    EventKind.EMAIL_CLICKED: 3,
    EventKind.EMAIL_BOUNCED: -5,
    EventKind.UNSUBSCRIBED: -10,
    EventKind.PAGE_VISITED: 1,
    EventKind.CALL_LOGGED: 5,
    EventKind.TASK_LOGGED: 0,
    EventKind.REPLIED: 10,
}


class BadPoints(ValueError):
    """Points that are no number of points, by kind, in words."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


def points_by_kind() -> dict[str, int]:
    """What each kind of event adds: the tenant's own points, else the defaults."""
    return DEFAULT_POINTS | dict(ScoreRule.objects.values_list("kind", "points"))


def save_points(*, points: Mapping[str, int], user: Actor | None) -> None:
    """Change what kinds of events add from now on; scores that people have stay. Raises BadPoints."""
    errors = {kind: f"At most {LARGEST_POINTS:,} points." for kind, one in points.items() if abs(one) > LARGEST_POINTS}
    errors |= dict.fromkeys(points.keys() - set(RECEIVED_KINDS), "There is no such kind of event.")
    if errors:
        raise BadPoints(errors)
    before = points_by_kind()
    changed = {kind: one for kind, one in points.items() if before[kind] != one}
    for kind, one in changed.items():
        ScoreRule.objects.update_or_create(kind=kind, defaults={"points": one})
    if changed:
        audit(
            actor=user,
            action="score_points_changed",
            subject="Score points",
            before={kind: before[kind] for kind in changed},
            after=changed,
        )


def change_score(
    *, person: Person, by: int = 0, to: int | None = None, origin: str, reason: str = "", user: Actor | None = None
) -> Person:
    """Add points to a person's score, or set it; never below zero. A score that stays is no change."""
    row: Person = Person.objects.select_for_update().get(id=person.pk)
    wanted = row.score + by if to is None else to
    added = added_points(row.score, max(-MOST_POINTS, min(wanted, MOST_POINTS)) - row.score)
    if not added:
        return row
    now = timezone.now()
    row.score += added
    row.save(update_fields=[SCORE])
    who = user.display_name if user is not None else ""
    fact = Fact(
        row.pk,
        EventKind.SCORE_CHANGED,
        subject=reason or ("Score changed by hand" if who else "Score changed"),
        details={"by": who} if who else {},
        points=added,
        score=row.score,
    )
    note_facts([fact], origin=origin, at=now)
    if row.is_linked:
        queue_changes(local_type="person", changes={row.pk: [SCORE]}, origin=origin, at=now, releases=False)
    return row

"""Lists: making them, and who is on them. What changes on a Campaign waits to be told to Salesforce."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from apps.audience.models import EventKind, List, ListKind, ListMembership, OutState, Person
from apps.audience.services.facts import Fact, call_attention, note_facts
from apps.audience.services.names import BadName, checked_name
from apps.domain.values import clean_text
from apps.tenants.actors import Actor
from apps.tenants.audit import audit

_LONGEST_STATUS = 40
"""Characters of a member status (CampaignMember.Status in the describes)."""
LONGEST_CAMPAIGN = 80
"""Characters of a Campaign's name."""


def create_list(*, name: str, user: Actor | None, is_campaign: bool = False) -> List:
    """Make a list; ``is_campaign``: it is kept as a Campaign in Salesforce, too. Raises BadName."""
    row: List = List.objects.create(name=_name(name, is_campaign=is_campaign), kind=ListKind.STATIC)
    audit(actor=user, action="list_created", subject=row.name)
    return keep_as_campaign(shown=row, user=user) if is_campaign else row


def rename_list(*, shown: List, name: str, user: Actor | None) -> List:
    """Call a list otherwise; a Campaign is called what Salesforce calls it. Raises BadName."""
    row: List = List.objects.select_for_update().get(id=shown.pk)
    if row.kind == ListKind.CAMPAIGN:
        raise BadName("A Campaign is renamed in Salesforce.")
    new = _name(name, is_campaign=False, but=row.pk)
    if new != row.name:
        audit(actor=user, action="list_renamed", subject=row.name, before={"name": row.name}, after={"name": new})
        row.name, row.updated_at = new, timezone.now()
        row.save(update_fields=["name", "updated_at"])
    return row


def archive_list(*, shown: List, is_archived: bool, user: Actor | None) -> List:
    """Put a list out of the way, or take it back; its people stay on it, and Salesforce is told nothing."""
    row: List = List.objects.select_for_update().get(id=shown.pk)
    if row.is_archived != is_archived:
        row.is_archived, row.updated_at = is_archived, timezone.now()
        row.save(update_fields=["is_archived", "updated_at"])
        audit(actor=user, action="list_archived" if is_archived else "list_restored", subject=row.name)
    return row


def keep_as_campaign(*, shown: List, user: Actor | None) -> List:
    """Have a Campaign made of a list, with everybody who is on it. Raises BadName."""
    row: List = List.objects.select_for_update().get(id=shown.pk)
    if row.kind == ListKind.CAMPAIGN:
        return row
    _name(row.name, is_campaign=True, but=row.pk)
    now = timezone.now()
    row.kind, row.out_state, row.updated_at = ListKind.CAMPAIGN, OutState.WAITING, now
    row.save(update_fields=["kind", "out_state", "updated_at"])
    ListMembership.objects.filter(list_id=row.pk, is_active=True).update(out_state=OutState.WAITING)
    audit(actor=user, action="list_kept_as_campaign", subject=row.name)
    call_attention(at=now)
    return row


def add_to_list(
    *,
    people: Iterable[Person | int],
    to: List,
    origin: str,
    status: str = "",
    user: Actor | None = None,
) -> int:
    """Put people on a list; those who are on it already stay as they are. Answers how many are new on it."""
    ids, now = _known(people), timezone.now()
    word = _status(status)
    rows = _locked(to, ids)
    fresh = [pk for pk in ids if pk not in rows]
    again = [pk for pk, row in rows.items() if not row.is_active]
    state = _state(to)
    ListMembership.objects.bulk_create(
        [ListMembership(list_id=to.pk, person_id=pk, status=word, out_state=state, updated_at=now) for pk in fresh],
        ignore_conflicts=True,
    )
    back: QuerySet[ListMembership] = ListMembership.objects.filter(list_id=to.pk, person_id__in=again)
    back.update(
        is_active=True, status=word, out_state=state, out_note="", out_due_at=None, joined_at=now, updated_at=now
    )
    _note([*fresh, *again], EventKind.LIST_JOINED, to, origin, user, now)
    return len(fresh) + len(again)


def remove_from_list(*, people: Iterable[Person | int], of: List, origin: str, user: Actor | None = None) -> int:
    """Take people off a list; answers how many were on it. One whom Salesforce was never told of is just gone."""
    now = timezone.now()
    rows = {pk: row for pk, row in _locked(of, _known(people)).items() if row.is_active}
    chosen: QuerySet[ListMembership] = ListMembership.objects.filter(list_id=of.pk, person_id__in=rows)
    chosen.update(is_active=False, out_state=_state(of), out_note="", out_due_at=None, updated_at=now)
    _note(list(rows), EventKind.LIST_LEFT, of, origin, user, now)
    return len(rows)


def set_member_status(
    *, people: Iterable[Person | int], of: List, status: str, origin: str, user: Actor | None = None
) -> int:
    """Change the member status of people on a list; answers how many had another."""
    now, word = timezone.now(), _status(status)
    rows = {pk: row for pk, row in _locked(of, _known(people)).items() if row.is_active and row.status != word}
    chosen: QuerySet[ListMembership] = ListMembership.objects.filter(list_id=of.pk, person_id__in=rows)
    chosen.update(status=word, out_state=_state(of), out_note="", out_due_at=None, updated_at=now)
    if rows and of.kind == ListKind.CAMPAIGN:
        call_attention(at=now)
    return len(rows)


def _name(text: str, *, is_campaign: bool, but: int | None = None) -> str:
    name = checked_name(text, List, but=but)
    if is_campaign and len(name) > LONGEST_CAMPAIGN:
        raise BadName(f"A Campaign's name has at most {LONGEST_CAMPAIGN} characters.")
    return name


def _status(text: str) -> str:
    return " ".join(clean_text(text).split())[:_LONGEST_STATUS]


def _state(shown: List) -> OutState:
    return OutState.WAITING if shown.kind == ListKind.CAMPAIGN else OutState.NONE


def _known(people: Iterable[Person | int]) -> list[int]:
    """Ids of people who are here, each once, in order."""
    ids = {one if isinstance(one, int) else int(one.pk) for one in people}
    return sorted(Person.objects.filter(id__in=ids).values_list("id", flat=True)) if ids else []


def _locked(shown: List, ids: Sequence[int]) -> dict[int, ListMembership]:
    rows = ListMembership.objects.select_for_update().filter(list_id=shown.pk, person_id__in=ids)
    return {row.person_id: row for row in rows.order_by("person_id")}


def _note(ids: Sequence[int], kind: EventKind, shown: List, origin: str, user: Actor | None, now: datetime) -> None:
    who = {"by": user.display_name} if user is not None else {}
    details = {"list_id": shown.pk, "list": shown.name, **who}
    note_facts([Fact(pk, kind, shown.name, details) for pk in ids], origin=origin, at=now)

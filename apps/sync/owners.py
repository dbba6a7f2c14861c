"""Owners: the org's users and queues, as records may be owned by them."""

from collections.abc import Mapping

from django.db.models import F

from apps.audience.models import Owner, OwnerPick
from apps.integrations.models import Connection, ReferenceItem, ReferenceKind
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
from apps.tenants.audit import audit
from apps.tenants.models import Membership, User

_KINDS = {ReferenceKind.USER: "user", ReferenceKind.QUEUE: "queue"}


def sync_owners(connection: Connection) -> int:
    """Bring owners in line with the reference data; members are those who were picked, else found by their e-mail
    address."""
    picks = dict(OwnerPick.objects.values_list("member_id", "remote_id"))
    picked = {remote_id: member_id for member_id, remote_id in picks.items() if remote_id}
    members = {m.user.email.lower(): m.pk for m in Membership.objects.select_related("user") if m.pk not in picks}
    items = ReferenceItem.objects.filter(connection=connection, kind__in=list(_KINDS))
    rows = [
        Owner(
            remote_id=item.key,
            kind=_KINDS[ReferenceKind(item.kind)],
            name=item.label,
            email=item.data.get("email", ""),
            is_active=item.is_active,
            member_id=picked.get(item.key) or members.get(item.data.get("email", "").lower()),
        )
        for item in items
    ]
    Owner.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["tenant", "remote_id"],
        update_fields=["kind", "name", "email", "is_active", "member_id"],
    )
    return len(rows)


class CannotOwn(Exception):
    """Why a choice of owners is not saved: words by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


def save_owners(
    *,
    connection: Connection,
    picks: Mapping[int, str | None],
    fallback: str,
    lead_assignment: str,
    user: User,
) -> bool:
    """Save who of the members is which user of Salesforce (None: as the e-mail address tells, "": nobody), and who
    owns what nobody can own. Answers whether anything changed. Raises CannotOwn."""
    _check(connection, picks, fallback, lead_assignment)
    before = dict(OwnerPick.objects.values_list("member_id", "remote_id"))
    after = {member_id: remote_id for member_id, remote_id in picks.items() if remote_id is not None}
    settings = settings_of(connection)
    policy = {"fallback_owner": settings.fallback_owner, "lead_assignment": settings.lead_assignment}
    wanted = {"fallback_owner": fallback, "lead_assignment": lead_assignment}
    kept = {member_id: remote_id for member_id, remote_id in before.items() if member_id not in picks}
    if before == kept | after and policy == wanted:
        return False
    OwnerPick.objects.filter(member_id__in=list(picks)).delete()
    OwnerPick.objects.bulk_create(OwnerPick(member_id=number, remote_id=text) for number, text in after.items())
    if policy != wanted:
        SyncSettings.objects.filter(id=settings.pk).update(version=F("version") + 1, **wanted)
    sync_owners(connection)
    audit(
        actor=user,
        action="owners_changed",
        subject="Owner mapping",
        before=_told(connection, before, policy),
        after=_told(connection, kept | after, wanted),
    )
    return True


def _check(connection: Connection, picks: Mapping[int, str | None], fallback: str, lead_assignment: str) -> None:
    kinds = [ReferenceKind.USER, ReferenceKind.QUEUE, ReferenceKind.ASSIGNMENT_RULE]
    items = ReferenceItem.objects.filter(connection=connection, kind__in=kinds, is_active=True)
    known = dict(items.values_list("key", "kind"))
    errors: dict[str, str] = {}
    taken: dict[str, int] = {}
    for member_id, remote_id in picks.items():
        if remote_id and known.get(remote_id) != ReferenceKind.USER:
            errors[f"pick-{member_id}"] = "No active user of Salesforce is called so."
        elif remote_id and remote_id in taken:
            errors[f"pick-{member_id}"] = "This user is somebody else already."
        elif remote_id:
            taken[remote_id] = member_id
    if fallback and known.get(fallback) not in _KINDS:
        errors["fallback"] = "No active user or queue of Salesforce is called so."
    if lead_assignment and known.get(lead_assignment) not in {ReferenceKind.QUEUE, ReferenceKind.ASSIGNMENT_RULE}:
        errors["lead_assignment"] = "There is no such queue or assignment rule."
    if errors:
        raise CannotOwn(errors)


def _told(connection: Connection, picks: Mapping[int, str], policy: Mapping[str, str]) -> dict[str, str]:
    """Picks and policy with names, as the audit log shows them."""
    wanted = {*picks.values(), *policy.values()}
    items = ReferenceItem.objects.filter(connection=connection, key__in=wanted).values_list("key", "label")
    names = dict(items)
    members = {m.pk: m.user.display_name for m in Membership.objects.select_related("user").filter(id__in=list(picks))}
    people = {members[k]: names.get(v, "no user") for k, v in sorted(picks.items()) if k in members}
    return people | {name: names.get(remote_id, "") for name, remote_id in policy.items()}

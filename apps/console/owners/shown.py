"""What the owners page shows: members with their users, and who of the org is nobody here."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.audience.models import Owner, OwnerPick
from apps.integrations.models import Connection, ReferenceItem, ReferenceKind
from apps.tenants.models import Membership

MOST_SUGGESTED = 2_000
"""Names that the page suggests while somebody types; whoever is not among them is found by the whole e-mail."""
_MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member and the user that they are. ``typed`` stands in the field, blank for what the e-mail address tells."""

    member: Membership
    owner: Owner | None
    has_user: bool
    typed: str
    error: str = ""

    @property
    def is_by_email(self) -> bool:
        return self.has_user and not self.typed


@dataclass(frozen=True, slots=True)
class Strangers:
    """Users of the org whom no member is."""

    shown: list[Owner]
    count: int


def name_of(owner: Owner) -> str:
    """A user or queue as they are typed and suggested; two of one name are told apart by the address."""
    if owner.kind == "queue":
        return f"{owner.name} (queue)"
    return f"{owner.name} <{owner.email}>" if owner.email else owner.name


def suggestions(kinds: Sequence[str] = ("user",)) -> list[str]:
    """Active owners by name."""
    rows = Owner.objects.filter(is_active=True, kind__in=kinds).order_by("kind", "name", "id")
    return [name_of(row) for row in rows[:MOST_SUGGESTED]]


def owner_typed(text: str, kinds: Sequence[str] = ("user",)) -> Owner | None:
    """The active owner that was typed: as suggested, by e-mail address, by name, or by id; None where none or several
    fit."""
    typed = text.strip()
    rows = Owner.objects.filter(is_active=True, kind__in=kinds)
    name, _, rest = typed.partition(" <")
    tries = [{"remote_id": typed}, {"email__iexact": rest.rstrip(">") or typed}]
    tries += [{"name__iexact": typed}, {"name__iexact": typed.removesuffix(" (queue)"), "kind": "queue"}]
    for criteria in tries:
        found: list[Owner] = list(rows.filter(**criteria).order_by("id")[:2]) if all(criteria.values()) else []
        if len(found) > 1 and rest:
            found = [one for one in found if one.name == name]
        if len(found) == 1:
            return found[0]
    return None


def member_rows() -> list[MemberRow]:
    """Every member with the user that they are by now."""
    picks = dict(OwnerPick.objects.values_list("member_id", "remote_id"))
    owners = {owner.member_id: owner for owner in Owner.objects.filter(member_id__isnull=False)}
    rows = []
    for member in Membership.objects.select_related("user").order_by("user__email", "id"):
        owner, picked = owners.get(member.pk), picks.get(member.pk)
        typed = name_of(owner) if picked and owner is not None else picked or ""
        rows.append(MemberRow(member, owner, picked != "", typed))
    return rows


def unmatched() -> Strangers:
    """Active users whom no member is."""
    rows = Owner.objects.filter(kind="user", is_active=True, member_id__isnull=True).order_by("name", "id")
    return Strangers(list(rows[:_MOST_LISTED]), rows.count())


def inactive() -> Strangers:
    """Users who are switched off in Salesforce, and whoever is not there any more."""
    rows = Owner.objects.filter(is_active=False).order_by("name", "id")
    return Strangers(list(rows[:_MOST_LISTED]), rows.count())


def assignments(connection: Connection) -> list[tuple[str, str]]:
    """What may choose the owner of a new lead: (id, words)."""
    items = ReferenceItem.objects.filter(connection=connection, is_active=True).order_by("label", "key")
    rules = [row for row in items.filter(kind=ReferenceKind.ASSIGNMENT_RULE) if row.data.get("sobject") == "Lead"]
    queues = items.filter(kind=ReferenceKind.QUEUE)
    return [
        ("", "The fallback owner"),
        *((row.key, f"Assignment rule: {row.label}") for row in rules),
        *((row.key, f"Queue: {row.label}") for row in queues),
    ]

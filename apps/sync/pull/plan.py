"""Plan: from steps and describes to the questions of a run."""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from apps.domain.filters import Filter, Group, Operator, Rule
from apps.domain.mapping import Step
from apps.domain.rows import OPT_OUT, PERSON_ACCOUNT, SYSTEM_FIELDS, fields_of
from apps.domain.values import FieldType
from apps.integrations.models import ObjectMetadata
from apps.integrations.soql import select_text

ORDER = ("Account", "Contact", "Lead", "Opportunity", "Campaign", "CampaignMember", "OpportunityContactRole")
"""Parents before children; custom objects, which may name any of them, come after those with steps of their own."""
_CUSTOM_AFTER = "Opportunity"

RELATIONS: dict[str, tuple[str, ...]] = {
    "Campaign": ("Id", "SystemModstamp", "Name", "Type", "Status", "StartDate", "EndDate", "IsActive"),
    "CampaignMember": ("Id", "SystemModstamp", "CampaignId", "LeadId", "ContactId", "Status", "HasResponded"),
    "OpportunityContactRole": ("Id", "SystemModstamp", "OpportunityId", "ContactId", "Role", "IsPrimary"),
}
"""sObjects that become lists, memberships and roles: their fields are fixed, not mapped."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one sObject; ``columns`` in the order of the answer."""

    sobject: str
    label: str
    columns: tuple[str, ...]
    soql: str


def in_order(sobjects: Iterable[str]) -> list[str]:
    """sObjects in the order in which they are brought in; custom ones by name."""
    known = {sobject: (number, "") for number, sobject in enumerate(ORDER)}
    return sorted(set(sobjects), key=lambda name: known.get(name, (ORDER.index(_CUSTOM_AFTER), name)))


def questions(
    steps: list[Step], metadata: list[ObjectMetadata], *, with_campaigns: bool, person_accounts: bool = False
) -> list[Question]:
    """The questions of a full sync: of each sObject only what is mapped, filtered by its steps; with person accounts
    only business accounts are asked for."""
    shown = {row.sobject: (row.label, set(row.schema["fields"])) for row in metadata}
    asked = []
    for sobject in in_order({*RELATIONS, *(step.sobject for step in steps)} & shown.keys()):
        if sobject.startswith("Campaign") and not with_campaigns:
            continue
        label, fields = shown[sobject]
        mine = [step for step in steps if step.sobject == sobject and step.pulls]
        if sobject in RELATIONS:
            columns = tuple(name for name in RELATIONS[sobject] if name in fields)
            where = None
        elif mine:
            columns, where = _columns(mine, fields), _where(mine, fields)
            if not person_accounts:
                columns = tuple(name for name in columns if name != PERSON_ACCOUNT)
            elif sobject == "Account" and PERSON_ACCOUNT in fields:
                where = _business_only(where)
        else:
            continue
        asked.append(Question(sobject, label, columns, select_text(sobject, columns, where)))
    return asked


def _business_only(where: Filter | None) -> Filter:
    business = Rule(PERSON_ACCOUNT, FieldType.BOOLEAN, Operator.EQUALS, ("false",))
    return business if where is None else Group((business, where), all_of=True)


def _columns(steps: list[Step], fields: Set[str]) -> tuple[str, ...]:
    wanted = [name for name in SYSTEM_FIELDS if name in fields]
    wanted += [name for name in fields_of(steps) if name in fields]
    return tuple(dict.fromkeys(wanted))


def _where(steps: list[Step], fields: Set[str]) -> Filter | None:
    """Rows that any step admits, and whoever has opted out; one step without a filter admits all."""
    filters = [step.inbound_filter for step in steps]
    present = tuple(tree for tree in filters if tree is not None)
    if len(present) < len(filters):
        return None
    if OPT_OUT in fields:
        present += (Rule(OPT_OUT, FieldType.BOOLEAN, Operator.EQUALS, ("true",)),)
    return Group(present, all_of=False)

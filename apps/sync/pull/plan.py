"""Plan: from steps and describes to the questions of a run."""

from collections.abc import Set
from dataclasses import dataclass

from apps.domain.filters import Filter, Group
from apps.domain.mapping import Step
from apps.integrations.models import ObjectMetadata
from apps.integrations.soql import select_text

AUTOMATIC = (
    "Id",
    "SystemModstamp",
    "CreatedDate",
    "HasOptedOutOfEmail",
    "IsConverted",
    "ConvertedContactId",
)
"""Fields that the engine reads where the org shows them, whatever is mapped."""

ORDER = ("Account", "Contact", "Lead", "Opportunity", "Campaign", "CampaignMember", "OpportunityContactRole")
"""Parents before children."""

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


def questions(steps: list[Step], metadata: list[ObjectMetadata], *, with_campaigns: bool) -> list[Question]:
    """The questions of a full sync: of each sObject only what is mapped, filtered by its steps."""
    shown = {row.sobject: (row.label, set(row.schema["fields"])) for row in metadata}
    asked = []
    for sobject in ORDER:
        if sobject not in shown or (sobject.startswith("Campaign") and not with_campaigns):
            continue
        label, fields = shown[sobject]
        mine = [step for step in steps if step.sobject == sobject and step.pulls]
        if sobject in RELATIONS:
            columns = tuple(name for name in RELATIONS[sobject] if name in fields)
            where = None
        elif mine:
            columns, where = _columns(mine, fields), _where(mine)
        else:
            continue
        asked.append(Question(sobject, label, columns, select_text(sobject, columns, where)))
    return asked


def _columns(steps: list[Step], fields: Set[str]) -> tuple[str, ...]:
    wanted = [name for name in AUTOMATIC if name in fields]
    wanted += [rule.remote_field for step in steps for rule in step.rules]
    return tuple(dict.fromkeys(wanted))


def _where(steps: list[Step]) -> Filter | None:
    """Rows that any step admits; one step without a filter admits all."""
    filters = [step.inbound_filter for step in steps]
    present = tuple(tree for tree in filters if tree is not None)
    return Group(present, all_of=False) if len(present) == len(filters) else None

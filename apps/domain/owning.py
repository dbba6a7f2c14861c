"""Who owns what is written to Salesforce: the owner here where they can own it there, else the fallback (C16).

Pure. Owners are ids of Salesforce: of users (005) and of queues (00G).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

OWNER = "OwnerId"
_QUEUE = "00G"
_RULE = "01Q"


@dataclass(frozen=True, slots=True)
class OwnerPolicy:
    """``fallback`` owns what nobody can own; ``lead_assignment`` is the rule or queue for new leads without an owner;
    ``inactive`` are users who cannot own anything new."""

    fallback: str = ""
    lead_assignment: str = ""
    inactive: Collection[str] = field(default_factory=frozenset)

    def may_own(self, owner: str, takes: Collection[str]) -> bool:
        """Whether this user or queue can own a row of an object whose owners are of the kinds ``takes``."""
        if owner.startswith(_QUEUE):
            return "Group" in takes
        return owner not in self.inactive


def fitted(values: Mapping[str, str], policy: OwnerPolicy, takes: Collection[str], *, held: str) -> dict[str, str]:
    """The values of an update with an owner that Salesforce takes: an inactive user, or a queue where only users own,
    makes room for the fallback. Where the row is that owner's already, nothing is said of the owner. Without a
    fallback Salesforce is asked, and its refusal is the error."""
    owner = values.get(OWNER, "")
    if not owner or policy.may_own(owner, takes) or not _has_fallback(policy, takes):
        return dict(values)
    others = {name: text for name, text in values.items() if name != OWNER}
    return others if held == policy.fallback else {**others, OWNER: policy.fallback}


def owned_at_birth(
    values: Mapping[str, str], policy: OwnerPolicy, takes: Collection[str], *, is_lead: bool
) -> tuple[dict[str, str], str]:
    """The values of a new row, and the assignment rule that is to choose its owner, "" for none.

    An owner who can own it stays. A lead without one goes to the rule or queue that is set, anything else to the
    fallback; where there is none, to whom Salesforce gives it."""
    owner = values.get(OWNER, "")
    if owner and policy.may_own(owner, takes):
        return dict(values), ""
    others = {name: text for name, text in values.items() if name != OWNER}
    if is_lead and policy.lead_assignment.startswith(_RULE):
        return others, policy.lead_assignment
    if is_lead and policy.lead_assignment:
        return {**others, OWNER: policy.lead_assignment}, ""
    if _has_fallback(policy, takes):
        return {**others, OWNER: policy.fallback}, ""
    return dict(values), ""


def _has_fallback(policy: OwnerPolicy, takes: Collection[str]) -> bool:
    return bool(policy.fallback) and policy.may_own(policy.fallback, takes)

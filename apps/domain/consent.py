"""Opt-out: outside filters, ways and winners. Once out, only the person's own act opts in again."""

from dataclasses import dataclass
from enum import StrEnum


class ConsentRule(StrEnum):
    """Why consent became what it is."""

    AGREED = "agreed"
    UNKNOWN = "unknown"
    OPTED_OUT_THERE = "opted_out_there"
    OPTED_OUT_HERE = "opted_out_here"
    OPTED_IN_HERE = "opted_in_here"
    SET_AGAIN = "set_again"
    UNTICKED = "unticked"


@dataclass(frozen=True, slots=True)
class ConsentDecision:
    """What each side's opt-out becomes; None: leave it."""

    rule: ConsentRule
    local: bool | None = None
    remote: bool | None = None

    @property
    def is_blocked(self) -> bool:
        """Somebody in Salesforce takes the opt-out back for the second time: a person must settle it."""
        return self.rule is ConsentRule.UNTICKED


def decide_opt_out(
    *,
    local: bool,
    remote: bool | None,
    base: bool | None = None,
    opted_in_here: bool = False,
    was_set_again: bool = False,
    takes_remote: bool = True,
    gives_remote: bool = True,
) -> ConsentDecision:
    """The strictest of both sides; a remote field that is hidden (None) changes nothing.

    ``base`` is what Salesforce held when last judged. ``opted_in_here``: the person's own act here waits to be told.
    It undoes only an opt-out that was known when they acted; one that is news wins. ``was_set_again``: an un-tick in
    Salesforce has been answered once already. ``takes_remote`` and ``gives_remote`` are the tenant's switches.
    """
    if remote is None:
        return ConsentDecision(ConsentRule.UNKNOWN)
    if remote == local:
        return ConsentDecision(ConsentRule.AGREED)
    if remote:
        if opted_in_here and base is True:
            return ConsentDecision(ConsentRule.OPTED_IN_HERE, remote=False if gives_remote else None)
        return ConsentDecision(ConsentRule.OPTED_OUT_THERE, local=True if takes_remote else None)
    if not gives_remote:
        return ConsentDecision(ConsentRule.OPTED_OUT_HERE)
    if base is not True:
        return ConsentDecision(ConsentRule.OPTED_OUT_HERE, remote=True)
    if was_set_again:
        return ConsentDecision(ConsentRule.UNTICKED)
    return ConsentDecision(ConsentRule.SET_AGAIN, remote=True)

"""Opt-out: outside filters, ways and winners. Once out, only the person's own act opts in again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsentDecision:
    """What each side's opt-out becomes; None: leave it."""

    local: bool | None = None
    remote: bool | None = None


def decide_opt_out(
    *, local: bool, remote: bool | None, takes_remote: bool = True, gives_remote: bool = True
) -> ConsentDecision:
    """The strictest of both sides; a remote field that is hidden (None) changes nothing.

    ``takes_remote`` and ``gives_remote`` are the tenant's switches for the two ways.
    """
    if remote is None:
        return ConsentDecision()
    if remote and not local and takes_remote:
        return ConsentDecision(local=True)
    if local and not remote and gives_remote:
        return ConsentDecision(remote=True)
    return ConsentDecision()

"""What the Salesforce pages show that is the same for every tenant, and small summaries for them."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.integrations.models import ConnectionCheck

SCOPE_REASONS: tuple[tuple[str, str, str], ...] = (
    ("id", "Access the identity URL service", "to know which org and which user was connected"),
    ("api", "Manage user data via APIs", "to read the records you map, and later to write where you allow it"),
    ("refresh_token", "Perform requests at any time", "to go on syncing when nobody is logged in"),
)


@dataclass(frozen=True, slots=True)
class ChecksSummary:
    """How many answers of each kind."""

    passed: int
    warnings: int
    blockers: int
    not_checked: int


def checks_summary(checks: Iterable[ConnectionCheck]) -> ChecksSummary:
    """Count the answers by outcome."""
    outcomes = [check.outcome for check in checks]
    return ChecksSummary(
        outcomes.count("pass"), outcomes.count("warning"), outcomes.count("blocker"), outcomes.count("not_checked")
    )

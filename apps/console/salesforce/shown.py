"""What the Salesforce pages show that is the same for every tenant, and small summaries for them."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.audience.selectors.types import custom_types
from apps.integrations.models import ConnectionCheck

SCOPE_REASONS: tuple[tuple[str, str, str], ...] = (
    ("id", "Access the identity URL service", "to know which org and which user was connected"),
    ("api", "Manage user data via APIs", "to read the records you map, and later to write where you allow it"),
    ("refresh_token", "Perform requests at any time", "to go on syncing when nobody is logged in"),
)
_OBJECT_PAGES: tuple[tuple[str, str, str], ...] = (
    ("lead", "Leads", "Lead"),
    ("contact", "Contacts", "Contact"),
    ("account", "Accounts", "Account"),
    ("opportunity", "Opportunities", "Opportunity"),
)


def object_pages() -> list[tuple[str, str]]:
    """The objects that have a page, with the name of each: those that every org has, then the custom ones."""
    own = [(one.key, one.label_plural) for one in custom_types() if one.sobject]
    return [*((slug, label) for slug, label, _ in _OBJECT_PAGES), *own]


def sobject_of(slug: str) -> str:
    """The sObject that a page is about; "" where there is no such page."""
    named = {known: sobject for known, _, sobject in _OBJECT_PAGES}
    return named.get(slug) or next((one.sobject for one in custom_types() if one.key == slug), "")


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

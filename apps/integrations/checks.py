"""Pre-flight: what is needed for syncing, asked of the org's own describes, profile and limits."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from apps.domain.failures import Failure
from apps.integrations.models import Connection, ConnectionCheck
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.schema import ObjectSchema
from apps.salesforce.session import Usage
from apps.salesforce.soql import quoted
from apps.tenants.scope import tenant_transaction

PASS, WARNING, BLOCKER, NOT_CHECKED = "pass", "warning", "blocker", "not_checked"
NEEDED = ("Account", "Contact", "Lead", "Opportunity")
_FEW_CALLS = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    key: str
    title: str
    outcome: str
    finding: str
    fix: str = ""


def read_profile(gateway: SalesforceGateway, user_id: str) -> dict[str, Any] | None:
    """The sync user's flags; None where Salesforce gives no answer."""
    soql = (
        "SELECT UserPermissionsMarketingUser, Profile.PermissionsApiEnabled, Profile.PermissionsModifyAllData "
        f"FROM User WHERE Id = {quoted(user_id)}"
    )
    try:
        return next(gateway.query(soql), None)
    except Failure:
        return None


def findings(
    schemas: dict[str, ObjectSchema], profile: dict[str, Any] | None, usage: Usage | None, group_edition: bool = False
) -> list[Finding]:
    """All answers; pure."""
    rights = (profile or {}).get("Profile") or {}
    found = [
        Finding("api", "API access", PASS, "Salesforce answers our questions through its API."),
        _flag(
            "modify_all",
            "Modify All Data",
            rights.get("PermissionsModifyAllData"),
            "The sync user sees and may change every record.",
            "The sync user may see only part of your records.",
            "Give the sync user the profile System Administrator, or “Modify All Data” by a permission set.",
        ),
        _flag(
            "marketing_user",
            "Marketing User",
            (profile or {}).get("UserPermissionsMarketingUser"),
            "The sync user may work with Campaigns.",
            "Without it, Campaigns cannot be created from here.",
            "Tick “Marketing User” on the sync user in Salesforce.",
        ),
        Finding(
            "password",
            "Password never expires",
            NOT_CHECKED,
            "Salesforce does not tell this through its API.",
            "Give the sync user a profile whose passwords never expire, or the sync stops one day.",
        ),
    ]
    found += [_object(name, schemas.get(name)) for name in NEEDED]
    found.append(_campaigns(schemas, group_edition))
    hidden = [f"{n}.HasOptedOutOfEmail" for n in ("Lead", "Contact") if n in schemas
              and "HasOptedOutOfEmail" not in schemas[n].fields]  # fmt: skip
    found.append(
        Finding(
            "opt_out",
            "Email Opt Out visible",
            WARNING if hidden else PASS,
            f"Hidden from the sync user: {', '.join(hidden)}." if hidden else "Unsubscribes can be kept in line.",
            "Make the field visible to the sync user (field-level security)." if hidden else "",
        )
    )
    found.append(_allowance(usage))
    return found


def _flag(key: str, title: str, value: Any, good: str, bad: str, fix: str) -> Finding:
    if value is None:
        return Finding(key, title, NOT_CHECKED, "Salesforce gave no answer.", fix)
    return Finding(key, title, PASS, good) if value else Finding(key, title, WARNING, bad, fix)


def _object(name: str, schema: ObjectSchema | None) -> Finding:
    if schema is None:
        return Finding(
            f"object_{name}",
            f"{name} readable",
            BLOCKER,
            f"The sync user cannot see the object {name}.",
            f"Give the sync user read access to {name}.",
        )
    return Finding(f"object_{name}", f"{name} readable", PASS, f"{len(schema.fields)} fields are visible.")


def _campaigns(schemas: dict[str, ObjectSchema], group_edition: bool) -> Finding:
    if "Campaign" in schemas:
        return Finding("campaigns", "Campaigns", PASS, "Campaigns and their members can be synced.")
    outcome = PASS if group_edition else WARNING
    return Finding(
        "campaigns",
        "Campaigns",
        outcome,
        "This org shows no Campaigns; they are left out.",
        "Campaigns need Professional Edition or above.",
    )


def _allowance(usage: Usage | None) -> Finding:
    if usage is None:
        return Finding("allowance", "API allowance", NOT_CHECKED, "Salesforce gave no answer.")
    left = usage.allowed - usage.used
    return Finding(
        "allowance",
        "API allowance",
        PASS if left > _FEW_CALLS else WARNING,
        f"{left:,} of {usage.allowed:,} calls are left for today.",
        "" if left > _FEW_CALLS else "Wait until calls are free again, or choose a lower frequency.",
    )


def store_findings(tenant_id: int, connection_id: int, answers: list[Finding]) -> None:
    """Replace the connection's answers."""
    now = timezone.now()
    with tenant_transaction(tenant_id):
        connection = Connection.objects.get(id=connection_id)
        for position, answer in enumerate(answers):
            ConnectionCheck.objects.update_or_create(
                connection=connection,
                key=answer.key,
                defaults={
                    "title": answer.title,
                    "outcome": answer.outcome,
                    "finding": answer.finding,
                    "fix": answer.fix,
                    "position": position,
                    "checked_at": now,
                },
            )

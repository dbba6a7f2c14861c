"""Reading what an org is made of into the cache: describes and reference data."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from apps.domain.failures import MappingBroken
from apps.integrations.models import Connection, ObjectMetadata, ReferenceItem, ReferenceKind
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.schema import ObjectSchema
from apps.tenants.scope import tenant_transaction

DESCRIBED = (
    "Account",
    "Contact",
    "Lead",
    "Opportunity",
    "OpportunityContactRole",
    "Campaign",
    "CampaignMember",
    "User",
)


@dataclass(frozen=True, slots=True)
class OrgFacts:
    """What one round of questions found."""

    name: str
    edition: str
    is_sandbox: bool
    schemas: tuple[ObjectSchema, ...]
    users: tuple[dict[str, Any], ...]
    queues: tuple[dict[str, Any], ...]


def read_org(gateway: SalesforceGateway) -> OrgFacts:
    """Ask the org; a dozen calls, no transaction."""
    present = {item["name"] for item in gateway.sobjects()}
    organization = next(gateway.query("SELECT Id, Name, OrganizationType, IsSandbox FROM Organization LIMIT 1"), {})
    schemas = tuple(gateway.describe(name) for name in DESCRIBED if name in present)
    users = tuple(gateway.query("SELECT Id, Name, Email, IsActive FROM User WHERE UserType = 'Standard'"))
    try:
        queues = tuple(gateway.query("SELECT Id, Name FROM Group WHERE Type = 'Queue'"))
    except MappingBroken:
        queues = ()
    return OrgFacts(
        organization.get("Name") or "",
        organization.get("OrganizationType") or "",
        bool(organization.get("IsSandbox")),
        schemas,
        users,
        queues,
    )


def store_org(tenant_id: int, connection_id: int, facts: OrgFacts) -> None:
    """Replace the cache by what was found; items that are gone become inactive."""
    now = timezone.now()
    with tenant_transaction(tenant_id):
        connection = Connection.objects.select_for_update().get(id=connection_id)
        for schema in facts.schemas:
            ObjectMetadata.objects.update_or_create(
                connection=connection,
                sobject=schema.name,
                defaults={"label": schema.label_plural, "schema": schema.to_dict(), "fetched_at": now},
            )
        _store_items(connection, ReferenceKind.USER, facts.users)
        _store_items(connection, ReferenceKind.QUEUE, facts.queues)
        by_name = {schema.name: schema for schema in facts.schemas}
        connection.org_name, connection.edition = facts.name, facts.edition
        connection.is_sandbox = facts.is_sandbox
        connection.has_campaigns = "Campaign" in by_name
        connection.has_person_accounts = "Account" in by_name and "IsPersonAccount" in by_name["Account"].fields
        connection.has_package = "Lead" in by_name and "Syncline_Id__c" in by_name["Lead"].fields
        connection.metadata_at = now
        connection.save()


def _store_items(connection: Connection, kind: ReferenceKind, rows: tuple[dict[str, Any], ...]) -> None:
    now = timezone.now()
    for row in rows:
        ReferenceItem.objects.update_or_create(
            connection=connection,
            kind=kind,
            key=row["Id"],
            defaults={
                "label": row.get("Name") or row["Id"],
                "data": {"email": row.get("Email") or ""},
                "is_active": row.get("IsActive", True),
                "fetched_at": now,
            },
        )
    ReferenceItem.objects.filter(connection=connection, kind=kind, fetched_at__lt=now).exclude(
        key__in=[row["Id"] for row in rows]
    ).update(is_active=False)


def cached_schema(connection: Connection, sobject: str) -> ObjectSchema | None:
    """The cached describe of an sObject; None where the org has none or it was never read."""
    row = ObjectMetadata.objects.filter(connection=connection, sobject=sobject).first()
    return ObjectSchema.from_dict(row.schema) if row else None

"""Reading what an org is made of into the cache, in short steps: its objects, describes and reference data."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from apps.domain.failures import MappingBroken
from apps.integrations.gateways import open_gateway
from apps.integrations.models import Connection, ObjectMetadata, ReferenceItem, ReferenceKind
from apps.integrations.organization import ask_organization
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.schema import ObjectSchema
from apps.tenants.scope import tenant_transaction

Schema = ObjectSchema
"""A describe as the layers above name it: they do not import ``apps.salesforce``."""

DESCRIBED = (
    "Account",
    "Contact",
    "Lead",
    "Opportunity",
    "OpportunityContactRole",
    "Campaign",
    "CampaignMember",
    "Task",
    "Case",
    "User",
    "Group",
)
KEPT_FRESH = timedelta(hours=24)
"""How long the cache is good for without a full sync (C17)."""

_WITH_PACKAGE = "Syncline_Id__c"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose cache is filled."""

    tenant_id: int
    connection_id: int


@dataclass(frozen=True, slots=True)
class Item:
    """One item of reference data."""

    key: str
    label: str
    data: dict[str, object]
    is_active: bool = True


Step = Callable[[SalesforceGateway, Place], None]


def _organization(gateway: SalesforceGateway, place: Place) -> None:
    found = ask_organization(gateway)
    with tenant_transaction(place.tenant_id):
        Connection.objects.filter(id=place.connection_id).update(
            org_name=found.name, edition=found.edition, is_sandbox=found.is_sandbox
        )


def _objects(gateway: SalesforceGateway, place: Place) -> None:
    items = [Item(found["name"], found.get("label") or found["name"], _facts_of(found)) for found in gateway.sobjects()]
    _store_items(place, ReferenceKind.OBJECT, items)


def _facts_of(found: dict[str, Any]) -> dict[str, object]:
    """What the list of objects says of one: a custom object that holds records can be synced, settings cannot."""
    is_custom = bool(found.get("custom")) and str(found["name"]).endswith("__c")
    is_kept = bool(found.get("queryable", True)) and not found.get("customSetting")
    return {
        "custom": bool(found.get("custom")),
        "syncs": is_custom and is_kept and not found.get("deprecatedAndHidden"),
        "plural": found.get("labelPlural") or "",
    }


def _describe(gateway: SalesforceGateway, place: Place, *, sobject: str) -> None:
    """Read one describe; an object that is gone or hidden leaves the cache, which pauses its mappings (C15)."""
    schema = _describe_if_visible(gateway, place, sobject)
    with tenant_transaction(place.tenant_id):
        if schema is None:
            ObjectMetadata.objects.filter(connection_id=place.connection_id, sobject=sobject).delete()
            return
        ObjectMetadata.objects.update_or_create(
            connection_id=place.connection_id,
            sobject=schema.name,
            defaults={"label": schema.label_plural, "schema": schema.to_dict(), "fetched_at": timezone.now()},
        )
    if sobject == "Lead":
        _store_items(place, ReferenceKind.LEAD_STATUS, _picklist(schema, "Status"))
    if sobject == "Case":
        _store_items(place, ReferenceKind.CASE_PRIORITY, _picklist(schema, "Priority"))


def _describe_if_visible(gateway: SalesforceGateway, place: Place, sobject: str) -> ObjectSchema | None:
    with tenant_transaction(place.tenant_id):
        is_visible = ReferenceItem.objects.filter(
            connection_id=place.connection_id, kind=ReferenceKind.OBJECT, key=sobject, is_active=True
        ).exists()
    return gateway.describe(sobject) if is_visible else None


def _picklist(schema: ObjectSchema, name: str) -> list[Item]:
    field = schema.fields.get(name)
    return [Item(value, label, {}) for value, label in field.picklist] if field else []


def _users(gateway: SalesforceGateway, place: Place) -> None:
    rows = gateway.query("SELECT Id, Name, Email, IsActive, TimeZoneSidKey FROM User WHERE UserType = 'Standard'")
    items = [
        Item(
            row["Id"],
            row.get("Name") or row["Id"],
            {"email": row.get("Email") or "", "zone": row.get("TimeZoneSidKey") or ""},
            bool(row.get("IsActive")),
        )
        for row in rows
    ]
    _store_items(place, ReferenceKind.USER, items)


def _queues(gateway: SalesforceGateway, place: Place) -> None:
    _query_items(gateway, place, ReferenceKind.QUEUE, "SELECT Id, Name FROM Group WHERE Type = 'Queue'")


def _assignment_rules(gateway: SalesforceGateway, place: Place) -> None:
    _query_items(
        gateway, place, ReferenceKind.ASSIGNMENT_RULE, "SELECT Id, Name, SobjectType, Active FROM AssignmentRule"
    )


def _query_items(gateway: SalesforceGateway, place: Place, kind: ReferenceKind, soql: str) -> None:
    """Store what a query finds; an object that this org or user does not have gives no items."""
    try:
        rows = list(gateway.query(soql))
    except MappingBroken:
        rows = []
    items = [
        Item(
            row["Id"], row.get("Name") or row["Id"], {"sobject": row.get("SobjectType") or ""}, row.get("Active", True)
        )
        for row in rows
    ]
    _store_items(place, kind, items)


def _extra_objects(gateway: SalesforceGateway, place: Place) -> None:
    """Describe the custom objects that are synced or looked at."""
    with tenant_transaction(place.tenant_id):
        extra: list[str] = Connection.objects.get(id=place.connection_id).extra_objects
    for sobject in extra:
        _describe(gateway, place, sobject=sobject)


def _finish(gateway: SalesforceGateway, place: Place) -> None:
    with tenant_transaction(place.tenant_id):
        connection = Connection.objects.select_for_update().get(id=place.connection_id)
        account, lead = cached_schema(connection, "Account"), cached_schema(connection, "Lead")
        connection.has_campaigns = cached_schema(connection, "Campaign") is not None
        connection.has_person_accounts = account is not None and "IsPersonAccount" in account.fields
        connection.has_package = lead is not None and _WITH_PACKAGE in lead.fields
        connection.metadata_at = timezone.now()
        connection.metadata_due_at = connection.metadata_at + KEPT_FRESH
        connection.save(
            update_fields=["has_campaigns", "has_person_accounts", "has_package", "metadata_at", "metadata_due_at"]
        )


STEPS: tuple[tuple[str, Step], ...] = (
    ("Looking who you are", _organization),
    ("Listing objects", _objects),
    *((f"Reading the fields of {name}", partial(_describe, sobject=name)) for name in DESCRIBED),
    ("Reading users", _users),
    ("Reading queues", _queues),
    ("Reading assignment rules", _assignment_rules),
    ("Reading the fields of custom objects", _extra_objects),
    ("Finishing", _finish),
)
EXTRA_STEPS: tuple[tuple[str, Step], ...] = (
    ("Listing objects", _objects),
    ("Reading the fields of the object", _extra_objects),
)
"""What a page asks for that wants to show a custom object."""


def refresh_metadata(tenant_id: int, connection_id: int) -> None:
    """Read everything anew, outside transactions; about twenty calls."""
    place = Place(tenant_id, connection_id)
    with open_gateway(tenant_id, connection_id) as gateway:
        for _, step in STEPS:
            step(gateway, place)


def _store_items(place: Place, kind: ReferenceKind, items: Iterable[Item]) -> None:
    """Replace the items of a kind; those that are gone become inactive, for records may still name them."""
    with tenant_transaction(place.tenant_id):
        # Two readings at once take turns, or the items of the older one would look gone to the newer one.
        Connection.objects.select_for_update().get(id=place.connection_id)
        _replace_items(place, kind, items, timezone.now())


def _replace_items(place: Place, kind: ReferenceKind, items: Iterable[Item], now: datetime) -> None:
    rows = {
        item.key: ReferenceItem(
            tenant_id=place.tenant_id,
            connection_id=place.connection_id,
            kind=kind,
            key=item.key[:255],
            label=item.label[:255],
            data=item.data,
            is_active=item.is_active,
            fetched_at=now,
        )
        for item in items
    }
    ReferenceItem.objects.bulk_create(
        rows.values(),
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["tenant", "connection", "kind", "key"],
        update_fields=["label", "data", "is_active", "fetched_at"],
    )
    ReferenceItem.objects.filter(
        connection_id=place.connection_id, kind=kind, is_active=True, fetched_at__lt=now
    ).update(is_active=False)


def cached_schema(connection: Connection, sobject: str) -> ObjectSchema | None:
    """The cached describe of an sObject; None where the org has none or it was never read."""
    row = ObjectMetadata.objects.filter(connection=connection, sobject=sobject).first()
    return ObjectSchema.from_dict(row.schema) if row else None


def cached_schemas(connection: Connection, sobjects: Iterable[str]) -> dict[str, ObjectSchema]:
    """The cached describes of several sObjects; those that the org has not are missing."""
    rows = ObjectMetadata.objects.filter(connection=connection, sobject__in=sobjects)
    return {row.sobject: ObjectSchema.from_dict(row.schema) for row in rows}


def user_zone(connection: Connection) -> str:
    """The time zone of the sync user, as Salesforce names it; "" where it has not been read."""
    users = ReferenceItem.objects.filter(connection=connection, kind=ReferenceKind.USER)
    row = users.filter(key=connection.user_remote_id).first()
    return str(row.data.get("zone") or "") if row is not None else ""

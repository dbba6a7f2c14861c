"""A connection with describes of its own making: rules of mappings without any Salesforce."""

from django.utils import timezone

from apps.domain.ports import FieldSchema, ObjectSchema
from apps.integrations.models import Connection, ObjectMetadata


def field(name: str, kind: str = "string", **facts: object) -> FieldSchema:
    """A field that can be written, unless said otherwise."""
    return FieldSchema(
        **{"name": name, "label": name, "type": kind, "createable": True, "updateable": True, **facts}  # type: ignore[arg-type]
    )


LEAD = (
    field("Id", "id", createable=False, updateable=False),
    field("Email", "email"),
    field("FirstName"),
    field("LastName", nillable=False),
    field("Company", nillable=False),
    field("Title"),
    field("Phone", "phone"),
    field("City"),
    field("Name", calculated=True, createable=False, updateable=False),
    field("AnnualRevenue", "currency"),
    field("NumberOfEmployees", "int"),
    field("Birthday__c", "date"),
    field("HasDrone__c", "boolean", nillable=False),
    field("Address", "address", createable=False, updateable=False),
    field("OwnerId", "reference", reference_to=("Group", "User"), nillable=False, defaulted_on_create=True),
    field("Partner__c", "reference", reference_to=("Account",)),
    field("Status", "picklist", picklist=(("Open", "Open"), ("Closed", "Closed")), restricted=True),
    field("Rating", "picklist", picklist=(("Hot", "Hot"), ("Cold", "Cold"))),
)
OPPORTUNITY = (field("Name", nillable=False), field("StageName", "picklist", nillable=False))


def connected(**objects: tuple[FieldSchema, ...]) -> Connection:
    """A connection whose cache holds these objects; inside the tenant."""
    made: Connection = Connection.objects.create(
        login_url="https://login.salesforce.com",
        instance_url="https://northwind.my.salesforce.com",
        org_id="00D000000000001EAA",
        org_name="Northwind",
        api_version="62.0",
        metadata_at=timezone.now(),
    )
    for sobject, fields in ({"Lead": LEAD, "Opportunity": OPPORTUNITY} | objects).items():
        describe(made, sobject, fields)
    return made


def describe(connection: Connection, sobject: str, fields: tuple[FieldSchema, ...]) -> None:
    """Put a describe into the cache, or another one in its place."""
    schema = ObjectSchema(sobject, sobject, f"{sobject}s", "", True, True, True, {one.name: one for one in fields})
    ObjectMetadata.objects.update_or_create(
        connection=connection,
        sobject=sobject,
        defaults={"label": schema.label_plural, "schema": schema.to_dict(), "fetched_at": timezone.now()},
    )

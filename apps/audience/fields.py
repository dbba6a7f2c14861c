"""The registry of fields that can be mapped: name, label, kind and column of each."""

from dataclasses import dataclass
from enum import StrEnum

CUSTOM_PREFIX = "custom:"


class Kind(StrEnum):
    """What a local field holds."""

    TEXT = "text"
    EMAIL = "email"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class LocalField:
    """A field of a record type. A reference holds the id of a record of ``refers_to``."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    refers_to: str = ""

    @property
    def column(self) -> str:
        return f"{self.name}_id" if self.kind is Kind.REFERENCE else self.name


def _texts(**labels: str) -> list[LocalField]:
    return [LocalField(name, label) for name, label in labels.items()]


_OWNER = LocalField("owner", "Owner", Kind.REFERENCE, "owner")

PERSON = {
    field.name: field
    for field in [
        LocalField("email", "Email", Kind.EMAIL),
        *_texts(
            first_name="First name",
            last_name="Last name",
            salutation="Salutation",
            title="Title",
            department="Department",
            company_name="Company name",
            phone="Phone",
            mobile_phone="Mobile phone",
            fax="Fax",
            website="Website",
            street="Street",
            city="City",
            state="State",
            postal_code="Postal code",
            country="Country",
            industry="Industry",
            lead_source="Lead source",
            lead_status="Lead status",
            rating="Rating",
            description="Description",
        ),
        LocalField("employees", "Employees", Kind.INTEGER),
        LocalField("annual_revenue", "Annual revenue", Kind.DECIMAL),
        LocalField("birthdate", "Birthdate", Kind.DATE),
        LocalField("company", "Company", Kind.REFERENCE, "company"),
        _OWNER,
    ]
}
COMPANY = {
    field.name: field
    for field in [
        *_texts(
            name="Name",
            website="Website",
            phone="Phone",
            industry="Industry",
            company_type="Type",
            billing_street="Billing street",
            billing_city="Billing city",
            billing_state="Billing state",
            billing_postal_code="Billing postal code",
            billing_country="Billing country",
            description="Description",
        ),
        LocalField("employees", "Employees", Kind.INTEGER),
        LocalField("annual_revenue", "Annual revenue", Kind.DECIMAL),
        _OWNER,
    ]
}
OPPORTUNITY = {
    field.name: field
    for field in [
        *_texts(
            name="Name",
            stage="Stage",
            opportunity_type="Type",
            lead_source="Lead source",
            next_step="Next step",
            description="Description",
        ),
        LocalField("amount", "Amount", Kind.DECIMAL),
        LocalField("probability", "Probability", Kind.DECIMAL),
        LocalField("close_date", "Close date", Kind.DATE),
        LocalField("company", "Company", Kind.REFERENCE, "company"),
        _OWNER,
    ]
}
FIELDS: dict[str, dict[str, LocalField]] = {"person": PERSON, "company": COMPANY, "opportunity": OPPORTUNITY}


def local_field(record_type: str, name: str) -> LocalField:
    """The field that a mapping names; a custom field holds canonical text."""
    if name.startswith(CUSTOM_PREFIX):
        return LocalField(name, name.removeprefix(CUSTOM_PREFIX))
    return FIELDS[record_type][name]


def local_label(record_type: str, name: str) -> str:
    """The field's name in words."""
    return local_field(record_type, name).label if name in FIELDS[record_type] else name.removeprefix(CUSTOM_PREFIX)

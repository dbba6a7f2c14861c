"""What the pages of people, companies and opportunities share: fields in groups, links, errors, history."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from apps.audience.fields import FIELDS, ByType, LocalField
from apps.audience.models import CustomField, CustomRecord, Owner, Record, RecordChange
from apps.audience.selectors.changes import changes_of_record, deactivated_here
from apps.console.timeline import SOURCE_WORDS, Event, timeline_of
from apps.domain.remedies import Words, words_for
from apps.sync.selectors.entries import deactivated_at, history_of
from apps.sync.selectors.links import LinkView, links_of
from apps.sync_errors.models import SyncError
from apps.sync_errors.selectors import live_errors_of

GROUPS: ByType[dict[str, tuple[str, ...]]] = ByType(
    person={
        "Name": ("salutation", "first_name", "last_name", "birthdate"),
        "Reach": ("email", "phone", "mobile_phone", "fax", "website"),
        "Work": ("company_name", "title", "department", "industry", "employees", "annual_revenue"),
        "Address": ("street", "city", "state", "postal_code", "country"),
        "Lead": ("lead_source", "lead_status", "rating", "description"),
    },
    company={
        "Company": ("name", "company_type", "industry", "employees", "annual_revenue", "description"),
        "Reach": ("website", "phone"),
        "Address": ("billing_street", "billing_city", "billing_state", "billing_postal_code", "billing_country"),
    },
    opportunity={
        "Deal": ("name", "stage", "amount", "probability", "close_date", "opportunity_type"),
        "Background": ("lead_source", "next_step", "description"),
    },
    custom={"Record": ("name",)},
)
AREAS = ByType(person="people", company="companies", opportunity="opportunities", custom="records")
"""Which area of the addresses is about records of each local type."""
_REFERENCES = frozenset({"person", "company", "owner"})


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field's label and its value as text; "" is blank."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields that belong together."""

    title: str
    fields: list[ShownField]


@dataclass(frozen=True, slots=True)
class ShownError:
    """A live error of a record, with the words of its category."""

    error: SyncError
    words: Words


@dataclass(frozen=True, slots=True)
class RecordView:
    """All that a record's page shows beside its own relations."""

    links: list[LinkView]
    errors: list[ShownError]
    groups: list[FieldGroup]
    timeline: list[Event]
    inactive_since: datetime | None
    inactive_by: str
    source: str

    @property
    def leading(self) -> LinkView | None:
        return next((link for link in self.links if link.is_leading and link.is_live), None)

    @property
    def pulled_at(self) -> datetime | None:
        return max((link.pulled_at for link in self.links if link.pulled_at), default=None)

    @property
    def pushed_at(self) -> datetime | None:
        return max((link.pushed_at for link in self.links if link.pushed_at), default=None)


def record_view(local_type: str, record: Record) -> RecordView:
    """Load what a record's page shows, in a fixed number of questions."""
    links = links_of(local_type, record.pk)
    errors = live_errors_of(local_type, record.pk, [link.remote_id for link in links])
    history = history_of(local_type, record.pk)
    changes = changes_of_record(local_type, record.pk) if local_type != "opportunity" else []
    inactive_since, inactive_by = _inactive(record, changes, deactivated_at(history))
    return RecordView(
        links=links,
        errors=[ShownError(error, words_for(error.category)) for error in errors],
        groups=field_groups(local_type, record),
        timeline=timeline_of(local_type, record, links, history, changes),
        inactive_since=inactive_since,
        inactive_by=inactive_by,
        source=SOURCE_WORDS.get(record.source, record.source),
    )


def field_groups(local_type: str, record: Record) -> list[FieldGroup]:
    """Every field of a record, in groups; fields without a group come under "More", custom ones last."""
    known = {name: one for name, one in FIELDS[local_type].items() if name not in _REFERENCES}
    groups = GROUPS[local_type]
    placed = {name for names in groups.values() for name in names}
    wanted = groups | {"More": tuple(name for name in known if name not in placed)}
    shown = [
        FieldGroup(title, [_shown(record, known[name]) for name in names if name in known])
        for title, names in wanted.items()
    ]
    custom = [
        ShownField(definition.label, str(record.custom.get(definition.key, "")))
        for definition in CustomField.objects.filter(record_type=local_type).order_by("label", "id")
    ]
    return [group for group in [*shown, FieldGroup("Custom fields", custom)] if group.fields]


def _shown(record: Record, one: LocalField) -> ShownField:
    return ShownField(one.label, value_text(getattr(record, one.column)))


def value_text(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:,}" if isinstance(value, int) else str(value)


def _inactive(record: Record, changes: list[RecordChange], there: datetime | None) -> tuple[datetime | None, str]:
    """Since when a record is inactive, and who of us made it so; "" for Salesforce."""
    if record.is_active:
        return None, ""
    here = deactivated_here(changes)
    if here is not None and (there is None or there < here.at):
        return here.at, here.actor_label
    return there or record.updated_at, ""


def place_of(record: Record) -> list[str | int]:
    """What names a record in addresses: its id, and before it the type's key of a custom one."""
    return [record.record_type.key, record.pk] if isinstance(record, CustomRecord) else [record.pk]


def name_of(record: Record) -> str:
    """What a record is called on pages."""
    return str(record) or "No name"


def owner_name(record: Record) -> str:
    """The owner's name; a record may have none."""
    owner: Owner | None = record.owner
    return owner.name if owner else ""

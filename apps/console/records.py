"""What the pages of people, companies and opportunities share: fields in groups, links, errors, history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from apps.audience.fields import FIELDS, LocalField
from apps.audience.models import CustomField, Owner, Record, Source
from apps.domain.remedies import Words, words_for
from apps.sync.models import EntryAction
from apps.sync.selectors.entries import Change, EntryView, deactivated_at, history_of
from apps.sync.selectors.links import LinkView, links_of
from apps.sync_errors.models import SyncError
from apps.sync_errors.selectors import live_errors_of

SOURCE_WORDS: dict[str, str] = {
    Source.SALESFORCE: "Salesforce",
    Source.FORM: "A form",
    Source.IMPORT: "An import",
    Source.API: "The API",
    Source.MANUAL: "By hand",
}
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "person": {
        "Name": ("salutation", "first_name", "last_name", "birthdate"),
        "Reach": ("email", "phone", "mobile_phone", "fax", "website"),
        "Work": ("company_name", "title", "department", "industry", "employees", "annual_revenue"),
        "Address": ("street", "city", "state", "postal_code", "country"),
        "Lead": ("lead_source", "lead_status", "rating", "description"),
    },
    "company": {
        "Company": ("name", "company_type", "industry", "employees", "annual_revenue", "description"),
        "Reach": ("website", "phone"),
        "Address": ("billing_street", "billing_city", "billing_state", "billing_postal_code", "billing_country"),
    },
    "opportunity": {
        "Deal": ("name", "stage", "amount", "probability", "close_date", "opportunity_type"),
        "Background": ("lead_source", "next_step", "description"),
    },
}


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
class Event:
    """One moment in a record's history."""

    at: datetime
    title: str
    detail: str
    run_id: int | None
    changes: list[Change] = field(default_factory=list)


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
    return RecordView(
        links=links,
        errors=[ShownError(error, words_for(error.category)) for error in errors],
        groups=field_groups(local_type, record),
        timeline=_timeline(record, links, history),
        inactive_since=None if record.is_active else deactivated_at(history) or record.updated_at,
        source=SOURCE_WORDS.get(record.source, record.source),
    )


def field_groups(local_type: str, record: Record) -> list[FieldGroup]:
    """Every field of a record, in groups; fields without a group come under "More", custom ones last."""
    known = {name: one for name, one in FIELDS[local_type].items() if name not in {"company", "owner"}}
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


def _timeline(record: Record, links: Sequence[LinkView], history: Sequence[EntryView]) -> list[Event]:
    events = [
        Event(
            at=view.entry.at,
            title=view.action,
            detail=f"{'From' if view.entry.way == 'in' else 'To'} Salesforce {view.entry.sobject}",
            run_id=view.entry.run_id,
            changes=view.changes,
        )
        for view in history
        if view.entry.action != EntryAction.CREATED
    ]
    events.append(_creation(record, links))
    return sorted(events, key=lambda event: event.at, reverse=True)


def _creation(record: Record, links: Sequence[LinkView]) -> Event:
    """A record's creation; one made by a pull was made together with its first link."""
    first = next((link for link in links if link.created_at == record.created_at), None)
    if record.source == Source.SALESFORCE and first is not None:
        return Event(record.created_at, "Created", f"From Salesforce {first.sobject}", first.created_run_id)
    return Event(record.created_at, "Created", SOURCE_WORDS.get(record.source, record.source), None)


def owner_name(record: Record) -> str:
    """The owner's name; a record may have none."""
    owner: Owner | None = record.owner
    return owner.name if owner else ""

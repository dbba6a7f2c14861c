"""Waiting changes as the queue's page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from apps.audience.fields import CUSTOM_PREFIX, FIELDS, OTHER_LABELS, ByType, local_label
from apps.audience.selectors.companies import CompanyFilter
from apps.audience.selectors.companies import matching_ids as companies_matching
from apps.audience.selectors.people import PeopleFilter
from apps.audience.selectors.people import matching_ids as people_matching
from apps.console.queue.forms import STATE_WORDS
from apps.integrations.models import Connection
from apps.outbox.models import OutboundChange
from apps.outbox.selectors import ChangeState
from apps.sync.selectors.links import ids_behind
from apps.sync.selectors.records import record_names
from apps.sync_settings.models import SyncSettings

_PAGES = ByType(
    person="people-detail", company="companies-detail", opportunity="opportunities-detail", custom="records-open"
)
_TONES: dict[str, str] = {ChangeState.WAITING: "busy", ChangeState.IN_FLIGHT: "ok", ChangeState.HELD: "warn"}
_REASONS = {"row_locked": "Somebody else was saving the record in Salesforce."}


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A waiting change: its record, its fields by name, where it stands and why."""

    change: OutboundChange
    name: str
    url: str
    fields: list[str]
    state: str
    tone: str
    reason: str
    is_due: bool

    @property
    def is_held(self) -> bool:
        return self.change.state == ChangeState.HELD

    @property
    def is_on_its_way(self) -> bool:
        return self.change.state == ChangeState.IN_FLIGHT

    @property
    def can_be_cancelled(self) -> bool:
        """What is on its way cannot; what somebody said about being mailed is always told."""
        return self.change.state != ChangeState.IN_FLIGHT and self.change.fields.keys() != {"email_opt_out"}


def change_views(changes: Sequence[OutboundChange]) -> list[ChangeView]:
    """Changes with the names of their records: one question for each type of record among them."""
    names = record_names((change.local_type, change.local_id) for change in changes)
    return [_view(change, names.get((change.local_type, change.local_id))) for change in changes]


def _view(change: OutboundChange, name: str | None) -> ChangeView:
    page = _PAGES.get(change.local_type)
    is_there = page is not None and name is not None
    return ChangeView(
        change=change,
        name=name or ("No name" if is_there else "A record that is gone"),
        url=reverse(f"console:{page}", args=[change.local_id]) if is_there else "",
        fields=sorted(_label(change.local_type, field) for field in change.fields),
        state=STATE_WORDS.get(change.state, change.state),
        tone=_TONES.get(change.state, "off"),
        reason=_REASONS.get(change.reason, change.reason),
        is_due=change.due_at <= timezone.now(),
    )


def _label(local_type: str, name: str) -> str:
    if name in FIELDS.get(local_type, {}):
        return local_label(local_type, name)
    return OTHER_LABELS.get(name) or name.removeprefix(CUSTOM_PREFIX).replace("_", " ")


def records_named(typed: str) -> dict[str, list[int]]:
    """Records whose name, address or Salesforce id is what was typed."""
    return {
        "person": people_matching(PeopleFilter(search=typed), also=ids_behind(typed, "person")),
        "company": companies_matching(CompanyFilter(search=typed), also=ids_behind(typed, "company")),
    }


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing leaves at the moment, and the page that helps."""

    title: str
    text: str
    page: str
    button: str


def stop_of(connection: Connection | None, waiting: str, is_one: bool) -> Stop | None:
    """What holds up the whole queue; None where changes leave by themselves. ``waiting`` is how many wait."""
    change = "change waits and goes" if is_one else "changes wait and will go"
    if connection is None:
        words = f"{waiting} {change} out when Salesforce is connected."
        return Stop("Salesforce is not connected", words, "console:hub", "Connect Salesforce")
    if not connection.is_usable:
        words = f"{waiting} {change} out when it is renewed."
        return Stop("The connection has to be renewed", words, "console:salesforce", "Reconnect")
    settings = SyncSettings.objects.filter(connection=connection).first()
    if settings is None or not settings.syncs_enabled:
        words = f"{waiting} {change} out when they are on."
        return Stop("Syncs are off", words, "console:sync-settings", "Open the sync settings")
    if not settings.push_automatically:
        words = f"{waiting} {change} out with the next sync, because changes are not pushed automatically."
        return Stop("Changes leave with the next sync", words, "console:sync-settings", "Open the sync settings")
    return None

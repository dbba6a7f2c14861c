"""From an error to its words, its record, and the one button that helps."""

from dataclasses import dataclass

from django.urls import reverse

from apps.audience.fields import ByType
from apps.console.errors.forms import STATE_WORDS
from apps.console.mappings.addresses import place_of
from apps.domain.failures import Remedy
from apps.domain.remedies import Words, words_for
from apps.sync.selectors.links import record_url
from apps.sync_errors.models import ErrorState, SyncError

_PAGES = ByType(
    person="console:people-detail",
    company="console:companies-detail",
    opportunity="console:opportunities-detail",
    custom="console:records-open",
)
_TONES: dict[str, str] = {
    ErrorState.OPEN: "bad",
    ErrorState.RETRYING: "busy",
    ErrorState.BLOCKED: "warn",
    ErrorState.RESOLVED: "ok",
    ErrorState.CLEARED: "off",
}


@dataclass(frozen=True, slots=True)
class Button:
    """The one button of an error; one that leads to Salesforce opens a new tab."""

    label: str
    url: str
    is_external: bool = False


@dataclass(frozen=True, slots=True)
class ErrorView:
    """An error as pages show it."""

    error: SyncError
    words: Words
    state: str
    tone: str
    record_page: str
    salesforce_url: str
    button: Button | None


def error_view(error: SyncError, instance_url: str) -> ErrorView:
    """An error with its words and its way out."""
    words = words_for(error.category)
    salesforce_url = record_url(instance_url, error.remote_id) if len(error.remote_id) in {15, 18} else ""
    page = _PAGES.get(error.local_type)
    record_page = reverse(page, args=[error.local_id]) if page and error.local_id else ""
    return ErrorView(
        error=error,
        words=words,
        state=STATE_WORDS.get(error.state, error.state),
        tone=_TONES.get(error.state, "off"),
        record_page=record_page,
        salesforce_url=salesforce_url,
        button=_button(words.remedy, error.sobject, record_page, salesforce_url) if error.is_live else None,
    )


def _button(remedy: Remedy, sobject: str, record_page: str, salesforce_url: str) -> Button | None:
    if remedy is Remedy.RECONNECT:
        return Button("Open the connection", reverse("console:salesforce"))
    if remedy is Remedy.FIX_MAPPING:
        place = place_of(sobject)
        return Button(
            "Check the mapping",
            reverse("console:salesforce-object", args=[place.slug]) if place else reverse("console:profiles"),
        )
    if remedy in {Remedy.FIX_RECORD, Remedy.CHOOSE_VALUE}:
        if salesforce_url:
            return Button("Open in Salesforce", salesforce_url, is_external=True)
        return Button("Open the record", record_page) if record_page else None
    return None

"""What the page "Why did this not sync?" shows."""

from typing import Any

from django.urls import reverse

from apps.audience.fields import ByType
from apps.audience.models import Record
from apps.console.records import name_of
from apps.integrations.services.oauth import live_connection
from apps.sync.selectors.gates import Door, Gate, Verdict
from apps.sync.selectors.why import why

WHY_PAGES = ByType(
    person="console:people-why",
    company="console:companies-why",
    opportunity="console:opportunities-why",
    custom="console:records-open-why",
)
PAGES = ByType(
    person="console:people-detail",
    company="console:companies-detail",
    opportunity="console:opportunities-detail",
    custom="console:records-open",
)
_SHOWN: dict[str, tuple[str, str, str]] = {
    Verdict.PASSED: ("ok", "circle-check", "Passed"),
    Verdict.FAILED: ("bad", "circle-x", "Closed"),
    Verdict.NOT_APPLICABLE: ("off", "circle-minus", "Not asked"),
}


def record_page(local_type: str, record: Record) -> dict[str, Any]:
    """The page about a record of ours."""
    gates = why(live_connection(), local_type=local_type, record_id=record.pk)
    return {**gates_shown(gates), "name": name_of(record), "record_url": reverse(PAGES[local_type], args=[record.pk])}


def gates_shown(gates: list[Gate]) -> dict[str, Any]:
    """Gates with their tone, icon, word and way out; and the first that is closed."""
    shown = [(gate, *_SHOWN[gate.verdict], _url(gate.door)) for gate in gates]
    return {
        "gates": shown,
        "first_closed": next((row for row in shown if row[0].verdict is Verdict.FAILED), None),
        "closed_count": sum(gate.verdict is Verdict.FAILED for gate in gates),
    }


def _url(door: Door | None) -> str:
    if door is None:
        return ""
    return reverse(door.page, args=[door.run_id] if door.run_id is not None else [])

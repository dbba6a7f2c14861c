"""The gates that every record of a connection passes first: the tie, the switch, health and budget, the runs."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from apps.domain.budget import Level
from apps.integrations.models import Connection, Health
from apps.sync.models import OPEN_RUN_STATES, RunKind, RunState, SyncRun, Watermark
from apps.sync_settings.budget import standing_of, words_of
from apps.sync_settings.models import SyncSettings


class Verdict(StrEnum):
    """What a gate says."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Detail:
    """One line under a gate: a field, a link, an error."""

    label: str
    text: str
    verdict: Verdict = Verdict.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class Door:
    """The page that helps, by the name of its address, and the words of the link; ``run_id`` is the run it is about."""

    page: str
    words: str
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """One question that the engine asks, and its answer."""

    key: str
    title: str
    verdict: Verdict
    finding: str
    details: list[Detail] = field(default_factory=list)
    door: Door | None = None


def not_asked(key: str, title: str, finding: str) -> Gate:
    """A gate that does not concern this record."""
    return Gate(key, title, Verdict.NOT_APPLICABLE, finding)


def moment_words(at: datetime | None) -> str:
    """A moment as the explanation names it."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


def connection_gates(connection: Connection | None, now: datetime) -> list[Gate]:
    """The gates that do not ask about the record."""
    gates = [connection_gate(connection)]
    if connection is None:
        return gates
    settings = SyncSettings.objects.filter(connection=connection).first()
    gates.append(switch_gate(settings))
    gates.append(_health_gate(connection))
    if settings is not None:
        gates.append(_budget_gate(connection, settings, now))
    return [*gates, *_run_gates(connection)]


def connection_gate(connection: Connection | None) -> Gate:
    """Whether Salesforce can be talked to at all."""
    title = "The connection can be used"
    if connection is None:
        finding = "Salesforce is not connected."
        return Gate("connection", title, Verdict.FAILED, finding, door=Door("console:hub", "Connect Salesforce"))
    if not connection.is_usable:
        finding = "Salesforce no longer accepts our access: the connection has to be renewed."
        return Gate("connection", title, Verdict.FAILED, finding, door=Door("console:salesforce", "Reconnect"))
    return Gate("connection", title, Verdict.PASSED, f"Connected with {connection}.")


def switch_gate(settings: SyncSettings | None) -> Gate:
    """Whether syncs are enabled."""
    title = "Syncs are enabled"
    if settings is not None and settings.syncs_enabled:
        return Gate("syncs", title, Verdict.PASSED, "Changes flow both ways as the steps say.")
    finding = "Syncs are off: changes wait and will go out when they are on."
    return Gate("syncs", title, Verdict.FAILED, finding, door=Door("console:sync-settings", "Open the sync settings"))


def _health_gate(connection: Connection) -> Gate:
    title = "Salesforce answers"
    if connection.health == Health.HEALTHY:
        return Gate("health", title, Verdict.PASSED, "Nothing stands in the way.")
    finding = connection.health_reason or "Salesforce is not answering as it should."
    if connection.resumes_at is not None:
        finding += f" It goes on by itself at {moment_words(connection.resumes_at)}."
    return Gate("health", title, Verdict.FAILED, finding, door=Door("console:salesforce", "Open the connection"))


def _budget_gate(connection: Connection, settings: SyncSettings, now: datetime) -> Gate:
    title = "API calls are left"
    standing = standing_of(connection, settings, now=now)
    if standing.level < Level.ESSENTIAL_ONLY:
        return Gate("budget", title, Verdict.PASSED, words_of(standing) or "Enough of Syncline's share is left.")
    return Gate(
        "budget", title, Verdict.FAILED, words_of(standing), door=Door("console:sync-settings", "Change the share")
    )


def _run_gates(connection: Connection) -> list[Gate]:
    """Whether a first full sync has been, and how the latest pull stands."""
    if not Watermark.objects.filter(connection_id=connection.pk).exists():
        finding = "No full sync has run yet. Later syncs go on from there."
        door = Door("console:sync-settings-full-sync", "Run a Full Sync")
        first = Gate("first_sync", "A full sync has run", Verdict.FAILED, finding, door=door)
    else:
        first = Gate("first_sync", "A full sync has run", Verdict.PASSED, "Everything that was there has been read.")
    kinds = [RunKind.FULL, RunKind.OBJECT, RunKind.DIFFERENTIAL, RunKind.SWEEP]
    run = SyncRun.objects.filter(connection_id=connection.pk, kind__in=kinds).order_by("-queued_at", "-id").first()
    title = "The latest sync went through"
    if run is None:
        return [first, not_asked("run", title, "No sync has been started.")]
    return [first, _run_gate(run, title)]


def _run_gate(run: SyncRun, title: str) -> Gate:
    where = Door("console:log-run", "Open the run", run.pk)
    if run.state in OPEN_RUN_STATES:
        finding = run.waiting_reason or "A sync is under way: the record may be changed by it any moment."
        verdict = Verdict.FAILED if run.waiting_reason else Verdict.PASSED
        return Gate("run", title, verdict, finding, door=where)
    if run.state == RunState.COMPLETED:
        return Gate("run", title, Verdict.PASSED, f"It ended on {moment_words(run.finished_at)}.", door=where)
    finding = run.failure or "It was stopped before its end; what it brought in stays."
    return Gate("run", title, Verdict.FAILED, finding, door=where)

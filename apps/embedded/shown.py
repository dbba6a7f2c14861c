"""What the panel shows of a record's person: who they are here, and what has happened."""

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from apps.audience.models import RUNNING, List, ListKind, ListMembership, Person, Sequence, SequenceEnrolment
from apps.audience.selectors.people import memberships_of
from apps.domain.remedies import Words, words_for
from apps.embedded.looking import Onlooker
from apps.embedded.timeline import Moment, field_label, timeline_of
from apps.integrations.models import Connection
from apps.outbox.selectors import ChangeState, change_of
from apps.sync.models import RunKind, SyncRun
from apps.sync.selectors.gates import Verdict, connection_gate, switch_gate
from apps.sync.selectors.links import LinkView, links_of, record_behind
from apps.sync.selectors.record_runs import Progress, open_run_of, open_run_of_row, progress_of
from apps.sync.selectors.why import why_not_now
from apps.sync_errors.models import SyncError
from apps.sync_errors.selectors import live_errors_of
from apps.sync_settings.models import SyncSettings

_MOST_CHOICES = 200
_MOST_ENROLMENTS = 50
_PENDING_WORDS: dict[str, str] = {
    ChangeState.WAITING: "wait to go to Salesforce",
    ChangeState.IN_FLIGHT: "are on their way to Salesforce",
    ChangeState.HELD: "are held back",
}


@dataclass(frozen=True, slots=True)
class Pending:
    """Changes here that Salesforce does not have yet."""

    fields: list[str]
    words: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncState:
    """The button: why it cannot be pressed, and what its latest run came to."""

    refusal: str
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Panel:
    """All that the panel shows."""

    sync: SyncState
    person: Person | None = None
    url: str = ""
    links: list[LinkView] = field(default_factory=list)
    lists: list[ListMembership] = field(default_factory=list)
    campaigns: list[ListMembership] = field(default_factory=list)
    pending: Pending | None = None
    errors: list[tuple[SyncError, Words]] = field(default_factory=list)
    timeline: list[Moment] = field(default_factory=list)
    enrolments: list[SequenceEnrolment] = field(default_factory=list)
    joinable: list[List] = field(default_factory=list)
    enrollable: list[Sequence] = field(default_factory=list)

    @property
    def initials(self) -> str:
        """Two letters for the face."""
        name = self.person.display_name if self.person is not None else ""
        words = name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper()

    @property
    def pulled_at(self) -> datetime | None:
        return max((link.pulled_at for link in self.links if link.pulled_at), default=None)

    @property
    def pushed_at(self) -> datetime | None:
        return max((link.pushed_at for link in self.links if link.pushed_at), default=None)


def person_of(connection: Connection, onlooker: Onlooker) -> Person | None:
    """The person that the record is linked with."""
    found = record_behind(connection, onlooker.remote_id)
    if found is None or found[0] != "person":
        return None
    person: Person | None = Person.objects.select_related("company", "owner").filter(id=found[1]).first()
    return person


def panel_of(connection: Connection, onlooker: Onlooker, run: SyncRun | None = None) -> Panel:
    """The panel as it is now, with the outcome of the run that is named."""
    person = person_of(connection, onlooker)
    sync = sync_state(connection, onlooker, person, run)
    if person is None:
        return Panel(sync)
    links = links_of("person", person.pk)
    memberships = memberships_of(person)
    errors = live_errors_of("person", person.pk, [link.remote_id for link in links])
    enrolments = list(
        SequenceEnrolment.objects.filter(person_id=person.pk)
        .select_related("sequence")
        .order_by("-changed_at", "-id")[:_MOST_ENROLMENTS]
    )
    return Panel(
        sync=sync,
        person=person,
        url=settings.SYNCLINE_BASE_URL + reverse("console:people-detail", args=[person.pk]),
        links=links,
        lists=[one for one in memberships if one.list.kind != ListKind.CAMPAIGN],
        campaigns=[one for one in memberships if one.list.kind == ListKind.CAMPAIGN],
        pending=_pending(person),
        errors=[(error, words_for(error.category)) for error in errors],
        timeline=timeline_of(person, memberships),
        joinable=_joinable(memberships),
        enrollable=_enrollable(enrolments),
        enrolments=enrolments,
    )


def sync_state(
    connection: Connection, onlooker: Onlooker, person: Person | None, run: SyncRun | None = None
) -> SyncState:
    """Whether "Sync now" can be pressed, and the run that is open, or the one that is named."""
    if person is not None:
        opened = open_run_of(connection, "person", person.pk)
        refusal = why_not_now(connection, local_type="person", record=person)
    else:
        opened = open_run_of_row(connection, onlooker.remote_id)
        gates = [connection_gate(connection), switch_gate(SyncSettings.objects.filter(connection=connection).first())]
        refusal = next((gate.finding for gate in gates if gate.verdict is Verdict.FAILED), "")
    shown = opened or run
    return SyncState(refusal, progress_of(shown) if shown is not None else None)


def run_of(connection: Connection, onlooker: Onlooker, text: str) -> SyncRun | None:
    """The run that is named, where it is one of this record."""
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:20]) < 2**63:
        return None
    run: SyncRun | None = SyncRun.objects.filter(id=int(text), connection_id=connection.pk, kind=RunKind.RECORD).first()
    if run is None or onlooker.remote_id == run.remote_id:
        return run
    return run if (run.local_type, run.local_id) == record_behind(connection, onlooker.remote_id) else None


def _pending(person: Person) -> Pending | None:
    change = change_of("person", person.pk)
    if change is None:
        return None
    names = sorted(field_label(name) for name in change.fields)
    return Pending(names, _PENDING_WORDS.get(change.state, change.state), change.reason)


def _joinable(memberships: list[ListMembership]) -> list[List]:
    """Lists and campaigns that the person is not on, by name."""
    rows = List.objects.filter(is_active=True, is_archived=False).exclude(id__in=[one.list_id for one in memberships])
    return list(rows.order_by("name_key", "id")[:_MOST_CHOICES])


def _enrollable(enrolments: list[SequenceEnrolment]) -> list[Sequence]:
    """Sequences that the person is not in, by name."""
    running = [one.sequence_id for one in enrolments if one.status in RUNNING]
    rows = Sequence.objects.filter(is_active=True).exclude(id__in=running)
    return list(rows.order_by("name_key", "id")[:_MOST_CHOICES])

"""What a round of commands works with: claims, people, cached describes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, Min, OuterRef, Q
from django.utils import timezone

from apps.audience.models import Person
from apps.domain.actions import ActionKind
from apps.domain.commands import Row
from apps.domain.mapping import Step
from apps.domain.ports import ObjectSchema
from apps.integrations.gateways import Gateway
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.outbox.queue import ring
from apps.sync.contexts import external_prefix, steps_of
from apps.sync.lanes import Hold
from apps.sync.models import SyncRun
from apps.sync_actions.models import CommandState, CrmAction
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
from apps.tenants.scope import tenant_transaction

AT_ONCE = 200
CAREFUL_AFTER = 3
"""A command that was claimed so often without an end is carried out alone: it may be what stops the others."""
_HELD_FOR = timedelta(seconds=60)


@dataclass
class CommandWork:
    """One round. ``rows`` are the people's leads or contacts as Salesforce holds them, ``accounts`` the ids of their
    companies' accounts; ``gone`` are people whose row is deleted or out of sight."""

    hold: Hold
    gateway: Gateway
    run: SyncRun
    connection: Connection
    settings: SyncSettings
    commands: list[CrmAction]
    people: dict[int, Person]
    prefix: str
    steps: tuple[Step, ...]
    rows: dict[int, Row] = field(default_factory=dict)
    gone: dict[int, Row] = field(default_factory=dict)
    accounts: dict[int, str] = field(default_factory=dict)
    many_accounts: dict[int, list[str]] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    created: int = 0
    updated: int = 0
    failed: int = 0
    _schemas: dict[str, ObjectSchema | None] = field(default_factory=dict)

    def schema(self, sobject: str) -> ObjectSchema | None:
        """The cached describe; None where the org has no such object."""
        if sobject not in self._schemas:
            with tenant_transaction(self.hold.tenant_id):
                self._schemas[sobject] = cached_schema(self.connection, sobject)
        return self._schemas[sobject]

    def shown(self, sobject: str, *names: str) -> list[str]:
        """Those of the fields that the sync user sees."""
        schema = self.schema(sobject)
        return [name for name in dict.fromkeys(names) if schema is not None and name in schema.fields]

    def of_kind(self, *kinds: ActionKind) -> list[CrmAction]:
        """The round's commands of these kinds."""
        return [command for command in self.commands if command.action in kinds]

    @property
    def open_commands(self) -> list[CrmAction]:
        """Commands that nothing has become of yet."""
        return [command for command in self.commands if command.pk not in self.done]


def begin_commands(hold: Hold, gateway: Gateway) -> CommandWork | None:
    """Claim due commands and load what they are about; None where none is due."""
    with tenant_transaction(hold.tenant_id):
        hold.check()
        commands = _claim()
        if not commands:
            return None
        run = SyncRun.objects.get(id=hold.run_id)
        connection = Connection.objects.get(id=run.connection_id)
        people = Person.objects.select_related("company").in_bulk([command.person_id for command in commands])
        return CommandWork(
            hold=hold,
            gateway=gateway,
            run=run,
            connection=connection,
            settings=settings_of(connection),
            commands=commands,
            people=people,
            prefix=external_prefix(hold.tenant_id),
            steps=steps_of(run),
        )


def _claim() -> list[CrmAction]:
    """Due commands, at most one of each person: what a rule has done before is there when the next one is done."""
    now = timezone.now()
    unsettled = (CommandState.WAITING, CommandState.IN_FLIGHT)
    earlier = CrmAction.objects.filter(person_id=OuterRef("person_id"), id__lt=OuterRef("id"), state__in=unsettled)
    free = Q(state=CommandState.WAITING) | Q(state=CommandState.IN_FLIGHT, lease_until__lt=now)
    found = list(
        CrmAction.objects.select_for_update(skip_locked=True)
        .filter(free, ~Exists(earlier), due_at__lte=now)
        .order_by("due_at", "id")[:AT_ONCE]
    )
    careful = next((row for row in found if row.attempts >= CAREFUL_AFTER), None)
    chosen = [careful] if careful is not None else found
    CrmAction.objects.filter(id__in=[row.pk for row in chosen]).update(
        state=CommandState.IN_FLIGHT, lease_until=now + _HELD_FOR, attempts=F("attempts") + 1
    )
    for row in chosen:
        row.attempts += 1
    return chosen


def next_command_due() -> datetime | None:
    """When the next command is due."""
    unsettled = CrmAction.objects.filter(state__in=[CommandState.WAITING, CommandState.IN_FLIGHT])
    found: datetime | None = unsettled.aggregate(at=Min("due_at"))["at"]
    return found


def renew_commands(commands: list[CrmAction]) -> None:
    """Keep commands in hand for another while."""
    ids = [command.pk for command in commands]
    CrmAction.objects.filter(id__in=ids, state=CommandState.IN_FLIGHT).update(lease_until=timezone.now() + _HELD_FOR)


def give_back_commands(
    commands: list[CrmAction], *, due_at: datetime, reason: str = "", counts: bool = False, **facts: Any
) -> None:
    """The commands wait again; unless it ``counts``, this was no attempt."""
    ids = [command.pk for command in commands]
    CrmAction.objects.filter(id__in=ids, state=CommandState.IN_FLIGHT).update(
        state=CommandState.WAITING,
        lease_until=None,
        due_at=due_at,
        reason=reason,
        attempts=F("attempts") - (0 if counts else 1),
        **facts,
    )
    if ids:
        ring(at=due_at)

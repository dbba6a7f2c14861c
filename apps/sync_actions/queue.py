"""Writing down what rules are to look at, in the transaction of the event."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from apps.core.bulk import insert_rows
from apps.core.queue import wake
from apps.domain.automation import RunsOn, Trigger
from apps.sync_actions.models import Reaction, ReactionState, Rule
from apps.tenants.scope import current_tenant_id

REACT_TASK = "apps.sync_actions.tasks.react"
_COLUMNS = (
    "tenant_id",
    "rule_id",
    "person_id",
    "event",
    "event_key",
    "sobject",
    "remote_id",
    "came_in",
    "details",
    "chain",
    "run_id",
    "state",
)
_RING = """
INSERT INTO sync_actions_rulesdue AS d (tenant_id, due_at, fence) VALUES (%s, %s, 0)
ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at
WHERE d.due_at IS NULL OR d.due_at > excluded.due_at
"""


@dataclass(frozen=True, slots=True)
class Watcher:
    """A rule that rows of one sObject start."""

    rule_id: int
    on_created: bool
    on_updated: bool
    holds_backfill: bool

    def state(self, *, is_backfill: bool) -> ReactionState:
        """Whether its reaction waits for the rules or for a person."""
        return ReactionState.HELD if is_backfill and self.holds_backfill else ReactionState.WAITING


@dataclass(frozen=True, slots=True)
class RowEvent:
    """A row of Salesforce that made or changed a person here. ``version`` is the person's, afterwards."""

    person_id: int
    is_new: bool
    version: int
    remote_id: str
    came_in: Mapping[str, str] = field(default_factory=dict)


def watchers(sobject: str) -> list[Watcher]:
    """The rules, in order, that rows of this sObject start; mostly there is none, and then a sync writes nothing."""
    rules = Rule.objects.filter(is_enabled=True, trigger=Trigger.SYNCED).order_by("position", "id")
    return [
        Watcher(
            rule.pk,
            rule.watches(sobject, RunsOn.CREATED.value),
            rule.watches(sobject, RunsOn.UPDATED.value),
            rule.holds_backfill,
        )
        for rule in rules
        if sobject in (rule.sobjects or ("Lead", "Contact"))
    ]


def note_rows(
    events: Iterable[RowEvent],
    watching: Sequence[Watcher],
    *,
    sobject: str,
    run_id: int,
    is_backfill: bool,
    at: datetime,
) -> None:
    """Write a reaction for each event and each rule that it starts."""
    rows = [
        Reaction(
            tenant_id=current_tenant_id(),
            rule_id=watcher.rule_id,
            person_id=event.person_id,
            event=(RunsOn.CREATED if event.is_new else RunsOn.UPDATED).value,
            event_key=row_key(event.version),
            sobject=sobject,
            remote_id=event.remote_id,
            came_in=dict(event.came_in),
            run_id=run_id,
            state=watcher.state(is_backfill=is_backfill),
        )
        for event in events
        for watcher in watching
        if (watcher.on_created if event.is_new else watcher.on_updated)
    ]
    insert_reactions(rows, at=at)


def row_key(version: int) -> str:
    """Names what a sync made of a person: their version."""
    return f"version {version}"


def insert_reactions(rows: Sequence[Reaction], *, at: datetime) -> None:
    """Write reactions down, and have those that wait looked at."""
    insert_rows(rows, _COLUMNS)
    if any(row.state == ReactionState.WAITING for row in rows):
        call_rules(at=at)


def call_rules(*, at: datetime) -> None:
    """Have the tenant's rules look at what waits, once the transaction has committed."""
    tenant_id = current_tenant_id()
    with connection.cursor() as cursor:
        cursor.execute(_RING, [tenant_id, at])
    wake(REACT_TASK, tenant_id, queue="routine")


def sql_parameters(watching: Sequence[Watcher], *, is_backfill: bool) -> dict[str, Any]:
    """What the set-based statement for created rows is told."""
    started = [watcher for watcher in watching if watcher.on_created]
    return {
        "rules": [watcher.rule_id for watcher in started],
        "rule_states": [watcher.state(is_backfill=is_backfill).value for watcher in started],
    }


CREATED_ROWS = """, reactions AS (
  INSERT INTO sync_actions_reaction (tenant_id, rule_id, person_id, event, event_key, sobject, remote_id, run_id, state)
  SELECT %(tenant)s, w.rule_id, f.id, 'created', 'version 1', %(sobject)s, f.rid, %(run)s, w.state
  FROM fresh f CROSS JOIN unnest(%(rules)s::bigint[], %(rule_states)s::text[]) WITH ORDINALITY w (rule_id, state, turn)
  ORDER BY f.rid, w.turn
)"""
"""A part of the statement that makes people of a page: reactions to its ``fresh`` rows (id, rid)."""

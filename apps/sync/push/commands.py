"""Carrying out the commands of rules: claim → look → plan → intend → write → settle.

They pass ways, filters and step permissions, but never Syncs Enabled, consent, converted leads, required fields or the
budget. What they made comes back by the ordinary pull.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from apps.core import crash
from apps.domain.commands import Nothing, Plan, Refused
from apps.domain.failures import Category, Failure, Internal, RowFailure
from apps.domain.persons import account_values
from apps.domain.ports import WriteOperation, WriteResult
from apps.domain.retry import next_attempt
from apps.domain.writing import body_of
from apps.integrations.gateways import Gateway
from apps.integrations.health import note_refusal
from apps.sync.lanes import Hold
from apps.sync.models import EntryAction, RunEntry, RunObject
from apps.sync.push.command_plans import Planner
from apps.sync.push.command_targets import find_targets
from apps.sync.push.command_work import (
    CAREFUL_AFTER,
    CommandWork,
    begin_commands,
    give_back_commands,
    renew_commands,
)
from apps.sync.push.persons import as_contacts
from apps.sync_actions.models import COMMAND_WAY, CommandState, CrmAction
from apps.sync_errors.models import LIVE_STATES, ErrorState, SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.scope import tenant_transaction

_AFTER_OUTAGE = timedelta(seconds=2)
_LABEL = "Rule actions"
_AS_GOOD_AS_DONE = {
    WriteOperation.CREATE: frozenset({Category.DUPLICATE_VALUE}),
    WriteOperation.DELETE: frozenset({Category.RECORD_DELETED}),
}
"""Refusals that say that it has been done already."""

Planned = tuple[CrmAction, Plan]


def command_round(hold: Hold, gateway: Gateway) -> bool:
    """Carry out the next commands; False where none is due. What an outage leaves undone waits again."""
    work = begin_commands(hold, gateway)
    if work is None:
        return False
    crash.point("commands_taken")
    try:
        _carry_out(work)
    except Failure as failure:
        if _is_its_own_fault(work, failure):
            _set_aside(work, failure)
            return True
        counts = isinstance(failure, Internal) or failure.category is Category.UNAVAILABLE
        with tenant_transaction(hold.tenant_id):
            give_back_commands(
                work.open_commands,
                due_at=timezone.now() + _AFTER_OUTAGE,
                counts=counts and all(one.attempts < CAREFUL_AFTER for one in work.open_commands),
            )
        raise
    finally:
        _count(work)
    return True


def _is_its_own_fault(work: CommandWork, failure: Failure) -> bool:
    """Whether one command that is alone by now fails while Salesforce answers others."""
    is_odd = isinstance(failure, Internal) or failure.category is Category.UNAVAILABLE
    if not is_odd or len(work.commands) > 1 or work.commands[0].attempts < CAREFUL_AFTER:
        return False
    work.gateway.limits()  # raises in an outage
    return True


def _set_aside(work: CommandWork, failure: Failure) -> None:
    words = f"Salesforce cannot take this: {failure.message}"
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        for command in work.open_commands:
            _refuse(work, command, Refused("", (RowFailure(Category.INTERNAL, words, raw=failure.raw),)), is_final=True)


def _carry_out(work: CommandWork) -> None:
    find_targets(work)
    planner = Planner(work)
    crash.point("commands_looked")
    decisions = [(command, planner.plan(command)) for command in work.commands]
    planned = [(command, plan) for command, plan in decisions if isinstance(plan, Plan)]
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        for command, decision in decisions:
            if isinstance(decision, Nothing):
                _finish(work, command, decision.words, decision.sobject, decision.remote_id)
            elif isinstance(decision, Refused):
                _refuse(work, command, decision)
        _intend(planned)
    crash.point("commands_intended")
    groups: dict[tuple[str, str, str, str, bool], list[Planned]] = defaultdict(list)
    for command, plan in planned:
        is_through = plan.through is not None
        groups[plan.sobject, plan.operation, plan.key_field, plan.assignment_rule, is_through].append((command, plan))
    for key in sorted(groups):
        _write(work, groups[key])


def _intend(planned: Sequence[Planned]) -> None:
    """Write down what is about to be written: one found after a crash is looked for first."""
    now = timezone.now()
    for command, plan in planned:
        command.intent = {
            "sobject": plan.sobject,
            "operation": plan.operation.value,
            "remote_id": plan.remote_id,
            "values": dict(plan.values),
        }
        command.intended_at = command.intended_at or now
        command.sobject = plan.sobject
    CrmAction.objects.bulk_update([command for command, _ in planned], ["intent", "intended_at", "sobject"])


def _write(work: CommandWork, group: Sequence[Planned]) -> None:
    """One call, and its results."""
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        renew_commands([command for command, _ in group])
    results = _results(work, [plan for _, plan in group])
    crash.point("commands_written")
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        for (command, plan), result in zip(group, results, strict=True):
            _settle(work, command, plan, result)
    crash.point("commands_settled")


def _results(work: CommandWork, plans: Sequence[Plan]) -> list[WriteResult]:
    """What Salesforce answers to plans of one kind, in one call."""
    first = plans[0]
    is_through = first.through is not None
    sobject = "Account" if is_through else first.sobject
    schema = work.schema(sobject)
    assert schema is not None
    bodies = []
    for plan in plans:
        values = account_values(plan.values, schema.fields) if is_through else plan.values
        row = plan.through if is_through else plan.remote_id
        bodies.append({**({"Id": row} if row else {}), **body_of(schema, values)})
    results = work.gateway.write(
        sobject,
        first.operation,
        bodies,
        key_field=first.key_field,
        allow_duplicates=work.settings.save_duplicates,
        assignment_rule=first.assignment_rule,
    )
    if is_through and not first.remote_id:
        return as_contacts(work.gateway, list(results))
    return list(results)


def _settle(work: CommandWork, command: CrmAction, plan: Plan, result: WriteResult) -> None:
    if not result.is_success:
        category = result.failures[0].category
        if category in _AS_GOOD_AS_DONE.get(plan.operation, frozenset()) and plan.sobject == "CampaignMember":
            _finish(work, command, "Done already", plan.sobject, plan.remote_id)
            return
        _refuse(work, command, Refused(plan.sobject, result.failures, plan.remote_id))
        return
    remote_id = plan.remote_id or result.remote_id
    is_new = not plan.remote_id and (result.created or plan.operation is WriteOperation.CREATE)
    _finish(work, command, "Created" if is_new else "Written", plan.sobject, remote_id, plan=plan)
    work.created += is_new
    work.updated += not is_new
    changes = {
        name: {"before": plan.before.get(name, ""), "after": text, "rule": "rule"} for name, text in plan.values.items()
    }
    RunEntry.objects.create(
        run_id=work.run.pk,
        sobject=plan.sobject,
        remote_id=remote_id,
        local_type="person",
        local_id=command.person_id,
        action=EntryAction.CREATED if is_new else EntryAction.WRITTEN,
        way="out",
        reason=f"rule {command.rule_id}"[:40],
        changes=changes or None,
        at=timezone.now(),
    )


def _finish(
    work: CommandWork, command: CrmAction, words: str, sobject: str, remote_id: str, *, plan: Plan | None = None
) -> None:
    """The command is carried out; what stopped it before is over."""
    now = timezone.now()
    CrmAction.objects.filter(id=command.pk).update(
        state=CommandState.DONE,
        reason=words,
        sobject=sobject,
        result_id=remote_id[:18],
        written=dict(plan.values) if plan is not None else {},
        lease_until=None,
        settled_at=now,
    )
    SyncError.objects.filter(
        local_type="person", local_id=command.person_id, way=COMMAND_WAY, sobject=sobject, state__in=LIVE_STATES
    ).update(state=ErrorState.RESOLVED, closed_at=now, next_attempt_at=None)
    work.done.add(command.pk)


def _refuse(work: CommandWork, command: CrmAction, refused: Refused, *, is_final: bool = False) -> None:
    """Write down why it was refused. What passes by itself is tried again; the rest is held for a person."""
    now = timezone.now()
    first = refused.failures[0]
    again = next_attempt(first.category, command.attempts, now=now, jitter=random.random())  # noqa: S311  # spreads load
    again = None if is_final or first.category is Category.MISSING_PARENT else again
    facts = [
        ErrorFact(
            category=failure.category,
            message=failure.message,
            sobject=refused.sobject,
            remote_id=refused.remote_id,
            local_type="person",
            local_id=command.person_id,
            record_label=command.record_label,
            field=", ".join(failure.fields)[:120],
            raw=failure.raw,
            details={"command": command.pk, "cause": command.cause, "matched_ids": list(failure.matched_ids)},
            next_attempt_at=again,
            is_blocked=again is None,
        )
        for failure in refused.failures
    ]
    note_refusal(connection_id=work.connection.pk, category=first.category)
    record_errors(facts, connection_id=work.connection.pk, run_id=work.run.pk, at=now, way=COMMAND_WAY)
    RunEntry.objects.create(
        run_id=work.run.pk,
        sobject=refused.sobject,
        remote_id=refused.remote_id,
        local_type="person",
        local_id=command.person_id,
        action=EntryAction.FAILED,
        way="out",
        reason=first.category,
        at=now,
    )
    if again is None:
        CrmAction.objects.filter(id=command.pk).update(
            state=CommandState.HELD, lease_until=None, reason=first.message, attempts=0, sobject=refused.sobject
        )
    else:
        give_back_commands([command], due_at=again, reason=first.message, counts=True)
    work.done.add(command.pk)
    work.failed += 1


def _count(work: CommandWork) -> None:
    """Add the round to the run's counters; read = created + updated + unchanged + failed."""
    with tenant_transaction(work.hold.tenant_id):
        part, _ = RunObject.objects.select_for_update().get_or_create(
            run=work.run,
            sobject="CrmAction",
            defaults={"position": 9, "label": _LABEL, "started_at": timezone.now()},
        )
        part.stage = "fetched"
        part.fetched += len(work.done)
        part.created += work.created
        part.updated += work.updated
        part.failed += work.failed
        part.unchanged += max(0, len(work.done) - work.created - work.updated - work.failed)
        part.is_done = True
        part.finished_at = timezone.now()
        part.save()

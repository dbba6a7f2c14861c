"""Reacting: rules look at what waits for them, one person after another, and act."""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import DataError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.audience.models import Person
from apps.core import crash
from apps.core.leases import claim_due, lock_held
from apps.domain.actions import Action
from apps.domain.automation import Cut, Trigger, applies, cut
from apps.domain.filters import BadFilter
from apps.sync_actions.acting import act_here, carried_out
from apps.sync_actions.commanding import command
from apps.sync_actions.effects import Acting, Effect
from apps.sync_actions.gathering import gather_events, last_event, mark_caused
from apps.sync_actions.models import CrmAction, Reaction, ReactionState, Rule, RuleOutcome, RuleRun, RulesDue
from apps.tenants.scope import tenant_transaction

log = structlog.get_logger(__name__)

CHUNK_SECONDS = 5.0
_LEASE = timedelta(seconds=30)
_AT_ONCE = 50
_CAREFUL_AFTER = 2
"""A reaction that was begun so often without an end is looked at alone: it may be what stops the others."""
_GIVEN_UP_AFTER = 4
_RELEASED_AT_ONCE = 2_000
_SYNC_EVENTS = ("created", "updated")
_NAMED = ("form", "list", "link", "url", "subject")
_WORDS = {
    "created": "it came in from Salesforce as a new {sobject}",
    "updated": "a sync brought a change of the {sobject}",
}


def react(tenant_id: int) -> bool:
    """Let the tenant's rules act for a few seconds; True where more waits. One worker at a time keeps the order."""
    deadline = time.monotonic() + CHUNK_SECONDS
    fence = _take(tenant_id)
    if fence is None:
        return False
    while time.monotonic() < deadline:
        batch = _begin(tenant_id, fence)
        if batch is None:
            return False
        if batch:
            crash.point("reactions_begun")
            _work_off(tenant_id, batch)
        elif _is_over(tenant_id, fence):
            return False
    with tenant_transaction(tenant_id):
        RulesDue.objects.filter(fence=fence).update(lease_until=None)
    return True


def _take(tenant_id: int) -> int | None:
    """Claim the tenant's rules; None where another worker has them, or nothing is due."""
    with tenant_transaction(tenant_id):
        row: RulesDue | None = claim_due(RulesDue.objects.all(), _LEASE)
    return None if row is None else row.fence


def _begin(tenant_id: int, fence: int) -> list[int] | None:
    """Ids of the next reactions, counted as begun; None where another worker has taken over."""
    with tenant_transaction(tenant_id):
        if not RulesDue.objects.filter(fence=fence).update(lease_until=timezone.now() + _LEASE):
            return None
    with tenant_transaction(tenant_id):
        gather_events()
        _release()
        rows = list(
            Reaction.objects.filter(state=ReactionState.WAITING).order_by("id").values_list("id", "attempts")[:_AT_ONCE]
        )
        careful = next((number for number, attempts in rows if attempts >= _CAREFUL_AFTER), None)
        chosen = [careful] if careful is not None else [number for number, _ in rows]
        Reaction.objects.filter(id__in=chosen).update(attempts=F("attempts") + 1)
        return chosen


def _is_over(tenant_id: int, fence: int) -> bool:
    """Whether nothing waits; what is written down from now on calls anew."""
    with tenant_transaction(tenant_id):
        row = lock_held(RulesDue.objects.all(), fence)
        if row is None:
            return True
        if Reaction.objects.filter(state=ReactionState.WAITING).exists() or gather_events():
            return False
        RulesDue.objects.filter(id=row.pk).update(due_at=None, lease_until=None)
        return True


def _release() -> None:
    """Let the next held reactions go whose rule a person released."""
    for rule in Rule.objects.filter(release_to__isnull=False):
        held = Reaction.objects.filter(rule_id=rule.pk, state=ReactionState.HELD, id__lte=rule.release_to)
        chosen = list(held.order_by("id").values_list("id", flat=True)[:_RELEASED_AT_ONCE])
        Reaction.objects.filter(id__in=chosen).update(state=ReactionState.WAITING)
        if len(chosen) < _RELEASED_AT_ONCE:
            Rule.objects.filter(id=rule.pk).update(release_to=None)


def _work_off(tenant_id: int, batch: Sequence[int]) -> None:
    """Run the rules on these reactions, in one transaction with everything that they do."""
    now = timezone.now()
    with tenant_transaction(tenant_id):
        rows = list(Reaction.objects.select_for_update(skip_locked=True).filter(id__in=batch).order_by("id"))
        rules = {rule.pk: rule for rule in Rule.objects.filter(id__in={row.rule_id for row in rows})}
        # A sync writes the reactions of one row in the order of the rules.
        ran: dict[int, int] = defaultdict(int)
        for row in rows:
            rule = rules.get(row.rule_id)
            if rule is not None and rule.is_enabled:
                ran[rule.pk] += _run_one(row, rule, now)
        Reaction.objects.filter(id__in=[row.pk for row in rows]).delete()
        for rule_id, count in ran.items():
            if count:
                Rule.objects.filter(id=rule_id).update(runs=F("runs") + count, last_run_at=now)
    crash.point("reacted")


def _run_one(row: Reaction, rule: Rule, now: datetime) -> bool:
    """Run one rule; False where there was nothing to do for it."""
    if row.attempts > _GIVEN_UP_AFTER:
        _write(row, rule, "", RuleOutcome.FAILED, note="It stopped the work several times. Please tell us.", at=now)
        return False
    try:
        with transaction.atomic():
            return _run(row, rule, now)
    except (DataError, IntegrityError) as error:
        log.warning("rule_failed", rule=rule.pk, error=type(error).__name__)
        _write(row, rule, "", RuleOutcome.FAILED, note="A value does not fit its field here.", at=now)
        return False


def _run(row: Reaction, rule: Rule, now: datetime) -> bool:
    person: Person | None = Person.objects.filter(id=row.person_id).first()
    if person is None or not (person.is_active or row.event in {Trigger.UNSUBSCRIBED, Trigger.BOUNCED}):
        return False
    if RuleRun.objects.filter(rule_id=rule.pk, person_id=person.pk, event_key=row.event_key).exists():
        return False
    at = Acting(rule, person, row.event_key, why_of(row), now, row.details, [*row.chain, rule.pk])
    if not holds(rule, at.values):
        return False
    reason = _cut(row, rule, now)
    if reason is not None:
        log.info("rule_cut", rule=rule.pk, person=person.pk, reason=reason.value, chain=row.chain)
        _write(row, rule, str(person), RuleOutcome.CUT, note=reason.words, at=now)
        return False
    newest = last_event()
    effects = act_all(at)
    mark_caused(after=newest, person_id=person.pk, chain=at.chain)
    failed = [str(effect["words"]) for effect in effects if effect["failed"]]
    outcome = RuleOutcome.FAILED if failed else RuleOutcome.DONE
    _write(row, rule, str(at.person), outcome, note="; ".join(failed), effects=effects, at=now)
    return True


def holds(rule: Rule, values: dict[str, str]) -> bool:
    """Whether the rule's conditions hold; conditions that this release cannot read never do."""
    try:
        return applies(rule.tree, values)
    except BadFilter:
        return False


def act_all(at: Acting) -> list[dict[str, object]]:
    """Carry out the rule's actions in order; each sees what those before it did, and one that fails stops no other."""
    effects = []
    for place, action in enumerate(at.rule.steps):
        effects.append(_act(at, action, place).to_dict(action.kind))
    return effects


def _act(at: Acting, action: Action, place: int) -> Effect:
    def how(acting: Acting, wanted: Action) -> Effect:
        with transaction.atomic():
            return command(acting, wanted, place) if wanted.kind.is_command else act_here(acting, wanted)

    return carried_out(at, action, how)


def why_of(row: Reaction) -> str:
    """The event in words."""
    if row.event in _WORDS:
        return _WORDS[row.event].format(sobject=row.sobject.lower() or "row")
    words = Trigger(row.event).label if row.event in set(Trigger) else row.event
    named = next(
        (str(row.details[name]) for name in ("form", "list", "link", "url", "subject") if row.details.get(name)), ""
    )
    return f"{words.lower()}: {named}" if named else words.lower()


def _cut(row: Reaction, rule: Rule, now: datetime) -> Cut | None:
    if row.event not in _SYNC_EVENTS:
        return cut(rule.pk, row.chain)
    recent = RuleRun.objects.filter(
        rule_id=rule.pk,
        person_id=row.person_id,
        event="updated",
        outcome=RuleOutcome.DONE,
        at__gte=now - timedelta(hours=1),
    ).count()
    written = CrmAction.objects.filter(
        rule_id=rule.pk, person_id=row.person_id, settled_at__gte=now - timedelta(days=1)
    ).values_list("written", flat=True)
    return cut(rule.pk, row.chain, recent_runs=recent, came_in=row.came_in, written=list(written))


def _write(
    row: Reaction,
    rule: Rule,
    label: str,
    outcome: RuleOutcome,
    *,
    at: datetime,
    note: str = "",
    effects: Sequence[dict[str, object]] = (),
) -> None:
    RuleRun.objects.get_or_create(
        rule_id=rule.pk,
        person_id=row.person_id,
        event_key=row.event_key,
        defaults={
            "rule_name": rule.name,
            "record_label": label,
            "event": row.event,
            "why": why_of(row),
            "outcome": outcome,
            "effects": list(effects),
            "note": note,
            "run_id": row.run_id,
            "at": at,
        },
    )

"""Marketing events become reactions of the rules that they start."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from apps.audience.models import Engagement, EventKind, RulesState
from apps.domain.automation import Trigger
from apps.sync_actions.models import Reaction, Rule
from apps.sync_actions.queue import call_rules, insert_reactions
from apps.tenants.scope import current_tenant_id, tenant_transaction

AT_ONCE = 500
CHAIN = "rules"
"""Where an event that a rule has caused names the rules that led to it."""
_PLAIN: dict[str, Trigger] = {
    EventKind.FORM_SUBMITTED: Trigger.FORM_SUBMITTED,
    EventKind.LIST_JOINED: Trigger.LIST_JOINED,
    EventKind.LIST_LEFT: Trigger.LIST_LEFT,
    EventKind.EMAIL_OPENED: Trigger.EMAIL_OPENED,
    EventKind.EMAIL_CLICKED: Trigger.EMAIL_CLICKED,
    EventKind.PAGE_VISITED: Trigger.PAGE_VISITED,
    EventKind.UNSUBSCRIBED: Trigger.UNSUBSCRIBED,
    EventKind.EMAIL_BOUNCED: Trigger.BOUNCED,
}
_CREATED: dict[str, Trigger] = {"import": Trigger.IMPORTED, "api": Trigger.CREATED_BY_API}


def call_rules_for_events(tenant_id: int) -> None:
    """Where marketing events wait, have the rules look at them. Whoever notes an event rings the outbox's bell, which
    brings us here."""
    with tenant_transaction(tenant_id):
        if Engagement.objects.filter(rules_state=RulesState.WAITING).exists():
            call_rules(at=timezone.now())


def gather_events() -> bool:
    """Take the next marketing events in hand, in the open transaction; False where none waits."""
    events = list(
        Engagement.objects.select_for_update(skip_locked=True)
        .filter(rules_state=RulesState.WAITING)
        .order_by("id")[:AT_ONCE]
    )
    if not events:
        return False
    rules = list(Rule.objects.filter(is_enabled=True).exclude(trigger=Trigger.SYNCED).order_by("position", "id"))
    rows = [_reaction(event, rule) for event in events for rule in _started(event, rules)]
    insert_reactions(rows, at=timezone.now())
    Engagement.objects.filter(id__in=[event.pk for event in events]).update(rules_state=RulesState.DONE)
    return True


def _started(event: Engagement, rules: Iterable[Rule]) -> Iterable[Rule]:
    plain = _PLAIN.get(event.kind)
    made = _CREATED.get(event.origin) if event.kind == EventKind.PERSON_CREATED else None
    for rule in rules:
        reaches = rule.trigger == Trigger.SCORE_REACHED and _reaches(event, rule.threshold)
        if reaches or rule.trigger in {plain, made}:
            yield rule


def _reaches(event: Engagement, threshold: int | None) -> bool:
    """Whether the event lifted the score over the threshold; one that was above it already does not."""
    if threshold is None or event.points <= 0:
        return False
    return bool(event.score - event.points < threshold <= event.score)


def _reaction(event: Engagement, rule: Rule) -> Reaction:
    details: Mapping[str, Any] = event.details or {}
    chain = details.get(CHAIN)
    return Reaction(
        tenant_id=current_tenant_id(),
        rule_id=rule.pk,
        person_id=event.person_id,
        event=rule.trigger,
        event_key=f"event {event.pk}",
        details={**{name: fact for name, fact in details.items() if name != CHAIN}, "subject": event.subject},
        chain=chain if isinstance(chain, list) else [],
    )


def last_event() -> int:
    """The newest event there is: what comes after it was caused by what is done now."""
    newest: int | None = Engagement.objects.order_by("-id").values_list("id", flat=True).first()
    return newest or 0


def mark_caused(*, after: int, person_id: int, chain: list[int]) -> None:
    """Have the events that rules have just caused name these rules, so that no rule starts itself."""
    caused = Engagement.objects.filter(id__gt=after, person_id=person_id, origin="rule", rules_state=RulesState.WAITING)
    for event in caused:
        event.details = {**event.details, CHAIN: chain}
        event.save(update_fields=["details"])

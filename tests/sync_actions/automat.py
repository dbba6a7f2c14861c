"""Verbs of the rules' tests: make rules, let them act, and look at what came of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.audience.models import Person
from apps.audience.services.engagements import record_engagements
from apps.audience.services.event_drafts import EventDraft
from apps.domain.filters import Filter, Operator, to_dict
from apps.domain.filters import Rule as Comparison
from apps.domain.values import FieldType
from apps.integrations.metadata import refresh_metadata
from apps.sync.models import SyncRun
from apps.sync_actions.gathering import call_rules_for_events
from apps.sync_actions.models import CrmAction, Reaction, Rule, RuleRun
from apps.sync_actions.reacting import react
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World

MOST_ROUNDS = 50


def is_(field: str, value: str) -> Filter:
    """A condition: the field has this value."""
    return Comparison(field, FieldType.STRING, Operator.EQUALS, (value,))


def action(kind: str, **values: str) -> dict[str, Any]:
    """An action as rules keep it."""
    return {"kind": kind, "values": values}


@dataclass
class Automat:
    """The rules of one tenant."""

    world: World

    def rule(self, *actions: dict[str, Any], trigger: str = "synced", when: Filter | None = None, **facts: Any) -> Rule:
        """A rule that is switched on, after those that are there."""
        with tenant_transaction(self.world.tenant_id):
            position = Rule.objects.count()
            defaults = {"name": f"Rule {position + 1}", "is_enabled": True, "holds_backfill": False}
            made: Rule = Rule.objects.create(
                **{**defaults, **facts},
                position=position,
                trigger=trigger,
                conditions=to_dict(when),
                actions=list(actions),
            )
            return made

    def act(self) -> None:
        """Let the rules act until nothing waits."""
        call_rules_for_events(self.world.tenant_id)
        for _ in range(MOST_ROUNDS):
            if not react(self.world.tenant_id):
                return
        raise AssertionError("The rules did not come to an end.")

    def learn(self) -> None:
        """Read anew what the org is made of."""
        refresh_metadata(self.world.tenant_id, self.world.connection.pk)

    def happens(
        self, email: str, kind: str = "form_submitted", values: dict[str, str] | None = None, **details: Any
    ) -> Person:
        """A marketing event of somebody, who is made where nobody has the address."""
        with tenant_transaction(self.world.tenant_id):
            draft = EventDraft(kind=kind, email=email, details=details, creates=True, values=values or {})
            (outcome,) = record_engagements(events=[draft], origin="api")
            found: Person = Person.objects.get(id=outcome.person_id)
            return found

    def person(self, **values: Any) -> Person:
        """Somebody who is here and not in Salesforce."""
        with tenant_transaction(self.world.tenant_id):
            made: Person = Person.objects.create(**values)
            return made

    def carry_out(self) -> SyncRun | None:
        """Let the rules act, then carry out what they ask of Salesforce, due or not."""
        self.act()
        with tenant_transaction(self.world.tenant_id):
            CrmAction.objects.filter(state__in=["waiting", "in_flight"]).update(
                due_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
            )
        return self.world.push()

    def rows(self, sobject: str, *fields: str, where: str = "") -> list[dict[str, Any]]:
        """Rows as Salesforce holds them."""
        soql = f"SELECT Id, {', '.join(fields)} FROM {sobject}{' WHERE ' + where if where else ''} ORDER BY Id"
        return self.world.emulator.query(self.world.org.org_id, soql, include_deleted=False)

    def runs(self, rule: Rule | None = None) -> list[RuleRun]:
        with tenant_transaction(self.world.tenant_id):
            rows = RuleRun.objects.order_by("id")
            return list(rows.filter(rule_id=rule.pk) if rule is not None else rows)

    def waiting(self) -> list[Reaction]:
        with tenant_transaction(self.world.tenant_id):
            return list(Reaction.objects.order_by("id"))

    def commands(self) -> list[CrmAction]:
        with tenant_transaction(self.world.tenant_id):
            return list(CrmAction.objects.order_by("id"))

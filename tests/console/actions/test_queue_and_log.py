"""Where else rules show: the outbound queue, the errors, and the page of a run."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from apps.integrations.models import Connection
from apps.sync.models import RunKind, SyncRun
from apps.sync_actions.models import CrmAction, Rule, RuleRun
from apps.sync_errors.models import SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import linked_person, salesforce

__all__ = ["salesforce"]
pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = "/integrations/salesforce/queue/"


@pytest.fixture
def marketer(member: Callable[[Role], Client]) -> Client:
    return member(Role.MARKETER)


@pytest.fixture
def command(tenant: Tenant, salesforce: Connection) -> CrmAction:
    """A task that a rule wants, held."""
    with tenant_transaction(tenant.pk):
        person = linked_person(salesforce)
        made: CrmAction = CrmAction.objects.create(
            rule_id=1,
            rule_name="Call them",
            action="crm_task",
            person_id=person.pk,
            record_label="Ada",
            values={"subject": "Call Ada", "days": "1"},
            cause="Rule “Call them”: a form is submitted",
            key="k",
            state="held",
            reason="No bad subjects.",
        )
        return made


def state(tenant: Tenant) -> str:
    with tenant_transaction(tenant.pk):
        return str(CrmAction.objects.get().state)


def test_the_queue_shows_what_rules_want_with_the_cause_and_the_reason(marketer: Client, command: CrmAction) -> None:
    page = marketer.get(QUEUE).content.decode()
    for words in ("1 rule action", "Create the task “Call Ada”", "a form is submitted", "No bad subjects."):
        assert words in page


@pytest.mark.parametrize(("do", "after"), [("release", "waiting"), ("cancel", "cancelled")])
def test_held_actions_are_tried_again_or_cancelled(
    marketer: Client, tenant: Tenant, command: CrmAction, do: str, after: str
) -> None:
    said = {"tenant": str(tenant.pk), "do": do}
    marketer.post(f"{QUEUE}commands/", {**said, "command": "x"})
    assert state(tenant) == "held"
    marketer.post(f"{QUEUE}commands/", {**said, "command": str(command.pk)})
    assert state(tenant) == after


def test_retrying_its_error_tries_the_action_again(
    marketer: Client, tenant: Tenant, command: CrmAction, salesforce: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        fact = ErrorFact(
            category="validation_rule",
            message="No bad subjects.",
            sobject="Task",
            local_type="person",
            local_id=command.person_id,
            details={"command": command.pk},
            is_blocked=True,
        )
        record_errors([fact], connection_id=salesforce.pk, run_id=None, at=timezone.now(), way="rule")
        error = SyncError.objects.get()
    marketer.post("/integrations/salesforce/errors/retry/", {"tenant": str(tenant.pk), "error": str(error.pk)})
    assert state(tenant) == "waiting"


def test_a_runs_page_says_what_rules_did_with_its_rows(
    marketer: Client, tenant: Tenant, salesforce: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        run = SyncRun.objects.create(connection_id=salesforce.pk, kind=RunKind.DIFFERENTIAL, state="completed")
        rule = Rule.objects.create(name="Tidy", position=0, trigger="synced")
        for number, outcome in enumerate(("done", "done", "failed", "cut")):
            RuleRun.objects.create(
                rule_id=rule.pk,
                rule_name=rule.name,
                person_id=number,
                event="created",
                event_key="version 1",
                outcome=outcome,
                run_id=run.pk,
            )
    page = " ".join(marketer.get(f"/integrations/salesforce/log/{run.pk}/").content.decode().split())
    assert "acted 2 times, failed 1, was stopped in a loop 1" in page

"""A tenant in the middle of its work, with one of every record: what pages are looked at with, and asked for."""

import io
from typing import Any

import pytest
from django.utils import timezone

from apps.audience.models import (
    RECEIVED_KINDS,
    Company,
    CustomRecord,
    CustomRecordType,
    Engagement,
    Erasure,
    ErasureState,
    List,
    ListKind,
    ListMembership,
    Opportunity,
    SavedFilter,
)
from apps.audience.services.custom_fields import create_custom_field
from apps.audience.services.engagements import EventDraft, record_engagements
from apps.audience.services.sequences import create_sequence, enrol
from apps.field_mappings.models import FieldMapping, ProfileKind, SyncStep
from apps.field_mappings.selectors import profiles_of
from apps.imports.models import Import, ImportProblem
from apps.imports.services import upload
from apps.integrations.models import ApiUsage, Connection, ConnectionCheck, PasswordAttempt
from apps.notifications.models import Attempt, EndpointKind, Notice
from apps.notifications.webhooks.endpoints import create_endpoint, send_test
from apps.outbox.models import OutboundChange
from apps.sync.models import (
    BulkAction,
    EntryAction,
    ErasureJob,
    ObjectStage,
    RunEntry,
    RunKind,
    RunObject,
    RunState,
    SyncRun,
    Watermark,
)
from apps.sync_actions.models import CrmAction, Reaction, Rule, RuleRun
from apps.sync_errors.models import SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.models import Scope, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.api_keys import create_api_key
from apps.tenants.services.members import invite_member
from tests.console.records.conftest import linked_person

ROMANS = {"field": "city", "type": "string", "operator": "equals", "values": ["Rome"]}


@pytest.fixture
def world(tenant: Tenant, salesforce: Connection) -> dict[str, Any]:
    """A connection in the middle of its work, and one of every record; gives what each kind of page is about."""
    with tenant_transaction(tenant.pk):
        _connection_at_work(salesforce)
        about = _records(salesforce)
        person_id, company_id = about["person"], about["company"]
        run = _run(salesforce, person_id)
        inviter = User.objects.create_user("inviter@northwind.example", "correct horse battery")
        link = invite_member(tenant=tenant, email="guest@northwind.example", role=Role.ADMIN, inviter=inviter)
        return about | {
            "": None,
            "object": "lead",
            "area": "people",
            "side": "in",
            "run": run.pk,
            "error": _error(salesforce, run, person_id, company_id).pk,
            "bulk": BulkAction.objects.create(
                kind="push", record_type="person", criteria={"ids": [person_id]}, until_id=1
            ).pk,
            "saved": SavedFilter.objects.create(record_type="person", name="Romans", tree=ROMANS).pk,
            "rule": _rule(person_id, run.pk).pk,
            "erasure": _erasures().pk,
            "token": link.split("/")[-2],
            **_mapping(salesforce),
            **_imports(inviter),
            **_dealings_with_others(inviter),
        }


def _connection_at_work(salesforce: Connection) -> None:
    """It has called, covered some time, and been checked with every outcome."""
    now = timezone.now()
    Connection.objects.update(api_used=4000, api_allowed=100_000, edition="Enterprise Edition")
    ApiUsage.objects.create(connection=salesforce, hour=now.replace(minute=0), calls=120)
    Watermark.objects.create(connection_id=salesforce.pk, sobject="Lead", covered_to=now)
    for outcome in ("pass", "warning", "blocker", "not_checked"):
        ConnectionCheck.objects.create(
            connection=salesforce, key=outcome, title=outcome, outcome=outcome, finding="x", fix="y", checked_at=now
        )


def _records(salesforce: Connection) -> dict[str, Any]:
    """A person in a company, on a list, in a sequence and in everything else that a record can be in."""
    company = Company.objects.create(name="Analytical Engines", industry="Machines")
    person = linked_person(salesforce, title="Countess", company=company)
    OutboundChange.objects.create(local_type="person", local_id=person.pk, state="held", reason="It is there.")
    fair: Any = List.objects.create(kind=ListKind.CAMPAIGN, name="Fair", status="Planned", remote_id="701A")
    ListMembership.objects.create(list=fair, person=person, status="Sent", has_responded=True)
    deal = Opportunity.objects.create(name="Big deal", stage="Closed Won", company=company)
    kind = CustomRecordType.objects.create(
        key="project", label="Project", label_plural="Projects", sobject="Project__c"
    )
    record = CustomRecord.objects.create(record_type=kind, name="Bridge", person=person, company=company)
    sequence = create_sequence(name="Welcome", description="Three mails in a week.", user=None)
    enrol(people=[person], sequence=sequence, origin="manual")
    own_field = create_custom_field(
        record_type="person", label="Shoe size", kind="picklist", options=["38", "39"], user=None
    )
    details = {"link": "https://example.com/prices", "channel": "mail", "body": "More, please."}
    events = [EventDraft(kind=one, person_id=person.pk, details=details) for one in (*RECEIVED_KINDS, *RECEIVED_KINDS)]
    record_engagements(events=events, origin="api")
    Engagement.objects.filter(kind="form_submitted").update(task_state="refused", task_note="No room.")
    return {
        "person": person.pk, "company": company.pk, "opportunity": deal.pk, "list": fair.pk, "sequence": sequence.pk,
        "custom_field": own_field.pk, "type": kind.key, "record": record.pk,
    }  # fmt: skip


def _error(salesforce: Connection, run: SyncRun, person_id: int, company_id: int) -> SyncError:
    """A row that fits two records, and beside it in the log one that was merged."""
    record_errors(
        [ErrorFact(category="ambiguous_match", message="Two fit.", remote_id="00Q000000000001AAA",
                   record_label="Ada", raw="[]", field="City", local_type="company",
                   details={"candidates": [{"id": company_id}], "row": {"name": "Engines", "industry": "x"}})],
        connection_id=salesforce.pk, run_id=run.pk, at=timezone.now(),
    )  # fmt: skip
    RunEntry.objects.create(
        run_id=run.pk, sobject="Lead", remote_id="00Q000000000001AAA", local_type="person", local_id=person_id,
        action=EntryAction.MERGED, changes={"title": {"before": "", "after": "Countess", "rule": "merged"}},
    )  # fmt: skip
    found: SyncError = SyncError.objects.get()
    return found


def _erasures() -> Erasure:
    """One that is over; one under way and one that cannot go on are beside it."""
    over: Erasure = Erasure.objects.create(person_id=4711, actor_label="Inviter")
    for person_id, problem in ((4712, ""), (4713, "What is looked for was sealed with a key that is gone.")):
        under_way = Erasure.objects.create(person_id=person_id, actor_label="Inviter", state=ErasureState.ERASING)
        spans = [["notifications_notice", [0], [200]]]
        ErasureJob.objects.create(erasure=under_way, names="", spans=spans, cursor=[80], problem=problem)
    return over


def _mapping(salesforce: Connection) -> dict[str, Any]:
    """The step of leads with one of its mappings, and a step of statuses."""
    steps = SyncStep.objects.filter(profile=profiles_of(salesforce)[ProfileKind.CUSTOM])
    lead = steps.get(sobject="Lead")
    status = SyncStep.objects.create(
        profile=lead.profile, position=9, kind="status", sobject="Lead", local_type="sequence_status"
    )
    mapping = FieldMapping.objects.get(step=lead, remote_field="Title")
    return {"step": lead.pk, "status_step": status.pk, "mapping": mapping.pk}


def _imports(user: User) -> dict[str, Any]:
    """A file that was only uploaded, and one that was taken in but for a row."""
    waiting, done = (
        upload(record_type="person", filename="fair.csv", source=io.BytesIO(text), size=len(text), user=user)
        for text in (b"Email,Town\neve@example.com,Paris\n", b"Email\nnonsense\n")
    )
    Import.objects.filter(id=done.pk).update(state="completed", rows=1, failed=1, skip_reasons={"blank": 1})
    ImportProblem.objects.create(source=done, row=2, reason="No e-mail address.", cells=["nonsense"])
    return {"import": waiting.pk, "imported": done.pk}


def _dealings_with_others(user: User) -> dict[str, Any]:
    """A key, a webhook with a delivery that failed, a notice, and a password that was refused."""
    key, _ = create_api_key(name="Website", scopes=list(Scope), user=user)
    hook, _ = create_endpoint(
        name="Warehouse", kind=EndpointKind.WEBHOOK, url="https://hooks.example.com/a", events=["run.finished"],
        with_bulk=False, user=user,
    )  # fmt: skip
    delivery = send_test(endpoint=hook, user=user)
    Attempt.objects.create(delivery=delivery, status=500, response="<b>no</b>", problem="It answered 500.")
    notice = Notice.objects.create(kind="sync_errors", subject="New sync errors", facts={"too_long": 3}, path="/")
    attempt = PasswordAttempt.objects.create(user=user, state="refused", code="expired", words="Check all three.")
    return {
        "api_key": key.pk,
        "webhook": hook.pk,
        "delivery": delivery.pk,
        "notice": notice.pk,
        "attempt": attempt.pk,
    }


def _rule(person_id: int, run_id: int) -> Rule:
    """A rule with conditions and actions of several kinds, something held back, and what it did."""
    rules = [
        Rule.objects.create(
            name=name, position=place, is_enabled=place == 0, trigger="synced",
            conditions={"all_of": True, "parts": [ROMANS]},
            actions=[
                {"kind": "set_field", "values": {"field": "title", "text": "{first_name}"}},
                {"kind": "crm_task", "values": {"subject": "Call {first_name}", "days": "1", "description": "x"}},
                {"kind": "map_value", "values": {"field": "country", "pairs": "DE = Germany"}},
            ],
        )
        for place, name in enumerate(["Romans", "Others"])
    ]  # fmt: skip
    rule: Rule = rules[0]
    Reaction.objects.create(rule_id=rule.pk, person_id=person_id, event="created", event_key="v", state="held")
    CrmAction.objects.create(
        rule_id=rule.pk, rule_name=rule.name, action="crm_task", person_id=person_id, record_label="Ada", key="k",
        values={"subject": "Call"}, cause="Rule “Romans”: it came in", state="held", reason="Why.",
    )  # fmt: skip
    effects = [
        {"kind": "set_field", "words": "Changed", "before": "", "after": "x", "done": True, "failed": False},
        {
            "kind": "trim",
            "words": "The value is right already",
            "before": "x",
            "after": "x",
            "done": False,
            "failed": False,
        },
        {"kind": "webhook", "words": "It is gone", "before": "", "after": "", "done": False, "failed": True},
    ]
    for number, outcome in enumerate(("done", "failed", "cut")):
        RuleRun.objects.create(
            rule_id=rule.pk, rule_name=rule.name, person_id=person_id, record_label="Ada", event="created",
            event_key=f"v{number}", why="it came in", outcome=outcome, note="Why.", effects=effects, run_id=run_id,
        )  # fmt: skip
    return rule


def _run(connection: Connection, person_id: int) -> SyncRun:
    """A full sync under way, after one that ended."""
    now = timezone.now()
    for state in (RunState.COMPLETED, RunState.RUNNING):
        run: SyncRun = SyncRun.objects.create(
            connection_id=connection.pk, kind=RunKind.FULL, state=state, started_at=now, warnings=["Slow"],
            finished_at=now if state is RunState.COMPLETED else None,
        )  # fmt: skip
        RunObject.objects.create(
            run=run, position=0, sobject="Lead", label="Leads", stage=ObjectStage.FETCHING, expected=10, fetched=5,
            created=4, skipped=1, skip_reasons={"filtered": 1}, finished_at=run.finished_at,
        )  # fmt: skip
        RunEntry.objects.create(
            run_id=run.pk, sobject="Lead", remote_id="00Q000000000001AAA", local_type="person", local_id=person_id,
            action=EntryAction.UPDATED,
            changes={"title": {"before": "Miss", "after": "Countess", "rule": "remote_moved", "lost": "Ms"}},
        )  # fmt: skip
    return run

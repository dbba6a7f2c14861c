"""What each command of a round comes to: a write, nothing, or why it cannot be."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.audience.models import Person
from apps.domain import commands as rules
from apps.domain.actions import ActionKind
from apps.domain.automation import sobject_for
from apps.domain.commands import Decision, Nothing, Plan, Refused, Row, remote_values
from apps.domain.failures import Category, Failure, RowFailure
from apps.domain.ports import ObjectSchema
from apps.domain.rows import EXTERNAL_ID, OPT_OUT, PERSON_ACCOUNT
from apps.integrations.soql import find_text, made_text
from apps.sync.contexts import context_of
from apps.sync.desk import Desk
from apps.sync.push.command_work import CommandWork
from apps.sync_actions.models import CrmAction
from apps.tenants.scope import tenant_transaction

ACTIVITY_ID = "Syncline_Activity_Id__c"
"""The package's field of Tasks (design, section 7)."""
_MARGIN = timedelta(minutes=5)
"""Two clocks are compared, and the intent was written down before the row was made."""
_PART = 100
_MEMBERS = (ActionKind.CRM_ADD_TO_CAMPAIGN, ActionKind.CRM_MEMBER_STATUS, ActionKind.CRM_REMOVE_FROM_CAMPAIGN)


class Planner:
    """Plans the commands of one round; what several of them need is asked once."""

    def __init__(self, work: CommandWork) -> None:
        self.work = work
        self._members = self._find_members()
        self._opportunities = self._find_opportunities()
        self._values: dict[str, dict[int, dict[str, str]]] = {}

    def plan(self, command: CrmAction) -> Decision:
        """What the command comes to."""
        person = self.work.people.get(command.person_id)
        if person is None:
            return Nothing("The person is not here any more")
        plan = _PLANNERS[ActionKind(command.action)]
        decision = plan(self, command, person)
        return self._of_person_account(command, decision) if isinstance(decision, Plan) else decision

    def _of_person_account(self, command: CrmAction, plan: Plan) -> Decision:
        """A Contact that is a person account, or is to become one, is written through its Account."""
        account = self.work.schema("Account")
        if plan.sobject != "Contact" or account is None or PERSON_ACCOUNT not in account.fields:
            return plan
        row = self.work.rows.get(command.person_id)
        if not plan.remote_id:
            is_person = self.work.settings.person_accounts and "AccountId" not in plan.values
            return rules.through_account(plan, account, "") if is_person else plan
        if row is not None and row.values.get(PERSON_ACCOUNT) is True:
            return rules.through_account(plan, account, str(row.values.get("AccountId") or ""))
        return plan

    # -- the person's row -------------------------------------------------------------------------------------

    def _row(self, command: CrmAction) -> Row | Refused:
        """The person's lead or contact; without one, why the command cannot be carried out."""
        row = self.work.rows.get(command.person_id)
        if row is not None:
            return row
        gone = self.work.gone.get(command.person_id)
        if gone is not None:
            words = f"The {gone.sobject.lower()} was deleted in Salesforce, or the sync user cannot see it."
            return Refused(gone.sobject, (RowFailure(Category.RECORD_DELETED, words),), gone.remote_id)
        return Refused("Lead", (RowFailure(Category.MISSING_PARENT, rules.NOT_THERE),))

    def _schema(self, sobject: str) -> ObjectSchema | Refused:
        schema = self.work.schema(sobject)
        if schema is None:
            return Refused(
                sobject, (RowFailure(Category.OBJECT_GONE, f"The org shows no {sobject} to the sync user."),)
            )
        return schema

    def person(self, command: CrmAction, person: Person) -> Decision:
        """Create or update the lead or contact."""
        extra = remote_values(command.values.get("values", ""))
        row = self.work.rows.get(command.person_id)
        if row is not None:
            schema = self._schema(row.sobject)
            return schema if isinstance(schema, Refused) else self._update(schema, row, extra)
        if command.person_id in self.work.gone:
            missing = self._row(command)
            assert isinstance(missing, Refused)
            return missing
        account = self.work.accounts.get(person.pk, "")
        sobject = sobject_for(command.values.get("as", ""), has_account=bool(account))
        schema = self._schema(sobject)
        if isinstance(schema, Refused):
            return schema
        values = self._mapped(sobject).get(person.pk, {}) | {n: t for n, t in extra.items() if n != OPT_OUT}
        values |= {OPT_OUT: "true"} if person.email_opt_out else {}
        if sobject == "Contact" and account:
            values["AccountId"] = account
        made = self._unanswered(command, sobject, "LastName", values.get("LastName", ""))
        if made is not None:
            return made
        return rules.create(
            schema,
            values,
            defaults=self._defaults(sobject),
            external=(EXTERNAL_ID, f"{self.work.prefix}-{person.pk}"),
        )

    def _update(self, schema: ObjectSchema, row: Row, values: Mapping[str, str]) -> Decision:
        """Of further values, those that this kind of row has."""
        if row.is_converted or not values:
            return rules.update(schema, row, {})
        fitting = {name: text for name, text in values.items() if name in schema.fields}
        return rules.update(schema, row, fitting or values)

    def _mapped(self, sobject: str) -> dict[int, dict[str, str]]:
        """What new rows of the sObject hold by the mappings, whatever their ways; by person."""
        if sobject not in self._values:
            work = self.work
            people = [command.person_id for command in work.of_kind(ActionKind.CRM_PERSON)]
            found = {pk: _plain(sobject, work.people[pk]) for pk in people if pk in work.people}
            step = next((s for s in work.steps if s.sobject == sobject and s.local_type == "person"), None)
            if step is not None:
                with tenant_transaction(work.hold.tenant_id):
                    desk = Desk(context_of(work.run, sobject, settings=work.settings), [], list(found))
                    for pk, draft in desk.records.items():
                        texts = {r.remote_field: r.outward(draft.values.get(r.local_field) or "") for r in step.rules}
                        found[pk] = found.get(pk, {}) | {name: text for name, text in texts.items() if text}
            self._values[sobject] = found
        return self._values[sobject]

    def _defaults(self, sobject: str) -> dict[str, str]:
        """What stands in for a missing required value (B10)."""
        settings = self.work.settings
        return {
            "Lead": {"LastName": settings.default_last_name, "Company": settings.default_account_name},
            "Contact": {"LastName": settings.default_last_name},
            "Account": {"Name": settings.default_account_name},
        }.get(sobject, {})

    # -- account and opportunity ------------------------------------------------------------------------------

    def account(self, command: CrmAction, person: Person) -> Decision:
        """Create or update the account of the person's company."""
        schema = self._schema("Account")
        if isinstance(schema, Refused):
            return schema
        extra = remote_values(command.values.get("values", ""))
        several = self.work.many_accounts.get(person.pk)
        if several:
            words = "Salesforce has several accounts of this name or website."
            return Refused("Account", (RowFailure(Category.AMBIGUOUS_MATCH, words, matched_ids=tuple(several)),))
        known = self.work.accounts.get(person.pk, "")
        if known:
            fields = self.work.shown("Account", "Id", *extra)
            raw = self.work.gateway.read("Account", [known], fields).get(known) if extra else {}
            if raw is None:
                words = "The account was deleted in Salesforce, or the sync user cannot see it."
                return Refused("Account", (RowFailure(Category.RECORD_DELETED, words),), known)
            return rules.update(schema, Row("Account", known, raw), extra)
        company = person.company
        name = company.name if company is not None else person.company_name
        values = {"Name": name, "Website": company.website if company is not None else "", **extra}
        made = self._unanswered(command, "Account", "Name", name or self.work.settings.default_account_name)
        if made is not None:
            return made
        external = (EXTERNAL_ID, f"{self.work.prefix}-{company.pk}") if company is not None else None
        return rules.create(schema, values, defaults=self._defaults("Account"), external=external)

    def opportunity(self, command: CrmAction, person: Person) -> Decision:
        """Create or update an opportunity at the account."""
        schema = self._schema("Opportunity")
        if isinstance(schema, Refused):
            return schema
        account = self.work.accounts.get(person.pk, "")
        if not account:
            words = "The person's company is no account yet. Put the action “Create or update the account” before."
            return Refused("Opportunity", (RowFailure(Category.MISSING_PARENT, words, ("AccountId",)),))
        present = self._opportunities.get((account, command.values.get("name", "").strip().lower()))
        today = timezone.now().date()
        return rules.opportunity(schema, command.values, account=account, present=present, today=today)

    def _find_opportunities(self) -> dict[tuple[str, str], Row]:
        """Open opportunities by account and name."""
        wanted = {
            self.work.accounts[command.person_id]
            for command in self.work.of_kind(ActionKind.CRM_OPPORTUNITY)
            if command.person_id in self.work.accounts
        }
        fields = self.work.shown("Opportunity", "Id", "AccountId", "Name", "StageName", "Amount", "IsClosed")
        rows = self._ask("Opportunity", fields, "AccountId", sorted(wanted)) if fields else []
        return {
            (str(raw["AccountId"]), str(raw.get("Name") or "").strip().lower()): Row("Opportunity", str(raw["Id"]), raw)
            for raw in rows
            if not raw.get("IsClosed")
        }

    # -- campaigns --------------------------------------------------------------------------------------------

    def member(self, command: CrmAction, person: Person) -> Decision:
        """Add to a Campaign, change the member status, or remove from it."""
        schema = self._schema("CampaignMember")
        row = self._row(command)
        if isinstance(schema, Refused):
            return schema
        campaign = str(command.values.get("campaign", ""))
        present = self._members.get((campaign, row.remote_id)) if isinstance(row, Row) else None
        if command.action == ActionKind.CRM_REMOVE_FROM_CAMPAIGN:
            return rules.removal(present)
        if isinstance(row, Refused):
            return row
        adds = command.action == ActionKind.CRM_ADD_TO_CAMPAIGN
        return rules.member(schema, row, campaign, str(command.values.get("status", "")), present, adds=adds)

    def _find_members(self) -> dict[tuple[str, str], Row]:
        """Memberships of the round's people in the round's Campaigns, by Campaign and person's row."""
        work = self.work
        commands = work.of_kind(*_MEMBERS)
        campaigns = {str(command.values.get("campaign", "")) for command in commands}
        found: dict[tuple[str, str], Row] = {}
        for sobject in ("Lead", "Contact"):
            rows = (work.rows.get(command.person_id) for command in commands)
            ids = sorted({row.remote_id for row in rows if row is not None and row.sobject == sobject})
            fields = work.shown("CampaignMember", "Id", "CampaignId", "LeadId", "ContactId", "Status")
            for raw in self._ask("CampaignMember", fields, f"{sobject}Id", ids) if fields and ids else ():
                if raw.get("CampaignId") in campaigns:
                    key = (str(raw["CampaignId"]), str(raw[f"{sobject}Id"]))
                    found[key] = Row("CampaignMember", str(raw["Id"]), raw)
        return found

    # -- tasks, cases, owners, fields -------------------------------------------------------------------------

    def task(self, command: CrmAction, person: Person) -> Decision:
        """Create a task on the lead or contact."""
        schema, row = self._schema("Task"), self._row(command)
        if isinstance(schema, Refused):
            return schema
        if isinstance(row, Refused):
            return row
        if row.is_converted:
            return rules.update(schema, row, {})
        if not self.work.shown("Task", ACTIVITY_ID):
            made = self._unanswered(command, "Task", "Subject", command.values.get("subject", ""))
            if made is not None:
                return made
        external = (ACTIVITY_ID, f"{self.work.prefix}-c{command.pk}")
        return rules.task(schema, row, command.values, today=timezone.now().date(), external=external)

    def case(self, command: CrmAction, person: Person) -> Decision:
        """Create a case."""
        schema, row = self._schema("Case"), self._row(command)
        if isinstance(schema, Refused):
            return schema
        if isinstance(row, Refused):
            return row
        made = self._unanswered(command, "Case", "Subject", command.values.get("subject", ""))
        if made is not None:
            return made
        return rules.case(schema, row, command.values, email=person.email, name=person.display_name)

    def owner(self, command: CrmAction, person: Person) -> Decision:
        """Give the lead or contact to somebody."""
        row = self._row(command)
        schema = self._schema(row.sobject)
        if isinstance(row, Refused):
            return row
        if isinstance(schema, Refused):
            return schema
        return rules.ownership(schema, row, str(command.values.get("owner", "")))

    def set_field(self, command: CrmAction, person: Person) -> Decision:
        """Set a field of the lead or contact."""
        row = self._row(command)
        schema = self._schema(row.sobject)
        if isinstance(row, Refused):
            return row
        if isinstance(schema, Refused):
            return schema
        return rules.update(schema, row, {str(command.values.get("field")): str(command.values.get("text", ""))})

    # -- looking ----------------------------------------------------------------------------------------------

    def _ask(self, sobject: str, fields: list[str], name: str, texts: list[str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        queries = [find_text(sobject, fields, name, texts[i : i + _PART]) for i in range(0, len(texts), _PART)]
        for answer in self.work.gateway.query_many(queries) if queries else ():
            if isinstance(answer, Failure):
                raise answer
            rows += answer
        return rows

    def _unanswered(self, command: CrmAction, sobject: str, name: str, value: str) -> Decision | None:
        """Where the command was begun before and its answer never came: the row that it made, looked for by our user
        and the time; None where there is none."""
        intent = command.intent
        if intent is None or command.intended_at is None or intent.get("sobject") != sobject or not value:
            return None
        sent: Mapping[str, str] = intent.get("values") or {}
        since = command.intended_at + (self.work.gateway.org_time() - timezone.now()) - _MARGIN
        fields = self.work.shown(sobject, "Id", name, "WhoId", "ContactId", "AccountId")
        text = made_text(
            sobject,
            fields,
            since=since,
            by=self.work.connection.user_remote_id,
            field=name,
            value=sent.get(name, value),
        )
        rows = [Row(sobject, str(raw["Id"]), raw) for raw in self.work.gateway.query(text)]
        with tenant_transaction(self.work.hold.tenant_id):
            others = CrmAction.objects.filter(result_id__in=[row.remote_id for row in rows])
            taken = list(others.values_list("result_id", flat=True))
        free = rules.made_by(rows, sent, taken)
        if not free:
            return None
        if len(free) == 1:
            return Nothing("Made before the answer was lost", sobject, free[0].remote_id)
        words = "It may have been made in Salesforce already: several new rows fit."
        ids = tuple(row.remote_id for row in free)
        return Refused(sobject, (RowFailure(Category.AMBIGUOUS_MATCH, words, matched_ids=ids),))


def _plain(sobject: str, person: Person) -> dict[str, str]:
    """What a row holds without any mapping."""
    values = {
        "Email": person.email,
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "Title": person.title,
        "Phone": person.phone,
    }
    return values | ({"Company": person.company_name} if sobject == "Lead" else {})


_PLANNERS: dict[ActionKind, Callable[[Planner, CrmAction, Person], Decision]] = {
    ActionKind.CRM_PERSON: Planner.person,
    ActionKind.CRM_ACCOUNT: Planner.account,
    ActionKind.CRM_OPPORTUNITY: Planner.opportunity,
    ActionKind.CRM_ADD_TO_CAMPAIGN: Planner.member,
    ActionKind.CRM_MEMBER_STATUS: Planner.member,
    ActionKind.CRM_REMOVE_FROM_CAMPAIGN: Planner.member,
    ActionKind.CRM_TASK: Planner.task,
    ActionKind.CRM_CASE: Planner.case,
    ActionKind.CRM_OWNER: Planner.owner,
    ActionKind.CRM_SET_FIELD: Planner.set_field,
}

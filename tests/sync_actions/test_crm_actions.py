"""CRM actions (E02, B10, E09): what rules have done in Salesforce, exactly once."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.audience.models import Company, Person
from apps.sync.models import RunEntry
from apps.sync_actions.models import CrmAction, Rule
from apps.sync_actions.services import release_commands
from apps.tenants.scope import tenant_transaction
from tests.sync_actions.automat import Automat, action

FORM = "form_submitted"
CREATE = action("crm_person", **{"as": "auto"})


def campaign(near: Automat, **values: Any) -> str:
    world = near.world
    return world.emulator.create(world.org.org_id, "Campaign", **{"Name": "Fair", "IsActive": True} | values)


def states(near: Automat) -> list[tuple[str, str]]:
    return [(command.state, command.reason) for command in near.commands()]


def test_a_form_makes_a_lead_once_with_the_mapped_values_and_the_defaults(near: Automat) -> None:
    near.rule(
        action("crm_person", **{"as": "auto", "values": "LeadSource = Web\nDescription = Form {event:form}"}),
        trigger=FORM,
    )
    near.happens("ada@example.com", values={"first_name": "Ada", "title": "Countess"}, form="Demo")
    near.carry_out()
    (lead,) = near.rows("Lead", "Email", "FirstName", "LastName", "Company", "Title", "LeadSource", "Description")
    assert lead == {
        "Id": lead["Id"],
        "Email": "ada@example.com",
        "FirstName": "Ada",
        "LastName": "Unknown",
        "Company": "Unknown company",
        "Title": "Countess",
        "LeadSource": "Web",
        "Description": "Form Demo",
    }
    near.happens("ada@example.com", form="Demo")
    near.carry_out()
    assert len(near.rows("Lead", "Email")) == 1
    assert [command.result_id for command in near.commands()] == [lead["Id"]] * 2


def test_its_result_comes_back_by_the_ordinary_pull(near: Automat) -> None:
    near.rule(CREATE, trigger=FORM)
    person = near.happens("ada@example.com", form="Demo")
    near.carry_out()
    near.world.poll()
    (lead,) = near.rows("Lead", "Email")
    assert near.world.link(lead["Id"]).person_id == person.pk
    assert [one.pk for one in near.world.people()] == [person.pk]


def test_where_the_company_is_an_account_the_person_becomes_its_contact(near: Automat) -> None:
    world = near.world
    account = world.emulator.create(world.org.org_id, "Account", Name="Acme", Website="acme.example")
    world.poll()
    near.rule(CREATE, trigger=FORM)
    person = near.person(email="ada@acme.example", last_name="Byron")
    with tenant_transaction(world.tenant_id):
        Person.objects.filter(id=person.pk).update(company=Company.objects.get())
    near.happens("ada@acme.example", form="Demo")
    near.carry_out()
    assert near.rows("Lead", "Email") == []
    (contact,) = near.rows("Contact", "Email", "AccountId")
    assert (contact["Email"], contact["AccountId"]) == ("ada@acme.example", account)


def test_an_account_of_the_companys_name_counts_too_and_several_do_not(near: Automat) -> None:
    world = near.world
    world.emulator.create(world.org.org_id, "Account", Name="Acme")
    for _ in range(2):
        world.emulator.create(world.org.org_id, "Account", Name="Twins")
    near.rule(CREATE, trigger=FORM)
    for name in ("Acme", "Twins", "Nowhere"):
        near.person(email=f"a@{name.lower()}.example", last_name="Byron", company_name=name)
        near.happens(f"a@{name.lower()}.example", form="Demo")
    near.carry_out()
    assert [row["Email"] for row in near.rows("Contact", "Email")] == ["a@acme.example"]
    assert sorted(row["Company"] for row in near.rows("Lead", "Company")) == ["Nowhere", "Twins"]


def test_whoever_salesforce_has_already_is_updated_and_never_made_twice(near: Automat) -> None:
    contact = near.world.contact(Email="known@example.com", LastName="Known", Title="Chief")
    near.rule(action("crm_person", **{"as": "Lead", "values": "Department = Board"}), trigger=FORM)
    near.happens("known@example.com", values={"last_name": "Other"}, form="Demo")
    near.carry_out()
    assert near.rows("Lead", "Email") == []
    (row,) = near.rows("Contact", "LastName", "Title", "Department")
    assert row == {"Id": contact, "LastName": "Known", "Title": "Chief", "Department": "Board"}


def test_campaign_membership_is_given_changed_and_taken(near: Automat) -> None:
    fair = campaign(near)
    lead = near.world.lead(Email="ada@example.com")
    near.world.poll()
    near.rule(action("crm_add_to_campaign", campaign=fair, status="Sent"), trigger=FORM)
    near.rule(action("crm_member_status", campaign=fair, status="Responded"), trigger="email_clicked")
    near.rule(action("crm_remove_from_campaign", campaign=fair), trigger="unsubscribed")
    near.happens("ada@example.com", form="Demo")
    near.carry_out()
    assert [(row["LeadId"], row["Status"]) for row in near.rows("CampaignMember", "LeadId", "Status")] == [
        (lead, "Sent")
    ]
    near.happens("ada@example.com", "email_clicked", link="https://x.example")
    near.carry_out()
    near.happens("ada@example.com", form="Demo")  # who is a member already keeps the status
    near.carry_out()
    assert [row["Status"] for row in near.rows("CampaignMember", "Status")] == ["Responded"]
    near.happens("ada@example.com", "unsubscribed")
    near.carry_out()
    assert near.rows("CampaignMember", "Status") == []


def test_a_new_lead_is_there_before_the_next_action_needs_it(near: Automat) -> None:
    fair = campaign(near)
    near.rule(
        CREATE,
        action("crm_add_to_campaign", campaign=fair),
        action("crm_task", subject="Call {first_name|them}", days="2", priority="High"),
        trigger=FORM,
    )
    near.happens("ada@example.com", values={"first_name": "Ada"}, form="Demo")
    near.carry_out()
    (lead,) = near.rows("Lead", "Email", "OwnerId")
    assert [row["LeadId"] for row in near.rows("CampaignMember", "LeadId")] == [lead["Id"]]
    (task,) = near.rows("Task", "WhoId", "Subject", "Priority", "Status", "OwnerId", "Syncline_Activity_Id__c")
    assert (task["WhoId"], task["Subject"], task["Priority"]) == (lead["Id"], "Call Ada", "High")
    assert (task["Status"], task["OwnerId"]) == ("Not Started", lead["OwnerId"])
    assert task["Syncline_Activity_Id__c"].endswith(f"-c{near.commands()[2].pk}")


def test_a_case_goes_to_its_queue(near: Automat) -> None:
    world = near.world
    queue = world.emulator.create(world.org.org_id, "Group", Name="Support", Type="Queue")
    contact = world.contact(Email="ada@example.com", FirstName="Ada")
    near.rule(action("crm_case", subject="Help {first_name|them}", queue=queue, priority="High"), trigger=FORM)
    near.happens("ada@example.com", form="Support")
    near.carry_out()
    (case,) = near.rows("Case", "ContactId", "Subject", "Priority", "OwnerId", "SuppliedEmail")
    assert (case["ContactId"], case["Subject"], case["Priority"]) == (contact, "Help them", "High")
    assert (case["OwnerId"], case["SuppliedEmail"]) == (queue, "ada@example.com")


def test_account_and_opportunity_are_made_once_and_then_updated(near: Automat) -> None:
    near.rule(
        action("crm_account", values="Industry = Energy"),
        action("crm_opportunity", name="{company_name} deal", stage="Prospecting", days="30", amount="1,500"),
        trigger=FORM,
    )
    near.rule(action("crm_opportunity", name="{company_name} deal", stage="Qualification"), trigger="email_clicked")
    near.person(email="ada@acme.example", last_name="Byron", company_name="Acme")
    near.happens("ada@acme.example", form="Demo")
    near.carry_out()
    (account,) = near.rows("Account", "Name", "Industry")
    (deal,) = near.rows("Opportunity", "Name", "StageName", "Amount", "AccountId")
    assert (account["Name"], account["Industry"]) == ("Acme", "Energy")
    assert (deal["Name"], deal["StageName"], deal["Amount"]) == ("Acme deal", "Prospecting", 1500.0)
    assert deal["AccountId"] == account["Id"]
    near.happens("ada@acme.example", "email_clicked", link="https://x.example")
    near.carry_out()
    assert [row["StageName"] for row in near.rows("Opportunity", "StageName")] == ["Qualification"]


@pytest.mark.parametrize("kind", ["user", "queue", "rule"])
def test_owners_are_assigned(near: Automat, kind: str) -> None:
    world = near.world
    org_id = world.org.org_id
    lead = world.lead(Email="ada@example.com")
    queue = world.emulator.create(org_id, "Group", Name="Hot leads", Type="Queue")
    user = world.emulator.query(org_id, "SELECT Id FROM User ORDER BY Id")[0]["Id"]
    (rule,) = world.emulator.query(org_id, "SELECT Id FROM AssignmentRule WHERE SobjectType = 'Lead'")
    world.emulator.change_org(org_id, assignment_owner=queue)
    chosen = {"user": user, "queue": queue, "rule": rule["Id"]}[kind]
    near.rule(action("crm_owner", owner=chosen), trigger=FORM)
    near.happens("ada@example.com", form="Demo")
    near.carry_out()
    assert world.row("Lead", lead, "OwnerId")["OwnerId"] == (user if kind == "user" else queue)
    assert [state for state, _ in states(near)] == ["done"]


def test_a_field_is_set_whatever_the_mappings_say_and_is_no_news_to_the_rule(near: Automat) -> None:
    world = near.world
    lead = world.lead(Email="ada@example.com", Title="Old")
    world.poll()
    rule = near.rule(action("crm_set_field", field="Title", text="{title} of {company_name|Acme}"))
    world.change("Lead", lead, Title="Head")
    world.poll()
    near.carry_out()
    assert world.row("Lead", lead, "Title")["Title"] == "Head of Acme"
    world.poll()
    near.carry_out()
    assert world.row("Lead", lead, "Title")["Title"] == "Head of Acme"
    assert [run.outcome for run in near.runs(rule)] == ["done", "cut"]
    assert near.runs(rule)[-1].note.startswith("Not run: what came in is what the rule itself had written")


def test_what_was_done_stands_in_the_runs_log_with_the_rule(near: Automat) -> None:
    lead = near.world.lead(Email="ada@example.com", Title="Old")
    rule = near.rule(action("crm_set_field", field="Title", text="New"), trigger=FORM)
    near.happens("ada@example.com", form="Demo")
    run = near.carry_out()
    assert run is not None
    (entry,) = near.world.entries(run, "written")
    assert (entry.reason, entry.remote_id) == (f"rule {rule.pk}", lead)
    assert entry.changes == {"Title": {"before": "Old", "after": "New", "rule": "rule"}}
    assert near.world.counts(run)["CrmAction"] == (0, 1, 0, 0, 0)


# -- never ----------------------------------------------------------------------------------------------------


def test_nothing_leaves_while_syncs_are_off(near: Automat) -> None:
    near.rule(CREATE, trigger=FORM)
    near.world.settings(syncs_enabled=False)
    near.happens("ada@example.com", form="Demo")
    assert near.carry_out() is None
    assert near.rows("Lead", "Email") == []
    near.world.settings(syncs_enabled=True)
    near.carry_out()
    assert len(near.rows("Lead", "Email")) == 1


def test_an_opt_out_is_told_with_a_new_lead_and_never_taken_back(near: Automat) -> None:
    near.rule(CREATE, action("crm_set_field", field="HasOptedOutOfEmail", text="false"), trigger=FORM)
    near.person(email="ada@example.com", last_name="Byron", email_opt_out=True)
    near.happens("ada@example.com", form="Demo")
    near.carry_out()
    assert [row["HasOptedOutOfEmail"] for row in near.rows("Lead", "HasOptedOutOfEmail")] == [True]
    assert states(near)[1][0] == "held"


def test_a_converted_lead_is_left_alone_and_its_contact_is_written(near: Automat) -> None:
    world = near.world
    lead = world.lead(Email="ada@example.com", Title="Old")
    contact = world.emulator.convert(world.org.org_id, lead)["contactId"]
    near.rule(action("crm_set_field", field="Title", text="New"), trigger=FORM)
    near.happens("ada@example.com", form="Demo")
    near.carry_out()
    assert world.row("Contact", contact, "Title")["Title"] == "New"
    assert world.row("Lead", lead, "Title")["Title"] == "Old"


def test_what_waits_for_somebody_who_is_merged_is_done_with_the_one_who_stays(near: Automat) -> None:
    world = near.world
    stays, goes = world.lead(Email="stays@example.com"), world.lead(Email="goes@example.com")
    world.poll()
    near.rule(action("crm_set_field", field="Title", text="Met"), trigger=FORM)
    near.happens("goes@example.com", form="Demo")
    near.act()
    world.emulator.merge(world.org.org_id, "Lead", stays, goes)
    world.poll()
    near.carry_out()
    assert world.row("Lead", stays, "Title")["Title"] == "Met"


def test_a_required_field_is_named_and_the_command_goes_when_somebody_releases_it(near: Automat) -> None:
    world = near.world
    world.settings(default_last_name="", default_account_name="")
    near.rule(CREATE, trigger=FORM)
    near.happens("ada@example.com", form="Demo")
    near.carry_out()
    errors = world.live_errors()
    assert {(error.category, error.field, error.state, error.way) for error in errors} == {
        ("required_field_missing", "LastName", "blocked", "rule"),
        ("required_field_missing", "Company", "blocked", "rule"),
    }
    assert near.rows("Lead", "Email") == []
    world.settings(default_last_name="Unknown", default_account_name="Unknown company")
    with tenant_transaction(world.tenant_id):
        assert release_commands(commands=CrmAction.objects.all(), user=world.user) == 1
    near.carry_out()
    assert len(near.rows("Lead", "Email")) == 1
    assert world.live_errors() == []


def test_one_refused_command_stops_no_other(near: Automat) -> None:
    world = near.world
    world.emulator.add_validation_rule(world.org.org_id, "Lead", "Title", "^Bad$", "No bad titles.")
    for name in ("Good", "Bad", "Fine"):
        world.lead(Email=f"{name.lower()}@example.com")
    near.rule(action("crm_set_field", field="Title", text="{first_name}"), trigger=FORM)
    for name in ("Good", "Bad", "Fine"):
        near.person(email=f"{name.lower()}@example.com", first_name=name)
        near.happens(f"{name.lower()}@example.com", form="Demo")
    near.carry_out()
    assert [row["Title"] for row in near.rows("Lead", "Title")] == ["Good", None, "Fine"]
    (error,) = world.live_errors()
    assert (error.category, error.record_label) == ("validation_rule", "Bad")


def test_who_is_not_in_salesforce_gets_no_membership_and_the_error_says_what_helps(near: Automat) -> None:
    near.rule(action("crm_add_to_campaign", campaign=campaign(near)), trigger=FORM)
    near.happens("ada@example.com", form="Demo")
    near.carry_out()
    (error,) = near.world.live_errors()
    assert "Create or update the lead or contact" in error.message
    assert states(near)[0][0] == "held"


# -- exactly once ---------------------------------------------------------------------------------------------


def _lead(near: Automat) -> dict[str, Any]:
    return CREATE


def _member(near: Automat) -> dict[str, Any]:
    near.world.lead(Email="ada@example.com")
    return action("crm_add_to_campaign", campaign=campaign(near))


def _task(near: Automat) -> dict[str, Any]:
    near.world.lead(Email="ada@example.com")
    return action("crm_task", subject="Call", days="1")


def _case(near: Automat) -> dict[str, Any]:
    near.world.contact(Email="ada@example.com")
    return action("crm_case", subject="Help")


def _account(near: Automat) -> dict[str, Any]:
    return action("crm_account")


def _opportunity(near: Automat) -> dict[str, Any]:
    near.world.emulator.create(near.world.org.org_id, "Account", Name="Acme")
    return action("crm_opportunity", name="Deal", stage="Prospecting")


@pytest.mark.parametrize("has_package", [True, False], ids=["with the package", "without the package"])
@pytest.mark.parametrize(
    ("sobject", "prepare"),
    [
        ("Lead", _lead),
        ("CampaignMember", _member),
        ("Task", _task),
        ("Case", _case),
        ("Account", _account),
        ("Opportunity", _opportunity),
    ],
)
def test_a_write_whose_answer_is_lost_is_not_done_twice(
    near: Automat, sobject: str, prepare: Callable[[Automat], dict[str, Any]], has_package: bool
) -> None:
    world = near.world
    if not has_package:
        world.emulator.change_org(world.org.org_id, package_fields=False)
        near.learn()
    near.rule(prepare(near), trigger=FORM)
    near.person(email="ada@example.com", last_name="Byron", company_name="Acme")
    near.happens("ada@example.com", form="Demo")
    method = "PATCH" if has_package and sobject in {"Lead", "Task"} else "POST"
    world.emulator.drop("/composite/sobjects", after_commit=True, method=method)
    near.act()
    near.carry_out()
    near.carry_out()
    assert len(near.rows(sobject, "CreatedDate")) == 1
    assert [state for state, _ in states(near)] == ["done"]
    assert near.commands()[0].intent is not None


def test_the_same_event_makes_one_command_however_often_it_comes(near: Automat) -> None:
    near.rule(CREATE, trigger=FORM)
    near.happens("ada@example.com", form="Demo")
    near.act()
    near.act()
    assert len(near.commands()) == 1


def test_a_deleted_rule_leaves_its_commands_and_its_log(near: Automat) -> None:
    rule = near.rule(CREATE, trigger=FORM)
    near.happens("ada@example.com", form="Demo")
    near.act()
    with tenant_transaction(near.world.tenant_id):
        Rule.objects.filter(id=rule.pk).delete()
    near.carry_out()
    assert len(near.rows("Lead", "Email")) == 1
    assert near.runs()[0].rule_name == rule.name
    with tenant_transaction(near.world.tenant_id):
        assert RunEntry.objects.filter(reason=f"rule {rule.pk}").count() == 1

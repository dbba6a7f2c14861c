"""A full sync, held against the emulator over HTTP: what arrives, what changes, what is survived."""

from typing import Any

import pytest

from apps.audience.models import Company, List, ListMembership, Opportunity, Person
from apps.sync.models import RecordLink, RunObject, RunPage, RunState, SyncRun, Watermark
from apps.sync.pull.staging import drop_page
from apps.sync.services import CannotStart, cancel_run, start_full_sync
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.sync.world import World


def test_everything_of_the_org_arrives_and_the_counters_add_up(world: World) -> None:
    world.emulator.seed(
        world.org.org_id, seed=3, accounts=30, contacts=60, leads=90, opportunities=20, campaigns=3, members=40
    )
    run = world.sync()
    assert run.state == RunState.COMPLETED, run.failure
    with tenant_transaction(world.tenant_id):
        assert Company.objects.count() == 30
        assert RecordLink.objects.filter(person_id__isnull=False).count() == 150
        assert RecordLink.objects.filter(person_id__isnull=False, is_leading=True).count() == Person.objects.count()
        assert Opportunity.objects.filter(company__isnull=False).count() == 20
        assert List.objects.filter(kind="campaign").count() == 3
        assert ListMembership.objects.count() > 30
        assert Person.objects.filter(company__isnull=False).count() > 50
        assert Person.objects.filter(owner__isnull=True).count() == 0
        for part in RunObject.objects.filter(run=run):
            assert part.read == part.fetched == part.expected, part
        marks = {mark.sobject for mark in Watermark.objects.all()}
    assert {"Account", "Contact", "Lead", "Opportunity"} <= marks


def test_an_opportunity_is_open_won_or_lost_as_it_is_there(world: World) -> None:
    """By SQL when it is made, by the decider when it changes."""
    facts = {"CloseDate": "2027-01-31", "Amount": "100"}
    deals = {
        stage: world.emulator.create(world.org.org_id, "Opportunity", Name=stage, StageName=stage, **facts)
        for stage in ("Prospecting", "Closed Won", "Closed Lost")
    }
    world.sync()
    assert _states(world) == {"Prospecting": (False, False), "Closed Won": (True, True), "Closed Lost": (True, False)}
    world.change("Opportunity", deals["Prospecting"], StageName="Closed Won")
    world.change("Opportunity", deals["Closed Lost"], StageName="Prospecting")
    run = world.poll()
    assert _states(world) == {"Prospecting": (True, True), "Closed Won": (True, True), "Closed Lost": (False, False)}
    assert world.counts(run)["Opportunity"][1] == 2
    assert world.counts(world.sync())["Opportunity"] == (0, 0, 3, 0, 0)


def _states(world: World) -> dict[str, tuple[bool, bool]]:
    with tenant_transaction(world.tenant_id):
        return {deal.name: (deal.is_closed, deal.is_won) for deal in Opportunity.objects.all()}


def test_running_it_again_changes_nothing(world: World) -> None:
    world.emulator.seed(
        world.org.org_id, seed=3, accounts=20, contacts=40, leads=60, opportunities=10, campaigns=2, members=20
    )
    world.sync()
    before = [(p.pk, p.version, p.updated_at) for p in world.people()]
    again = world.sync()
    assert [(p.pk, p.version, p.updated_at) for p in world.people()] == before
    for created, updated, _, _, failed in world.counts(again).values():
        assert (created, updated, failed) == (0, 0, 0)
    assert world.entries(again, "created") == world.entries(again, "updated") == []


def test_a_change_in_salesforce_arrives_with_before_after_and_rule(world: World) -> None:
    lead = world.lead(Email="ada@example.com", FirstName="Ada", Title="Buyer")
    world.sync()
    world.change("Lead", lead, Title="Head of Buying")
    run = world.sync()
    assert world.person(lead).title == "Head of Buying"
    (entry,) = world.entries(run, "updated")
    assert entry.changes == {"title": {"before": "Buyer", "after": "Head of Buying", "rule": "remote_rules"}}


@pytest.mark.parametrize(("allowed", "title"), [(True, ""), (False, "Buyer")])
def test_an_empty_field_in_salesforce_empties_ours_only_where_that_is_allowed(
    world: World, allowed: bool, title: str
) -> None:
    lead = world.lead(Title="Buyer")
    world.settings(blank_in=allowed)
    world.sync()
    world.change("Lead", lead, Title=None)
    world.sync()
    assert world.person(lead).title == title


def test_a_blank_held_back_stays_agreed_to_differ_when_the_setting_changes_later(world: World) -> None:
    lead = world.lead(Title="Buyer")
    world.settings(blank_in=False)
    world.sync()
    world.change("Lead", lead, Title=None)
    world.sync()
    world.settings(blank_in=True)
    world.sync()
    assert world.person(lead).title == "Buyer"


def test_lead_and_contact_with_one_address_are_one_person_and_the_contact_leads(world: World) -> None:
    lead = world.lead(Email="Same@Example.com", LastName="Lead")
    contact = world.contact(Email="same@example.com", LastName="Contact")
    world.sync()
    (person,) = world.people()
    assert (person.leading_remote_id, person.last_name) == (contact, "Contact")
    with tenant_transaction(world.tenant_id):
        links = {link.remote_id: link.is_leading for link in RecordLink.objects.filter(person_id=person.pk)}
    assert links == {contact: True, lead: False}


def test_several_leads_with_one_address_are_one_person(world: World) -> None:
    leads = [world.lead(Email="shared@example.com", LastName=f"L{i}") for i in range(3)]
    run = world.sync()
    (person,) = world.people()
    assert person.leading_remote_id == leads[0]
    assert world.counts(run)["Lead"] == (1, 2, 0, 0, 0)
    assert world.sync().state == RunState.COMPLETED
    assert len(world.people()) == 1


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", 'O\'Brien "x"', "=cmd()", "李\n二", "🚀", "%s %%", "N/A"]
)
def test_hostile_text_arrives_as_it_is(world: World, name: str) -> None:
    lead = world.lead(FirstName=name)
    world.sync()
    assert world.person(lead).first_name == name


def test_a_value_that_cannot_be_read_becomes_an_error_and_the_rest_goes_on(world: World) -> None:
    bad = world.emulator.create(world.org.org_id, "Account", Name="Bad", AnnualRevenue=5)
    world.sync()
    with tenant_transaction(world.tenant_id):
        columns = RunObject.objects.get(sobject="Account").columns
    cells = {"Id": bad, "Name": "Renamed", "AnnualRevenue": "lots", "IsDeleted": "false"}
    row = ",".join(f'"{cells.get(name, "")}"' for name in columns)
    body = ",".join(f'"{name}"' for name in columns) + "\n" + row + "\n"
    headers = {"Sforce-NumberOfRecords": "1", "Sforce-Locator": "null"}
    world.emulator.fault(r"jobs/query/\w+/results", status=200, body=body, headers=headers, type="text/csv")
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert world.counts(run)["Account"] == (0, 1, 0, 0, 0)
    with tenant_transaction(world.tenant_id):
        company = Company.objects.get()
    assert (company.name, company.annual_revenue) == ("Renamed", 5)
    (error,) = world.live_errors()
    assert (error.remote_id, error.category, error.field) == (bad, "unreadable_value", "AnnualRevenue")
    world.sync()
    assert world.live_errors() == []


def test_an_opt_out_in_salesforce_is_taken_and_never_taken_back(world: World) -> None:
    lead = world.lead(Email="out@example.com")
    world.sync()
    world.change("Lead", lead, HasOptedOutOfEmail=True)
    world.sync()
    assert world.person(lead).email_opt_out
    world.change("Lead", lead, HasOptedOutOfEmail=False)
    world.sync()
    assert world.person(lead).email_opt_out


def test_a_field_that_is_hidden_changes_nothing(world: World) -> None:
    lead = world.lead(Title="Buyer", Phone="1")
    world.sync()
    world.emulator.hide(world.org.org_id, "Lead.Title")
    world.change("Lead", lead, Phone="2")
    world.sync()
    person = world.person(lead)
    assert (person.title, person.phone) == ("Buyer", "2")


def _two_leads(world: World) -> None:
    world.lead(Email="a@example.com")
    world.lead(Email="b@example.com")


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (r"jobs/query/\w+/results", {"expire_tokens": True}),
        (r"jobs/query/\w+/results", {"truncate": 20}),
        (r"jobs/query/\w+/results", {"drop": True}),
        (r"jobs/query/\w+/results", {"status": 503, "body": "<html>busy</html>", "type": "text/html"}),
        (r"jobs/query/\w+$", {"status": 404, "body": [{"message": "gone", "errorCode": "NOT_FOUND"}]}),
        (r"jobs/query$", {"drop": True}),
        (r"sobjects/Lead/describe", {"expire_tokens": True}),
    ],
)
def test_a_fault_on_the_way_ends_the_same(world: World, path: str, fault: dict[str, Any]) -> None:
    _two_leads(world)
    world.emulator.fault(path, **fault)
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert sorted(p.email for p in world.people()) == ["a@example.com", "b@example.com"]
    assert world.counts(run)["Lead"] == (2, 0, 0, 0, 0)


def test_a_query_that_salesforce_refuses_leaves_its_object_out_and_says_so(world: World) -> None:
    _two_leads(world)
    refusal = [{"message": "No such column 'Website' on entity 'Account'", "errorCode": "INVALID_FIELD"}]
    world.emulator.fault("jobs/query$", status=400, body=refusal, times=4)  # the first and three without the field
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert "Account" in run.warnings[0]
    assert len(world.people()) == 2


def test_a_staged_page_that_a_crash_emptied_is_fetched_again(world: World) -> None:
    _two_leads(world)
    run = world.start()
    for _ in range(12):
        world.finish_lane(run, "fetch")
    with tenant_transaction(world.tenant_id):
        for page in RunPage.objects.filter(run_object__sobject="Lead"):
            drop_page(page.table)
    done = world.finish(run)
    assert done.state == RunState.COMPLETED
    assert world.counts(done)["Lead"] == (2, 0, 0, 0, 0)


def test_a_cancelled_run_stops_and_keeps_what_it_has(world: World) -> None:
    _two_leads(world)
    run = world.start()
    with tenant_transaction(world.tenant_id):
        cancel_run(run=run, user=world.user)
    assert world.finish(run).state == RunState.CANCELLED
    assert world.people() == []
    assert world.sync().state == RunState.COMPLETED


def test_many_clicks_are_one_run(world: World) -> None:
    assert world.start().pk == world.start().pk


def test_it_does_not_start_while_syncs_are_off(world: World) -> None:
    world.settings(syncs_enabled=False)
    with tenant_transaction(world.tenant_id), pytest.raises(CannotStart, match="switched off"):
        start_full_sync(connection=world.connection, user=world.user)


def test_a_revoked_grant_parks_the_run_and_says_who_is_needed(world: World) -> None:
    world.emulator.expire_tokens(revoke=True)
    run = world.start()
    world.finish_lane(run, "fetch")
    with tenant_transaction(world.tenant_id):
        world.connection.refresh_from_db()
        run = SyncRun.objects.get(id=run.pk)
    assert (world.connection.state, world.connection.health) == ("needs_reconnect", "needs_you")
    assert run.is_open


def test_rows_stay_with_their_tenant(world: World, other_tenant: Tenant) -> None:
    _two_leads(world)
    world.sync()
    with tenant_transaction(other_tenant.pk):
        assert Person.objects.count() == RecordLink.objects.count() == SyncRun.objects.count() == 0


def test_a_converted_lead_is_the_person_of_its_contact(world: World, emulator: EmulatorControl, user: User) -> None:
    lead = world.lead(Email="old@example.com", LastName="Lead")
    world.sync()
    contact = world.contact(Email="new@example.com", LastName="Contact")
    emulator.convert(world.org.org_id, lead, contact=contact)
    world.sync()
    person = world.person(contact)
    with tenant_transaction(world.tenant_id):
        link = RecordLink.objects.get(remote_id=lead)
    assert (link.person_id, link.is_leading) == (person.pk, False)
    assert [p.email for p in world.people() if p.is_active] == ["new@example.com"]

"""What is set on the pages, seen in the org or in our data after a sync (B13, C03 to C06, C12, C13, C15, C18)."""

from typing import Any

import pytest
from django.test import Client

from apps.audience.models import SavedFilter
from apps.domain.filters import Group, Operator, Rule, to_dict
from apps.domain.values import FieldType
from apps.field_mappings.models import SyncStep
from apps.integrations.jobs import run_job
from apps.integrations.models import ConnectionJob, JobKind
from apps.sync.models import OPEN_RUN_STATES, RunKind, SyncRun
from apps.sync.pushing_all import push_all
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.salesforce.conftest import _plain_static_files, join, logged_in
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["_plain_static_files", "local", "near_world", "user"]
BASE = "/integrations/salesforce/"
LONDON = Rule("City", FieldType.STRING, Operator.EQUALS, ("London",))


class Marketer:
    """A member in front of the pages, with the org behind them."""

    def __init__(self, world: World, client: Client) -> None:
        self.world, self.client = world, client

    def post(self, rest: str, **values: Any) -> Any:
        answer = self.client.post(BASE + rest, {"tenant": self.world.tenant_id, **values})
        assert answer.status_code == 302, answer.content.decode()[:4000]
        return answer

    def step(self, sobject: str = "Lead") -> SyncStep:
        with tenant_transaction(self.world.tenant_id):
            found: SyncStep = SyncStep.objects.get(sobject=sobject, profile__kind="custom", kind="record")
            return found

    def map(self, remote: str, ours: str, way_in: str, way_out: str) -> None:
        step = self.step()
        self.post(
            f"steps/{step.pk}/mappings/add/", version=step.version, remote_field=remote, local_field=ours,
            way_in=way_in, way_out=way_out, winner="latest",
        )  # fmt: skip

    def both_ways(self) -> None:
        step = self.step()
        ticked = dict.fromkeys(("create_local", "update_local", "update_remote"), "on")
        self.post(f"steps/{step.pk}/switches/", version=step.version, **ticked)

    def filter(self, side: str, rule: Rule) -> None:
        step = self.step()
        sent = {"filter.match": "all", "filter.0.field": rule.field, "filter.0.operator": rule.operator.value}
        self.post(f"steps/{step.pk}/filter/{side}/", version=step.version, **sent, **{"filter.0.value": rule.values[0]})

    def job(self, kind: JobKind) -> ConnectionJob:
        with tenant_transaction(self.world.tenant_id):
            found: ConnectionJob = ConnectionJob.objects.filter(kind=kind).latest("id")
            return found


@pytest.fixture
def marketer(near_world: World, tenant: Tenant) -> Marketer:
    join(tenant, near_world.user, Role.MARKETER)
    near_world.sync()
    return Marketer(near_world, logged_in(near_world.user))


def last_names(world: World) -> set[str]:
    return {person.last_name for person in world.people()}


def test_a_field_mapped_two_way_goes_to_the_org_and_comes_back(marketer: Marketer) -> None:
    world = marketer.world
    lead = world.lead(LastName="Lovelace", Email="ada@acme.example", City="London")
    marketer.map("City", "city", "overwrite", "overwrite")
    marketer.both_ways()
    world.sync()
    assert world.person(lead).city == "London"
    world.edit(world.person(lead), city="Paris")
    world.push()
    assert world.row("Lead", lead, "City")["City"] == "Paris"
    world.change("Lead", lead, City="Rome")
    world.poll()
    assert world.person(lead).city == "Rome"


def test_what_is_mapped_inbound_only_stays_out_of_the_org(marketer: Marketer) -> None:
    world = marketer.world
    lead = world.lead(LastName="Lovelace", Email="ada@acme.example", City="London")
    marketer.map("City", "city", "overwrite", "off")
    marketer.both_ways()
    world.sync()
    world.edit(world.person(lead), city="Paris")
    world.push()
    assert world.row("Lead", lead, "City")["City"] == "London"
    assert world.person(lead).city == "London"


def test_an_object_that_is_off_moves_nothing_and_on_again_it_does(marketer: Marketer) -> None:
    world = marketer.world
    world.lead(LastName="Lovelace", Email="ada@acme.example")
    marketer.post("objects/lead/on/", on="0")
    world.sync()
    assert last_names(world) == set()
    marketer.post("objects/lead/on/", on="1")
    world.sync()
    assert last_names(world) == {"Lovelace"}


def test_with_every_object_off_the_empty_pages_say_why_and_lead_to_the_steps(marketer: Marketer) -> None:
    for name in ("account", "contact", "lead", "opportunity"):
        marketer.post(f"objects/{name}/on/", on="0")
    page = marketer.client.get("/people/").content.decode()
    assert "No step brings anything in" in page
    assert f'href="{BASE}profiles/"' in page


def test_an_inbound_filter_admits_only_its_rows(marketer: Marketer) -> None:
    world = marketer.world
    world.lead(LastName="Lovelace", Email="ada@acme.example", City="London")
    world.lead(LastName="Hopper", Email="grace@acme.example", City="Arlington")
    marketer.filter("in", LONDON)
    world.sync()
    assert last_names(world) == {"Lovelace"}
    step = marketer.step()
    marketer.post(f"steps/{step.pk}/filter/in/", version=step.version, clear="1")
    world.sync()
    assert last_names(world) == {"Lovelace", "Hopper"}


def test_leads_of_the_last_thirty_days_are_chosen_by_a_list_and_a_number(marketer: Marketer) -> None:
    world, org_id = marketer.world, marketer.world.org.org_id
    world.lead(LastName="Lovelace", Email="ada@acme.example")
    world.emulator.shift_clock(org_id, -40 * 86_400)
    world.lead(LastName="Hopper", Email="grace@acme.example")
    world.emulator.shift_clock(org_id, 40 * 86_400)
    step = marketer.step()
    sent = {"field": "CreatedDate", "operator": "equals", "moving": "LAST_N_DAYS", "count": "30", "value": ""}
    marketer.post(
        f"steps/{step.pk}/filter/in/",
        version=step.version,
        **{"filter.match": "all"} | {f"filter.0.{name}": value for name, value in sent.items()},
    )
    assert "Created Date is in the last 30 days" in marketer.client.get(f"{BASE}objects/lead/").content.decode()
    world.sync()
    assert last_names(world) == {"Lovelace"}


def test_a_saved_filter_of_people_is_loaded_and_holds_back_the_others(marketer: Marketer) -> None:
    world = marketer.world
    ada = world.lead(LastName="Lovelace", Email="ada@acme.example", Title="Countess")
    grace = world.lead(LastName="Hopper", Email="grace@acme.example", Title="Admiral")
    world.sync()
    tree = Group((Rule("last_name", FieldType.STRING, Operator.EQUALS, ("Lovelace",)),))
    with tenant_transaction(world.tenant_id):
        saved = SavedFilter.objects.create(record_type="person", name="Counts", tree=to_dict(tree))
        mapping = marketer.step().mappings.get(remote_field="Title")
    step = marketer.step()
    page = marketer.client.get(f"{BASE}steps/{step.pk}/filter/out/?load={saved.pk}").content.decode()
    assert "This is the saved filter “Counts”. Press Save to use it in this step." in page
    assert 'value="Lovelace"' in page
    marketer.both_ways()
    step = marketer.step()
    ways = {f"in-{mapping.pk}": "overwrite", f"out-{mapping.pk}": "overwrite", f"winner-{mapping.pk}": "remote"}
    marketer.post(f"steps/{step.pk}/mappings/", version=step.version, **ways)
    marketer.filter("out", Rule("last_name", FieldType.STRING, Operator.EQUALS, ("Lovelace",)))
    for remote_id in (ada, grace):
        world.edit(world.person(remote_id), title="Dame")
    world.push()
    assert world.row("Lead", ada, "Title")["Title"] == "Dame"
    assert world.row("Lead", grace, "Title")["Title"] == "Admiral"


def test_sync_now_on_the_page_of_an_object_syncs_it_alone(marketer: Marketer) -> None:
    world = marketer.world
    world.lead(LastName="Lovelace", Email="ada@acme.example")
    world.contact(LastName="Hopper", Email="grace@acme.example")
    answer = marketer.post("objects/lead/sync/")
    with tenant_transaction(world.tenant_id):
        run = SyncRun.objects.get(state__in=OPEN_RUN_STATES)
    assert answer["Location"] == f"{BASE}log/{run.pk}/"
    assert (run.kind, run.sobjects) == (RunKind.OBJECT, ["Lead"])
    world.finish(run)
    assert last_names(world) == {"Lovelace"}
    assert "Sync Leads manually" in marketer.client.get(f"{BASE}settings/").content.decode()


def test_nothing_is_back_filled_until_all_that_match_are_pushed(marketer: Marketer) -> None:
    world = marketer.world
    lead = world.lead(LastName="Lovelace", Email="ada@acme.example")
    world.sync()
    world.edit(world.person(lead), city="Paris")
    world.push()
    marketer.map("City", "city", "off", "overwrite")
    marketer.both_ways()
    world.push()
    assert world.row("Lead", lead, "City")["City"] is None
    marketer.post(f"steps/{marketer.step().pk}/push-all/")
    push_all(world.tenant_id, marketer.job(JobKind.PUSH_ALL).pk)
    assert marketer.job(JobKind.PUSH_ALL).result["queued"] == 1
    world.push()
    assert world.row("Lead", lead, "City")["City"] == "Paris"


def test_a_step_that_writes_nothing_pushes_nothing(marketer: Marketer) -> None:
    marketer.post(f"steps/{marketer.step().pk}/push-all/")
    with tenant_transaction(marketer.world.tenant_id):
        assert not ConnectionJob.objects.filter(kind=JobKind.PUSH_ALL).exists()


def test_the_conditions_of_a_list_view_become_the_filter_and_the_rest_is_said(marketer: Marketer) -> None:
    world = marketer.world
    where = {
        "conjunction": "and",
        "conditions": [
            {"field": "City", "operator": "equals", "values": ["'London'"]},
            {"field": "Owner.Name", "operator": "equals", "values": ["'Ada'"]},
        ],
    }
    views = {"Lead": [{"label": "Londoners", "scope": "mine", "where": where}]}
    world.emulator.change_org(world.org.org_id, list_views=views)
    step = marketer.step()
    page = f"{BASE}steps/{step.pk}/filter/in/"
    marketer.post(f"steps/{step.pk}/list-views/")
    assert "Salesforce is being asked" in marketer.client.get(page).content.decode()
    run_job(world.tenant_id, marketer.job(JobKind.LIST_VIEWS).pk)
    named = {one["label"]: one["id"] for one in marketer.job(JobKind.LIST_VIEWS).result["views"]}
    assert {"Londoners", "All Leads"} <= named.keys()
    assert "Londoners" in marketer.client.get(page).content.decode()
    marketer.post(f"steps/{step.pk}/list-views/", view=named["Londoners"])
    run_job(world.tenant_id, marketer.job(JobKind.LIST_VIEWS).pk)
    shown = marketer.client.get(f"{page}?view={named['Londoners']}").content.decode()
    assert "Left out: It shows only the records of whoever looks at it." in shown
    assert "Left out: “Owner.Name” is not a field of the object itself" in shown
    assert 'value="London"' in shown
    assert marketer.step().inbound_filter is None
    marketer.filter("in", LONDON)
    assert marketer.step().inbound_filter == to_dict(Group((LONDON,)))


def test_a_list_view_that_salesforce_does_not_give_is_said(marketer: Marketer) -> None:
    step = marketer.step()
    marketer.post(f"steps/{step.pk}/list-views/", view="00Bxx0000000001AAA")
    run_job(marketer.world.tenant_id, marketer.job(JobKind.LIST_VIEWS).pk)
    page = marketer.client.get(f"{BASE}steps/{step.pk}/filter/in/").content.decode()
    assert "Salesforce did not answer" in page


def test_a_preview_shows_both_sides_and_the_rule_without_asking_salesforce(marketer: Marketer) -> None:
    world = marketer.world
    lead = world.lead(LastName="Lovelace", Email="ada@acme.example", Title="Countess")
    world.sync()
    marketer.map("City", "city", "overwrite", "off")
    world.edit(world.person(lead), title="Dame")
    before = len(world.emulator.calls("/services/data/", world.org.org_id))
    page = marketer.client.get(f"{BASE}steps/{marketer.step().pk}/preview/?q={lead}").content.decode()
    assert "Countess" in page
    assert "Dame" in page
    assert "Salesforce rules this field." in page
    assert "Salesforce&#x27;s value is read at the next sync" in page
    for rest in ("profiles/", "objects/lead/", f"steps/{marketer.step().pk}/mappings/add/"):
        assert marketer.client.get(BASE + rest).status_code == 200
    assert len(world.emulator.calls("/services/data/", world.org.org_id)) == before


def test_a_field_that_is_hidden_pauses_its_mapping_and_the_sync_goes_on(marketer: Marketer) -> None:
    world = marketer.world
    world.emulator.change_org(world.org.org_id, hidden=["Lead.Title"])
    lead = world.lead(LastName="Lovelace", Email="ada@acme.example", Title="Countess", Phone="555")
    world.sync()
    assert (world.person(lead).phone, world.person(lead).title) == ("555", "")
    assert "is hidden from the sync user" in marketer.client.get(f"{BASE}objects/lead/").content.decode()


def test_the_default_profile_syncs_both_ways_by_its_own_fields(marketer: Marketer) -> None:
    world = marketer.world
    lead = world.lead(LastName="Lovelace", Email="ada@acme.example", Title="Countess")
    contact = world.contact(LastName="Hopper", Email="grace@acme.example")
    marketer.post("profiles/switch/", to="default")
    world.sync()
    assert last_names(world) == {"Lovelace", "Hopper"}
    assert world.person(lead).title == ""
    for remote_id in (lead, contact):
        world.edit(world.person(remote_id), first_name="Renamed", title="Dame")
    world.add_person(last_name="Hamilton", email="margaret@acme.example", company_name="Apollo")
    world.push()
    assert world.row("Lead", lead, "FirstName", "Title") | {"Id": ""} == {
        "Id": "", "FirstName": "Renamed", "Title": "Countess",
    }  # fmt: skip
    assert world.row("Contact", contact, "FirstName")["FirstName"] == "Renamed"
    made = world.emulator.query(world.org.org_id, "SELECT Company FROM Lead WHERE LastName = 'Hamilton'")
    assert [row["Company"] for row in made] == ["Apollo"]
    assert world.live_errors() == []

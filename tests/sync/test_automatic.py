"""What Syncline tells Salesforce by itself: score, visit and touches on every row of a person; pairs of runs, off and
on (E03, E05, E06, B06, B15)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.audience.models import Person
from apps.audience.services.engagements import EventDraft, record_engagements
from apps.audience.services.scores import change_score
from apps.outbox.models import OutboundChange
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]

SCORE = "Syncline_Lead_Score__c"
VISIT = "Syncline_Most_Recent_Visit__c"
TOUCHES = [f"Syncline_{which}_Touch_{what}__c" for which in ("First", "Last") for what in ("Channel", "Source")]


def happens(world: World, kind: str, person: Person, **values: Any) -> None:
    """An event comes in."""
    with tenant_transaction(world.tenant_id):
        record_engagements(events=[EventDraft(kind=kind, person_id=person.pk, **values)], origin="api")


def test_a_score_goes_to_the_lead_though_no_step_pushes(near_world: World) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    happens(world, "form_submitted", world.person(lead))
    run = world.push()
    assert run is not None
    assert world.row("Lead", lead, SCORE)[SCORE] == 10
    assert world.entries(run, "written")[0].changes == {"score": {"before": "", "after": "10", "rule": "automatic"}}
    assert world.waiting() == []


def test_visit_and_touches_go_out_and_only_what_differs(near_world: World) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    person = world.person(lead)
    moment = timezone.now() - timedelta(hours=2)
    happens(world, "page_visited", person, happened_at=moment, details={"channel": "search", "source": "duck" * 80})
    world.push()
    row = world.row("Lead", lead, VISIT, *TOUCHES)
    assert row[VISIT].startswith(moment.strftime("%Y-%m-%dT%H:%M:%S"))
    assert [row[name] for name in TOUCHES] == ["search", ("duck" * 80)[:255]] * 2
    with tenant_transaction(world.tenant_id):
        change_score(person=person, to=7, origin="manual")
    run = world.push()
    assert run is not None
    assert [set(entry.changes or {}) for entry in world.entries(run, "written")] == [{"score"}]


def test_every_live_row_of_a_person_is_told_and_a_converted_lead_is_not(near_world: World) -> None:
    world = near_world
    contact = world.contact(Email="ada@example.com")
    lead = world.lead(Email="ada@example.com")
    old = world.lead(Email="old@example.com")
    world.sync()
    happens(world, "form_submitted", world.person(contact))
    happens(world, "form_submitted", world.person(old))
    converted = world.emulator.convert(world.org.org_id, old)
    world.push()
    assert world.row("Contact", contact, SCORE)[SCORE] == 10
    assert world.row("Lead", lead, SCORE)[SCORE] == 10
    world.poll()
    world.push()
    assert world.row("Contact", converted["contactId"], SCORE)[SCORE] == 10
    assert world.live_errors() == []


def test_without_the_package_nothing_is_written_and_no_row_has_an_error(near_world: World) -> None:
    world = near_world
    world.emulator.change_org(world.org.org_id, package_fields=False)
    lead = world.lead(Email="ada@example.com")
    world.sync()
    happens(world, "form_submitted", world.person(lead), details={"channel": "search"})
    assert world.push() is not None
    assert [call for call in world.emulator.calls(org_id=world.org.org_id) if call["method"] == "PATCH"] == []
    assert (world.live_errors(), world.waiting()) == ([], [])


@pytest.mark.parametrize(("only_score", "title"), [(True, "Countess"), (False, "Analyst")])
def test_a_score_change_writes_the_score_alone_or_all_that_is_mapped(
    near_world: World, only_score: bool, title: str
) -> None:
    world = near_world
    world.both_ways("Lead", winner="local")
    world.settings(score_only=only_score)
    lead = world.lead(Email="ada@example.com", Title="Analyst")
    world.sync()
    person = world.person(lead)
    world.change("Lead", lead, Title="Countess")
    with tenant_transaction(world.tenant_id):
        # Changed on both sides, and what waited for it here was cancelled: only a look at all mappings sees it.
        Person.objects.filter(id=person.pk).update(title="Engineer")
        OutboundChange.objects.all().delete()
    happens(world, "form_submitted", person)
    world.push()
    row = world.row("Lead", lead, SCORE, "Title")
    assert (row[SCORE], row["Title"]) == (10, title if only_score else "Engineer")


def test_a_score_changes_nothing_here_when_salesforce_users_change_it_there(near_world: World) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    world.change("Lead", lead, **{SCORE: 99})
    world.poll()
    assert world.person(lead).score == 0
    happens(world, "form_submitted", world.person(lead))
    world.push()
    assert world.row("Lead", lead, SCORE)[SCORE] == 10


@pytest.mark.parametrize("enabled", [False, True])
def test_syncs_enabled_decides_and_what_waited_goes_out(near_world: World, enabled: bool) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    world.settings(syncs_enabled=enabled)
    happens(world, "form_submitted", world.person(lead))
    world.push()
    assert world.row("Lead", lead, SCORE)[SCORE] == (10 if enabled else None)
    world.settings(syncs_enabled=True)
    world.push()
    assert world.row("Lead", lead, SCORE)[SCORE] == 10


def test_a_lead_that_is_made_here_is_made_with_its_score(near_world: World) -> None:
    world = near_world
    world.both_ways("Lead")
    world.sync()
    with tenant_transaction(world.tenant_id):
        record_engagements(
            events=[
                EventDraft(
                    kind="form_submitted",
                    email="new@example.com",
                    creates=True,
                    values={"last_name": "New"},
                    details={"channel": "form", "source": "whitepaper"},
                )
            ],
            origin="api",
        )
    world.push()
    rows = world.emulator.query(
        world.org.org_id, f"SELECT Id, {SCORE}, {TOUCHES[0]} FROM Lead WHERE Email = 'new@example.com'"
    )
    assert [(row[SCORE], row[TOUCHES[0]]) for row in rows] == [(10, "form")]


def test_a_row_that_is_linked_later_is_told(near_world: World) -> None:
    world = near_world
    world.sync()
    with tenant_transaction(world.tenant_id):
        record_engagements(
            events=[EventDraft(kind="form_submitted", email="ada@example.com", creates=True)], origin="api"
        )
    lead = world.lead(Email="ada@example.com")
    world.poll()
    world.push()
    assert world.row("Lead", lead, SCORE)[SCORE] == 10


@pytest.mark.parametrize(("kind", "details"), [("unsubscribed", {}), ("email_bounced", {"bounce": "hard"})])
@pytest.mark.parametrize("gives", [False, True])
def test_unsubscribes_and_hard_bounces_opt_out_there_if_that_way_is_on(
    near_world: World, kind: str, details: dict[str, str], gives: bool
) -> None:
    world = near_world
    world.settings(opt_out_out=gives)
    lead = world.lead(Email="ada@example.com")
    world.sync()
    happens(world, kind, world.person(lead), details=details)
    world.push()
    assert world.row("Lead", lead, "HasOptedOutOfEmail")["HasOptedOutOfEmail"] is gives
    assert world.person(lead).email_opt_out


def test_two_people_who_become_one_keep_the_higher_score_and_all_that_happened(near_world: World) -> None:
    world = near_world
    keep, lose = world.lead(Email="a@example.com"), world.lead(Email="b@example.com")
    world.sync()
    happens(world, "form_submitted", world.person(lose))
    happens(world, "page_visited", world.person(keep))
    world.emulator.merge(world.org.org_id, "Lead", keep, lose)
    world.poll()
    world.push()
    assert world.person(keep).score == 10
    assert world.row("Lead", keep, SCORE)[SCORE] == 10

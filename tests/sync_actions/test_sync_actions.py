"""Sync actions (F01, F02, F04): what rules do with leads and contacts as they come in."""

import pytest
from django.utils import timezone

from apps.audience.models import Engagement, List, ListMembership, Person, Sequence, SequenceEnrolment
from apps.field_mappings.models import SyncStep
from apps.notifications.models import Delivery, EndpointKind, Notice
from apps.notifications.webhooks.endpoints import create_endpoint
from apps.sync_actions.models import Rule, RulesDue
from apps.sync_actions.services import release_held
from apps.tenants.models import Membership
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World
from tests.sync_actions.automat import Automat, action, is_


def on_list(world: World, name: str) -> list[str]:
    with tenant_transaction(world.tenant_id):
        rows = ListMembership.objects.filter(list__name=name, is_active=True)
        return sorted(rows.values_list("person__email", flat=True))


def make_list(world: World, name: str = "Newcomers") -> str:
    with tenant_transaction(world.tenant_id):
        return str(List.objects.create(name=name).pk)


def test_a_new_lead_is_put_on_a_list(world: World, automat: Automat) -> None:
    world.lead(Email="old@example.com")
    world.sync()
    automat.rule(action("add_to_list", list=make_list(world)), runs_on="created")
    world.lead(Email="new@example.com")
    run = world.poll()
    automat.act()
    assert on_list(world, "Newcomers") == ["new@example.com"]
    done = automat.runs()[0]
    assert (done.outcome, done.event, done.run_id, done.record_label) == ("done", "created", run.pk, "Lead")
    assert [effect["words"] for effect in done.effects] == ["Added to the list “Newcomers”"]
    assert automat.waiting() == []


def test_created_and_updated_rows_start_only_the_rules_that_want_them(world: World, automat: Automat) -> None:
    lead = world.lead(Email="ada@example.com", Title="Countess")
    world.sync()
    created = automat.rule(action("change_score", how="by", amount="5"), runs_on="created")
    updated = automat.rule(action("change_score", how="by", amount="7"), runs_on="updated")
    contacts = automat.rule(action("change_score", how="by", amount="90"), sobjects=["Contact"])
    world.change("Lead", lead, Title="Mathematician")
    world.poll()
    automat.act()
    assert world.person(lead).score == 7
    assert (automat.runs(created), len(automat.runs(updated)), automat.runs(contacts)) == ([], 1, [])


def test_conditions_decide_whether_a_rule_acts(world: World, automat: Automat) -> None:
    world.sync()
    automat.rule(action("change_score", how="to", amount="50"), when=is_("title", "Chief"))
    chief, clerk = world.lead(Email="a@example.com", Title="chief"), world.lead(Email="b@example.com", Title="Clerk")
    world.poll()
    automat.act()
    assert (world.person(chief).score, world.person(clerk).score) == (50, 0)
    assert len(automat.runs()) == 1


@pytest.mark.parametrize(
    ("kind", "values", "before", "after"),
    [
        (
            "set_field",
            {"field": "department", "text": "{title} of {company_name|nobody}"},
            {"Title": "Head"},
            "Head of Acme",
        ),
        ("change_case", {"field": "title", "case": "title"}, {"Title": "HEAD OF SALES"}, "Head Of Sales"),
        ("trim", {"field": "title"}, {"Title": "Head   of\tSales"}, "Head of Sales"),
        (
            "replace",
            {"field": "title", "find": "vp", "by": "Vice President"},
            {"Title": "VP Sales"},
            "Vice President Sales",
        ),
        ("map_value", {"field": "title", "pairs": "CEO = Chief\n* = Other"}, {"Title": "ceo"}, "Chief"),
    ],
)
def test_fields_are_set_and_transformed(
    world: World, automat: Automat, kind: str, values: dict[str, str], before: dict[str, str], after: str
) -> None:
    world.sync()
    automat.rule(action(kind, **values))
    lead = world.lead(Email="ada@example.com", **before)
    world.poll()
    automat.act()
    assert getattr(world.person(lead), values["field"]) == after
    effect = automat.runs()[0].effects[0]
    assert (effect["after"], effect["done"]) == (after, True)


def test_a_date_is_set_by_arithmetic(world: World, automat: Automat) -> None:
    world.sync()
    automat.rule(action("set_date", field="birthdate", start="today", amount="-1", unit="weeks"))
    lead = world.lead(Email="ada@example.com")
    world.poll()
    automat.act()
    born = world.person(lead).birthdate
    assert born is not None
    assert (timezone.now().date() - born).days in {7, 8}


def test_sequences_scores_and_consent(world: World, automat: Automat) -> None:
    world.sync()
    with tenant_transaction(world.tenant_id):
        first, second = Sequence.objects.create(name="Welcome"), Sequence.objects.create(name="Win back")
    automat.rule(action("enrol", sequence=str(first.pk)))
    automat.rule(action("move_to_sequence", sequence=str(second.pk)), action("unsubscribe"))
    lead = world.lead(Email="ada@example.com")
    world.poll()
    automat.act()
    with tenant_transaction(world.tenant_id):
        stands = dict(SequenceEnrolment.objects.values_list("sequence__name", "status"))
    assert stands["Welcome"] == "removed"
    assert stands["Win back"] == "active"
    assert world.person(lead).email_opt_out
    assert [change.fields["email_opt_out"]["origin"] for change in world.waiting()] == ["rule"]


def test_what_a_rule_sets_goes_out_to_salesforce_and_comes_back_as_no_news(world: World, automat: Automat) -> None:
    world.both_ways("Lead")
    world.sync()
    rule = automat.rule(action("set_field", field="title", text="{title}!"))
    lead = world.lead(Email="ada@example.com", Title="Countess")
    world.poll()
    automat.act()
    world.push()
    assert world.row("Lead", lead, "Title")["Title"] == "Countess!"
    world.poll()
    automat.act()
    world.push()
    assert world.row("Lead", lead, "Title")["Title"] == "Countess!"
    assert len(automat.runs(rule)) == 1


def test_a_loop_through_the_org_is_cut_with_a_line_in_the_log(world: World, automat: Automat) -> None:
    world.both_ways("Lead")
    lead = world.lead(Email="ada@example.com", Title="0")
    world.sync()
    rule = automat.rule(action("set_field", field="title", text="{title}!"), runs_on="updated")
    for number in range(8):  # somebody in the org changes it after each of our writes
        world.change("Lead", lead, Title=str(number + 1))
        world.poll()
        automat.act()
        world.push()
    outcomes = [run.outcome for run in automat.runs(rule)]
    assert outcomes == ["done"] * 5 + ["cut"] * 3
    assert "within an hour" in automat.runs(rule)[-1].note


def test_a_later_rule_sees_what_an_earlier_one_did(world: World, automat: Automat) -> None:
    world.sync()
    automat.rule(action("set_field", field="department", text="Board"))
    automat.rule(action("change_score", how="by", amount="3"), when=is_("department", "Board"))
    lead = world.lead(Email="ada@example.com")
    world.poll()
    automat.act()
    assert world.person(lead).score == 3


def test_one_failing_action_stops_no_other_and_says_why(world: World, automat: Automat) -> None:
    world.sync()
    automat.rule(
        action("set_field", field="employees", text="many"),
        action("add_to_list", list="999999"),
        action("change_score", how="by", amount="3"),
    )
    lead = world.lead(Email="ada@example.com")
    world.poll()
    automat.act()
    assert world.person(lead).score == 3
    run = automat.runs()[0]
    assert run.outcome == "failed"
    assert "This is no number" in run.note
    assert "not there any more" in run.note


def test_the_first_full_sync_is_held_back_until_somebody_releases_it(world: World, automat: Automat) -> None:
    for number in range(3):
        world.lead(Email=f"p{number}@example.com")
    held = automat.rule(action("change_score", how="by", amount="5"), holds_backfill=True)
    automat.rule(action("change_score", how="by", amount="1"), holds_backfill=False)
    world.sync()
    automat.act()
    assert [person.score for person in world.people()] == [1, 1, 1]
    assert {row.state for row in automat.waiting()} == {"held"}
    world.lead(Email="later@example.com")
    world.poll()
    automat.act()
    assert [person.score for person in world.people()] == [1, 1, 1, 6]
    with tenant_transaction(world.tenant_id):
        assert release_held(rule=Rule.objects.get(id=held.pk), user=world.user) == 3
    automat.act()
    assert [person.score for person in world.people()] == [6, 6, 6, 6]
    assert automat.waiting() == []


def test_people_made_row_by_row_and_set_by_set_start_the_same_rules(world: World, automat: Automat) -> None:
    """A full sync makes plain rows in one statement, and leaves odd ones to the decider."""
    rule = automat.rule(action("change_score", how="by", amount="5"))
    world.lead(Email="plain@example.com")
    world.lead(Email="odd@example.com", Title="two\rlines")
    world.contact(Email="contact@example.com")
    world.sync()
    automat.act()
    assert [person.score for person in world.people()] == [5, 5, 5]
    assert {run.event for run in automat.runs(rule)} == {"created"}


def test_a_sync_without_rules_writes_nothing_for_them(world: World, automat: Automat) -> None:
    automat.rule(action("change_score", how="by", amount="5"), is_enabled=False)
    automat.rule(action("change_score", how="by", amount="5"), trigger="form_submitted")
    lead = world.lead(Email="ada@example.com")
    world.sync()
    world.change("Lead", lead, Title="Countess")
    world.poll()
    assert automat.waiting() == []
    with tenant_transaction(world.tenant_id):
        assert not RulesDue.objects.exists()


def test_a_step_can_spare_its_updates(world: World, automat: Automat) -> None:
    lead = world.lead(Email="ada@example.com")
    with tenant_transaction(world.tenant_id):
        SyncStep.objects.filter(sobject="Lead").update(excludes_updates=True)
    world.sync()
    automat.rule(action("change_score", how="by", amount="5"))
    world.change("Lead", lead, Title="Countess")
    fresh = world.lead(Email="new@example.com")
    world.poll()
    automat.act()
    assert (world.person(lead).score, world.person(fresh).score) == (0, 5)


def test_a_reaction_that_is_delivered_twice_acts_once(world: World, automat: Automat) -> None:
    world.sync()
    automat.rule(action("change_score", how="by", amount="5"))
    lead = world.lead(Email="ada@example.com")
    world.poll()
    (reaction,) = automat.waiting()
    automat.act()
    with tenant_transaction(world.tenant_id):
        reaction.pk = None
        reaction.save(force_insert=True)
        RulesDue.objects.update(due_at=timezone.now())
    automat.act()
    assert world.person(lead).score == 5
    assert len(automat.runs()) == 1


def test_rules_that_start_one_another_end(world: World, automat: Automat) -> None:
    first, second = make_list(world, "A"), make_list(world, "B")
    world.sync()
    automat.rule(action("add_to_list", list=first))
    there = automat.rule(
        action("add_to_list", list=second),
        action("remove_from_list", list=first),
        trigger="list_joined",
        when=is_("event:list", "A"),
    )
    back = automat.rule(
        action("remove_from_list", list=second),
        action("add_to_list", list=first),
        trigger="list_joined",
        when=is_("event:list", "B"),
    )
    world.lead(Email="ada@example.com")
    world.poll()
    automat.act()
    assert [run.outcome for run in automat.runs(there)] == ["done", "cut"]
    assert [run.outcome for run in automat.runs(back)] == ["done"]
    assert automat.runs(there)[-1].note == "Not run: the rule itself had caused this."
    with tenant_transaction(world.tenant_id):
        assert not Engagement.objects.filter(rules_state="waiting").exists()


def test_an_inactive_person_is_left_alone(world: World, automat: Automat) -> None:
    world.sync()
    automat.rule(action("change_score", how="by", amount="5"))
    lead = world.lead(Email="ada@example.com")
    world.poll()
    with tenant_transaction(world.tenant_id):
        Person.objects.filter(leading_remote_id=lead).update(is_active=False)
    automat.act()
    assert automat.runs() == []


def test_members_and_webhooks_are_told_once(world: World, automat: Automat) -> None:
    world.sync()
    with tenant_transaction(world.tenant_id):
        member = Membership.objects.create(user=world.user, role="marketer")
        endpoint, _ = create_endpoint(
            name="CRM room",
            url="https://hooks.example.com/1",
            kind=EndpointKind.WEBHOOK,
            events=[],
            with_bulk=False,
            user=world.user,
        )
    automat.rule(
        action("notify", member=str(member.pk), text="{first_name|Somebody} is here"),
        action("webhook", endpoint=str(endpoint.pk)),
        name="Tell",
    )
    world.lead(Email="ada@example.com", FirstName="Ada")
    world.poll()
    automat.act()
    with tenant_transaction(world.tenant_id):
        notice = Notice.objects.get(kind="rule")
        delivery = Delivery.objects.get(event="rule.called")
    assert (notice.subject, notice.to) == ("Ada is here", [world.user.email])
    assert delivery.payload["person"]["email"] == "ada@example.com"
    assert delivery.payload["rule"]["name"] == "Tell"

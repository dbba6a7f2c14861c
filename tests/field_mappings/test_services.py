"""Changing steps, filters and mappings: what is allowed, what is refused in which words, and what is written down."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.domain.filters import Group, Operator, Rule
from apps.domain.mapping import Way, Winner
from apps.domain.values import FieldType
from apps.field_mappings.models import FieldMapping, Profile, ProfileKind, StepKind, SyncStep
from apps.field_mappings.selectors import extra_steps, profiles_of
from apps.field_mappings.services.editing import Moved, Refused
from apps.field_mappings.services.mappings import (
    PULL,
    PUSH,
    TWO_WAY,
    Ways,
    add_mapping,
    change_mappings,
    remove_mappings,
    set_value_map,
)
from apps.field_mappings.services.profiles import switch_profile
from apps.field_mappings.services.steps import (
    Switches,
    add_step,
    clone_step,
    enable_step,
    move_step,
    remove_step,
    set_filter,
    set_status_map,
    set_switches,
    switch_object,
    turn_step,
)
from apps.field_mappings.versions import load_steps, save_version
from apps.integrations.models import Connection
from apps.tenants.models import AuditEntry, Tenant, User
from tests.field_mappings.plain import LEAD, connected, describe, field

BOTH = Ways(*TWO_WAY, Winner.LATEST)
IN = Ways(*PULL, Winner.REMOTE)
OUT = Ways(*PUSH, Winner.REMOTE)
NONE = Ways(Way.OFF, Way.OFF, Winner.REMOTE)
EVERYTHING = Switches(create_remote=True, update_remote=True, create_local=True, update_local=True)


@pytest.fixture
def link(in_tenant: Tenant) -> Connection:
    made = connected()
    profiles_of(made)
    return made


@pytest.fixture
def actor(in_tenant: Tenant) -> User:
    return User.objects.create_user("ada@northwind.example", "correct horse battery")


@pytest.fixture
def lead(link: Connection) -> SyncStep:
    found: SyncStep = SyncStep.objects.select_related("profile").get(profile__kind=ProfileKind.CUSTOM, sobject="Lead")
    return found


def custom(link: Connection) -> Profile:
    return profiles_of(link)[ProfileKind.CUSTOM]


def fresh(step: SyncStep) -> SyncStep:
    found: SyncStep = SyncStep.objects.select_related("profile").get(id=step.pk)
    return found


def mapping(step: SyncStep, remote: str) -> FieldMapping:
    found: FieldMapping = FieldMapping.objects.get(step=step, remote_field=remote)
    return found


def order(link: Connection) -> list[str]:
    return list(SyncStep.objects.filter(profile=custom(link)).order_by("position").values_list("sobject", flat=True))


def add(step: SyncStep, actor: User, remote: str, local: str, ways: Ways = IN) -> FieldMapping:
    step = fresh(step)
    return add_mapping(
        step=step, actor=actor, seen_version=step.version, remote_field=remote, local_field=local, ways=ways
    )


# -- steps ------------------------------------------------------------------------------------------------------


def test_steps_are_added_cloned_moved_and_removed_and_each_is_written_down(link: Connection, actor: User) -> None:
    added = add_step(profile=custom(link), actor=actor, seen_version=1, sobject="Lead")
    assert set(FieldMapping.objects.filter(step=added).values_list("local_field", flat=True)) >= {
        "email",
        "first_name",
        "last_name",
    }
    copy = clone_step(step=fresh(added), actor=actor)
    assert not copy.is_enabled
    assert FieldMapping.objects.filter(step=copy).count() == FieldMapping.objects.filter(step=added).count()
    assert order(link) == ["Account", "Contact", "Lead", "Opportunity", "Lead", "Lead"]
    move_step(step=fresh(added), actor=actor, up=True)
    assert order(link) == ["Account", "Contact", "Lead", "Lead", "Opportunity", "Lead"]
    remove_step(step=fresh(copy), actor=actor)
    assert order(link) == ["Account", "Contact", "Lead", "Lead", "Opportunity"]
    assert not FieldMapping.objects.filter(step_id=copy.pk).exists()
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["step_added", "step_cloned", "step_moved", "step_removed"]


def test_the_ends_of_the_row_do_not_move_further(link: Connection, actor: User) -> None:
    for sobject, up in (("Account", True), ("Opportunity", False)):
        move_step(step=SyncStep.objects.get(profile=custom(link), sobject=sobject), actor=actor, up=up)
    assert order(link) == ["Account", "Contact", "Lead", "Opportunity"]


def test_turning_goes_round_and_takes_the_fields_along(lead: SyncStep, actor: User) -> None:
    seen = []
    for _ in range(3):
        step = fresh(lead)
        turn_step(step=step, actor=actor, seen_version=step.version)
        step = fresh(lead)
        title = mapping(step, "Title")
        seen.append((step.direction, step.update_local, step.update_remote, step.create_remote, title.way_out))
    assert seen == [
        ("push", False, True, False, "overwrite"),
        ("two_way", True, True, False, "overwrite"),
        ("pull", True, False, False, "overwrite"),
    ]


def test_opportunities_are_never_written(link: Connection, actor: User) -> None:
    step = SyncStep.objects.select_related("profile").get(profile=custom(link), sobject="Opportunity")
    with pytest.raises(Refused, match="only read"):
        turn_step(step=step, actor=actor, seen_version=1)
    with pytest.raises(Refused, match="only read"):
        set_switches(step=step, actor=actor, seen_version=1, switches=EVERYTHING)
    changes = {mapping(step, "StageName").pk: BOTH}
    with pytest.raises(Refused, match="only read"):
        change_mappings(step=step, actor=actor, seen_version=1, changes=changes)
    assert fresh(step).direction == "pull"


@pytest.mark.parametrize(
    ("switches", "direction"),
    [
        (Switches(False, True, True, True), "two_way"),
        (Switches(False, True, False, False), "push"),
        (Switches(False, False, False, True), "pull"),
        (Switches(False, False, False, False), "pull"),
    ],
)
def test_the_direction_follows_from_the_switches(
    lead: SyncStep, actor: User, switches: Switches, direction: str
) -> None:
    set_switches(step=lead, actor=actor, seen_version=1, switches=switches)
    assert fresh(lead).direction == direction


def test_creating_there_waits_until_every_required_field_is_mapped(lead: SyncStep, actor: User) -> None:
    describe(Connection.objects.get(), "Lead", (*LEAD, field("Region__c", label="Region", nillable=False)))
    with pytest.raises(Refused, match="demands “Region” of every new record"):
        set_switches(step=lead, actor=actor, seen_version=1, switches=EVERYTHING)
    assert not fresh(lead).create_remote
    made = add(lead, actor, "Region__c", "state", OUT)
    step = fresh(lead)
    assert set_switches(step=step, actor=actor, seen_version=step.version, switches=EVERYTHING) == ()
    step = fresh(lead)
    assert step.create_remote
    saved = remove_mappings(step=step, actor=actor, seen_version=step.version, ids=[made.pk])
    assert saved.missing == ("Region",)
    assert not fresh(lead).create_remote


def test_an_object_is_switched_off_with_all_its_steps_and_leaves_the_next_version(
    link: Connection, actor: User
) -> None:
    assert switch_object(profile=custom(link), actor=actor, sobject="Lead", enabled=False) == 1
    assert "Lead" not in {step.sobject for step in load_steps(save_version(link).document)}
    switch_object(profile=custom(link), actor=actor, sobject="Lead", enabled=True)
    assert "Lead" in {step.sobject for step in load_steps(save_version(link).document)}


def test_filters_are_kept_and_those_that_salesforce_cannot_ask_are_refused(lead: SyncStep, actor: User) -> None:
    tree = Group((Rule("City", FieldType.STRING, Operator.EQUALS, ("London",)),))
    set_filter(step=lead, actor=actor, seen_version=1, side="inbound", tree=tree)
    compiled = load_steps(save_version(Connection.objects.get()).document)
    assert next(step for step in compiled if step.sobject == "Lead").inbound_filter == tree
    bad = Rule("Address", FieldType.ADDRESS, Operator.EQUALS, ("x",))
    with pytest.raises(Refused, match="cannot be compared"):
        set_filter(step=fresh(lead), actor=actor, seen_version=2, side="inbound", tree=bad)
    set_filter(step=fresh(lead), actor=actor, seen_version=2, side="inbound", tree=None)
    assert fresh(lead).inbound_filter is None


# -- two people at once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "late",
    [
        lambda step, actor: set_switches(step=step, actor=actor, seen_version=1, switches=EVERYTHING),
        lambda step, actor: turn_step(step=step, actor=actor, seen_version=1),
        lambda step, actor: set_filter(step=step, actor=actor, seen_version=1, side="inbound", tree=None),
        lambda step, actor: remove_mappings(step=step, actor=actor, seen_version=1, ids=[]),
        lambda step, actor: change_mappings(step=step, actor=actor, seen_version=1, changes={}),
        lambda step, actor: add_mapping(
            step=step, actor=actor, seen_version=1, remote_field="City", local_field="city", ways=IN
        ),
    ],
)
def test_the_later_of_two_is_told_and_what_the_first_saved_stays(lead: SyncStep, actor: User, late: Any) -> None:
    turn_step(step=lead, actor=actor, seen_version=1)
    with pytest.raises(Moved, match="somebody changed this"):
        late(lead, actor)
    assert fresh(lead).direction == "push"


def test_a_step_that_is_gone_is_said_to_be_changed(lead: SyncStep, actor: User) -> None:
    remove_step(step=lead, actor=actor)
    with pytest.raises(Moved):
        enable_step(step=lead, actor=actor, enabled=False)


# -- mappings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote", "local", "ways", "words"),
    [
        ("City", "city", BOTH, ""),
        ("Name", "description", IN, ""),
        ("NumberOfEmployees", "description", IN, ""),
        ("Title", "title", IN, "mapped already"),
        ("City", "title", IN, "already takes the value of another field of Salesforce"),
        ("Name", "description", BOTH, "calculated by Salesforce"),
        ("City", "employees", IN, "takes a whole number"),
        ("Nothing__c", "city", IN, "Choose a field of Salesforce"),
        ("City", "shoe_size", IN, "Choose a field of Syncline"),
        ("City", "custom:nothing", IN, "Choose a field of Syncline"),
        ("Address", "street", IN, "consists of other fields"),
        ("City", "city", NONE, "at least one way"),
    ],
)
def test_a_mapping_is_added_or_refused_with_the_reason(
    lead: SyncStep, actor: User, remote: str, local: str, ways: Ways, words: str
) -> None:
    count = FieldMapping.objects.filter(step=lead).count()
    if not words:
        add(lead, actor, remote, local, ways)
        assert FieldMapping.objects.filter(step=lead).count() == count + 1
        assert AuditEntry.objects.get().after["Salesforce field"] == remote
        return
    with pytest.raises(Refused, match=words):
        add(lead, actor, remote, local, ways)
    assert FieldMapping.objects.filter(step=lead).count() == count


def test_one_field_of_salesforce_takes_the_value_of_one_field_only(lead: SyncStep, actor: User) -> None:
    add(lead, actor, "City", "city", OUT)
    with pytest.raises(Refused, match="“City” in Salesforce already takes the value of another field"):
        add(lead, actor, "City", "state", OUT)
    add(lead, actor, "City", "state", IN)


def test_several_are_changed_at_once_or_none_and_each_refusal_is_named(lead: SyncStep, actor: User) -> None:
    name = add(lead, actor, "Name", "description")
    title = mapping(lead, "Title")
    step = fresh(lead)
    with pytest.raises(Refused) as refused:
        change_mappings(step=step, actor=actor, seen_version=step.version, changes={name.pk: BOTH, title.pk: BOTH})
    assert list(refused.value.rows) == [name.pk]
    assert mapping(lead, "Title").way_out == "off"
    saved = change_mappings(step=step, actor=actor, seen_version=step.version, changes={title.pk: BOTH, 999: BOTH})
    assert saved.changed == 1
    assert (mapping(lead, "Title").way_out, mapping(lead, "Title").winner) == ("overwrite", "latest")


@pytest.mark.parametrize("remote", ["Email", "FirstName", "LastName"])
def test_keys_and_mandatory_fields_stay(lead: SyncStep, actor: User, remote: str) -> None:
    kept = mapping(lead, remote)
    with pytest.raises(Refused, match="cannot be removed"):
        remove_mappings(step=lead, actor=actor, seen_version=1, ids=[kept.pk])
    with pytest.raises(Refused, match="choose at least one way"):
        change_mappings(step=lead, actor=actor, seen_version=1, changes={kept.pk: NONE})
    assert mapping(lead, remote).way_in == "overwrite"


def test_others_are_removed(lead: SyncStep, actor: User) -> None:
    ids = [mapping(lead, name).pk for name in ("Title", "Phone")]
    assert remove_mappings(step=lead, actor=actor, seen_version=1, ids=ids).changed == 2
    assert not FieldMapping.objects.filter(id__in=ids).exists()


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("Open", "New"), ("Closed", "Done"), ("", "")], ""),
        ([("Open", "")], "Enter both sides"),
        ([("Open", "a"), ("Open", "b")], "translated twice"),
        ([("Nothing", "a")], "not among the values that Salesforce allows"),
        ([("Open", "x" * 300)], "at most 255"),
        ([(str(number), "x") for number in range(600)], "at most 500"),
    ],
)
def test_values_are_translated_within_what_a_restricted_picklist_allows(
    lead: SyncStep, actor: User, pairs: list[tuple[str, str]], words: str
) -> None:
    made = add(lead, actor, "Status", "lead_status")
    version = fresh(lead).version
    if words:
        with pytest.raises(Refused, match=words):
            set_value_map(mapping=made, actor=actor, seen_version=version, pairs=pairs)
        return
    set_value_map(mapping=made, actor=actor, seen_version=version, pairs=pairs)
    assert mapping(lead, "Status").value_map == {"Open": "New", "Closed": "Done"}


# -- profiles ---------------------------------------------------------------------------------------------------


def test_the_default_profile_has_its_twelve_steps_in_order(link: Connection) -> None:
    steps = SyncStep.objects.filter(profile=profiles_of(link)[ProfileKind.DEFAULT]).order_by("position")
    assert [str(step) for step in steps] == [
        "Contact → person", "Lead → person", "Contact → person", "Lead → person", "Lead → sequence_status",
        "Lead → inbox_state", "Contact → email", "Lead → email", "Lead → task", "Contact → task", "Contact → call",
        "Lead → call",
    ]  # fmt: skip
    assert [step.direction for step in steps][:4] == ["pull", "pull", "push", "push"]


def test_nothing_in_the_default_profile_can_be_changed(link: Connection, actor: User) -> None:
    default = profiles_of(link)[ProfileKind.DEFAULT]
    step = SyncStep.objects.select_related("profile").filter(profile=default).order_by("position")[0]
    attempts: list[Callable[[], object]] = [
        lambda: add_step(profile=default, actor=actor, seen_version=1, sobject="Lead"),
        lambda: clone_step(step=step, actor=actor),
        lambda: remove_step(step=step, actor=actor),
        lambda: move_step(step=step, actor=actor, up=False),
        lambda: enable_step(step=step, actor=actor, enabled=False),
        lambda: turn_step(step=step, actor=actor, seen_version=1),
        lambda: set_switches(step=step, actor=actor, seen_version=1, switches=EVERYTHING),
        lambda: set_filter(step=step, actor=actor, seen_version=1, side="inbound", tree=None),
        lambda: add(step, actor, "City", "city"),
        lambda: remove_mappings(step=step, actor=actor, seen_version=1, ids=[]),
        lambda: switch_object(profile=default, actor=actor, sobject="Lead", enabled=False),
    ]
    for attempt in attempts:
        with pytest.raises(Refused, match="The Default profile is locked"):
            attempt()
    assert not AuditEntry.objects.exists()


def test_switching_makes_the_other_profile_the_one_in_use(link: Connection, actor: User) -> None:
    describe(link, "Contact", (*LEAD, field("AccountId", "reference", reference_to=("Account",))))
    assert switch_profile(profile=profiles_of(link)[ProfileKind.DEFAULT], actor=actor)
    steps = load_steps(save_version(link).document)
    assert [(step.sobject, step.direction, step.create_remote, step.update_local) for step in steps] == [
        ("Contact", "two_way", True, True),
        ("Lead", "two_way", True, True),
    ]
    lead = steps[1]
    assert {(rule.local_field, lead.way_in(rule), lead.way_out(rule)) for rule in lead.rules} == {
        (name, Way.OVERWRITE, Way.OVERWRITE) for name in ("email", "first_name", "last_name", "company_name")
    }
    assert len(extra_steps(link)) == 8
    assert [one.source for one in extra_steps(link, StepKind.STATUS)] == ["sequence_status", "inbox_state"]
    assert not switch_profile(profile=profiles_of(link)[ProfileKind.DEFAULT], actor=actor)
    assert switch_profile(profile=custom(link), actor=actor)
    assert extra_steps(link) == []


def test_status_and_activity_steps_can_be_had_in_the_custom_profile_once_each(link: Connection, actor: User) -> None:
    step = add_step(
        profile=custom(link), actor=actor, seen_version=1, sobject="Lead", kind=StepKind.STATUS, source="inbox_state"
    )
    with pytest.raises(Refused, match="there already"):
        add_step(
            profile=custom(link), actor=actor, seen_version=2, sobject="Lead", kind=StepKind.STATUS,
            source="inbox_state",
        )  # fmt: skip
    with pytest.raises(Refused, match="no status “Nope”"):
        set_status_map(step=fresh(step), actor=actor, seen_version=1, pairs={"replied": "Nope"})
    set_status_map(step=fresh(step), actor=actor, seen_version=1, pairs={"replied": "Open", "read": ""})
    assert extra_steps(link)[0].value_map == {"replied": "Open"}
    assert {compiled.sobject for compiled in load_steps(save_version(link).document)} == {
        "Lead",
        "Opportunity",
        "Account",
        "Contact",
    }

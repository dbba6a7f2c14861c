"""Profiles, steps, switches, mappings and values through their pages, without any Salesforce (C01 to C11, C15, C18)."""

from typing import Any

import pytest
from django.test import Client

from apps.audience.models import Company, CustomField, Opportunity, Person
from apps.field_mappings.models import FieldMapping, ProfileKind, SyncStep
from apps.field_mappings.selectors import active_profile, profiles_of
from apps.integrations.models import Connection, ObjectMetadata
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.mappings.conftest import Desk
from tests.console.records.conftest import HOSTILE
from tests.field_mappings.plain import LEAD, connected, describe, field

BASE = "/integrations/salesforce/"
LEADS = f"{BASE}objects/lead/"


def steps(desk: Desk) -> list[tuple[str, bool]]:
    with tenant_transaction(desk.tenant.pk):
        rows = SyncStep.objects.filter(profile__kind=ProfileKind.CUSTOM).order_by("position")
        return list(rows.values_list("sobject", "is_enabled"))


def url(desk: Desk, rest: str, sobject: str = "Lead") -> str:
    return f"{BASE}steps/{desk.step(sobject).pk}/{rest}/"


# -- opening ----------------------------------------------------------------------------------------------------


def test_every_page_opens_from_the_cache_alone(desk: Desk) -> None:
    pages = ["profiles/", "profiles/switch/?to=default", "profiles/add-step/", "settings/", ""]
    pages += [f"objects/{name}/" for name in ("lead", "contact", "account", "opportunity", "campaign")]
    number = desk.step().pk
    inner = ("mappings/add/", "mappings/add/?remote_field=Status", "filter/in/", "filter/out/", "preview/", "remove/")
    pages += [f"steps/{number}/{page}" for page in inner]
    assert {page: desk.client.get(BASE + page).status_code for page in pages} == dict.fromkeys(pages, 200)


def test_before_anything_was_read_the_pages_open_and_say_so(desk: Desk) -> None:
    with tenant_transaction(desk.tenant.pk):
        Connection.objects.update(metadata_at=None)
        desk.connection.refresh_from_db()
        ObjectMetadata.objects.all().delete()
    assert "still reading the fields" in desk.text(LEADS)
    assert "have not been read from Salesforce yet" in desk.text(url(desk, "mappings/add"))
    assert "have not been read from Salesforce yet" in desk.text(url(desk, "filter/in"))


def test_a_viewer_reads_everything_and_is_offered_nothing_to_change(desk: Desk, viewer: Client) -> None:
    for page in (LEADS, f"{BASE}profiles/"):
        text = viewer.get(page).content.decode()
        assert "Lead → Person" in text
        assert "Add mapping" not in text
        assert "Add sync step" not in text
    assert "Overwrite" in viewer.get(LEADS).content.decode()


# -- profiles ---------------------------------------------------------------------------------------------------


def test_switching_shows_first_what_would_be_written_and_then_locks_everything(desk: Desk) -> None:
    shown = desk.text(f"{BASE}profiles/switch/?to=default")
    assert "Switching writes nothing by itself." in shown
    assert shown.count("A task for each") == 6
    answer = desk.post(f"{BASE}profiles/switch/", to="default")
    assert answer["Location"] == f"{BASE}profiles/"
    page = desk.text(f"{BASE}profiles/")
    assert "The Default profile is in use, and it is locked." in page
    assert page.count("Locked") >= 12
    for words in ("E-mails → Contact Tasks", "Sequence status → Lead Status", "Person → Contact", "Calls → Lead Tasks"):
        assert words in page
    for button in ("Clone", "Add sync step", "Turn round"):
        assert button not in page
    assert "Save switches" not in desk.text(LEADS)
    desk.post(f"{BASE}profiles/switch/", to="custom")
    with tenant_transaction(desk.tenant.pk):
        assert active_profile(desk.connection).kind == ProfileKind.CUSTOM


def test_forged_changes_of_the_locked_profile_are_refused_in_words(desk: Desk) -> None:
    number = desk.step(kind=ProfileKind.DEFAULT).pk
    for verb in ("clone", "turn", "on", "move", "remove"):
        answer = desk.client.post(
            f"{BASE}steps/{number}/{verb}/", {"tenant": desk.tenant.pk, "version": "1"}, follow=True
        )
        assert "The Default profile is locked." in answer.content.decode()


# -- steps ------------------------------------------------------------------------------------------------------


def test_steps_are_added_cloned_moved_switched_and_removed_with_buttons(desk: Desk) -> None:
    desk.post(f"{BASE}profiles/add-step/", what="record:Lead", version="1")
    desk.post(url(desk, "clone", "Contact"))
    desk.post(url(desk, "move", "Contact"), way="up")
    desk.post(url(desk, "on", "Account"), on="0")
    desk.post(url(desk, "remove", "Opportunity"))
    assert steps(desk) == [
        ("Contact", True),
        ("Account", False),
        ("Lead", True),
        ("Lead", True),
        ("Contact", False),
    ]


def test_the_direction_button_says_what_it_does_and_goes_round(desk: Desk) -> None:
    page = desk.text(f"{BASE}profiles/")
    assert "Turn round Lead → Person. Now: from salesforce to syncline. Next: from syncline to salesforce" in page
    answer = desk.client.post(
        url(desk, "turn"), {"tenant": desk.tenant.pk, "version": desk.step().version}, follow=True
    )
    assert "Records are updated in Salesforce, not created" in answer.content.decode()
    assert desk.step().direction == "push"


def test_a_status_step_is_added_and_its_states_are_translated(desk: Desk) -> None:
    desk.post(f"{BASE}profiles/add-step/", what="status:Lead:sequence_status", version="1")
    with tenant_transaction(desk.tenant.pk):
        made = SyncStep.objects.get(kind="status", profile__kind=ProfileKind.CUSTOM)
    page = f"{BASE}steps/{made.pk}/statuses/"
    assert "Active in a sequence" in desk.text(page)
    desk.post(page, version=made.version, **{"status-active": "Open", "status-replied": ""})
    with tenant_transaction(desk.tenant.pk):
        assert SyncStep.objects.get(id=made.pk).value_map == {"active": "Open"}
    answer = desk.post(page, version=made.version + 1, **{"status-active": "<script>"})
    assert answer.status_code == 422
    assert b"<script>\xe2\x80\x9d" not in answer.content


@pytest.mark.parametrize(
    "what", ["", "record:Task", "record:", "status:Lead:shoe", "activity:Account:email", "x" * 999]
)
def test_a_step_that_does_not_exist_is_not_added(desk: Desk, what: str) -> None:
    answer = desk.post(f"{BASE}profiles/add-step/", what=what, version="1")
    assert answer.status_code == 422
    assert len(steps(desk)) == 4


# -- switches ---------------------------------------------------------------------------------------------------


def test_the_four_switches_are_saved_and_what_is_saved_counts_the_records(desk: Desk) -> None:
    answer = desk.post(url(desk, "switches"), version=1, create_local="on", update_local="on", update_remote="on")
    step = desk.step()
    assert (step.direction, step.create_remote, step.update_remote) == ("two_way", False, True)
    page = desk.text(answer["Location"])
    assert "Saved. 0 linked leads are concerned." in page
    assert "Push all that match" in page


def test_creating_in_salesforce_stays_off_and_names_what_is_missing(desk: Desk) -> None:
    with tenant_transaction(desk.tenant.pk):
        describe(desk.connection, "Lead", (*LEAD, field("Region__c", label="Region", nillable=False)))
    assert "Salesforce demands “Region”" in desk.text(LEADS)
    answer = desk.post(url(desk, "switches"), version=1, create_remote="on", update_remote="on")
    assert answer.status_code == 422
    assert "“Create in Salesforce” stays off: Salesforce demands “Region”" in answer.content.decode()
    assert not desk.step().create_remote


def test_two_people_at_once_the_later_is_told_and_nothing_is_lost(desk: Desk) -> None:
    desk.post(url(desk, "switches"), version=1, update_local="on")
    answer = desk.post(url(desk, "switches"), version=1, create_local="on", update_remote="on")
    assert answer.status_code == 409
    assert "Nothing was saved: somebody changed this" in answer.content.decode()
    assert (desk.step().update_local, desk.step().update_remote) == (True, False)


def test_an_object_is_switched_off_and_on(desk: Desk) -> None:
    desk.post(f"{LEADS}on/", on="0")
    assert not desk.step().is_enabled
    assert "Switch leads on" in desk.text(LEADS)
    desk.post(f"{LEADS}on/", on="1")
    assert desk.step().is_enabled


# -- mappings ---------------------------------------------------------------------------------------------------


def test_a_mapping_is_added_from_the_pickers(desk: Desk) -> None:
    page = desk.text(f"{url(desk, 'mappings/add')}?remote_field=NumberOfEmployees")
    assert "NumberOfEmployees (NumberOfEmployees)" in page
    assert 'data-hint="whole number"' in page
    assert 'value="birthdate" data-hint="“Birthdate” takes a date' in page
    desk.post(
        url(desk, "mappings/add"), version=1, remote_field="City", local_field="city", way_in="overwrite",
        way_out="fill", winner="latest",
    )  # fmt: skip
    assert ("City", "city", "overwrite", "fill") in desk.mapped()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"remote_field": "Title", "local_field": "title"}, "mapped already"),
        ({"remote_field": "City", "local_field": "birthdate"}, "takes a date"),
        ({"remote_field": "Name", "local_field": "description", "way_out": "overwrite"}, "calculated by Salesforce"),
        ({"remote_field": "", "local_field": "city"}, "Choose a field of Salesforce"),
        ({"remote_field": "City", "local_field": ""}, "Choose a field of Syncline"),
        ({"remote_field": "City", "local_field": "city", "way_in": "sideways"}, "Choose how the field is synced"),
        ({"remote_field": "City", "local_field": "city", "way_in": "off"}, "at least one way"),
        ({"remote_field": "'; DROP TABLE", "local_field": "<b>"}, "Choose a field of Salesforce"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_the_reason(desk: Desk, values: dict[str, str], words: str) -> None:
    before = desk.mapped()
    form = {"version": 1, "way_in": "overwrite", "way_out": "off", "winner": "remote", **values}
    answer = desk.post(url(desk, "mappings/add"), **form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert desk.mapped() == before


def test_a_custom_field_is_made_on_the_spot_with_the_type_that_fits(desk: Desk) -> None:
    desk.post(
        url(desk, "mappings/add"), version=1, remote_field="Birthday__c", local_field="new", new_label="Day of birth",
        way_in="overwrite", way_out="off", winner="remote",
    )  # fmt: skip
    with tenant_transaction(desk.tenant.pk):
        made = CustomField.objects.get()
    assert (made.label, made.kind, made.record_type) == ("Day of birth", "date", "person")
    assert ("Birthday__c", f"custom:{made.key}", "overwrite", "off") in desk.mapped()


def test_a_custom_field_whose_mapping_is_refused_is_not_left_behind(desk: Desk) -> None:
    answer = desk.post(
        url(desk, "mappings/add"), version=1, remote_field="Name", local_field="new", new_label="Copy",
        way_in="overwrite", way_out="overwrite", winner="remote",
    )  # fmt: skip
    assert answer.status_code == 422
    with tenant_transaction(desk.tenant.pk):
        assert not CustomField.objects.exists()


def table(desk: Desk, **changes: str) -> dict[str, Any]:
    """What the table sends: every row as it stands, but for the changes."""
    step = desk.step()
    values: dict[str, Any] = {"version": step.version}
    with tenant_transaction(desk.tenant.pk):
        for row in FieldMapping.objects.filter(step=step):
            values |= {f"in-{row.pk}": row.way_in, f"out-{row.pk}": row.way_out, f"winner-{row.pk}": row.winner}
    return values | changes


def test_the_table_saves_what_was_changed_in_several_rows(desk: Desk) -> None:
    title, phone = desk.mapping("Title").pk, desk.mapping("Phone").pk
    desk.post(url(desk, "mappings"), **table(desk, **{f"out-{title}": "overwrite", f"in-{phone}": "fill"}))
    assert {("Title", "title", "overwrite", "overwrite"), ("Phone", "phone", "fill", "off")} <= desk.mapped()


@pytest.mark.parametrize(
    ("choice", "ways"),
    [("push", ("off", "overwrite")), ("pull", ("overwrite", "off")), ("two_way", ("overwrite", "overwrite"))],
)
def test_the_selected_rows_are_changed_at_once(desk: Desk, choice: str, ways: tuple[str, str]) -> None:
    chosen = [desk.mapping("Title").pk, desk.mapping("Phone").pk]
    desk.post(url(desk, "mappings"), **table(desk), mapping=chosen, choice=choice, apply="1")
    assert {("Title", "title", *ways), ("Phone", "phone", *ways)} <= desk.mapped()


def test_a_shorthand_of_one_row_works_without_javascript(desk: Desk) -> None:
    desk.post(url(desk, "mappings"), **table(desk), quick=f"two_way:{desk.mapping('Title').pk}")
    assert ("Title", "title", "overwrite", "overwrite") in desk.mapped()


def test_keys_are_not_removed_and_the_row_says_why(desk: Desk) -> None:
    chosen = [desk.mapping("Email").pk, desk.mapping("Title").pk]
    answer = desk.post(url(desk, "mappings"), **table(desk), mapping=chosen, choice="remove", apply="1")
    assert answer.status_code == 422
    assert "“E-mail” finds the same record on both sides, so it cannot be removed." in answer.content.decode()
    desk.post(url(desk, "mappings"), **table(desk), mapping=chosen[1:], choice="remove", apply="1")
    assert "Title" not in {row[0] for row in desk.mapped()}


def test_a_refused_table_shows_what_was_chosen_with_the_reason_at_its_row(desk: Desk) -> None:
    owner, title = desk.mapping("OwnerId").pk, desk.mapping("Title").pk
    with tenant_transaction(desk.tenant.pk):
        describe(
            desk.connection,
            "Lead",
            (*(one for one in LEAD if one.name != "Title"), field("Title", calculated=True)),
        )
    answer = desk.post(url(desk, "mappings"), **table(desk, **{f"out-{title}": "overwrite", f"in-{owner}": "fill"}))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "calculated by Salesforce, so it can only be read" in page
    assert page.count('class="wrong"') == 1
    assert '<option value="fill" selected>' in page
    assert ("OwnerId", "owner", "overwrite", "off") in desk.mapped()


@pytest.mark.parametrize(
    "forged",
    [
        {"in-999999999999": "overwrite", "out-999999999999": "off", "winner-999999999999": "remote"},
        {"in-abc": "overwrite"},
        {"mapping": ["x", "-1", "9" * 40], "choice": "remove", "apply": "1"},
        {"choice": "explode", "apply": "1"},
        {"quick": "two_way:"},
        {"quick": "explode:1"},
        {"version": "x" * 500},
        {"version": "-1"},
    ],
)
def test_a_forged_table_changes_nothing(desk: Desk, forged: dict[str, Any]) -> None:
    before = desk.mapped()
    answer = desk.post(url(desk, "mappings"), **(table(desk) | forged))
    assert answer.status_code in {302, 409, 422}
    assert desk.mapped() == before


def test_values_are_translated_with_the_labels_of_the_picklist(desk: Desk) -> None:
    desk.post(
        url(desk, "mappings/add"), version=1, remote_field="Status", local_field="lead_status", way_in="overwrite",
        way_out="off", winner="remote",
    )  # fmt: skip
    mapping = desk.mapping("Status")
    page = f"{BASE}mappings/{mapping.pk}/values/"
    assert "Salesforce allows only these values" in desk.text(page)
    desk.post(page, version=desk.step().version, theirs=["Open", "Closed"], ours=["Fresh", ""])
    assert desk.mapping("Status").value_map == {"Open": "Fresh"}
    assert "1 value translated" in desk.text(LEADS)
    answer = desk.post(page, version=desk.step().version, theirs=["Nope"], ours=["x"])
    assert answer.status_code == 422


def test_a_field_that_is_gone_pauses_its_own_row_only(desk: Desk) -> None:
    with tenant_transaction(desk.tenant.pk):
        describe(desk.connection, "Lead", tuple(one for one in LEAD if one.name != "Title"))
    page = desk.text(LEADS)
    assert page.count("The field was deleted in Salesforce, or is hidden from the sync user.") == 1


# -- hostile ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_of_fields_are_shown_as_text(desk: Desk, text: str) -> None:
    label = text[:200]
    with tenant_transaction(desk.tenant.pk):
        describe(desk.connection, "Lead", (*LEAD, field("Evil__c", label=label, picklist=((label, label),))))
    for page in (url(desk, "mappings/add"), url(desk, "filter/in"), LEADS):
        assert "<script>alert" not in desk.text(page)
        assert "<img src=x" not in desk.text(page)
    assert "49" not in desk.text(f"{url(desk, 'mappings/add')}?remote_field=Evil__c").split("Evil__c")[1][:80]


@pytest.mark.parametrize(
    "rest", ["steps/999999/preview/", "mappings/999999/values/", "objects/nothing/", "objects/x--y/"]
)
def test_what_is_not_there_is_not_found(desk: Desk, rest: str) -> None:
    assert desk.client.get(BASE + rest).status_code == 404


def test_steps_of_another_tenant_are_not_found(desk: Desk, other_tenant: Tenant) -> None:
    with tenant_transaction(other_tenant.pk):
        theirs = connected()
        step = SyncStep.objects.filter(profile=profiles_of(theirs)[ProfileKind.CUSTOM]).first()
    assert step is not None
    assert desk.client.get(f"{BASE}steps/{step.pk}/mappings/add/").status_code == 404
    assert desk.post(f"{BASE}steps/{step.pk}/clone/").status_code == 404


@pytest.mark.parametrize(
    ("sobject", "kind", "facts", "typed"),
    [
        ("Account", Company, {"name": "Analytical Engines", "website": "engines.example"}, "analytical"),
        ("Opportunity", Opportunity, {"name": "Big deal"}, "big"),
        ("Lead", Person, {"last_name": "<script>alert(1)</script>", "email": "evil@x.example"}, "evil@"),
    ],
)
def test_a_record_of_each_kind_is_found_and_previewed(
    desk: Desk, sobject: str, kind: Any, facts: dict[str, str], typed: str
) -> None:
    with tenant_transaction(desk.tenant.pk):
        kind.objects.create(**facts)
    page = desk.text(f"{url(desk, 'preview', sobject)}?q={typed}")
    assert "It is not linked with a" in page
    assert "<script>alert" not in page
    for text in ("x" * 3000, "%00", "' OR 1=1", "00Q000000000001AAA"):
        assert "No record was found" in desk.text(f"{url(desk, 'preview', sobject)}?q={text}")

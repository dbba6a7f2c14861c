"""Adding and editing records on their pages: what is typed is stored, or comes back with words; nothing is lost."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.audience.models import Company, ConsentChange, Owner, Person, RecordChange
from apps.field_mappings.models import MappingVersion
from apps.field_mappings.setup import STEPS, seed_custom_profile
from apps.integrations.models import Connection, ObjectMetadata
from apps.outbox.models import OutboundChange
from apps.sync.models import RunEntry, RunKind, RunState, SyncRun
from apps.sync_settings.services import settings_of
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE, linked_person

pytestmark = pytest.mark.django_db

NEW = "/people/new/"
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?')


def form_of(client: Client, url: str, tenant: Tenant) -> dict[str, str]:
    """The hidden part of the form at an address, as a browser would send it."""
    html = client.get(url).content.decode()
    return dict(_HIDDEN.findall(html)) | {"tenant": str(tenant.pk)}


def send(client: Client, url: str, tenant: Tenant, **typed: str) -> Any:
    """Fill in the form at an address and send it: fields that are not named stay as they are."""
    form = form_of(client, url, tenant)
    was = {name.removeprefix("was:"): value for name, value in form.items() if name.startswith("was:")}
    return client.post(url, {**form, **was, **typed})


def words_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.fixture
def person(tenant: Tenant) -> Person:
    with tenant_transaction(tenant.pk):
        made: Person = Person.objects.create(last_name="Byron", first_name="Ada", email="ada@example.com", title="Miss")
    return made


@pytest.fixture
def mapped(tenant: Tenant, salesforce: Connection) -> Connection:
    """A connection whose default steps are in force: everything inbound only."""
    with tenant_transaction(tenant.pk):
        seed_custom_profile(salesforce)
        steps: list[dict[str, Any]] = [
            {
                "sobject": sobject, "local_type": local, "direction": "pull", "position": number, "create_local": True,
                "update_local": True, "create_remote": False, "update_remote": False, "inbound_filter": None,
                "outbound_filter": None,
                "rules": [
                    {"remote_field": remote, "remote_type": "string", "local_field": ours, "way_in": "overwrite",
                     "way_out": "off", "winner": "remote", "scale": None, "value_map": {}, "is_key": False}
                    for remote, ours, _ in fields
                ],
            }
            for number, (sobject, local, fields) in enumerate(STEPS)
        ]  # fmt: skip
        MappingVersion.objects.create(connection=salesforce, number=1, document={"steps": steps})
        settings_of(salesforce)
    return salesforce


def test_a_person_is_added(marketer: Client, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        company = Company.objects.create(name="Analytical Engines")
        owner = Owner.objects.create(remote_id="005A", name="Sally Sales")
    answer = send(
        marketer, NEW, tenant, last_name="Lovelace", email="ADA@example.com", birthdate="1815-12-10",
        employees="1,200", company="analytical engines", owner=str(owner.pk), description="Line one\r\nLine two",
    )  # fmt: skip
    with tenant_transaction(tenant.pk):
        made = Person.objects.get()
        assert (made.company_id, made.owner_id, made.employees) == (company.pk, owner.pk, 1200)
        assert (made.email, made.description, made.source) == ("ada@example.com", "Line one\nLine two", "manual")
        assert "company" in OutboundChange.objects.get().fields
    assert answer.headers["Location"] == f"/people/{made.pk}/"
    assert "Created" in words_of(marketer.get(f"/people/{made.pk}/"))


def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(marketer: Client, tenant: Tenant) -> None:
    answer = send(marketer, NEW, tenant, email="no", employees="many", company="Nowhere Ltd", title="Countess")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "No company is called so" in html
    answer = send(marketer, NEW, tenant, email="no", employees="many", title="Countess")
    html = answer.content.decode()
    for words in ("This is no e-mail address", "This is no number", 'value="Countess"', 'value="many"'):
        assert words in html
    with tenant_transaction(tenant.pk):
        assert not Person.objects.exists()


def test_a_taken_address_names_its_person(marketer: Client, tenant: Tenant, person: Person) -> None:
    answer = send(marketer, NEW, tenant, last_name="Other", email="ADA@example.com")
    assert f'href="/people/{person.pk}/"' in answer.content.decode()
    assert "Ada Byron has this e-mail address already." in words_of(answer)


def test_a_person_is_edited_and_the_timeline_tells_who(marketer: Client, tenant: Tenant, person: Person) -> None:
    answer = send(marketer, f"/people/{person.pk}/edit/", tenant, last_name="Lovelace", title="")
    assert answer.status_code == 302
    with tenant_transaction(tenant.pk):
        now = Person.objects.get()
        assert (now.last_name, now.title, now.first_name, now.version) == ("Lovelace", "", "Ada", 2)
        assert set(OutboundChange.objects.get().fields) == {"last_name", "title"}
    shown = words_of(marketer.get(f"/people/{person.pk}/"))
    assert "Edited here By marketer@northwind.example" in shown


def test_saving_without_a_change_writes_nothing(marketer: Client, tenant: Tenant, person: Person) -> None:
    assert send(marketer, f"/people/{person.pk}/edit/", tenant).status_code == 302
    with tenant_transaction(tenant.pk):
        assert (Person.objects.get().version, OutboundChange.objects.count()) == (1, 0)


def test_a_form_that_was_overtaken_shows_both_values_and_saves_the_choice(
    marketer: Client, tenant: Tenant, person: Person
) -> None:
    url = f"/people/{person.pk}/edit/"
    form = form_of(marketer, url, tenant)
    was = {name.removeprefix("was:"): value for name, value in form.items() if name.startswith("was:")}
    with tenant_transaction(tenant.pk):
        Person.objects.update(last_name="King", phone="1234", version=2)
    answer = marketer.post(url, {**form, **was, "last_name": "Lovelace", "title": "Countess"})
    assert answer.status_code == 409
    shown = words_of(answer)
    for words in ("a sync with Salesforce", "Yours Lovelace", "Stored now King", "Phone stays as it is now: 1234"):
        assert words in shown
    with tenant_transaction(tenant.pk):
        assert Person.objects.get().last_name == "King"
    kept = dict(_HIDDEN.findall(answer.content.decode()))
    saved = marketer.post(url, {**kept, "tenant": str(tenant.pk), "last_name": "Lovelace"})
    assert saved.status_code == 302
    with tenant_transaction(tenant.pk):
        now = Person.objects.get()
        assert (now.last_name, now.title, now.phone, now.email) == ("Lovelace", "Countess", "1234", "ada@example.com")
        assert set(OutboundChange.objects.get().fields) == {"last_name", "title"}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_kept_as_they_are(marketer: Client, tenant: Tenant, person: Person, text: str) -> None:
    url = f"/people/{person.pk}/edit/"
    assert send(marketer, url, tenant, description=text, title=text[:200]).status_code == 302
    with tenant_transaction(tenant.pk):
        assert Person.objects.get().description == text
    assert "<script>alert" not in marketer.get(url).content.decode()


def test_the_form_says_beforehand_that_salesforces_value_returns(
    marketer: Client, tenant: Tenant, mapped: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        linked = linked_person(mapped)
    shown = words_of(marketer.get(f"/people/{linked.pk}/edit/"))
    assert "Salesforce rules this field: after a change here its value returns." in shown
    assert "Once linked, Salesforce's value stands here." in words_of(marketer.get(NEW)).replace("&#x27;", "'")


# -- rights, consent, active ------------------------------------------------------------------------------------


def test_viewers_are_not_offered_what_they_may_not_do(viewer: Client, tenant: Tenant, person: Person) -> None:
    html = viewer.get(f"/people/{person.pk}/").content.decode() + viewer.get("/people/").content.decode()
    for words in ("/edit/", "/people/new/", "Deactivate", "Unsubscribe…", ">Sync now<"):
        assert words not in html
    for path in ("edit/", "consent/", "active/", "sync/"):
        answer = viewer.post(f"/people/{person.pk}/{path}", {"tenant": str(tenant.pk)})
        assert answer.status_code == 403, path
    assert viewer.get(NEW).status_code == 403


def test_opting_in_again_needs_a_source_which_the_page_keeps(marketer: Client, tenant: Tenant, person: Person) -> None:
    url, page = f"/people/{person.pk}/consent/", f"/people/{person.pk}/"
    say = {"tenant": str(tenant.pk)}
    marketer.post(url, {**say, "opted_out": "yes", "source": ""})
    assert (
        "only the person&#x27;s own wish"
        in marketer.post(url, {**say, "opted_out": "no", "source": " "}, follow=True).content.decode()
    )
    with tenant_transaction(tenant.pk):
        assert Person.objects.get().email_opt_out is True
    marketer.post(url, {**say, "opted_out": "no", "source": "Called on Tuesday"})
    with tenant_transaction(tenant.pk):
        assert Person.objects.get().email_opt_out is False
        assert ConsentChange.objects.count() == 2
    shown = words_of(marketer.get(page))
    assert "Opted in again Called on Tuesday" in shown
    assert "May be mailed" in shown


def test_a_deactivated_person_is_told_apart_from_one_deleted_in_salesforce(
    marketer: Client, tenant: Tenant, person: Person
) -> None:
    url, say = f"/people/{person.pk}/active/", {"tenant": str(tenant.pk)}
    shown = words_of(marketer.post(url, {**say, "active": "no"}, follow=True))
    assert "Deactivated by marketer@northwind.example on" in shown
    assert "Deleted in Salesforce" not in shown
    assert "Reactivated" in words_of(marketer.post(url, {**say, "active": "yes"}, follow=True))


def test_a_company_is_added_edited_and_deactivated(marketer: Client, tenant: Tenant) -> None:
    assert "A company needs a name." in words_of(send(marketer, "/companies/new/", tenant, website="acme.example"))
    send(marketer, "/companies/new/", tenant, name="Acme", website="https://www.acme.example")
    with tenant_transaction(tenant.pk):
        company = Company.objects.get()
        assert company.domain == "acme.example"
    send(marketer, f"/companies/{company.pk}/edit/", tenant, billing_city="London")
    marketer.post(f"/companies/{company.pk}/active/", {"tenant": str(tenant.pk), "active": "no"})
    with tenant_transaction(tenant.pk):
        now = Company.objects.get()
        assert (now.billing_city, now.is_active, now.version) == ("London", False, 3)
        assert RecordChange.objects.count() == 3
    assert "Deactivated by" in words_of(marketer.get(f"/companies/{company.pk}/"))


# -- sync now ---------------------------------------------------------------------------------------------------


def run_of(tenant: Tenant, connection: Connection, person: Person, **facts: Any) -> SyncRun:
    with tenant_transaction(tenant.pk):
        made: SyncRun = SyncRun.objects.create(
            connection_id=connection.pk, kind=RunKind.RECORD, local_type="person", local_id=person.pk, **facts
        )
    return made


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        (lambda: Connection.objects.update(state="needs_reconnect"), "the connection has to be renewed"),
        (lambda: None, "Syncs are switched off."),
    ],
)
def test_the_button_says_why_it_cannot_be_pressed(
    marketer: Client, tenant: Tenant, mapped: Connection, setup: Callable[[], None], words: str
) -> None:
    with tenant_transaction(tenant.pk):
        person = linked_person(mapped)
        setup()
    html = marketer.get(f"/people/{person.pk}/").content.decode()
    assert words in html
    assert re.search(r"<button[^>]* disabled[^>]*>", html)
    answer = marketer.post(f"/people/{person.pk}/sync/", {"tenant": str(tenant.pk)}, follow=True)
    assert words in answer.content.decode()
    with tenant_transaction(tenant.pk):
        assert not SyncRun.objects.exists()


def test_an_open_run_is_polled_and_its_end_shows_what_was_done(
    marketer: Client, tenant: Tenant, mapped: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        person = linked_person(mapped)
    run = run_of(tenant, mapped, person, state=RunState.QUEUED)
    url = f"/people/{person.pk}/sync/{run.pk}/"
    assert f'hx-get="{url}"' in marketer.get(f"/people/{person.pk}/").content.decode()
    assert "Waiting to start" in marketer.get(url, headers={"HX-Request": "true"}).content.decode()
    with tenant_transaction(tenant.pk):
        SyncRun.objects.update(state=RunState.COMPLETED, finished_at=timezone.now())
        for way, action in (("in", "updated"), ("out", "written")):
            RunEntry.objects.create(
                run_id=run.pk, sobject="Lead", remote_id="00Q000000000001AAA", local_type="person", way=way,
                local_id=person.pk, action=action,
                changes={"title": {"before": way, "after": "x", "rule": "local_moved"}},
            )  # fmt: skip
    answer = marketer.get(url, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == f"/people/{person.pk}/?run={run.pk}"
    shown = words_of(marketer.get(answer.headers["HX-Redirect"]))
    assert "Changed here Title in" in shown
    assert "Written to Salesforce Title out" in shown
    assert marketer.get(url).status_code == 302


def test_a_run_of_another_record_is_not_shown(marketer: Client, tenant: Tenant, mapped: Connection) -> None:
    with tenant_transaction(tenant.pk):
        person, other = linked_person(mapped), Person.objects.create(last_name="Other")
    run = run_of(tenant, mapped, other, state=RunState.FAILED, failure="Secret words.")
    assert marketer.get(f"/people/{person.pk}/sync/{run.pk}/").status_code == 404
    for text in (str(run.pk), "x", "0", "9" * 30):
        assert "Secret words." not in words_of(marketer.get(f"/people/{person.pk}/?run={text}"))
    assert "Secret words." in words_of(marketer.get(f"/people/{other.pk}/?run={run.pk}"))


# -- why --------------------------------------------------------------------------------------------------------


def test_the_question_is_answered_for_records_and_for_salesforce_ids(
    viewer: Client, tenant: Tenant, mapped: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        person = linked_person(mapped, remote_id="00Q5e00000abcDEEAY")
        ObjectMetadata.objects.create(
            connection=mapped, sobject="Lead", label="Lead", schema={"key_prefix": "00Q"}, fetched_at=timezone.now()
        )
    assert "Syncs are enabled" in words_of(viewer.get(f"/people/{person.pk}/why/"))
    search = "/integrations/salesforce/why/"
    assert viewer.get(f"{search}?id=00Q5e00000abcDE").headers["Location"] == f"/people/{person.pk}/why/"
    assert "It is a row of Lead." in words_of(viewer.get(f"{search}?id=00Q000000000002"))
    assert "This is no Salesforce id." in words_of(viewer.get(f"{search}?id=<script>"))
    assert viewer.get(search).status_code == 200


def test_before_connecting_the_question_has_an_answer_too(member: Callable[[Role], Client], person: Person) -> None:
    client = member(Role.VIEWER)
    assert "Salesforce is not connected." in words_of(client.get(f"/people/{person.pk}/why/"))
    assert "Salesforce is not connected." in words_of(client.get("/integrations/salesforce/why/?id=00Q000000000001"))

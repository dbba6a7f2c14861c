"""The queue's page: what waits and why, in words; cancelling and trying again."""

import re
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audience.models import Company, Person
from apps.integrations.models import Connection
from apps.outbox.models import OutboundChange
from apps.outbox.queue import queue_change
from apps.sync_settings.services import settings_of
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction

pytestmark = pytest.mark.django_db

URL = "/integrations/salesforce/queue/"


def words_at(client: Client, url: str = URL) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def waiting(record: Any, local_type: str = "person", **changes: Any) -> int:
    queue_change(local_type=local_type, local_id=record.pk, fields=["title"], origin="user", at=timezone.now())
    rows = OutboundChange.objects.filter(local_type=local_type, local_id=record.pk)
    rows.update(**changes or {"attempts": 0})
    return int(rows.get().pk)


@pytest.fixture
def running(tenant: Tenant, salesforce: Connection) -> Connection:
    with tenant_transaction(tenant.pk):
        row = settings_of(salesforce)
        row.syncs_enabled = True
        row.save()
    return salesforce


def test_an_empty_queue_says_that_nothing_waits(viewer: Client, running: Connection) -> None:
    shown = words_at(viewer)
    assert "Nothing waits" in shown
    assert "Syncs are off" not in shown


def test_each_change_is_told_with_its_state_and_reason(marketer: Client, tenant: Tenant, running: Connection) -> None:
    with tenant_transaction(tenant.pk):
        ada, bob = Person.objects.create(first_name="Ada"), Person.objects.create(first_name="Bob")
        acme = Company.objects.create(name="Acme")
        waiting(ada, state="held", reason="The title is too long.")
        waiting(bob, state="in_flight", attempts=2)
        waiting(acme, "company", reason="row_locked", attempts=1)
        queue_change(local_type="person", local_id=999999, fields=["x"], origin="user", at=timezone.now())
    shown = words_at(marketer)
    for words in (
        "Waiting 2", "On its way 1", "Held 1", "4 changes", "Ada Person", "The title is too long.",
        "Somebody else was saving the record", "A record that is gone", "when it changes, or is tried again",
    ):  # fmt: skip
        assert words in shown, words


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ("off", "Syncs are off 2 changes wait and will go out when they are on."),
        ("manual", "Changes leave with the next sync 2 changes wait and will go out with the next sync"),
        ("reconnect", "The connection has to be renewed 2 changes wait and will go out when it is renewed."),
        ("none", "Salesforce is not connected 2 changes wait and will go out when Salesforce is connected."),
    ],
)
def test_what_holds_up_the_whole_queue_is_said_once(
    viewer: Client, tenant: Tenant, running: Connection, setup: str, words: str
) -> None:
    with tenant_transaction(tenant.pk):
        for _ in range(2):
            waiting(Person.objects.create(last_name="X"))
        row = settings_of(running)
        row.syncs_enabled, row.push_automatically = setup != "off", setup != "manual"
        row.save()
        if setup in {"reconnect", "none"}:
            state = {"reconnect": "needs_reconnect", "none": "disconnected"}[setup]
            Connection.objects.update(state=state)
    assert words in words_at(viewer)


def test_one_waiting_change_is_told_in_the_singular(viewer: Client, tenant: Tenant, salesforce: Connection) -> None:
    with tenant_transaction(tenant.pk):
        waiting(Person.objects.create(last_name="X"))
    assert "1 change waits and goes out when they are on." in words_at(viewer)


def test_changes_are_found_by_state_and_by_the_records_name(
    viewer: Client, tenant: Tenant, running: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        waiting(Person.objects.create(first_name="Ada", email="ada@example.com"))
        waiting(Company.objects.create(name="Adastra"), "company", state="held")
        waiting(Person.objects.create(first_name="Bob"))
    assert "Bob" not in words_at(viewer, f"{URL}?q=ada")
    assert "Adastra" in words_at(viewer, f"{URL}?q=ada")
    assert "1 change " in words_at(viewer, f"{URL}?state=held")
    assert "Nothing matches" in words_at(viewer, f"{URL}?q=nobody")
    assert "3 changes" in words_at(viewer, f"{URL}?state=<script>")


def test_selected_changes_are_cancelled_and_one_by_its_own_button(
    marketer: Client, tenant: Tenant, running: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        ids = [waiting(Person.objects.create(last_name=f"P{n}")) for n in range(4)]
        OutboundChange.objects.filter(id=ids[3]).update(state="in_flight")
    say = {"tenant": str(tenant.pk)}
    chosen = {**say, "change": [str(ids[0]), str(ids[1]), str(ids[3]), "x", "9" * 30]}
    answer = marketer.post(f"{URL}cancel/", chosen, follow=True)
    assert "2 changes are cancelled. What is on its way already cannot be stopped." in answer.content.decode()
    marketer.post(f"{URL}cancel/", {**say, "one": str(ids[2]), "change": [str(ids[3])]})
    with tenant_transaction(tenant.pk):
        assert [row.pk for row in OutboundChange.objects.all()] == [ids[3]]
    assert "Tick the changes" in marketer.post(f"{URL}cancel/", say, follow=True).content.decode()


def test_held_changes_are_tried_again(marketer: Client, tenant: Tenant, running: Connection) -> None:
    with tenant_transaction(tenant.pk):
        number = waiting(Person.objects.create(last_name="P"), state="held", reason="No.")
    say = {"tenant": str(tenant.pk), "change": str(number)}
    assert "1 change is tried again." in marketer.post(f"{URL}release/", say, follow=True).content.decode()
    with tenant_transaction(tenant.pk):
        assert OutboundChange.objects.get().state == "waiting"


def test_viewers_see_the_queue_without_its_buttons(viewer: Client, tenant: Tenant, running: Connection) -> None:
    with tenant_transaction(tenant.pk):
        number = waiting(Person.objects.create(last_name="P"), state="held")
    html = viewer.get(URL).content.decode()
    assert "Cancel" not in html
    for path in ("cancel/", "release/"):
        assert viewer.post(f"{URL}{path}", {"tenant": str(tenant.pk), "change": str(number)}).status_code == 403


def test_the_queue_is_paged_with_as_many_questions_for_a_full_page(
    viewer: Client, tenant: Tenant, running: Connection
) -> None:
    def questions() -> int:
        with CaptureQueriesContext(database) as captured:
            words_at(viewer)
        return len(captured)

    with tenant_transaction(tenant.pk):
        waiting(Person.objects.create(last_name="One"))
    few = questions()
    with tenant_transaction(tenant.pk):
        for n in range(60):
            waiting(Person.objects.create(last_name=f"P{n}"))
    assert questions() == few
    older = re.search(r'rel="next" href="([^"]+)"', viewer.get(URL).content.decode())
    assert older is not None
    assert "P59" in words_at(viewer, older[1].replace("&amp;", "&"))

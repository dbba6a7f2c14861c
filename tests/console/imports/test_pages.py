"""The import wizard and the exports: from a file to people, from people to a file (I03)."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.audience.models import Company, CustomField, List, ListMembership, Person
from apps.imports.drive import advance
from apps.imports.models import Import
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE
from tests.console.salesforce.conftest import _plain_static_files, member

__all__ = ["_plain_static_files", "member"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def marketer(member: Callable[[Role], Client]) -> Client:
    return member(Role.MARKETER)


def sent(client: Client, tenant: Tenant, path: str, **fields: Any) -> Any:
    return client.post(path, {"tenant": tenant.pk, **fields}, follow=True)


def uploaded(client: Client, tenant: Tenant, text: str, name: str = "fair.csv") -> Any:
    return sent(client, tenant, "/people/import/", file=SimpleUploadedFile(name, text.encode()))


def latest(tenant: Tenant) -> Import:
    with tenant_transaction(tenant.pk):
        found: Import = Import.objects.latest("id")
        return found


def test_file_becomes_people_on_a_new_list(marketer: Client, tenant: Tenant) -> None:
    page = uploaded(marketer, tenant, "E-Mail;Vorname;Shoe size\nada@example.com;Ada;38\nnonsense;Eve;40\n")
    body = page.content.decode()
    assert "What do the columns mean?" in body
    assert "ada@example.com" in body
    assert '<option value="email" selected>' in body
    row = latest(tenant)
    answer = sent(
        marketer, tenant, f"/imports/{row.pk}/columns/", mode="update", to="new", list_name="Fair",
        **{"column-0": "email", "column-1": "first_name", "column-2": ""},
    )  # fmt: skip
    assert "Waiting" in answer.content.decode()
    advance(tenant.pk, row.pk)
    body = marketer.get(f"/imports/{row.pk}/").content.decode()
    assert "Finished" in body
    assert "E-mail: This is no e-mail address" in body
    with tenant_transaction(tenant.pk):
        fair = List.objects.get(name="Fair")
        assert ListMembership.objects.get(list=fair).person.first_name == "Ada"
    assert f"/lists/{fair.pk}/" in body
    text = b"".join(marketer.get(f"/imports/{row.pk}/errors.csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert list(csv.reader(io.StringIO(text)))[1][2:] == ["nonsense", "Eve", "40"]
    assert "fair.csv" in marketer.get("/imports/").content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"column-0": ""}, "nobody would know"),
        ({"column-0": "email", "column-1": "email"}, "chosen for two columns"),
        ({"column-0": "nonsense"}, "Select a valid choice"),
        ({"column-0": "email", "to": "new", "list_name": ""}, "It needs a name"),
        ({"column-0": "email", "mode": "destroy"}, "Select a valid choice"),
    ],
)
def test_bad_columns_are_answered_in_words(
    marketer: Client, tenant: Tenant, fields: dict[str, str], words: str
) -> None:
    uploaded(marketer, tenant, "Email,Title\na@x.example,Boss\n")
    answer = sent(marketer, tenant, f"/imports/{latest(tenant).pk}/columns/", **{"mode": "update"} | fields)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    with tenant_transaction(tenant.pk):
        assert not Person.objects.exists()


def test_bad_files_are_answered_in_words(marketer: Client, tenant: Tenant) -> None:
    assert "Choose a file." in sent(marketer, tenant, "/people/import/").content.decode()
    assert "The file is empty." in uploaded(marketer, tenant, "").content.decode()
    assert "The file is empty." in uploaded(marketer, tenant, "\n\n").content.decode()
    answer = uploaded(marketer, tenant, 'a,"b' + "x" * 4_500_000)
    assert answer.status_code == 422


@pytest.mark.parametrize("value", HOSTILE[:-1])
def test_hostile_header_and_cells_are_shown_as_text(marketer: Client, tenant: Tenant, value: str) -> None:
    cell = '"' + value.replace('"', '""') + '"'
    body = uploaded(marketer, tenant, f"email,{cell}\na@x.example,{cell}\n", "<b>x</b>.csv").content.decode()
    assert "What do the columns mean?" in body
    assert "<script>alert(1)" not in body
    assert "<img src=x" not in body
    assert "<b>x</b>" not in body


def test_another_delimiter_can_be_chosen(marketer: Client, tenant: Tenant) -> None:
    uploaded(marketer, tenant, "email;title,x\na@x.example;Boss,y\n")
    row = latest(tenant)
    assert "2 columns" in marketer.get(f"/imports/{row.pk}/columns/?delimiter=,").content.decode()
    marketer.get(f"/imports/{row.pk}/columns/?delimiter=;")
    assert latest(tenant).header == ["email", "title,x"]


def rows_of(client: Client, path: str) -> list[dict[str, str]]:
    answer: Any = client.get(path)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_export_holds_what_the_page_shows_with_every_field(marketer: Client, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        CustomField.objects.create(record_type="person", key="shoe", label="Shoe size", kind="integer")
        ada = Person.objects.create(
            email="ada@example.com", first_name="=1+1", last_name="Lovelace", custom={"shoe": "38"}, employees=5
        )
        Person.objects.create(email="bob@example.com", is_active=False)
        Company.objects.create(name="@Acme", website="acme.example")
        fair: Any = List.objects.create(name="Fair")
        ListMembership.objects.create(list=fair, person=ada, status="Sent")
    (found,) = rows_of(marketer, "/people/export.csv?status=yes")
    assert (found["E-mail"], found["First name"], found["Shoe size"], found["Employees"], found["Active"]) == (
        "ada@example.com", "'=1+1", "38", "5", "yes",
    )  # fmt: skip
    assert len(rows_of(marketer, "/people/export.csv")) == 2
    assert [row["E-mail"] for row in rows_of(marketer, "/people/export.csv?q=bob")] == ["bob@example.com"]
    assert [row["Name"] for row in rows_of(marketer, "/companies/export.csv")] == ["'@Acme"]
    assert [row["Member status"] for row in rows_of(marketer, f"/lists/{fair.pk}/members.csv")] == ["Sent"]


def test_what_was_exported_can_be_imported_and_changes_nothing(marketer: Client, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        Person.objects.create(email="ada@example.com", last_name="Lovelace", annual_revenue="1250.5", employees=7)
    answer: Any = marketer.get("/people/export.csv")
    uploaded(marketer, tenant, b"".join(answer.streaming_content).decode())
    row = latest(tenant)
    guessed = dict(_chosen(marketer, row))
    sent(marketer, tenant, f"/imports/{row.pk}/columns/", mode="update", **guessed)
    advance(tenant.pk, row.pk)
    row = latest(tenant)
    assert (row.created, row.updated, row.unchanged, row.failed) == (0, 0, 1, 0)


def _chosen(client: Client, row: Import) -> list[tuple[str, str]]:
    form = client.get(f"/imports/{row.pk}/columns/").context["form"]
    return [(name, str(form[name].initial)) for name in form.columns]

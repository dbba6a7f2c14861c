"""Every address of the API, asked with every scope alone, with all but the right one, and by another account."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.urls import get_resolver, reverse

from apps.audience.models import CustomRecordType
from apps.audience.services.custom_fields import create_custom_field
from apps.audience.services.custom_records import create_custom_record
from apps.audience.services.sequences import create_sequence
from apps.integrations.models import Connection
from apps.tenants.models import Scope, Tenant
from apps.tenants.scope import tenant_transaction
from tests.api.addresses import ADDRESSES, FOR_ANY_KEY, NOWHERE, PUBLIC
from tests.api.conftest import EVERY_SCOPE, Caller, new_key
from tests.console.one_of_everything import world
from tests.console.records.conftest import salesforce
from tests.core.catalogue import read_catalogue, rows_of

__all__ = ["salesforce", "world"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def records(tenant: Tenant, world: dict[str, Any]) -> dict[str, Any]:
    """A record of each kind that an address is about."""
    with tenant_transaction(tenant.pk):
        sequence = create_sequence(name="Asked by keys", user=None)
        custom = create_custom_field(record_type="person", label="Asked by keys", kind="integer", user=None)
        kind: Any = CustomRecordType.objects.create(key="api_project", label="Project", label_plural="Projects")
        record = create_custom_record(record_type=kind, values={"name": "Roof of Northwind"}, user=None)
    own = {"sequence": sequence.pk, "custom_field": custom.pk, "record_type": kind.pk, "custom_record": record.pk}
    return world | own


def _requests() -> Iterator[tuple[str, str, Scope | None]]:
    for name, address in ADDRESSES.items():
        for method, scope in address.methods().items():
            yield name, method, scope


def _path(name: str, records: dict[str, Any]) -> str:
    return reverse(name, args=[records[what] for what in ADDRESSES[name].about]).removeprefix("/api/v1")


def _body(name: str, records: dict[str, Any]) -> dict[str, Any]:
    """What is sent about records that the address does not name."""
    if name.startswith("api:errors-"):
        return {"ids": [records["error"]]}
    if name.startswith(("api:members", "api:enrolments")):
        return {"person_ids": [records["person"]], "status": "active"}
    if name == "api:events":
        return {"events": [{"kind": "replied", "person_id": records["person"]}]}
    return {}


def test_every_address_stands_in_the_table() -> None:
    known = {name for name in get_resolver().namespace_dict["api"][1].reverse_dict if isinstance(name, str)}
    listed = {*ADDRESSES, FOR_ANY_KEY, NOWHERE, *PUBLIC}
    assert {f"api:{name}" for name in known} == listed


def test_each_method_needs_exactly_the_scope_that_the_table_says(tenant: Tenant, records: dict[str, Any]) -> None:
    with_only = {scope: Caller(new_key(tenant, [scope])) for scope in Scope}
    without = {scope: Caller(new_key(tenant, [one for one in EVERY_SCOPE if one is not scope])) for scope in Scope}
    anybody, everything = Caller(), Caller(new_key(tenant))
    wrong = []
    for name, method, scope in _requests():
        path = _path(name, records)
        with transaction.atomic():
            if scope is None:
                answers = {"with every scope": (everything(method, path, {}).status, {405})}
            else:
                refusal = without[scope](method, path, {})
                assert refusal.status != 403 or refusal.code == "missing_scope"
                answers = {
                    "with all other scopes": (refusal.status, {403}),
                    "with the scope": (with_only[scope](method, path, {}).status, {200, 201, 202, 204, 400, 409}),
                }
            answers["without a key"] = (anybody(method, path, {}).status, {401})
            transaction.set_rollback(True)
        wrong += [f"{method} {name} {who}: {got}" for who, (got, expected) in answers.items() if got not in expected]
    assert not wrong, "\n".join(wrong)


def test_another_accounts_key_finds_nothing_of_ours_and_changes_nothing(
    tenant: Tenant, other_tenant: Tenant, records: dict[str, Any]
) -> None:
    with tenant_transaction(other_tenant.pk):
        Connection.objects.create(org_id="00D000000000002EAA", instance_url="https://contoso.my.salesforce.com")
    stranger = Caller(new_key(other_tenant))
    tables = [table for table in read_catalogue().tenant_tables if table != "tenants_directoryentry"]
    digest = " UNION ALL ".join(
        f"SELECT '{table}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t" for table in tables
    )

    def state() -> list[Any]:
        with tenant_transaction(tenant.pk):
            return rows_of(digest)

    before, wrong = state(), []
    for name, method, scope in _requests():
        answer = stranger(method, _path(name, records), _body(name, records))
        if ADDRESSES[name].about and scope is not None and answer.status != 404:
            wrong.append(f"{method} {name}: {answer.status}, not 404")
        if answer.status >= 500:
            wrong.append(f"{method} {name}: {answer.status}")
        if "Lovelace" in answer.text or "Northwind" in answer.text:
            wrong.append(f"{method} {name} shows something of ours")
    assert not wrong, "\n".join(wrong)
    assert state() == before


def test_the_document_and_its_page_are_public(tenant: Tenant) -> None:
    client = Caller().client
    assert client.get("/api/schema/").json()["openapi"].startswith("3.")
    assert "swagger" in client.get("/api/docs/").content.decode()
    assert client.post("/api/schema/").status_code == 405

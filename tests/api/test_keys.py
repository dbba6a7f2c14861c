"""Keys: made once, known by their hash, refused when they are wrong, old or taken back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.db import app_transaction
from apps.tenants.directory import key_hash
from apps.tenants.models import ApiKey, AuditEntry, DirectoryEntry, DirectoryKind, Scope, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.api_keys import TooManyKeys, create_api_key, revoke_api_key
from tests.api.conftest import Caller, new_key

pytestmark = pytest.mark.django_db


def test_a_key_opens_its_own_account_and_no_other(call: Caller, stranger: Caller) -> None:
    assert call("GET", "/").body["account"] == "Northwind Traders"
    assert stranger("GET", "/").body["account"] == "Contoso"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer syncline_wrong", "Basic c3luY2xpbmU6eA==", "Bearer ünïcode", "Bearer a b c",
     "syncline_x", "Bearer " + "syncline_" + "x" * 5000],
)  # fmt: skip
def test_without_a_good_key_the_answer_is_401_in_the_one_shape(tenant: Tenant, header: str) -> None:
    answer = Caller()("GET", "/people/", Authorization=header) if header else Caller()("GET", "/people/")
    assert (answer.status, answer.code) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.body.keys() == {"code", "message", "fields"}


def test_a_revoked_key_is_refused_at_once_and_says_so(tenant: Tenant) -> None:
    secret = new_key(tenant)
    assert Caller(secret)("GET", "/people/").status == 200
    with tenant_transaction(tenant.pk):
        key = ApiKey.objects.get()
        revoke_api_key(key=key, user=key.created_by)
        revoke_api_key(key=key, user=key.created_by)
        assert AuditEntry.objects.filter(action="api_key_revoked").count() == 1
    answer = Caller(secret)("GET", "/people/")
    assert answer.status == 401
    assert "revoked" in answer.body["message"]


def test_an_expired_key_is_refused_and_says_so(tenant: Tenant) -> None:
    secret = new_key(tenant)
    with tenant_transaction(tenant.pk):
        ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = Caller(secret)("GET", "/people/")
    assert answer.status == 401
    assert "expired" in answer.body["message"]


def test_only_the_hash_of_a_key_is_kept(tenant: Tenant) -> None:
    secret = new_key(tenant)
    with tenant_transaction(tenant.pk):
        key = ApiKey.objects.get()
        stored = " ".join(str(value) for value in vars(key).values())
        audited = " ".join(str(vars(entry)) for entry in AuditEntry.objects.all())
    assert secret not in stored + audited
    assert secret.startswith(key.prefix)
    assert len(secret) - len(key.prefix) > 35
    with app_transaction():
        entry = DirectoryEntry.objects.get(kind=DirectoryKind.API_KEY)
    assert (entry.tenant_id, entry.key_hash) == (tenant.pk, key_hash(DirectoryKind.API_KEY, secret))


def test_last_use_is_written_down_coarsely(tenant: Tenant) -> None:
    call = Caller(new_key(tenant))
    call("GET", "/people/")
    with tenant_transaction(tenant.pk):
        first = ApiKey.objects.get().last_used_at
    assert first is not None
    call("GET", "/people/")
    with tenant_transaction(tenant.pk):
        assert ApiKey.objects.get().last_used_at == first
        ApiKey.objects.update(last_used_at=first - timedelta(hours=1))
    call("GET", "/people/")
    with tenant_transaction(tenant.pk):
        assert ApiKey.objects.get().last_used_at > first


def test_a_key_without_the_scope_gets_403_and_the_scope_by_name(caller_with: Callable[..., Caller]) -> None:
    reader = caller_with(Scope.PEOPLE_READ)
    assert reader("GET", "/people/").status == 200
    for method, path, scope in [
        ("POST", "/people/", "people:write"),
        ("GET", "/companies/", "companies:read"),
        ("GET", "/errors/", "errors:read"),
        ("POST", "/sync/full/", "sync:run"),
    ]:
        answer = reader(method, path, {})
        assert (answer.status, answer.code) == (403, "missing_scope")
        assert scope in answer.body["message"]


def test_a_session_is_worth_nothing_at_the_api(member: Callable[[Role], Client]) -> None:
    owner = member(Role.OWNER)
    assert owner.get("/").status_code == 200
    assert owner.get("/api/v1/people/").status_code == 401
    assert owner.post("/api/v1/people/", {"last_name": "x"}, content_type="application/json").status_code == 401


def test_an_account_has_a_limit_of_keys(tenant: Tenant, settings: object) -> None:
    with app_transaction():
        maker = User.objects.create_user("m@northwind.example", "correct horse battery")
    with tenant_transaction(tenant.pk):
        ApiKey.objects.bulk_create(
            ApiKey(name=f"key {i}", prefix="x", key_hash=str(i), scopes=[], created_by_label="x") for i in range(100)
        )
        with pytest.raises(TooManyKeys, match="Revoke one first"):
            create_api_key(name="one more", scopes=[Scope.PEOPLE_READ], user=maker)


def test_the_page_makes_a_key_shows_it_once_and_takes_it_back(tenant: Tenant, member: Callable[[Role], Client]) -> None:
    admin = member(Role.ADMIN)
    form = {"tenant": str(tenant.pk), "name": "<b>Web</b>site", "expires": "90", "scopes": ["people:read"]}
    page = admin.post("/settings/api-keys/", form).content.decode()
    with tenant_transaction(tenant.pk):
        key = ApiKey.objects.get()
    secret = page.split('id="secret" value="')[1].split('"')[0]
    assert key.key_hash == key_hash(DirectoryKind.API_KEY, secret)
    assert "<b>Web</b>" not in page
    assert timedelta(days=89) < key.expires_at - timezone.now() < timedelta(days=91)
    assert Caller(secret)("GET", "/people/").status == 200
    again = admin.get("/settings/api-keys/").content.decode()
    assert key.prefix in again
    assert secret not in again
    assert admin.post(f"/settings/api-keys/{key.pk}/revoke/", {"tenant": str(tenant.pk)}).status_code == 302
    assert Caller(secret)("GET", "/people/").status == 401


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"name": "x" * 81}, {"name": "a\0b"}, {"scopes": []}, {"scopes": ["people:everything"]},
     {"expires": "9999999999"}],
)  # fmt: skip
def test_the_page_refuses_a_key_that_cannot_be(
    tenant: Tenant, member: Callable[[Role], Client], change: dict[str, object]
) -> None:
    admin = member(Role.ADMIN)
    form = {"tenant": str(tenant.pk), "name": "Website", "expires": "", "scopes": ["people:read"]} | change
    answer = admin.post("/settings/api-keys/", form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    with tenant_transaction(tenant.pk):
        assert not ApiKey.objects.exists()

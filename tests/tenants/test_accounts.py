"""Signing up, logging in, a second factor, a forgotten password, invitations, several tenants, sessions (J01)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from apps.core.db import app_transaction
from apps.tenants.audit import audit
from apps.tenants.models import AuditEntry, Membership, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.members import invite_member
from tests.console.salesforce.conftest import join, logged_in

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery staple"


def sign_up(email: str = "Grace@Navy.example", company: str = "Navy") -> Client:
    client = Client()
    form = {"email": email, "password1": PASSWORD, "company_name": company}
    assert client.post("/accounts/signup/", form).status_code == 302
    return client


def log_in(email: str, password: str = PASSWORD) -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/accounts/login/", {"login": email, "password": password}, follow=True)


def code_of(secret: str) -> str:
    """What an authenticator shows now."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def enrol(client: Client) -> str:
    """Switch the second factor on, after the password was asked for again; answers its secret."""
    assert client.get("/accounts/2fa/totp/activate/").status_code == 302
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    answer = client.get("/accounts/2fa/totp/activate/")
    found = re.search(r"[A-Z2-7]{32}", answer.content.decode())
    assert found is not None, answer.headers
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(found.group())})
    assert answer.status_code == 302
    return found.group()


def test_signing_up_makes_a_tenant_and_its_owner() -> None:
    client = sign_up()
    assert "Navy" in client.get("/").content.decode()
    with app_transaction():
        tenant, user = Tenant.objects.get(), User.objects.get()
    assert user.email == "grace@navy.example"
    with tenant_transaction(tenant.pk):
        assert Membership.objects.get().role == Role.OWNER


@pytest.mark.parametrize(
    "form",
    [
        {"email": "x", "password1": PASSWORD, "company_name": "Navy"},
        {"email": "a@b.example", "password1": "12345", "company_name": "Navy"},
        {"email": "a@b.example", "password1": PASSWORD, "company_name": ""},
        {"email": "a@b.example", "password1": PASSWORD, "company_name": "x" * 121},
    ],
)
def test_signing_up_with_less_makes_nothing(form: dict[str, str]) -> None:
    assert Client().post("/accounts/signup/", form).status_code == 200
    with app_transaction():
        assert not Tenant.objects.exists()
        assert not User.objects.exists()


def test_logging_in_takes_the_right_password_only() -> None:
    sign_up()
    client, answer = log_in("grace@navy.example", "wrong")
    assert client.get("/").status_code == 302
    assert "Logged in as" not in answer.content.decode()
    client, _ = log_in("GRACE@navy.example")
    assert client.get("/").status_code == 200


def test_a_second_factor_is_asked_for_once_it_is_on() -> None:
    secret = enrol(sign_up())
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        client, answer = log_in("grace@navy.example")
        assert client.get("/").status_code == 302
        assert answer.request["PATH_INFO"] == "/accounts/2fa/authenticate/"
        assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
        assert client.get("/").status_code == 302
        client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
        assert client.get("/").status_code == 200


def test_a_forgotten_password_is_replaced_by_a_link_in_a_mail() -> None:
    sign_up()
    browser = Client()
    browser.post("/accounts/password/reset/", {"email": "grace@navy.example"})
    (message,) = mail.outbox
    found = re.search(r"http\S+(/accounts/password/reset/key/\S+)", str(message.body))
    assert found is not None
    page = browser.get(found.group(1), follow=True)
    new = {"password1": "another horse battery", "password2": "another horse battery"}
    browser.post(page.request["PATH_INFO"], new)
    assert log_in("grace@navy.example")[0].get("/").status_code == 302
    assert log_in("grace@navy.example", "another horse battery")[0].get("/").status_code == 200
    assert 'name="password1"' not in Client().get(found.group(1), follow=True).content.decode()


def test_nobody_learns_whether_an_address_is_known() -> None:
    sign_up()
    answers = [
        Client().post("/accounts/password/reset/", {"email": email}, follow=True).content.decode()
        for email in ("grace@navy.example", "nobody@navy.example")
    ]
    assert re.sub(r'value="[^"]+"', "", answers[0]) == re.sub(r'value="[^"]+"', "", answers[1])


@pytest.fixture
def invited(tenant: Tenant, member: Callable[[Role], Client]) -> str:
    """The address of an invitation to be an admin of Northwind."""
    member(Role.OWNER)
    with tenant_transaction(tenant.pk):
        inviter = User.objects.get(email="owner@northwind.example")
        link = invite_member(tenant=tenant, email="grace@navy.example", role=Role.ADMIN, inviter=inviter)
    return link[link.index("/members/") :]


def test_whoever_is_invited_joins_and_switches_between_their_tenants(tenant: Tenant, invited: str) -> None:
    client = sign_up()
    client.post(invited)
    assert "Northwind Traders" in client.get("/").content.decode()
    with tenant_transaction(tenant.pk):
        assert Membership.objects.get(user__email="grace@navy.example").role == Role.ADMIN
    with app_transaction():
        own = Tenant.objects.get(name="Navy")
    page = client.post("/members/switch/", {"to": str(own.pk)}, follow=True).content.decode()
    assert 'class="tenant-name">Navy<' in page
    assert client.post(invited).status_code == 404


def test_an_invitation_works_for_seven_days_and_for_one_address(invited: str) -> None:
    assert sign_up("other@navy.example").post(invited).status_code == 409
    client = sign_up()
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        with app_transaction():
            person = User.objects.get(email="grace@navy.example")
        answer = logged_in(person).post(invited)
    assert (answer.status_code, "older than 7 days" in answer.content.decode()) == (409, True)
    assert "Northwind" not in client.get("/").content.decode()


def test_sessions_are_listed_and_ended(tenant: Tenant) -> None:
    here = sign_up()
    there, _ = log_in("grace@navy.example")
    assert here.get("/accounts/sessions/").status_code == 200
    here.post("/accounts/sessions/")
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_the_audit_log_only_grows_and_can_be_searched(tenant: Tenant, member: Callable[[Role], Client]) -> None:
    client = member(Role.ADMIN)
    with tenant_transaction(tenant.pk):
        audit(actor=None, action="settings_changed", subject="x" * 400, after={"frequency": 5})
        audit(actor=User.objects.get(), action="filter_saved", subject="Saved filter Romans")
        for change in (AuditEntry.objects.all().delete, lambda: AuditEntry.objects.update(subject="y")):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()
    page = client.get("/members/audit/?what=filter saved").content.decode()
    assert "Romans" in page
    assert "xxxx" not in page
    assert "xxxx" in client.get("/members/audit/?who=syncline").content.decode()
    assert "Nothing matches" in client.get("/members/audit/?who=nobody").content.decode()


def test_a_new_tenant_of_somebody_who_has_one_is_theirs(tenant: Tenant) -> None:
    with app_transaction():
        person = User.objects.create_user("ada@northwind.example", PASSWORD)
    join(tenant, person, Role.VIEWER)
    client = logged_in(person)
    page = client.post("/members/new/", {"tenant": tenant.pk, "name": "Second"}, follow=True)
    assert 'class="tenant-name">Second<' in page.content.decode()

"""The owners page: who is whom, who owns what nobody can own, and who fits nobody."""

import pytest
from django.test import Client
from django.utils import timezone

from apps.audience.models import Owner, OwnerPick
from apps.integrations.models import Connection, ReferenceItem
from apps.sync.owners import sync_owners
from apps.sync_settings.services import settings_of
from apps.tenants.models import AuditEntry, Membership, Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE, salesforce, viewer

__all__ = ["salesforce", "viewer"]

OWNERS = "/integrations/salesforce/owners/"
GRACE, ALAN, GONE, QUEUE, RULE = (f"{prefix}00000000001AAA" for prefix in ("005G", "005A", "005X", "00GQ", "01QR"))


@pytest.fixture
def org(tenant: Tenant, salesforce: Connection) -> Connection:
    """An org with two users, one who left, a queue and an assignment rule."""
    now = timezone.now()
    rows: tuple[tuple[str, str, str, dict[str, str], bool], ...] = (
        ("user", GRACE, "Grace Hopper", {"email": "admin@northwind.example"}, True),
        ("user", ALAN, "Alan Turing", {"email": "alan@crm.example"}, True),
        ("user", GONE, "Charles Babbage", {"email": "charles@crm.example"}, False),
        ("queue", QUEUE, "Inbound", {}, True),
        ("assignment_rule", RULE, "By region", {"sobject": "Lead"}, True),
    )
    with tenant_transaction(tenant.pk):
        for kind, key, label, data, is_active in rows:
            ReferenceItem.objects.create(
                connection=salesforce, kind=kind, key=key, label=label, data=data, is_active=is_active, fetched_at=now
            )
        Connection.objects.update(metadata_at=now)
        settings_of(salesforce)
    return salesforce


@pytest.fixture
def admin(tenant: Tenant, org: Connection, member: object) -> Client:
    """An admin whose e-mail address a user of the org has."""
    client: Client = member(Role.ADMIN)  # type: ignore[operator]  # the fixture's own type
    with tenant_transaction(tenant.pk):
        sync_owners(org)
    return client


def _html(client: Client) -> str:
    response = client.get(OWNERS)
    assert response.status_code == 200
    return response.content.decode()


def _mine(tenant: Tenant) -> int:
    with tenant_transaction(tenant.pk):
        return int(Membership.objects.get(user__email="admin@northwind.example").pk)


def _owner_of(tenant: Tenant, member: int) -> str:
    with tenant_transaction(tenant.pk):
        return ", ".join(Owner.objects.filter(member_id=member).values_list("name", flat=True))


def test_it_says_who_is_whom_and_what_happens_to_those_who_fit_nobody(admin: Client) -> None:
    html = _html(admin)
    assert "By e-mail" in html
    assert "Not members here (1)" in html
    assert "Alan Turing" in html
    assert "Inactive in Salesforce (1)" in html
    assert "is held with an error, since there is no fallback owner" in html
    assert "Assignment rule: By region" in html
    assert "Queue: Inbound" in html


def test_a_pick_wins_over_the_e_mail_address_and_a_member_may_have_no_user(admin: Client, tenant: Tenant) -> None:
    mine = _mine(tenant)
    assert _owner_of(tenant, mine) == "Grace Hopper"
    form = {"tenant": str(tenant.pk), f"has-{mine}": "on"}
    for typed in ("Alan Turing <alan@crm.example>", "alan@crm.example", "alan turing", ALAN):
        assert admin.post(OWNERS, {**form, f"pick-{mine}": typed})["Location"] == OWNERS
        assert _owner_of(tenant, mine) == "Alan Turing"
    assert "Picked" in _html(admin)
    admin.post(OWNERS, {"tenant": str(tenant.pk)})
    assert _owner_of(tenant, mine) == ""
    assert "No user" in _html(admin)
    admin.post(OWNERS, form)
    assert _owner_of(tenant, mine) == "Grace Hopper"
    with tenant_transaction(tenant.pk):
        entries = AuditEntry.objects.filter(action="owners_changed").order_by("id")
        assert [entry.after.get("admin@northwind.example") for entry in entries] == ["Alan Turing", "no user", None]


def test_fallback_and_assignment_are_saved_with_their_names_in_the_audit_log(
    admin: Client, tenant: Tenant, org: Connection
) -> None:
    mine = _mine(tenant)
    form = {"tenant": str(tenant.pk), f"has-{mine}": "on", "fallback": "Inbound (queue)", "lead_assignment": RULE}
    assert admin.post(OWNERS, form)["Location"] == OWNERS
    with tenant_transaction(tenant.pk):
        row = settings_of(org)
        assert (row.fallback_owner, row.lead_assignment) == (QUEUE, RULE)
        told = AuditEntry.objects.get(action="owners_changed").after
    assert told == {"fallback_owner": "Inbound", "lead_assignment": "By region"}
    html = _html(admin)
    assert "Inbound (queue)" in html
    assert "What is written for them goes to the fallback owner." in html


@pytest.mark.parametrize("typed", [*HOSTILE[:5], "Charles Babbage", GONE, "nobody@nowhere.example"])
def test_who_is_nobody_is_refused_beside_the_field_and_nothing_is_saved(
    admin: Client, tenant: Tenant, typed: str
) -> None:
    mine = _mine(tenant)
    form = {"tenant": str(tenant.pk), f"has-{mine}": "on", f"pick-{mine}": typed, "fallback": typed}
    response = admin.post(OWNERS, form)
    assert response.status_code == 422
    html = response.content.decode()
    assert "No active user of Salesforce is called so." in html
    assert "No active user or queue of Salesforce is called so." in html
    assert "<script>alert(1)</script>" not in html
    with tenant_transaction(tenant.pk):
        assert not OwnerPick.objects.exists()


def test_a_forged_assignment_is_refused(admin: Client, tenant: Tenant, org: Connection) -> None:
    form = {"tenant": str(tenant.pk), f"has-{_mine(tenant)}": "on", "lead_assignment": "01Q000000000009AAA"}
    assert "There is no such queue or assignment rule." in admin.post(OWNERS, form).content.decode()
    with tenant_transaction(tenant.pk):
        assert settings_of(org).lead_assignment == ""


@pytest.mark.usefixtures("org")
def test_who_may_not_change_it_sees_it_without_a_way_to_save(viewer: Client, tenant: Tenant) -> None:
    html = _html(viewer)
    assert ">Save<" not in html.replace("\n", "")
    assert viewer.post(OWNERS, {"tenant": str(tenant.pk)}).status_code == 403

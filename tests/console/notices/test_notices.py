"""The bell and the list behind it: each member has their own mark of what they have read (B05)."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.notifications.models import Notice, NoticeRead
from apps.notifications.services import NoticeKind, notify
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction

pytestmark = pytest.mark.django_db


def tell(tenant: Tenant, subject: str = "The full sync has finished", path: str = "/integrations/") -> Notice:
    with tenant_transaction(tenant.pk):
        notify(kind=NoticeKind.FULL_SYNC_FINISHED, subject=subject, facts={"Created": 3}, path=path)
        made: Notice = Notice.objects.latest("id")
        return made


def bell(client: Client) -> str:
    page = client.get("/people/").content.decode()
    return page.split('class="bell"')[1].split("</a>")[0]


def test_each_member_reads_for_themselves(tenant: Tenant, member: Callable[[Role], Client]) -> None:
    one, other = member(Role.VIEWER), member(Role.OWNER)
    notice = tell(tenant)
    assert '<span class="count">1</span>' in bell(one)
    answer = one.post(reverse("console:notices-open", args=[notice.pk]), {"tenant": tenant.pk})
    assert answer["Location"] == "/integrations/"
    assert 'class="count"' not in bell(one)
    assert '<span class="count">1</span>' in bell(other)


def test_all_are_marked_at_once_and_once(tenant: Tenant, member: Callable[[Role], Client]) -> None:
    client = member(Role.VIEWER)
    for number in range(3):
        tell(tenant, f"Full sync {number}")
    page = client.get(reverse("console:notices")).content.decode()
    assert page.count('class="unread"') == 3
    assert page.index("Full sync 2") < page.index("Full sync 0")
    for _ in range(2):
        client.post(reverse("console:notices-read"), {"tenant": tenant.pk})
    with tenant_transaction(tenant.pk):
        assert NoticeRead.objects.count() == 3
    assert 'class="unread"' not in client.get(reverse("console:notices")).content.decode()


def test_a_digest_tells_how_many_errors_of_each_kind(tenant: Tenant, member: Callable[[Role], Client]) -> None:
    with tenant_transaction(tenant.pk):
        notify(kind=NoticeKind.SYNC_ERRORS, subject="New sync errors", facts={"too_long": 1200}, path="/")
    assert "1,200" in member(Role.VIEWER).get(reverse("console:notices")).content.decode()


def test_a_notice_that_names_somebody_is_for_them_alone(tenant: Tenant, member: Callable[[Role], Client]) -> None:
    named, other = member(Role.MARKETER), member(Role.VIEWER)
    notice = tell(tenant, "For the marketer")
    with tenant_transaction(tenant.pk):
        Notice.objects.filter(id=notice.pk).update(to=["marketer@northwind.example"])
    assert "For the marketer" in named.get(reverse("console:notices")).content.decode()
    assert "For the marketer" not in other.get(reverse("console:notices")).content.decode()


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_a_notice_leads_nowhere_else(tenant: Tenant, member: Callable[[Role], Client], path: str) -> None:
    notice = tell(tenant, path=path)
    answer = member(Role.VIEWER).post(reverse("console:notices-open", args=[notice.pk]), {"tenant": tenant.pk})
    assert answer["Location"] == reverse("console:notices")

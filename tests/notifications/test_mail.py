"""Mail: who gets it, what it says, never two for one thing, at most one digest an hour (B05)."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from apps.domain.failures import Category
from apps.notifications.models import Notice, NoticeKind, Recipients
from apps.notifications.sending import send_due, wake_due_notices
from apps.notifications.services import COLLECT_FOR, DIGEST_EVERY, notify, set_recipients
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction

ADA, EVE = "ada@northwind.example", "eve@northwind.example"


@pytest.fixture(autouse=True)
def _recipient(tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        set_recipients(addresses=[ADA])


def tell(tenant: Tenant, **facts: Any) -> None:
    with tenant_transaction(tenant.pk):
        kind, path = NoticeKind.FULL_SYNC_FINISHED, "/integrations/salesforce/log/7/"
        notify(kind=kind, subject="The full sync has finished", facts=facts, path=path)


def errors(tenant: Tenant, **counts: int) -> None:
    with tenant_transaction(tenant.pk):
        notify(kind=NoticeKind.SYNC_ERRORS, subject="New sync errors", facts=counts)


def latest(tenant: Tenant) -> Notice:
    with tenant_transaction(tenant.pk):
        found: Notice = Notice.objects.latest("id")
        return found


def test_finished_full_sync_is_told_with_its_facts_and_the_page(tenant: Tenant, settings: Settings) -> None:
    settings.SYNCLINE_BASE_URL = "https://syncline.example"
    tell(tenant, **{"Records read": "1,204", "Failed": 3})
    assert send_due(tenant.pk) == 1
    (sent,) = mail.outbox
    assert (sent.subject, sent.to) == ("The full sync has finished", [ADA])
    assert "Records read: 1,204\nFailed: 3" in sent.body
    assert "https://syncline.example/integrations/salesforce/log/7/" in sent.body


def test_what_was_sent_is_not_sent_again(tenant: Tenant) -> None:
    tell(tenant)
    assert [send_due(tenant.pk) for _ in range(3)] == [1, 0, 0]
    assert latest(tenant).sent_to == [ADA]


def test_recipients_do_not_see_each_other(tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        set_recipients(addresses=[ADA, EVE, ADA])
    tell(tenant)
    send_due(tenant.pk)
    (sent,) = mail.outbox
    assert (sent.to, sent.bcc) == ([], [ADA, EVE])


def test_nobody_named_means_no_mail_and_says_so(tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        set_recipients(addresses=[])
    tell(tenant)
    assert send_due(tenant.pk) == 0
    assert mail.outbox == []
    assert latest(tenant).problem == "Nobody is named in the sync settings."
    assert latest(tenant).sent_at is None


def test_thousand_errors_are_one_mail_with_the_counts(tenant: Tenant) -> None:
    for _ in range(50):
        errors(tenant, **{Category.TOO_LONG: 15, Category.INVALID_EMAIL: 5})
    errors(tenant, **{Category.ROW_LOCKED: 1})
    assert send_due(tenant.pk) == 0, "it waits for what else goes wrong"
    with time_machine.travel(timezone.now() + COLLECT_FOR):
        assert send_due(tenant.pk) == 1
    (sent,) = mail.outbox
    assert [line.split(" ×")[0] for line in sent.body.splitlines() if " × " in line] == ["750", "250", "1"]


def test_digest_comes_once_an_hour_at_most(tenant: Tenant) -> None:
    start = timezone.now()
    for minute in range(0, 180, 2):
        with time_machine.travel(start + timedelta(minutes=minute)):
            errors(tenant, **{Category.TOO_LONG: 1})
            send_due(tenant.pk)
    with tenant_transaction(tenant.pk):
        times = [notice.sent_at for notice in Notice.objects.filter(sent_at__isnull=False).order_by("sent_at")]
        counted = sum(sum(notice.facts.values()) for notice in Notice.objects.all())
    assert len(times) == len(mail.outbox) == 3
    assert all(later - earlier >= DIGEST_EVERY for earlier, later in pairwise(times))
    assert counted == 90


def test_nothing_new_is_no_digest(tenant: Tenant) -> None:
    errors(tenant)
    with tenant_transaction(tenant.pk):
        assert not Notice.objects.exists()


def test_second_digest_cannot_wait_beside_the_first(tenant: Tenant) -> None:
    errors(tenant, too_long=1)
    with tenant_transaction(tenant.pk), pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.create(kind=NoticeKind.SYNC_ERRORS, subject="Second", due_at=timezone.now())


class Refusing(EmailBackend):
    """A mail server that is not there for the first two mails."""

    left = 2

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if Refusing.left:
            Refusing.left -= 1
            raise ConnectionRefusedError
        return super().send_messages(list(email_messages))


def test_mail_that_the_server_refused_is_sent_later(tenant: Tenant, settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    tell(tenant)
    assert send_due(tenant.pk) == 0
    assert "ConnectionRefusedError" in latest(tenant).problem
    assert send_due(tenant.pk) == 0, "not before its time"
    start = timezone.now()
    for minutes in (3, 8):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            send_due(tenant.pk)
    assert len(mail.outbox) == 1
    assert (latest(tenant).problem, latest(tenant).sent_to) == ("", [ADA])


def test_line_break_in_a_subject_adds_no_header(tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        notify(kind=NoticeKind.NEEDS_YOU, subject="Needs you\nBcc: thief@example.com", facts={})
    send_due(tenant.pk)
    assert mail.outbox[0].subject == "Needs you Bcc: thief@example.com"
    assert mail.outbox[0].recipients() == [ADA]


def test_other_tenants_notices_and_recipients_stay_their_own(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_transaction(other_tenant.pk):
        set_recipients(addresses=[EVE])
        notify(kind=NoticeKind.NEEDS_YOU, subject="Theirs", facts={})
        assert Recipients.objects.get().addresses == [EVE]
    assert send_due(tenant.pk) == 0
    assert send_due(other_tenant.pk) == 1
    assert mail.outbox[0].to == [EVE]


def test_tick_calls_for_what_is_due_only(tenant: Tenant, other_tenant: Tenant) -> None:
    assert wake_due_notices() == 0
    tell(tenant)
    with tenant_transaction(other_tenant.pk):
        notify(kind=NoticeKind.SYNC_ERRORS, subject="Later", facts={"too_long": 1})
    assert wake_due_notices() == 1
    with time_machine.travel(timezone.now() + COLLECT_FOR):
        assert wake_due_notices() == 2

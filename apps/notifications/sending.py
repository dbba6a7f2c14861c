"""Notices become mail: claimed, sent outside the transaction, written down."""

from datetime import timedelta
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone

from apps.core.db import dispatcher_transaction
from apps.core.queue import wake
from apps.domain.remedies import words_for
from apps.notifications.models import Notice, NoticeKind, Recipients
from apps.notifications.services import SEND_TASK
from apps.tenants.models import Membership
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction

log = structlog.get_logger(__name__)

_AT_ONCE = 20
_MOST_ATTEMPTS = 6
_TIMEOUT = 20
_FOR_ADMINS = frozenset({NoticeKind.WEBHOOK_OFF.value})
_NOBODY = "Nobody is named in the sync settings."


def send_due(tenant_id: int) -> int:
    """Send the tenant's due notices; answers how many mails went out.

    A notice is marked as sent before it is handed to the mail server, so that a worker that dies in between loses
    a mail instead of sending two. A server that refuses gets it again later.
    """
    with tenant_transaction(tenant_id):
        notices = _claim()
    return sum(_send(tenant_id, notice) for notice in notices)


def wake_due_notices() -> int:
    """Call for the sending of what is due; the dispatcher's part."""
    with dispatcher_transaction():
        due = Notice._base_manager.filter(due_at__lte=timezone.now()).values_list("tenant_id", flat=True)
        found = sorted(set(due[:1000]))
        for tenant_id in found:
            wake(SEND_TASK, tenant_id, queue="routine")
    return len(found)


def body_of(notice: Notice) -> str:
    """The mail's text: what happened, the facts one a line, and where to look."""
    if notice.kind == NoticeKind.SYNC_ERRORS:
        facts = [f"{count:,} × {words_for(name).title}" for name, count in _by_count(notice.facts)]
    else:
        facts = [f"{name}: {value}" for name, value in notice.facts]
    lines = [notice.subject, "", *facts]
    if notice.path:
        lines += ["", f"Look at it: {settings.SYNCLINE_BASE_URL}{notice.path}"]
    lines += ["", f"You get this mail because {_because(notice)}."]
    return "\n".join(lines)


def _because(notice: Notice) -> str:
    if notice.to:
        return "a rule of your team names you"
    return "you look after Syncline" if notice.kind in _FOR_ADMINS else "you are named in the sync settings of Syncline"


def _by_count(facts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(facts.items(), key=lambda fact: (-fact[1], fact[0]))


def _addresses(kind: str) -> list[str]:
    """Who is told of this: the recipients, and the admins of what is theirs to mend."""
    row = Recipients.objects.first()
    named = list(row.addresses) if row is not None else []
    if kind in _FOR_ADMINS:
        named += Membership.objects.filter(role__in=[Role.OWNER, Role.ADMIN]).values_list("user__email", flat=True)
    return list(dict.fromkeys(named))


def _claim() -> list[Notice]:
    now = timezone.now()
    due = Notice.objects.select_for_update(skip_locked=True).filter(due_at__lte=now).order_by("due_at", "id")
    notices = list(due[:_AT_ONCE])
    for notice in notices:
        addresses = list(notice.to) or _addresses(notice.kind)
        notice.due_at, notice.attempts = None, notice.attempts + 1
        notice.sent_at, notice.sent_to = (now, addresses) if addresses else (None, [])
        notice.problem = "" if addresses else _NOBODY
        notice.save(update_fields=["due_at", "attempts", "sent_at", "sent_to", "problem"])
    return [notice for notice in notices if notice.sent_to]


def _send(tenant_id: int, notice: Notice) -> bool:
    """Hand one mail to the server. Each recipient's address stays unseen by the others."""
    addresses = notice.sent_to
    mail = EmailMessage(
        subject=" ".join(notice.subject.split()),
        body=body_of(notice),
        to=addresses[:1] if len(addresses) == 1 else [],
        bcc=addresses if len(addresses) > 1 else [],
        connection=get_connection(timeout=_TIMEOUT),
    )
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        log.warning("mail_not_sent", notice=notice.pk, error=type(error).__name__)
        _later(tenant_id, notice, f"The mail server refused it ({type(error).__name__}).")
        return False
    return True


def _later(tenant_id: int, notice: Notice, problem: str) -> None:
    again = timezone.now() + timedelta(minutes=2**notice.attempts)
    with tenant_transaction(tenant_id):
        is_over = notice.attempts >= _MOST_ATTEMPTS
        Notice.objects.filter(id=notice.pk).update(
            due_at=None if is_over else again, sent_at=None, sent_to=[], problem=problem
        )

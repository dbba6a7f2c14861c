"""Writing notices in the transaction of what they tell."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.core.queue import wake
from apps.notifications.models import Notice, NoticeKind, Recipients
from apps.tenants.scope import current_tenant_id

__all__ = ["NoticeKind", "notify", "set_recipients"]

SEND_TASK = "apps.notifications.tasks.send"
DIGEST_EVERY = timedelta(hours=1)
COLLECT_FOR = timedelta(minutes=2)
"""A digest waits so long for what else goes wrong in the same sync."""

_FOLD = """
INSERT INTO notifications_notice AS n (tenant_id, kind, subject, facts, path, due_at, sent_to, problem)
VALUES (%(tenant)s, %(kind)s, %(subject)s, %(facts)s::jsonb, %(path)s, %(due)s, '[]', '')
ON CONFLICT (tenant_id, kind) WHERE kind = 'sync_errors' AND due_at IS NOT NULL DO UPDATE
SET facts = (
    SELECT jsonb_object_agg(name, coalesce((n.facts->>name)::int, 0) + coalesce((excluded.facts->>name)::int, 0))
    FROM (SELECT jsonb_object_keys(n.facts || excluded.facts) AS name) names
)
"""


def notify(*, kind: NoticeKind, subject: str, facts: Mapping[str, Any], path: str = "", to: Sequence[str] = ()) -> None:
    """Have the tenant's recipients told, or those that are named, in the open transaction.

    ``facts`` are words to show (name → value); of SYNC_ERRORS they are the number of new errors by category, which
    fold into one digest: at most one mail an hour, never one a row.
    """
    now = timezone.now()
    if kind is NoticeKind.SYNC_ERRORS:
        _fold(subject, facts, path, _digest_due(now))
        return
    lines = [[name, str(value)] for name, value in facts.items()]
    notice: Notice = Notice.objects.create(
        kind=kind, subject=subject[:200], facts=lines, path=path, to=list(to), due_at=now
    )
    wake(SEND_TASK, notice.tenant_id or 0, queue="routine")


def set_recipients(*, addresses: Sequence[str]) -> None:
    """Who is told from now on; none: nobody."""
    Recipients.objects.update_or_create(defaults={"addresses": list(dict.fromkeys(addresses))})


def _digest_due(now: datetime) -> datetime:
    sent = Notice.objects.filter(kind=NoticeKind.SYNC_ERRORS, sent_at__isnull=False).order_by("-sent_at").first()
    soon = now + COLLECT_FOR
    return max(soon, sent.sent_at + DIGEST_EVERY) if sent is not None and sent.sent_at else soon


def _fold(subject: str, facts: Mapping[str, Any], path: str, due: datetime) -> None:
    if not facts:
        return
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "kind": NoticeKind.SYNC_ERRORS.value,
        "subject": subject[:200],
        "facts": json.dumps(dict(facts)),
        "path": path,
        "due": due,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, values)

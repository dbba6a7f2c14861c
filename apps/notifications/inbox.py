"""Notices in the app: every member has the tenant's, each with their own mark of what they have read."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.core.paging import Order
from apps.notifications.models import Notice, NoticeRead
from apps.tenants.models import User

NEWEST = Order("newest", ("id",), (int,), descending=True)
KEPT_FOR = timedelta(days=90)
MOST_COUNTED = 99


def notices_for(user: User) -> "QuerySet[Notice]":
    """What a member may read of the last 90 days; ``is_read`` tells whether they have. One that names addresses is for
    those alone."""
    return _shown(user).annotate(is_read=_read_by(user))


def unread_count(user: User) -> int:
    """How many a member has not read, counted no further than a hundred."""
    return len(_shown(user).exclude(_read_by(user)).values("id").order_by("-id")[: MOST_COUNTED + 1])


def mark_read(*, user: User, ids: Iterable[int] | None = None) -> int:
    """Mark notices as read by a member: those with these ids, or all. Answers how many were unread."""
    rows = _shown(user).exclude(_read_by(user))
    if ids is not None:
        rows = rows.filter(id__in=list(ids))
    fresh = list(rows.values_list("id", flat=True))
    NoticeRead.objects.bulk_create(
        [NoticeRead(user_id=user.pk, notice_id=number) for number in fresh], ignore_conflicts=True
    )
    return len(fresh)


def _shown(user: User) -> "QuerySet[Notice]":
    mine = Q(to=[]) | Q(to__contains=[user.email])
    rows: QuerySet[Notice] = Notice.objects.filter(mine, created_at__gte=timezone.now() - KEPT_FOR)
    return rows


def _read_by(user: User) -> Exists:
    return Exists(NoticeRead.objects.filter(user_id=user.pk, notice_id=OuterRef("id")))

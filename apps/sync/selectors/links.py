"""Links of a record, and the record of a Salesforce id."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.audience.fields import RECORD_COLUMNS
from apps.audience.models import Record
from apps.domain.values import Unreadable, normalize_id
from apps.integrations.models import Connection
from apps.sync.local import MODELS
from apps.sync.models import RecordLink


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link as a page shows it; ``url`` opens the record in Salesforce and is empty where that cannot be known."""

    sobject: str
    remote_id: str
    url: str
    is_leading: bool
    is_live: bool
    pulled_at: datetime | None
    pushed_at: datetime | None
    remote_created_at: datetime | None
    created_run_id: int | None
    created_at: datetime
    is_apart: bool = False


def record_url(instance_url: str, remote_id: str) -> str:
    """The address that opens a record in Salesforce, whatever its sObject."""
    is_web = instance_url.startswith(("https://", "http://"))
    return f"{instance_url.rstrip('/')}/{remote_id}" if is_web and remote_id.isalnum() else ""


def links_of(local_type: str, local_id: int) -> list[LinkView]:
    """The links of one record, the leading one first."""
    links = list(RecordLink.objects.filter(**{RECORD_COLUMNS[local_type]: local_id})[:100])
    addresses = instance_urls() if links else {}
    views = [_view(link, addresses.get(link.connection_id, "")) for link in links]
    return sorted(views, key=lambda view: (not view.is_leading, not view.is_live, view.created_at, view.remote_id))


def instance_urls() -> dict[int, str]:
    """Instance addresses by connection, the latest last."""
    rows: Any = Connection.objects.order_by("id").values_list("id", "instance_url")
    return dict(rows)


def _view(link: RecordLink, instance_url: str) -> LinkView:
    return LinkView(
        sobject=link.sobject,
        remote_id=link.remote_id,
        url=record_url(instance_url, link.remote_id),
        is_leading=link.is_leading,
        is_live=link.is_live,
        pulled_at=link.pulled_at,
        pushed_at=link.pushed_at,
        remote_created_at=link.remote_created_at,
        created_run_id=link.created_run_id,
        created_at=link.created_at,
        is_apart=link.is_apart,
    )


def ids_behind(typed: str, local_type: str) -> list[int]:
    """Records of one type that a typed Salesforce id (15 or 18 characters) is linked with."""
    try:
        remote_id = normalize_id(typed.strip())
    except Unreadable:
        return []
    column = RECORD_COLUMNS[local_type]
    rows: Any = RecordLink.objects.filter(
        connection_id__in=Connection.objects.values("id"), remote_id=remote_id, **{f"{column}__isnull": False}
    )
    return list(rows.values_list(column, flat=True))


def record_behind(connection: Connection | None, remote_id: str) -> tuple[str, int] | None:
    """The record (type, id) that a row is linked with."""
    try:
        wanted = normalize_id(remote_id.strip())
    except Unreadable:
        return None
    if connection is None:
        return None
    link = RecordLink.objects.filter(connection_id=connection.pk, remote_id=wanted).first()
    if link is None:
        return None
    named = ((kind, getattr(link, column)) for kind, column in RECORD_COLUMNS.items())
    kind, number = next((kind, number) for kind, number in named if number is not None)
    record: Record | None = MODELS[kind]._default_manager.filter(id=number).first()
    return (record.local_type, record.pk) if record is not None else None

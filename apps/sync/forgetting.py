"""After a disconnect that asked for it: what came from the org is deleted, or its links are closed, chunk by chunk."""

import time

from django.db import connection as database
from django.db.models import QuerySet

from apps.audience.models import Company, CustomRecord, List, ListKind, ListMembership, Opportunity, Person
from apps.audience.models.record import Record, Source
from apps.integrations.jobs import Claim, claim_job, settle_job
from apps.integrations.models import Connection, JobKind
from apps.sync.models import RecordLink, Watermark
from apps.sync.services import open_pull_run
from apps.sync_errors.models import SyncError
from apps.tenants.scope import current_tenant_id, tenant_transaction

_ROWS = 1_000
_LISTS = 20
_CHUNK_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 5.0
_LINK_COLUMNS: tuple[tuple[type[Record], str], ...] = (
    (CustomRecord, "custom_record_id"),
    (Opportunity, "opportunity_id"),
    (Person, "person_id"),
    (Company, "company_id"),
)


def forget(tenant_id: int, job_id: int) -> None:
    """Do one chunk of a forgetting job; harmless when it is done, or when the org has been connected again."""
    claim = claim_job(tenant_id, job_id)
    if claim is None:
        return
    with tenant_transaction(tenant_id):
        is_busy = open_pull_run(Connection.objects.get(id=claim.place.connection_id)) is not None
    if is_busy:  # it has been asked to stop; what it still applies must be gone afterwards, too
        settle_job(claim, is_done=False, delay=_LOOK_AGAIN_SECONDS)
        return
    until = time.monotonic() + _CHUNK_SECONDS
    while True:
        with tenant_transaction(tenant_id):
            is_done = _unlink_some(claim) if claim.kind == JobKind.UNLINK else _forget_some(claim)
        if is_done or time.monotonic() > until:
            settle_job(claim, is_done=is_done)
            return


def _forget_some(claim: Claim) -> bool:
    """Delete the next rows; True when nothing is left. What a member made here stays, without its link."""
    ended = Connection.objects.select_for_update().get(id=claim.place.connection_id)
    if ended.is_live:
        return True
    links = RecordLink.objects.filter(connection_id=ended.pk)
    for model, column in _LINK_COLUMNS:
        ids = list(links.filter(**{f"{column}__isnull": False}).values_list(column, flat=True)[:_ROWS])
        if ids:
            _delete_or_unlink(model, column, ids, links)
            return False
    lists = List.objects.filter(kind=ListKind.CAMPAIGN, created_at__lte=ended.disconnected_at)
    ids = list(lists.values_list("id", flat=True)[:_ROWS])
    if ids:
        _delete_rows(List._meta.db_table, ids)
        return False
    SyncError.objects.filter(connection_id=ended.pk).delete()
    Watermark.objects.filter(connection_id=ended.pk).delete()
    return True


def _unlink_some(claim: Claim) -> bool:
    """Close the next links of an org that is left for another; True when none is left. Every record stays, and what
    it is linked with in the other org meanwhile, too."""
    ended = Connection.objects.select_for_update().get(id=claim.place.connection_id)
    if ended.is_live:
        return True
    links = RecordLink.objects.filter(connection_id=ended.pk)
    for model, column in _LINK_COLUMNS:
        pairs = dict(links.filter(**{f"{column}__isnull": False}).values_list("remote_id", column)[:_ROWS])
        if pairs:
            led = model.objects.filter(id__in=set(pairs.values()), leading_remote_id__in={*pairs, ""})
            led.update(leading_sobject="", leading_remote_id="")
            links.filter(remote_id__in=set(pairs)).delete()
            return False
    campaigns = List.objects.filter(kind=ListKind.CAMPAIGN, created_at__lte=ended.disconnected_at)
    ids = list(campaigns.exclude(remote_id="").values_list("id", flat=True)[:_LISTS])
    if ids:
        ListMembership.objects.filter(list_id__in=ids).update(remote_id="")
        List.objects.filter(id__in=ids).update(kind=ListKind.STATIC, remote_id="")
        return False
    SyncError.objects.filter(connection_id=ended.pk).delete()
    Watermark.objects.filter(connection_id=ended.pk).delete()
    return True


def _delete_or_unlink(model: type[Record], column: str, ids: list[int], links: "QuerySet[RecordLink]") -> None:
    came = list(model.objects.filter(id__in=ids, source=Source.SALESFORCE).values_list("id", flat=True))
    _delete_rows(model._meta.db_table, came)
    links.filter(**{f"{column}__in": ids}).delete()
    model.objects.filter(id__in=ids).update(leading_sobject="", leading_remote_id="")


def _delete_rows(table: str, ids: list[int]) -> None:
    """Delete by the database's own cascades, which know links, memberships, roles and search tokens."""
    with database.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE tenant_id = %s AND id = ANY(%s)", [current_tenant_id(), ids])

"""Lists that are to be kept as Campaigns: each Campaign is made once, and is the list's from then on."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection as database
from django.db.models import Q
from django.utils import timezone

from apps.audience.models import List, ListKind, OutState
from apps.core import crash
from apps.domain.failures import Category, RowFailure
from apps.domain.ports import WriteOperation, WriteResult
from apps.domain.retry import next_attempt
from apps.integrations.soql import made_text
from apps.sync.models import EntryAction, WriteIntent
from apps.sync.push.errands import ORG_WIDE, Errand, Fate, close_errors, note_failures, write_down
from apps.sync.push.intending import insert_intents
from apps.tenants.scope import current_tenant_id, tenant_transaction

CAMPAIGN, LABEL = "Campaign", "Campaigns"
_JOURNAL = "list"
_AT_ONCE = 200
_MARGIN = timedelta(minutes=5)
_WHEN_ORG_CHANGES = timedelta(hours=1)
_LOOK_AGAIN = timedelta(hours=6)

_TAKE_IN = (
    """
    UPDATE audience_listmembership AS m SET list_id = %(to)s WHERE m.tenant_id = %(tenant)s AND m.list_id = %(of)s
    AND NOT EXISTS (SELECT 1 FROM audience_listmembership o WHERE o.tenant_id = m.tenant_id AND o.list_id = %(to)s
                    AND o.person_id = m.person_id)
    """,
    "DELETE FROM audience_listmembership WHERE tenant_id = %(tenant)s AND list_id = %(of)s",
    "DELETE FROM audience_list WHERE tenant_id = %(tenant)s AND id = %(of)s",
)
"""A pull was faster than the answer to our write: its list is the one that we have."""


def make_campaigns(errand: Errand) -> bool:
    """Make the next Campaigns; False where none is to be made."""
    rows = _due(errand)
    if not rows:
        return False
    rows = [row for row in rows if not _found(errand, row)]
    if not rows:
        return True
    with tenant_transaction(errand.hold.tenant_id):
        errand.hold.check()
        insert_intents([_intent(errand, row) for row in rows])
    crash.point("campaigns_intended")
    results = list(errand.gateway.write(CAMPAIGN, WriteOperation.CREATE, [_body(row) for row in rows]))
    crash.point("campaigns_written")
    with tenant_transaction(errand.hold.tenant_id):
        errand.hold.check()
        _settle(errand, rows, results)
    return True


def _due(errand: Errand) -> list[List]:
    now = timezone.now()
    with tenant_transaction(errand.hold.tenant_id):
        errand.hold.check()
        schema = errand.schema(CAMPAIGN)
        is_due = Q(out_due_at__isnull=True) | Q(out_due_at__lte=now)
        waiting = List.objects.filter(is_due, kind=ListKind.CAMPAIGN, remote_id="", out_state=OutState.WAITING)
        if schema is None:
            waiting.update(out_due_at=now + _LOOK_AGAIN, out_note="This org shows no Campaigns.")
            return []
        rows = list(waiting.order_by("id")[:_AT_ONCE])
        if rows and not schema.createable:
            words = "The sync user may not make Campaigns: it needs “Marketing User”."
            note_failures(errand, CAMPAIGN, [RowFailure(Category.INSUFFICIENT_ACCESS, words)])
            waiting.update(out_due_at=now + _WHEN_ORG_CHANGES, out_note=words)
            return []
        return rows


def _body(row: List) -> dict[str, object]:
    return {"Name": row.name, "IsActive": True}


def _intent(errand: Errand, row: List) -> WriteIntent:
    return WriteIntent(
        connection_id=errand.connection.pk,
        run_id=errand.run.pk,
        sobject=CAMPAIGN,
        remote_id="",
        local_type=_JOURNAL,
        local_id=row.pk,
        operation=WriteOperation.CREATE,
        values={"Name": row.name},
        local_version=0,
        cause="user_write",
    )


def _found(errand: Errand, row: List) -> bool:
    """Whether the Campaign was made by an attempt that was broken off; then it is the list's."""
    with tenant_transaction(errand.hold.tenant_id):
        open_ones = WriteIntent.objects.filter(local_type=_JOURNAL, local_id=row.pk, closed_at__isnull=True)
        begun = open_ones.order_by("id").first()
    if begun is None:
        return False
    since = begun.opened_at + (errand.gateway.org_time() - timezone.now()) - _MARGIN
    by, name = errand.connection.user_remote_id, begun.values["Name"]
    text = made_text(CAMPAIGN, ["Id"], since=since, by=by, field="Name", value=name)
    ids = [str(found["Id"]) for found in errand.gateway.query(text)]
    with tenant_transaction(errand.hold.tenant_id):
        errand.hold.check()
        taken = set(List.objects.filter(remote_id__in=ids).exclude(id=row.pk).values_list("remote_id", flat=True))
        # One that a pull took in just now has no other maker than the attempt that is looked for.
        chosen = next((one for one in ids if one not in taken), ids[0] if ids else "")
        if chosen:
            _settle(errand, [row], [WriteResult(chosen)])
        else:
            _close([row], "abandoned")
    return bool(chosen)


def _close(rows: Sequence[List], outcome: str) -> None:
    WriteIntent.objects.filter(
        local_type=_JOURNAL, local_id__in=[row.pk for row in rows], closed_at__isnull=True
    ).update(closed_at=timezone.now(), outcome=outcome)


def _settle(errand: Errand, rows: Sequence[List], results: Sequence[WriteResult]) -> None:
    """In the open transaction: the list knows its Campaign, or why there is none."""
    now = timezone.now()
    fates, failures = [], []
    for row, result in zip(rows, results, strict=True):
        if result.is_success:
            _take_in(row, result.remote_id)
            List.objects.filter(id=row.pk).update(
                remote_id=result.remote_id, out_state=OutState.NONE, out_note="", out_due_at=None
            )
            fates.append(Fate(CAMPAIGN, result.remote_id, None, EntryAction.CREATED, "campaign_made"))
            continue
        failure = result.failures[0]
        failures.append(failure)
        again = next_attempt(failure.category, 1, now=now, jitter=0.5)
        again = now + _WHEN_ORG_CHANGES if failure.category in ORG_WIDE else again
        state = OutState.WAITING if again is not None else OutState.REFUSED
        List.objects.filter(id=row.pk).update(out_state=state, out_note=failure.message, out_due_at=again)
        fates.append(Fate(CAMPAIGN, "", None, EntryAction.FAILED, failure.category))
    _close(rows, "written")
    if failures:
        note_failures(errand, CAMPAIGN, failures)
    if len(failures) < len(rows):
        close_errors(errand, CAMPAIGN)
    write_down(errand, CAMPAIGN, LABEL, fates)


def _take_in(row: List, remote_id: str) -> None:
    twin = List.objects.filter(remote_id=remote_id).exclude(id=row.pk).first()
    if twin is None:
        return
    with database.cursor() as cursor:
        for statement in _TAKE_IN:
            cursor.execute(statement, {"tenant": current_tenant_id(), "to": row.pk, "of": twin.pk})

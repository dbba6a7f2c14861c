"""Creations whose answer never came, in orgs without our external id: looked for by who made what, and when."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.domain.failures import Category, RowFailure
from apps.domain.rows import fields_of, row_from_json
from apps.integrations.soql import made_text
from apps.sync.contexts import steps_of
from apps.sync.models import RecordLink, WriteIntent
from apps.sync.push.failing import refuse
from apps.sync.push.reading import read_fields
from apps.sync.push.round import Round
from apps.tenants.scope import tenant_transaction

_MARGIN = timedelta(minutes=5)
"""Two clocks are compared, and the intent was written down before the row was made."""
_NAMES = ("LastName", "Name")


def find_unanswered(work: Round, records: Collection[int]) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    """The row that an open creation of each record has made, where there is one: it has the name that was sent, is
    ours by its creator and its time, and belongs to nobody. Where several fit, a person has to say which."""
    found = {}
    for intent in _open_creations(work, records):
        rows = _rows(work, intent)
        if len(rows) == 1:
            found[intent.local_id] = [(intent.sobject, rows[0])]
        elif rows:
            _ask(work, intent, rows)
    return found


def _open_creations(work: Round, records: Collection[int]) -> list[WriteIntent]:
    with tenant_transaction(work.hold.tenant_id):
        latest = WriteIntent.objects.filter(
            connection_id=work.connection.pk,
            local_type=work.local_type,
            local_id__in=list(records),
            remote_id="",
            closed_at__isnull=True,
            sobject__in=list(work.schemas),
        )
        return list({intent.local_id: intent for intent in latest.order_by("id")}.values())


def _rows(work: Round, intent: WriteIntent) -> list[dict[str, Any]]:
    name = next((name for name in _NAMES if name in intent.values), None)
    if name is None:
        return []
    since = intent.opened_at + (work.gateway.org_time() - timezone.now()) - _MARGIN
    text = made_text(
        intent.sobject,
        read_fields(work, intent.sobject),
        since=since,
        by=work.connection.user_remote_id,
        field=name,
        value=intent.values[name],
    )
    rows = {str(row["Id"]): row for row in work.gateway.query(text)}
    with tenant_transaction(work.hold.tenant_id):
        links = RecordLink.objects.filter(connection_id=work.connection.pk, remote_id__in=list(rows))
        taken = set(links.values_list("remote_id", flat=True))
    free = [row for remote_id, row in rows.items() if remote_id not in taken]
    return [row for row in free if _holds(work, intent, row)] or free


def _holds(work: Round, intent: WriteIntent, row: Mapping[str, Any]) -> bool:
    """Whether the row still has every value that was sent, as far as it was read."""
    fields = fields_of(step for step in steps_of(work.run) if step.sobject == intent.sobject)
    values = row_from_json(row, fields).values
    return all(values[name] == text for name, text in intent.values.items() if values.get(name) is not None)


def _ask(work: Round, intent: WriteIntent, rows: list[dict[str, Any]]) -> None:
    words = "It may have been made in Salesforce already: several new rows fit."
    ids = tuple(str(row["Id"]) for row in rows)
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        failure = RowFailure(Category.AMBIGUOUS_MATCH, words, matched_ids=ids)
        refuse(work, work.claims[intent.local_id], [failure], sobject=intent.sobject)

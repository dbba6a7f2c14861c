"""Reading, in a push, what Salesforce holds now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.audience.fields import RECORD_COLUMNS
from apps.domain.automatic import AUTOMATIC
from apps.domain.automatic import READ as AUTOMATIC_READ
from apps.domain.rows import DELETION_FIELDS, PERSON_ACCOUNT, SYSTEM_FIELDS, Fields, fields_of
from apps.domain.values import FieldType
from apps.integrations.soql import find_text
from apps.sync.contexts import steps_of
from apps.sync.desk import OPT_OUT_FIELD
from apps.sync.linked import links_of
from apps.sync.push.round import Round
from apps.sync.push.statuses import LEAD, STATUS
from apps.tenants.scope import tenant_transaction

ON_EVERY_ROW = AUTOMATIC | {OPT_OUT_FIELD}
"""Fields whose change is told to every live row of a record, not only to the leading one."""
_ID_PART = 200
"""Ids in one question for rows that a read did not show."""


def linked_rows(work: Round) -> dict[str, dict[str, int]]:
    """Live linked rows to be read, by sObject: id → record; the leading ones, and all where consent or something
    that goes out by itself has changed."""
    wanted: dict[str, dict[str, int]] = defaultdict(dict)
    key = RECORD_COLUMNS[work.local_type]
    with tenant_transaction(work.hold.tenant_id):
        links = links_of(work.connection.pk, work.local_type, work.claims.keys())
        for link in (one for one in links if one.is_live):
            record_id = getattr(link, key)
            claim = work.claims[record_id]
            is_for_all = not ON_EVERY_ROW.isdisjoint(claim.fields)
            if (link.is_leading or is_for_all) and link.sobject in work.schemas:
                wanted[link.sobject][link.remote_id] = record_id
    return wanted


def read_fields(work: Round, sobject: str) -> list[str]:
    """Fields that are read of a row: what the engine, the mappings and the filters look at, where visible."""
    shown = work.schemas[sobject].fields
    steps = [step for step in steps_of(work.run) if step.sobject == sobject]
    own = [*_read_besides(work, sobject), *(["AccountId"] if work.account is not None else [])]
    return [name for name in dict.fromkeys((*SYSTEM_FIELDS, *fields_of(steps), *own)) if name in shown]


def _read_besides(work: Round, sobject: str) -> Fields:
    """What is read of a person's row though no step maps it."""
    status: Fields = {STATUS: (FieldType.PICKLIST, None)} if sobject == LEAD and work.status_steps else {}
    return {**AUTOMATIC_READ, **status} if work.local_type == "person" else {}


def read_kinds(work: Round, sobject: str) -> Fields:
    """How the values that were read are made canonical; what goes out by itself is only looked at here, in a push."""
    return {**_read_besides(work, sobject)} | fields_of(step for step in steps_of(work.run) if step.sobject == sobject)


def read_rows(work: Round, sobject: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The rows as Salesforce holds them now, 2,000 a call. One that does not show is asked for among the deleted."""
    fields = read_fields(work, sobject)
    found = work.gateway.read(sobject, ids, fields)
    missing = [remote_id for remote_id in ids if remote_id not in found]
    rows = list(found.values())
    shown = [*fields, *(name for name in DELETION_FIELDS if name in work.schemas[sobject].fields)]
    for start in range(0, len(missing), _ID_PART):
        text = find_text(sobject, shown, "Id", missing[start : start + _ID_PART])
        rows += list(work.gateway.query(text, include_deleted=True))
    return rows


def note_person_accounts(work: Round, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep in mind which of the rows read are person accounts."""
    if work.account is not None:
        work.person_accounts |= {
            str(row["Id"]): str(row["AccountId"]) for row in rows if row.get(PERSON_ACCOUNT) and row.get("AccountId")
        }

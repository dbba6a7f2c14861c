"""One record: create, read, update, delete, upsert by a key, and the lists of updated and deleted ids."""

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from emulator.call import Call, Response
from emulator.errors import Problem, Refused, bare, not_found
from emulator.ids import is_id, normalized
from emulator.records import Several, Writer
from emulator.rules import alive_ids
from emulator.schema import Field, SObject
from emulator.soql.run import compound_json
from emulator.store import column
from emulator.values import moment_text, parse_moment, rest_moment, to_json, to_stored

_UPSERT_BODY_VERSION = 46


def answer(call: Call, sobject: SObject, tail: str) -> Response:
    """Resources below ``sobjects/X``."""
    if not tail:
        if call.method != "POST":
            raise Refused(
                405, Problem("METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed.", code_first=True)
            )
        return _create(call, sobject)
    if tail in {"updated", "deleted"} and call.method == "GET":
        return _changed(call, sobject, deleted=tail == "deleted")
    key, slash, value = tail.partition("/")
    if slash:
        return _by_key(call, sobject, key, value)
    return _one(call, sobject, key)


def _create(call: Call, sobject: SObject) -> Response:
    new_id = Writer(call.org, call.author).create(sobject.name, call.fields())
    location = f"/services/data/v{call.version}/sobjects/{sobject.name}/{new_id}"
    return Response(201, {"id": new_id, "success": True, "errors": []}, {"Location": location})


def _row(call: Call, sobject: SObject, record_id: str) -> dict[str, Any]:
    if not is_id(record_id):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {record_id}")
    row = call.org.store.row(sobject.name, normalized(record_id))
    if row is None or call.org.store.is_invisible(row["Id"]):
        raise not_found()
    return row


def _one(call: Call, sobject: SObject, record_id: str) -> Response:
    row = _row(call, sobject, record_id)
    writer = Writer(call.org, call.author)
    if call.method == "PATCH":
        writer.update(sobject.name, row["Id"], _without_id(call))
        return Response(204)
    if call.method == "DELETE":
        writer.delete(sobject.name, row["Id"])
        return Response(204)
    if row.get("IsDeleted") == "true":
        raise not_found()
    return _shown(call, sobject, row)


def _without_id(call: Call) -> dict[str, Any]:
    values = call.fields()
    if any(key.lower() == "id" for key in values):
        raise bare("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    return values


def _shown(call: Call, sobject: SObject, row: dict[str, Any]) -> Response:
    wanted = [name for name in call.query.get("fields", "").split(",") if name]
    fields = list(sobject.fields.values())
    if wanted:
        found = {name: sobject.find(name.strip()) for name in wanted}
        for name, known in found.items():
            if known is None:
                raise bare("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
        own = sobject.fields["Id"]
        fields = [known for known in found.values() if known is not None]
        fields = fields if own in fields else [*fields, own]
    record = record_json(call.version, sobject, row, fields)
    moment = parse_moment(str(row.get("LastModifiedDate") or row.get("SystemModstamp") or "")) or datetime.now(UTC)
    tag = hashlib.sha256(str(sorted(row.items(), key=str)).encode()).hexdigest()[:40]
    headers = {"ETag": f'"{tag}--gzip"', "Last-Modified": format_datetime(moment, usegmt=True)}
    if headers["ETag"] == call.headers.get("if-none-match"):
        return Response(304, headers=headers)
    return Response(200, record, headers)


def record_json(version: str, sobject: SObject, row: dict[str, Any], fields: list[Field]) -> dict[str, Any]:
    """A record with these fields (rest/get-record-account-200.json)."""
    url = f"/services/data/v{version}/sobjects/{sobject.name}/{row['Id']}"
    record: dict[str, Any] = {"attributes": {"type": sobject.name, "url": url}}
    for field in fields:
        if field.is_stored:
            record[field.name] = to_json(field, row.get(field.name))
            continue
        parts = [p for p in sobject.fields.values() if p.compound == field.name]
        record[field.name] = compound_json([(p.name, p, row.get(p.name)) for p in parts])
    return record


def _by_key(call: Call, sobject: SObject, key: str, value: str) -> Response:
    """``sobjects/X/Field/Value``: read, upsert or delete by an external id."""
    field = sobject.find(key)
    if field is None or not field.is_lookup_key:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {key}")
    if call.method in {"GET", "DELETE"}:
        if field.type == "id":
            return _one(call, sobject, value)
        ids = alive_ids(call.org, sobject, field, to_stored(field, value))
        if len(ids) > 1:
            raise Several(sobject.name, ids)
        if not ids:
            raise not_found()
        return _one(call, sobject, ids[0])
    values = call.fields()
    if any(name.lower() == field.name.lower() for name in values):
        raise bare("INVALID_FIELD", f"The {field.name} field should not be specified in the sobject data.")
    update_only = call.query.get("updateOnly", "").lower() == "true"
    new_id, created = Writer(call.org, call.author).upsert(sobject.name, key, value, values, update_only=update_only)
    if not created and int(call.version.partition(".")[0]) < _UPSERT_BODY_VERSION:
        return Response(204)
    body: dict[str, Any] = {"id": new_id, "success": True, "errors": []}
    if int(call.version.partition(".")[0]) >= _UPSERT_BODY_VERSION:
        body["created"] = created
    location = f"/services/data/v{call.version}/sobjects/{sobject.name}/{new_id}"
    return Response(201 if created else 200, body, {"Location": location} if created else {})


def _changed(call: Call, sobject: SObject, *, deleted: bool) -> Response:
    """getUpdated and getDeleted: windows to the minute, by SystemModstamp (facts.md, section 6)."""
    start, end = (parse_moment(call.query.get(key, "").replace(" ", "+")) for key in ("start", "end"))
    now = call.org.now()
    if start is None or end is None:
        raise bare("INVALID_REPLICATION_DATE", "start and end must be dates with time")
    if end - start < timedelta(minutes=1):
        raise bare("INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
    days = 15 if deleted else 30
    if start < now - timedelta(days=days):
        raise bare("INVALID_REPLICATION_DATE", f"startDate before org replication enabled date or {days} days ago")
    window = [moment_text(moment.replace(second=0, microsecond=0)) for moment in (start, end)]
    flag = "true" if deleted else "false"
    statement = (
        f'SELECT "Id", "SystemModstamp" FROM {column(sobject.name)} WHERE "SystemModstamp" >= ? '
        f'AND "SystemModstamp" < ? AND "IsDeleted" = ? ORDER BY "SystemModstamp" LIMIT 600001'
    )
    rows = call.org.store.connection.execute(statement, [*window, flag]).fetchall()
    if len(rows) > 600_000:
        raise bare("EXCEEDED_ID_LIMIT", "cannot return more than 600000 ids")
    covered = rest_moment(moment_text(min(end, now).replace(second=0, microsecond=0)))
    if not deleted:
        return Response(200, {"ids": [row[0] for row in rows], "latestDateCovered": covered})
    earliest = rest_moment(moment_text(now - timedelta(days=15)))
    found = [{"id": row[0], "deletedDate": rest_moment(row[1])} for row in rows]
    return Response(200, {"deletedRecords": found, "earliestDateAvailable": earliest, "latestDateCovered": covered})

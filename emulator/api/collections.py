"""composite/sobjects: up to 200 records a call, one result each, in their order (recorded/collections)."""

from collections.abc import Callable
from typing import Any

from emulator.api.records import record_json
from emulator.call import Call, Response
from emulator.errors import Outcome, Problem, Refused, bare, not_found
from emulator.ids import is_id, normalized
from emulator.records import Several, Writer
from emulator.rules import problem_of
from emulator.soql.errors import SoqlError
from emulator.values import Unparsable

_MOST = 200
_MOST_READ = 2000
_ROLLED_BACK = Problem(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


class _RolledBack(Exception):
    """Undo the transaction of an all-or-none call."""


def answer(call: Call, rest: str) -> Response:
    """``composite/sobjects`` with POST, PATCH, DELETE, and reading by ids."""
    writer = Writer(call.org, call.author)
    if call.method == "DELETE":
        ids = [one for one in call.query.get("ids", "").split(",") if one]
        all_or_none = call.query.get("allOrNone", "").lower() == "true"
        return _each(call, ids, lambda one: _deleted(writer, one), all_or_none)
    if rest and (call.method == "GET" or "ids" in call.fields()):
        return _read(call, rest.partition("/")[0])
    data = call.fields()
    records = data.get("records") or []
    if not records:
        raise bare("REQUIRED_FIELD_MISSING", "At least 1 record is required")
    if len(records) > _MOST:
        raise bare("EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached. cannot submit more than {_MOST} records")
    all_or_none = bool(data.get("allOrNone", False))
    if rest:
        name, _, key = rest.partition("/")
        if call.method != "PATCH" or not key:
            raise not_found()
        return _each(call, records, lambda one: _upserted(writer, name, key, one), all_or_none, with_created=True)
    act = _updated if call.method == "PATCH" else _created
    return _each(call, records, lambda one: act(writer, one), all_or_none)


def _each(
    call: Call, records: list[Any], act: Callable[[Any], Outcome], all_or_none: bool, *, with_created: bool = False
) -> Response:
    if len(records) > _MOST:
        raise bare("EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached. cannot submit more than {_MOST} records")
    outcomes: list[Outcome] = []
    try:
        with call.org.store.transaction():
            outcomes = [_safely(act, record) for record in records]
            if all_or_none and not all(outcome.succeeded for outcome in outcomes):
                raise _RolledBack
    except _RolledBack:
        outcomes = [Outcome(problems=(_ROLLED_BACK,)) if outcome.succeeded else outcome for outcome in outcomes]
    return Response(
        200, [outcome.row() | ({"created": outcome.created} if with_created else {}) for outcome in outcomes]
    )


def _safely(act: Callable[[Any], Outcome], record: Any) -> Outcome:
    try:
        return act(record)
    except Refused as error:
        return Outcome(problems=error.problems)
    except Unparsable as error:
        return Outcome(problems=(problem_of(error, whole_request=False),))
    except SoqlError as error:
        return Outcome(problems=(Problem(error.code, error.message),))
    except Several as error:
        return Outcome(problems=(Problem("DUPLICATE_EXTERNAL_ID", f"more than one record found: {error.ids}"),))


def _kind(record: Any) -> str:
    kind = (record.get("attributes") or {}).get("type") if isinstance(record, dict) else None
    if not kind:
        raise Refused(400, Problem("INVALID_TYPE", "sObject type was not specified in the attributes of a record", ()))
    return str(kind)


def _values(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key.lower() not in {"attributes", "id"}}


def _own_id(record: dict[str, Any]) -> str:
    return str(next((value for key, value in record.items() if key.lower() == "id"), "") or "")


def _created(writer: Writer, record: dict[str, Any]) -> Outcome:
    return Outcome(writer.create(_kind(record), _values(record)))


def _updated(writer: Writer, record: dict[str, Any]) -> Outcome:
    kind, own = _kind(record), _own_id(record)
    if not own:
        raise Refused(400, Problem("MISSING_ARGUMENT", "Id not specified in an update call", ()))
    return Outcome(writer.update(kind, own, _values(record)))


def _upserted(writer: Writer, name: str, key: str, record: dict[str, Any]) -> Outcome:
    if _kind(record).lower() != name.lower():
        raise Refused(400, Problem("INVALID_TYPE", "the type of a record is not that of the URL", ()))
    value = next((found for field, found in record.items() if field.lower() == key.lower()), None)
    values = {field: found for field, found in _values(record).items() if field.lower() != key.lower()}
    new_id, created = writer.upsert(name, key, value, values)
    return Outcome(new_id, created=created)


def _deleted(writer: Writer, record_id: str) -> Outcome:
    sobject = writer.org.visible.of_id(record_id)
    if not is_id(record_id) or sobject is None:
        raise Refused(400, Problem("MALFORMED_ID", f"malformed id {record_id}", ()))
    return Outcome(writer.delete(sobject.name, record_id))


def _read(call: Call, name: str) -> Response:
    """Up to 2,000 rows by id, null for those that are not there."""
    sobject = call.org.visible.find(name)
    if sobject is None:
        raise not_found()
    data = (
        call.fields()
        if call.method == "POST"
        else {key: call.query.get(key, "").split(",") for key in ("ids", "fields")}
    )
    ids = [normalized(str(one)) for one in data.get("ids") or [] if one]
    if len(ids) > _MOST_READ:
        raise bare("EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached. cannot read more than {_MOST_READ} records")
    fields = []
    for wanted in data.get("fields") or []:
        known = sobject.find(str(wanted).strip())
        if known is None:
            raise bare("INVALID_FIELD", f"No such column '{wanted}' on sobject of type {sobject.name}")
        fields.append(known)
    if sobject.fields["Id"] not in fields:
        fields.append(sobject.fields["Id"])
    found: list[dict[str, Any] | None] = []
    for one in ids:
        row = call.org.store.row(sobject.name, one)
        gone = row is None or row.get("IsDeleted") == "true" or call.org.store.is_invisible(one)
        found.append(None if gone or row is None else record_json(call.version, sobject, row, fields))
    return Response(200, found)

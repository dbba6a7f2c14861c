"""Running a compiled query: rows as REST answers them, and the cursor for the rest of a long result."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from emulator.org import Org
from emulator.schema import Schema
from emulator.soql.compiler import ChildQuery, Compiled, Output, View, compile_query
from emulator.soql.errors import SoqlError
from emulator.values import Stored, to_json

PAGE = 2000
_LONGEST = 100_000
_COMPOUND = ("city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "street")


@dataclass(slots=True)
class Cursor:
    """A snapshot of ids; values are read page by page (facts.md, section 6)."""

    compiled: Compiled
    ids: list[str]
    page: int
    id: str = field(default_factory=lambda: f"0r8{secrets.token_hex(7)}A"[:18])


@dataclass(slots=True)
class Answer:
    """One page of a result."""

    total: int
    records: list[dict[str, Any]]
    cursor: Cursor | None = None
    following: int = 0

    def body(self, version: str) -> dict[str, Any]:
        """As REST answers it (recorded/query)."""
        answer: dict[str, Any] = {"totalSize": self.total, "done": self.cursor is None}
        if self.cursor is not None:
            answer["nextRecordsUrl"] = f"/services/data/v{version}/query/{self.cursor.id}-{self.following}"
        return answer | {"records": self.records}


def view_of(org: Org, schema: Schema, *, user_id: str = "", include_deleted: bool = False, is_api: bool = True) -> View:
    """How a user's query looks at an org."""
    invisible = is_api and org.store.has_invisible()
    slow_beyond = org.options["slow_beyond"] if is_api else None
    return View(schema, org.now(), user_id, include_deleted, invisible, slow_beyond)


def run_query(org: Org, view: View, text: str, version: str, page: int = PAGE) -> Answer:
    """The first page of a query; raises SoqlError."""
    if len(text) > _LONGEST:
        raise SoqlError("MALFORMED_QUERY", f"SOQL statements cannot be longer than {_LONGEST} characters.")
    compiled = compile_query(text, view)
    database = org.store.connection
    parameters = compiled.parameters + compiled.tail_parameters
    _check_patience(org, view, compiled, parameters)
    if compiled.is_count:
        inner = compiled.statement("1")
        return Answer(int(database.execute(f"SELECT count(*) FROM ({inner})", parameters).fetchone()[0]), [])
    columns = ", ".join(compiled.columns)
    if compiled.is_aggregate:
        rows = database.execute(compiled.statement(columns), parameters).fetchall()
        return Answer(len(rows), [_aggregate(compiled, row) for row in rows])
    wanted = page + 1 if compiled.limit is None else min(compiled.limit, page + 1)
    limits = f" LIMIT {wanted} OFFSET {compiled.offset or 0}"
    rows = database.execute(compiled.statement(columns, limits=limits), parameters).fetchall()
    if len(rows) <= page:
        return Answer(len(rows), _records(org, compiled, rows, version))
    ids = [row[0] for row in database.execute(compiled.statement(compiled.columns[0]), parameters)]
    cursor = Cursor(compiled, ids, page)
    return Answer(len(ids), _records(org, compiled, rows[:page], version), cursor, page)


def _check_patience(org: Org, view: View, compiled: Compiled, parameters: list[Any]) -> None:
    """An org may take queries over many rows for too slow, however few of them are wanted."""
    if view.slow_beyond is None:
        return
    inner = compiled.statement("1", limits=f" LIMIT {view.slow_beyond + 1}")
    (met,) = org.store.connection.execute(f"SELECT count(*) FROM ({inner})", parameters).fetchone()
    if met > view.slow_beyond:
        raise SoqlError("QUERY_TIMEOUT", "Your query request was running for too long.")


def next_page(org: Org, cursor: Cursor, start: int, version: str) -> Answer:
    """A later page."""
    ids = cursor.ids[start : start + cursor.page]
    compiled = cursor.compiled
    statement = (
        f"SELECT {', '.join(compiled.columns)}{compiled.source} "
        f"WHERE {compiled.columns[0]} IN (SELECT value FROM json_each(?))"
    )
    found = {row[0]: row for row in org.store.connection.execute(statement, [json.dumps(ids)])}
    rows = [found[one] for one in ids if one in found]
    after = start + len(ids)
    is_last = after >= len(cursor.ids)
    records = _records(org, compiled, rows, version)
    return Answer(len(cursor.ids), records, None if is_last else cursor, after)


def _aggregate(compiled: Compiled, row: tuple[Any, ...]) -> dict[str, Any]:
    record: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
    for output in compiled.outputs:
        if isinstance(output, Output):
            record[output.key] = to_json(output.field, row[output.at])
    return record


def _records(org: Org, compiled: Compiled, rows: list[tuple[Any, ...]], version: str) -> list[dict[str, Any]]:
    children = {
        id(output): _children_of(org, output.compiled, [row[0] for row in rows], version)
        for output in compiled.outputs
        if isinstance(output, ChildQuery)
    }
    return [_record(compiled, row, version, children) for row in rows]


def _children_of(org: Org, compiled: Compiled, ids: list[str], version: str) -> dict[str, list[dict[str, Any]]]:
    key = compiled.columns[0]
    extra = f"{key} IN (SELECT value FROM json_each(?))"
    statement = compiled.statement(", ".join(compiled.columns), extra, limits="")
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for row in org.store.connection.execute(statement, [*compiled.parameters, json.dumps(ids)]):
        grouped.setdefault(row[0], []).append(row)
    return {
        parent: _records(org, compiled, rows[: compiled.limit], version) for parent, rows in grouped.items()
    }  # fmt: skip


def _record(
    compiled: Compiled, row: tuple[Any, ...], version: str, children: dict[int, dict[str, list[dict[str, Any]]]]
) -> dict[str, Any]:
    name = compiled.sobject.name
    own_id = row[_id_column(compiled)]
    record: dict[str, Any] = {"attributes": _attributes(name, own_id, version)}
    for output in compiled.outputs:
        if isinstance(output, ChildQuery):
            found = children[id(output)].get(row[0])
            record[output.key] = {"totalSize": len(found), "done": True, "records": found} if found else None
            continue
        holder = _holder(compiled, row, record, output.relations, version)
        if holder is not None:
            holder[output.key] = _value(output, row)
    return record


def _id_column(compiled: Compiled) -> int:
    """Subqueries carry their foreign key in front of the id."""
    return 0 if compiled.columns[0].endswith('."Id"') else 1


def _attributes(name: str, record_id: str, version: str) -> dict[str, str]:
    return {"type": name, "url": f"/services/data/v{version}/sobjects/{name}/{record_id}"}


def _holder(
    compiled: Compiled, row: tuple[Any, ...], record: dict[str, Any], relations: tuple[str, ...], version: str
) -> dict[str, Any] | None:
    """The (nested) record that a value belongs to; None where the parent row is missing."""
    holder = record
    for depth, relation in enumerate(relations, 1):
        id_at, type_at = compiled.relations[relations[:depth]]
        if relation not in holder:
            parent_id = row[id_at]
            holder[relation] = {"attributes": _attributes(row[type_at], parent_id, version)} if parent_id else None
        if holder[relation] is None:
            return None
        holder = holder[relation]
    return holder


def _value(output: Output, row: tuple[Any, ...]) -> Any:
    if output.parts:
        return compound_json([(name, field, row[at]) for name, field, at in output.parts])
    return to_json(output.field, row[output.at]) if output.at >= 0 else None


def compound_json(parts: list[tuple[str, Any, Stored]]) -> dict[str, Any] | None:
    """A compound address as REST shows it; None where all parts are blank."""
    if all(value is None for _, _, value in parts):
        return None
    shown: dict[str, Any] = dict.fromkeys(_COMPOUND)
    for name, known, value in parts:
        for key in _COMPOUND:
            if name.lower().endswith(key.lower()):
                shown[key] = to_json(known, value)
    return shown

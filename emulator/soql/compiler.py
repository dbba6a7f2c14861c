"""From a tree to SQL of SQLite, and to the shape of the answer."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.schema import Field, Schema, SObject
from emulator.soql.conditions import Conditions
from emulator.soql.errors import SoqlError, at
from emulator.soql.parser import AGGREGATES, parse
from emulator.soql.scope import Scope
from emulator.soql.tree import Call, Path, Query, Selected, TypeOf
from emulator.store import column

_DATES = {
    "CALENDAR_YEAR": "%Y", "CALENDAR_MONTH": "%m", "DAY_IN_MONTH": "%d", "DAY_IN_YEAR": "%j", "HOUR_IN_DAY": "%H",
    "WEEK_IN_YEAR": "%W", "FISCAL_YEAR": "%Y", "FISCAL_MONTH": "%m", "WEEK_IN_MONTH": "%W",
}  # fmt: skip
_SAME = frozenset({"FORMAT", "TOLABEL", "CONVERTCURRENCY", "CONVERTTIMEZONE", "GROUPING"})
_INT = Field("expr", "int", "expr")


@dataclass(slots=True)
class Output:
    """One value of the answer: where it goes and from which columns it comes."""

    relations: tuple[str, ...]
    key: str
    field: Field
    at: int
    parts: tuple[tuple[str, Field, int], ...] = ()
    is_expression: bool = False


@dataclass(slots=True)
class ChildQuery:
    """A subquery in SELECT: its key in the record and the foreign key of its rows."""

    key: str
    compiled: "Compiled"


@dataclass(slots=True)
class Compiled:
    """A query as SQL."""

    sobject: SObject
    columns: list[str] = field(default_factory=list)
    outputs: list[Output | ChildQuery] = field(default_factory=list)
    relations: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)
    source: str = ""
    where: str = ""
    parameters: list[Any] = field(default_factory=list)
    tail_parameters: list[Any] = field(default_factory=list)
    grouping: str = ""
    order: str = ""
    limit: int | None = None
    offset: int | None = None
    is_count: bool = False
    is_aggregate: bool = False

    @property
    def limits(self) -> str:
        if self.limit is None and self.offset is None:
            return ""
        return f" LIMIT {-1 if self.limit is None else self.limit} OFFSET {self.offset or 0}"

    def statement(self, columns: str, extra: str = "", *, limits: str | None = None) -> str:
        """SELECT with these columns and one more condition."""
        tests = [test for test in (self.where, extra) if test]
        where = " WHERE " + " AND ".join(tests) if tests else ""
        limits = self.limits if limits is None else limits
        return f"SELECT {columns}{self.source}{where}{self.grouping}{self.order}{limits}"


@dataclass(frozen=True, slots=True)
class View:
    """How a query looks at an org: what it may see, when, and whether deleted rows count."""

    schema: Schema
    now: datetime
    user_id: str = ""
    include_deleted: bool = False
    has_invisible: bool = False
    slow_beyond: int | None = None


def compile_query(text: str, view: View) -> Compiled:
    """Parse and compile; raises SoqlError."""
    return _Compiler(text, view, parse(text), "t").compiled()


class _Compiler:
    def __init__(self, text: str, view: View, query: Query, alias: str, parent: SObject | None = None) -> None:
        self.text, self.view, self.query, self.now = text, view, query, view.now
        sobject = self._sobject(parent)
        self.scope = Scope(view.schema, text, sobject, alias, query.alias)
        self.out = Compiled(sobject)
        self.expressions = 0

    def _sobject(self, parent: SObject | None) -> SObject:
        name = self.query.sobject.parts[-1]
        if parent is not None:
            child = next((c for c in _children(self.view.schema, parent) if c[0].lower() == name.lower()), None)
            if child is None:
                message = f"Didn't understand relationship '{name}' in FROM part of query call."
                raise at("INVALID_TYPE", self.text, self.query.sobject.position, message)
            self.relation, name, self.key = child
        found = self.view.schema.find(name)
        if found is None or "q" not in found.flags:
            raise at(
                "INVALID_TYPE",
                self.text,
                self.query.sobject.position,
                f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to "
                "append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
                "appropriate names.",
            )
        return found

    # -- whole query ------------------------------------------------------------------------------------------

    def compiled(self) -> Compiled:
        query, out = self.query, self.out
        out.is_aggregate = bool(query.group_by) or any(
            isinstance(item, Selected) and isinstance(item.what, Call) and item.what.name in AGGREGATES
            for item in query.selected
        )
        first = query.selected[0]
        what = first.what if isinstance(first, Selected) else None
        if isinstance(what, Call) and what.name == "COUNT" and not what.arguments:
            out.is_count, out.is_aggregate = True, False
        else:
            self._select()
        self._where()
        self._group()
        self._order()
        out.limit, out.offset = query.limit, query.offset
        if out.is_aggregate and not query.group_by and query.limit is not None:
            message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise SoqlError("MALFORMED_QUERY", message)
        if (query.offset or 0) > 2000:
            raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        out.source = f" FROM {column(out.sobject.name)} {self.scope.alias}{''.join(self.scope.joins)}"
        return out

    def _where(self) -> None:
        view, alias = self.view, self.scope.alias
        tests = []
        if not view.include_deleted and self.out.sobject.is_soft_deleted:
            tests.append(f"{alias}.\"IsDeleted\" = 'false'")
        if view.has_invisible:
            tests.append(f'{alias}."Id" NOT IN (SELECT id FROM _invisible)')
        if self.query.scope.lower() == "mine" and "OwnerId" in self.out.sobject.fields:
            tests.append(f'{alias}."OwnerId" = ?')
            self.out.parameters.append(view.user_id)
        if self.query.where is not None:
            conditions = Conditions(self)
            tests.append(conditions.sql(self.query.where))
            self.out.parameters += conditions.parameters
        self.out.where = " AND ".join(tests)

    def _group(self) -> None:
        query = self.query
        if query.group_by:
            self.out.grouping = " GROUP BY " + ", ".join(self.expression(what)[0] for what in query.group_by)
        if query.having is None:
            return
        if not query.group_by:
            raise SoqlError("MALFORMED_QUERY", "HAVING clause requires a GROUP BY clause")
        conditions = Conditions(self)
        self.out.grouping += f" HAVING {conditions.sql(query.having)}"
        self.out.tail_parameters += conditions.parameters

    def _order(self) -> None:
        parts = []
        for order in self.query.order_by:
            text, known = self.expression(order.what)
            text += " DESC" if order.descending else ""
            if known.type != "id" and known.name != "SystemModstamp":
                text += " NULLS LAST" if order.nulls_last else " NULLS FIRST"
            parts.append(text)
        self.out.order = " ORDER BY " + ", ".join(parts) if parts else ""

    # -- SELECT -----------------------------------------------------------------------------------------------

    def _column(self, text: str) -> int:
        if text in self.out.columns:
            return self.out.columns.index(text)
        self.out.columns.append(text)
        return len(self.out.columns) - 1

    def _select(self) -> None:
        if not self.out.is_aggregate:
            self._column(f'{self.scope.alias}."Id"')
        for item in self.query.selected:
            if isinstance(item, Query):
                self._child(item)
            elif isinstance(item, TypeOf):
                self._type_of(item)
            elif isinstance(item.what, Call) and item.what.name == "FIELDS":
                self._fields(item.what)
            elif self.out.is_aggregate:
                self._aggregated(item)
            else:
                self._plain(item)

    def _child(self, query: Query) -> None:
        inner = _Compiler(self.text, self.view, query, "c", self.out.sobject)
        inner.out.columns.append(f"c.{column(inner.key)}")
        compiled = inner.compiled()
        self.out.outputs.append(ChildQuery(inner.relation, compiled))

    def _type_of(self, item: TypeOf) -> None:
        for branch in item.branches:
            for path in branch.paths:
                self._plain(Selected(Path((*item.relation.parts, *path.parts), path.position)))

    def _fields(self, call: Call) -> None:
        kind = call.arguments[0].parts[0].upper() if call.arguments and isinstance(call.arguments[0], Path) else ""
        if kind not in {"ALL", "STANDARD", "CUSTOM"}:
            raise at("MALFORMED_QUERY", self.text, call.position, "FIELDS takes ALL, STANDARD or CUSTOM")
        if kind != "STANDARD" and (self.query.limit is None or self.query.limit > 200):
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise SoqlError("MALFORMED_QUERY", message)
        for known in self.out.sobject.fields.values():
            if kind == "ALL" or known.is_custom == (kind == "CUSTOM"):
                self._add((), f"{self.scope.alias}.{column(known.name)}", known)

    def _plain(self, item: Selected) -> None:
        if item.alias:
            raise at("MALFORMED_QUERY", self.text, item.what.position, "only aggregate expressions use field aliasing")
        if isinstance(item.what, Path):
            relations, text, known = self.scope.resolve(item.what)
            self._add(relations, text, known)
            return
        text, known = self.expression(item.what)
        self.out.outputs.append(Output((), known.name, known, self._column(text)))

    def _add(self, relations: tuple[str, ...], text: str, known: Field) -> None:
        node = self.scope.nodes[relations]
        for depth in range(1, len(relations) + 1):
            parent = self.scope.nodes[relations[:depth]]
            self.out.relations[relations[:depth]] = self._column(parent.id_text), self._column(parent.type_text)
        parts: list[tuple[str, Field, int]] = []
        if not known.is_stored:
            alias, sobject = node.targets[0]
            parts = [
                (part.name, part, self._column(f"{alias}.{column(part.name)}"))
                for part in sobject.fields.values()
                if part.compound == known.name
            ]
        where = -1 if not known.is_stored else self._column(text)
        self.out.outputs.append(Output(relations, known.name, known, where, tuple(parts)))

    def _aggregated(self, item: Selected) -> None:
        text, known = self.expression(item.what)
        if isinstance(item.what, Path):
            grouped = {self.expression(what)[0] for what in self.query.group_by}
            if text not in grouped:
                message = f"Field must be grouped or aggregated: {item.what.text}"
                raise at("MALFORMED_QUERY", self.text, item.what.position, message)
            key = item.alias or known.name
        else:
            key = item.alias or f"expr{self.expressions}"
            self.expressions += 0 if item.alias else 1
        self.out.outputs.append(Output((), key, known, self._column(text), is_expression=True))

    # -- expressions ------------------------------------------------------------------------------------------

    def expression(self, operand: Path | Call) -> tuple[str, Field]:
        """SQL and field of a path or function call."""
        if isinstance(operand, Path):
            if len(operand.parts) == 1 and operand.parts[0] in (aliases := self._aliases()):
                return self.expression(aliases[operand.parts[0]])
            _, text, known = self.scope.resolve(operand)
            return text, known
        return self._call(operand)

    def _aliases(self) -> dict[str, Path | Call]:
        items = [item for item in self.query.selected if isinstance(item, Selected) and item.alias]
        return {item.alias: item.what for item in items if isinstance(item.what, Call)}

    def _call(self, call: Call) -> tuple[str, Field]:
        if not call.arguments:
            if call.name == "COUNT":
                return "count(*)", _INT
            raise self._no_function(call)
        inner, known = self.expression(call.arguments[0])
        if call.name in {"COUNT", "COUNT_DISTINCT"}:
            return f"count({'DISTINCT ' if call.name == 'COUNT_DISTINCT' else ''}{inner})", _INT
        if call.name in {"SUM", "AVG"}:
            return f"{call.name.lower()}({inner})", Field("expr", "double", "expr")
        if call.name in {"MIN", "MAX"}:
            return f"{call.name.lower()}({inner})", known
        if call.name in _SAME:
            return inner, known
        return self._date_call(call, inner)

    def _date_call(self, call: Call, inner: str) -> tuple[str, Field]:
        if call.name == "DAY_ONLY":
            return f"substr({inner}, 1, 10)", Field("expr", "date", "expr")
        if call.name == "DAY_IN_WEEK":
            return f"(CAST(strftime('%w', {inner}) AS INTEGER) + 1)", _INT
        if call.name in {"CALENDAR_QUARTER", "FISCAL_QUARTER"}:
            return f"((CAST(strftime('%m', {inner}) AS INTEGER) + 2) / 3)", _INT
        if call.name not in _DATES:
            raise self._no_function(call)
        return f"CAST(strftime('{_DATES[call.name]}', {inner}) AS INTEGER)", _INT

    def _no_function(self, call: Call) -> SoqlError:
        return at("MALFORMED_QUERY", self.text, call.position, f"Invalid field/function: '{call.name}'")

    def semi_join(self, query: Query) -> tuple[str, list[Any]]:
        """A subquery of IN: one column of another object."""
        inner = _Compiler(self.text, self.view, query, f"{self.scope.alias}x")
        item = query.selected[0]
        if not isinstance(item, Selected) or len(query.selected) > 1:
            raise at("MALFORMED_QUERY", self.text, query.sobject.position, "a semi join selects one field")
        text, known = inner.expression(item.what)
        compiled = inner.compiled()
        not_null = f"{text} IS NOT NULL" if known.type == "reference" else ""
        return compiled.statement(text, not_null), compiled.parameters


def _children(schema: Schema, parent: SObject) -> list[tuple[str, str, str]]:
    """Name, object and foreign key of the child relationships of an object."""
    found = [(child.name, child.sobject, child.field) for child in parent.children]
    for other in schema.objects.values():
        found += [
            (f"{other.plural.replace(' ', '_')}__r", other.name, key.name)
            for key in other.fields.values()
            if key.is_custom and parent.name in key.refers_to
        ]
    return found

"""SOQL → SQL of SQLite: a tokenizer and a recursive descent parser for what clients of this kind send."""

import re
from dataclasses import dataclass, field
from typing import Any

from emulator.schema import SOBJECTS, SObject


class SoqlError(Exception):
    """A refused query: Salesforce's code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.]*)|(?P<op><=|>=|!=|<>|[=<>(),]))"
)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_UPPER = {
    "select",
    "from",
    "where",
    "and",
    "or",
    "not",
    "like",
    "in",
    "order",
    "by",
    "limit",
    "asc",
    "desc",
    "null",
    "true",
    "false",
    "nulls",
    "first",
    "last",
    "count",
    "includes",
    "excludes",
    "all",
    "rows",
    "offset",
}


@dataclass
class Query:
    """A compiled query."""

    sobject: SObject
    fields: list[str]
    columns: list[str]
    is_count: bool = False
    joins: dict[str, tuple[str, str]] = field(default_factory=dict)
    where: str = ""
    parameters: list[Any] = field(default_factory=list)
    order: str = ""
    limit: int | None = None

    def from_clause(self, include_deleted: bool) -> str:
        """FROM, joins and WHERE."""
        text = f' FROM "{self.sobject.name}" t'
        for alias, (column, target) in self.joins.items():
            text += f' LEFT JOIN "{target}" {alias} ON {alias}."Id" = t."{column}"'
        conditions = [] if include_deleted else ["t.\"IsDeleted\" = 'false'"]
        if self.where:
            conditions.append(self.where)
        return text + (" WHERE " + " AND ".join(conditions) if conditions else "")


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if not found:
                raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{text[at : at + 20].strip()}'")
            kind = str(found.lastgroup)
            self.tokens.append((kind, found.group(kind)))
            at = found.end()
        self.at = 0

    def peek(self) -> str:
        if self.at >= len(self.tokens):
            return ""
        kind, value = self.tokens[self.at]
        return value.lower() if kind == "name" and value.lower() in _UPPER else value

    def take(self, wanted: str | None = None) -> str:
        value = self.peek()
        if not value or (wanted is not None and value != wanted):
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{value or '<EOF>'}'")
        self.at += 1
        return value

    def accept(self, wanted: str) -> bool:
        if self.peek() == wanted:
            self.at += 1
            return True
        return False

    def query(self) -> Query:
        self.take("select")
        names: list[str] = []
        is_count = False
        while True:
            name = self.take()
            if name == "count" and self.accept("("):
                self.take(")")
                is_count = True
            else:
                names.append(name)
            if not self.accept(","):
                break
        self.take("from")
        sobject = SOBJECTS.get(self.take())
        if sobject is None:
            name = self.tokens[self.at - 1][1]
            raise SoqlError(
                "INVALID_TYPE",
                f"\n{self.text}\n^\nERROR at Row:1:Column:1\nsObject type '{name}' is not supported. If you are "
                "attempting to use a custom object, be sure to append the '__c' after the entity name. Please "
                "reference your WSDL or the describe call for the appropriate names.",
            )
        query = Query(sobject, names, [], is_count)
        query.columns = [self.column(query, name) for name in names]
        if self.accept("where"):
            query.where = self.either(query)
        if self.accept("order"):
            self.take("by")
            query.order = self.ordering(query)
        if self.accept("limit"):
            query.limit = int(self.take())
        if self.accept("all"):
            self.take("rows")
        if self.peek():
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{self.peek()}'")
        return query

    def column(self, query: Query, name: str) -> str:
        relation, _, rest = name.rpartition(".")
        if not relation or relation == query.sobject.name:
            if rest in query.sobject.fields:
                return f't."{rest}"'
        else:
            link = query.sobject.fields.get(relation + "Id")
            if link and link.refers_to and rest in SOBJECTS[link.refers_to].fields:
                query.joins[f"j_{relation}"] = (link.name, link.refers_to)
                return f'j_{relation}."{rest}"'
        raise SoqlError(
            "INVALID_FIELD",
            f"\n{self.text}\n^\nERROR at Row:1:Column:{self.text.find(name) + 1}\nNo such column '{name}' on entity "
            f"'{query.sobject.name}'. If you are attempting to use a custom field, be sure to append the '__c' after "
            "the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
        )

    def ordering(self, query: Query) -> str:
        parts = []
        while True:
            column = self.column(query, self.take())
            way = "DESC" if self.accept("desc") else "ASC"
            self.accept("asc")
            nulls = "FIRST" if way == "ASC" else "LAST"
            if self.accept("nulls"):
                nulls = "FIRST" if self.accept("first") else ("LAST" if self.accept("last") else nulls)
            parts.append(f"{column} {way} NULLS {nulls}")
            if not self.accept(","):
                return ", ".join(parts)

    def either(self, query: Query) -> str:
        parts = [self.both(query)]
        while self.accept("or"):
            parts.append(self.both(query))
        return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"

    def both(self, query: Query) -> str:
        parts = [self.one(query)]
        while self.accept("and"):
            parts.append(self.one(query))
        return parts[0] if len(parts) == 1 else f"({' AND '.join(parts)})"

    def one(self, query: Query) -> str:
        if self.accept("not"):
            return f"NOT coalesce({self.one(query)}, 0)"
        if self.accept("("):
            inner = self.either(query)
            self.take(")")
            return f"({inner})"
        column = self.column(query, self.take())
        negated = self.accept("not")
        operator = self.take()
        if operator == "in":
            return self.listed(query, column, negated)
        if operator == "like":
            query.parameters.append(self.literal())
            return f"{column} LIKE ? ESCAPE '\\'"
        if operator not in {"=", "!=", "<>", "<", "<=", ">", ">="}:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{operator}'")
        kind = self.tokens[self.at][0] if self.at < len(self.tokens) else ""
        value = self.literal()
        if value is None:
            return f"{column} IS {'NOT ' if operator != '=' else ''}NULL"
        query.parameters.append(float(value) if kind == "number" else value)
        left = f"CAST({column} AS REAL)" if kind == "number" else column
        collate = " COLLATE NOCASE" if kind == "text" else ""
        test = f"{left} {operator} ?{collate}"
        return f"({test} OR {column} IS NULL)" if operator in {"!=", "<>"} else test

    def listed(self, query: Query, column: str, negated: bool) -> str:
        self.take("(")
        values = [self.literal()]
        while self.accept(","):
            values.append(self.literal())
        self.take(")")
        query.parameters.extend(values)
        return f"{column} {'NOT ' if negated else ''}IN ({', '.join('?' * len(values))})"

    def literal(self) -> str | None:
        if self.at >= len(self.tokens):
            raise SoqlError("MALFORMED_QUERY", "unexpected token: '<EOF>'")
        kind, value = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            return re.sub(r"\\(.)", lambda m: _ESCAPED.get(m.group(1), m.group(1)), value[1:-1], flags=re.S)
        if kind == "moment":
            return _moment(value)
        if kind == "name" and value.lower() in {"null", "true", "false"}:
            return None if value.lower() == "null" else value.lower()
        if kind == "number":
            return value
        raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{value}'")


def _moment(text: str) -> str:
    if "T" not in text:
        return text
    base = re.sub(r"(Z|[+-]\d\d:?\d\d)$", "", text)
    return base + ("Z" if "." in base else ".000Z")


def parse(text: str) -> Query:
    """Compile a query; raises SoqlError as Salesforce refuses it."""
    return _Parser(text).query()

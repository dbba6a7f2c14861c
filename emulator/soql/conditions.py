"""WHERE and HAVING as SQL with parameters. Comparisons with null follow SOQL: != and NOT IN find blanks."""

import re
from datetime import UTC, datetime
from typing import Any, Protocol

from emulator.ids import is_id, normalized
from emulator.schema import Field
from emulator.soql.errors import SoqlError, at
from emulator.soql.lexer import unquoted
from emulator.soql.periods import period
from emulator.soql.tree import Among, Call, Compare, Condition, Joined, Literal, Not, Path, Query
from emulator.values import moment_text, parse_moment

_LONG = 255
_KINDS = {"boolean": {"true", "false"}, "date": {"date", "period"}, "datetime": {"moment", "period"},
          "int": {"number"}, "long": {"number"}, "double": {"number"}, "currency": {"number"},
          "percent": {"number"}}  # fmt: skip
_WORDS = {"datetime": "dateTime", "currency": "double", "percent": "double", "long": "int"}


class Names(Protocol):
    """What conditions need from the query they belong to."""

    text: str
    now: datetime

    def expression(self, operand: Path | Call) -> tuple[str, Field]:
        """SQL expression and field of an operand."""
        ...

    def semi_join(self, query: Query) -> tuple[str, list[Any]]:
        """SQL of a subquery in a condition."""
        ...


class Conditions:
    """One condition, turned into SQL; parameters gather in ``parameters``."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.parameters: list[Any] = []

    def sql(self, condition: Condition) -> str:
        """The condition as SQL."""
        if isinstance(condition, Joined):
            return "(" + f" {condition.operator} ".join(self.sql(part) for part in condition.conditions) + ")"
        if isinstance(condition, Not):
            return f"(NOT ifnull({self.sql(condition.condition)}, 0))"
        text, field = self.names.expression(condition.left)
        self._check_filterable(condition.left, field)
        if isinstance(condition, Among):
            return self._among(condition, text, field)
        return self._compare(condition, text, field)

    def _check_filterable(self, left: Path | Call, field: Field) -> None:
        if field.type == "textarea" and field.length > _LONG and isinstance(left, Path):
            message = f"field '{field.name}' can not be filtered in a query call"
            raise at("INVALID_FIELD", self.names.text, left.position, message)

    def _compare(self, condition: Compare, text: str, field: Field) -> str:
        operator, literal = condition.operator, condition.value
        if literal.kind == "null" or (literal.kind == "text" and literal.text == "''" and operator in {"=", "!="}):
            if operator not in {"=", "!="}:
                raise self._wrong_operator(condition.left, field)
            return f"{text} IS NULL" if operator == "=" else f"{text} IS NOT NULL"
        if literal.kind == "period":
            return self._period(condition, text, field)
        value = self.value(condition.left, field, literal)
        if operator == "LIKE":
            if not field.is_text:
                raise self._wrong_operator(condition.left, field)
            self.parameters.append(_like(unquoted(literal.text)))
            return f"{text} LIKE ? ESCAPE '\\'"
        self.parameters.append(value)
        return f"{text} IS NOT ?" if operator == "!=" else f"{text} {operator} ?"

    def _wrong_operator(self, left: Path | Call, field: Field) -> SoqlError:
        message = "invalid operator"
        if field.type in {"id", "reference"}:
            message = "invalid operator on id field"
        return at("INVALID_QUERY_FILTER_OPERATOR", self.names.text, left.position, message)

    def _period(self, condition: Compare, text: str, field: Field) -> str:
        if field.type not in {"date", "datetime"}:
            raise self._wrong_type(condition.left, field)
        span = period(condition.value.text, self.names.now.date())
        if span is None:
            raise at("MALFORMED_QUERY", self.names.text, condition.value.position, "unknown date literal")
        tail = "T00:00:00.000Z" if field.type == "datetime" else ""
        first, after = (day.isoformat() + tail for day in span)
        operator = condition.operator
        if operator in {"=", "!="}:
            self.parameters += [first, after]
            inside = f"({text} >= ? AND {text} < ?)"
            return inside if operator == "=" else f"(NOT ifnull({inside}, 0))"
        self.parameters.append(first if operator in {"<", ">="} else after)
        return f"{text} {'<' if operator in {'<', '<='} else '>='} ?"

    def _among(self, condition: Among, text: str, field: Field) -> str:
        operator = condition.operator
        if operator in {"INCLUDES", "EXCLUDES"}:
            found = " OR ".join(self._includes(text, unquoted(value.text)) for value in condition.values)
            return f"({found})" if operator == "INCLUDES" else f"(NOT ifnull(({found}), 0))"
        negated = operator == "NOT IN"
        if condition.query is not None:
            inner, parameters = self.names.semi_join(condition.query)
            self.parameters += parameters
            return f"{text} {operator} ({inner})"
        values = [self.value(condition.left, field, v) for v in condition.values if v.kind != "null"]
        blank = len(values) < len(condition.values)
        self.parameters += values
        test = f"{text} {operator} ({', '.join('?' * len(values))})"
        if negated:
            return f"({test} AND {text} IS NOT NULL)" if blank else f"({test} OR {text} IS NULL)"
        return f"({test} OR {text} IS NULL)" if blank else test

    def _includes(self, text: str, wanted: str) -> str:
        parts = [part for part in wanted.split(";") if part]
        self.parameters += [f";{part};" for part in parts]
        return "(" + " AND ".join(f"instr(';' || {text} || ';', ?) > 0" for _ in parts) + ")"

    def value(self, left: Path | Call, field: Field, literal: Literal) -> Any:
        """The parameter of a literal, checked against the field's type."""
        allowed = _KINDS.get(field.type, {"text"})
        if literal.kind not in allowed:
            raise self._wrong_type(left, field)
        if literal.kind == "text":
            text = unquoted(literal.text)
            if field.type in {"id", "reference"}:
                if not is_id(text):
                    message = f"invalid ID field: {text}"
                    raise at("INVALID_QUERY_FILTER_OPERATOR", self.names.text, left.position, message)
                return normalized(text)
            return text
        if literal.kind in {"true", "false"}:
            return literal.kind
        if literal.kind == "number":
            return float(literal.text)
        moment = parse_moment(literal.text)
        if moment is None:
            raise at("MALFORMED_QUERY", self.names.text, literal.position, f"line 1: bad date {literal.text}")
        return moment_text(moment.astimezone(UTC)) if field.type == "datetime" else literal.text

    def _wrong_type(self, left: Path | Call, field: Field) -> SoqlError:
        kind = _WORDS.get(field.type, field.type if field.type in _KINDS else "string")
        quotes = "should be enclosed in quotes" if kind == "string" else "should not be enclosed in quotes"
        message = f"value of filter criterion for field '{field.name}' must be of type {kind} and {quotes}"
        return at("INVALID_FIELD", self.names.text, left.position, message)


def _like(pattern: str) -> str:
    """SOQL's wildcards are SQL's; a backslash escapes them in both."""
    return re.sub(r"\\(?![%_\\])", r"\\\\", pattern)

"""SOQL through a typed builder; the one place where values are quoted."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote

from apps.domain.filters import Filter, Group, Operator, Rule
from apps.domain.relative_dates import is_relative
from apps.domain.values import NUMERIC, FieldType

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,5}")
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
LONGEST_ADDRESS = 15_000
"""Characters of a query as part of an address, which may be about 16 KB (facts, section 10)."""
LONGEST_QUERY = 100_000
"""Characters of a query in a body (facts, section 10)."""
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", '"': '\\"'}
)


def identifier(name: str) -> str:
    """An API name, unchanged; anything else is refused."""
    if not _IDENTIFIER.fullmatch(name) or len(name) > 255:
        raise ValueError(f"not an API name: {name[:60]!r}")
    return name


def record_id(text: str) -> str:
    """A record's id, unchanged; anything else is refused, for ids become parts of addresses."""
    if not _ID.fullmatch(text):
        raise ValueError(f"not an id: {text[:40]!r}")
    return text


def quoted(text: str) -> str:
    """A text literal."""
    return "'" + text.translate(_ESCAPES) + "'"


def moment(value: datetime) -> str:
    """A date-time literal in UTC; milliseconds are kept, since watermarks need them."""
    if value.tzinfo is None:
        raise ValueError("a moment needs its zone")
    utc = value.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


_FORMS = {
    FieldType.DATE: re.compile(r"\d{4}-\d{2}-\d{2}"),
    FieldType.DATETIME: re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z"),
    FieldType.TIME: re.compile(r"\d{2}:\d{2}:\d{2}(\.\d{3})?Z"),
}


def _literal(field_type: FieldType, text: str) -> str:
    if field_type in NUMERIC:
        if not re.fullmatch(r"-?\d+(\.\d+)?", text):
            raise ValueError(f"not a number: {text[:40]!r}")
        return text
    if field_type is FieldType.BOOLEAN:
        return "TRUE" if text == "true" else "FALSE"
    form = _FORMS.get(field_type)
    if form is None:
        return quoted(text)
    if not form.fullmatch(text) and not (field_type is not FieldType.TIME and is_relative(text)):
        raise ValueError(f"not a {field_type}: {text[:40]!r}")
    return text


_COMPARISONS = {
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "<=",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: ">=",
}
_NEGATED = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN})
_EVERYTHING, _NOTHING = "Id != NULL", "Id = NULL"


def _like(text: str) -> str:
    """A text within a LIKE pattern: ``\\%`` and ``\\_`` are escapes of the literal itself, as ``\\'`` is."""
    return text.translate(_ESCAPES | {ord("%"): "\\%", ord("_"): "\\_"})


def _rule(rule: Rule) -> str:
    name = identifier(rule.field)
    match rule.operator:
        case Operator.IS_BLANK:
            return f"{name} = NULL"
        case Operator.IS_NOT_BLANK:
            return f"{name} != NULL"
        case Operator.EQUALS | Operator.NOT_EQUALS | Operator.IN | Operator.NOT_IN:
            return _listed(name, rule)
        case Operator.CONTAINS | Operator.STARTS_WITH:
            lead = "%" if rule.operator is Operator.CONTAINS else ""
            tests = [f"{name} LIKE '{lead}{_like(value)}%'" for value in rule.values]
            return f"({' OR '.join(tests)})" if len(tests) > 1 else "".join(tests) or _NOTHING
        case _:
            if not rule.values:
                raise ValueError(f"{rule.operator} compares with a value")
            return f"{name} {_COMPARISONS[rule.operator]} {_literal(rule.type, rule.values[0])}"


def _listed(name: str, rule: Rule) -> str:
    """Equal to one of the values, or to none of them; SOQL has no empty list."""
    negated = rule.operator in _NEGATED
    values = [_literal(rule.type, value) for value in dict.fromkeys(rule.values)]
    if not values:
        return _EVERYTHING if negated else _NOTHING
    if len(values) == 1:
        return f"{name} {'!=' if negated else '='} {values[0]}"
    return f"{name} {'NOT IN' if negated else 'IN'} ({', '.join(values)})"


def condition(tree: Filter) -> str:
    """A filter as a SOQL condition; an empty group admits everything and gives ``""``."""
    if isinstance(tree, Rule):
        return _rule(tree)
    assert isinstance(tree, Group)
    parts = [condition(part) for part in tree.parts]
    if not tree.all_of and "" in parts:
        return ""
    parts = [part for part in parts if part]
    return f"({(' AND ' if tree.all_of else ' OR ').join(parts)})" if parts else ""


@dataclass(frozen=True, slots=True)
class Select:
    """A query of one sObject."""

    sobject: str
    fields: Sequence[str]
    where: Filter | None = None
    order_by: Sequence[str] = ()
    limit: int | None = None

    def __str__(self) -> str:
        text = f"SELECT {', '.join(map(identifier, self.fields))} FROM {identifier(self.sobject)}"
        filtered = condition(self.where) if self.where is not None else ""
        if filtered:
            text += f" WHERE {filtered}"
        if self.order_by:
            text += f" ORDER BY {', '.join(map(identifier, self.order_by))}"
        if self.limit is not None:
            text += f" LIMIT {int(self.limit)}"
        return text


def window_text(
    sobject: str,
    fields: Sequence[str],
    *,
    since: datetime,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int | None,
) -> str:
    """The rows that changed in ``[since, until)``, by stamp and id; ``after`` names the last row that is known, and
    without ``until`` the window is open. Without ``limit`` they come in no order, as Bulk is asked.

    Paging by key, not by cursor or OFFSET: rows that change meanwhile move to a later window and none is skipped
    (facts, section 6: Query).
    """
    text = f"SELECT {', '.join(map(identifier, fields))} FROM {identifier(sobject)}"
    text += f" WHERE SystemModstamp >= {moment(since)}"
    if until is not None:
        text += f" AND SystemModstamp < {moment(until)}"
    if after is not None:
        stamp, last = moment(after[0]), quoted(record_id(after[1]))
        text += f" AND (SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > {last}))"
    return text if limit is None else f"{text} ORDER BY SystemModstamp, Id LIMIT {int(limit)}"


def find_text(sobject: str, fields: Sequence[str], field: str, values: Sequence[str]) -> str:
    """The rows that hold one of these texts in a field; without a value it finds nothing."""
    return str(Select(sobject, fields, Rule(field, FieldType.STRING, Operator.IN, tuple(values))))


def in_parts(query: Select, name: str, values: Sequence[str], *, longest: int = LONGEST_ADDRESS) -> Iterator[Select]:
    """The query asked for some of the texts ``values`` of a field at a time, each part at most ``longest`` long.

    Length is counted as in an address, where quotes and most other characters take three places or more.
    """
    rest = list(dict.fromkeys(values))
    while rest:
        size = next((n for n in _sizes(len(rest)) if address_length(_part(query, name, rest[:n])) <= longest), 0)
        if not size:
            raise ValueError("the query is too long even for one value")
        yield _part(query, name, rest[:size])
        rest = rest[size:]


def _sizes(most: int) -> Iterator[int]:
    while most > 0:
        yield most
        most = most * 3 // 4


def _part(query: Select, name: str, values: Sequence[str]) -> Select:
    rule = Rule(name, FieldType.STRING, Operator.IN, tuple(values))
    return replace(query, where=rule if query.where is None else Group((query.where, rule)))


def address_length(query: Select | str) -> int:
    """How long a query is as part of an address."""
    return len(quote(str(query)))

"""A row's values in SQL: their canonical form, what is odd about them, and what our side makes of them."""

from collections.abc import Sequence

from apps.audience.fields import Kind, LocalField
from apps.domain.mapping import FieldRule
from apps.domain.rows import PERSON_ACCOUNT
from apps.domain.values import NUMERIC, FieldType

_BLANKS = r"E' \t\n\r\f\v'"
_REFERENCES = {"company": ("sync_recordlink", "company_id"), "owner": ("audience_owner", "id")}
_NUMBER = "'^-?[0-9]{1,18}([.][0-9]{1,20})?$'"
_SHAPES = {
    FieldType.DATE: "'^[0-9]{4}-[0-9]{2}-[0-9]{2}$'",
    FieldType.DATETIME: r"'^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$'",
    FieldType.ID: "'^[A-Za-z0-9]{18}$'",
    FieldType.REFERENCE: "'^[A-Za-z0-9]{18}$'",
    FieldType.BOOLEAN: "'^(true|false)$'",
    FieldType.MULTIPICKLIST: "'^[^;]*$'",
}


def identifier(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A quoted text of ours (keys of fields); percent signs are doubled for the driver."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def canonical(rule: FieldRule) -> str:
    """The canonical text of a value (``apps.domain.values``); NULL where that is Python's to find."""
    column, kind = f"s.{identifier(rule.remote_field)}", rule.remote_type
    if kind is FieldType.TEXTAREA:  # addresses and descriptions come with carriage returns
        column = rf"replace(replace({column}, E'\r\n', E'\n'), E'\r', E'\n')"
    text = f"btrim(coalesce({column}, ''), {_BLANKS})"
    if kind is FieldType.EMAIL:
        return f"lower({text})"
    if kind in NUMERIC:
        number = f"({text})::numeric"
        if rule.scale is not None:
            number = f"round({number}, {int(rule.scale)})"
        return f"CASE WHEN {_looks_odd(rule)} THEN NULL WHEN {text} = '' THEN '' ELSE trim_scale({number})::text END"
    if kind is FieldType.BOOLEAN:
        return f"coalesce(nullif(lower({text}), ''), 'false')"
    return text


def value_of(rule: FieldRule, field: LocalField, *, has_persons: bool) -> str:
    """The canonical value; a person account has no company: its account is itself."""
    text = canonical(rule)
    if not has_persons or field.refers_to != "company":
        return text
    return f"CASE WHEN s.{identifier(PERSON_ACCOUNT)} = 'true' THEN '' ELSE {text} END"


def _looks_odd(rule: FieldRule) -> str:
    """True for a value whose canonical form is Python's to find."""
    column = f"coalesce(s.{identifier(rule.remote_field)}, '')"
    pattern = _NUMBER if rule.remote_type in NUMERIC else _SHAPES.get(rule.remote_type)
    return f"({column} <> '' AND {column} !~ {pattern})" if pattern else "false"


def oddness(rules: Sequence[FieldRule]) -> str:
    """Rows with a value out of the ordinary, a carriage return, or a value map to apply."""
    tests = [test for test in map(_looks_odd, rules) if test != "false"]
    texts = [
        f"s.{identifier(rule.remote_field)}"
        for rule in rules
        if rule.remote_type not in NUMERIC
        and rule.remote_type not in _SHAPES
        and rule.remote_type is not FieldType.TEXTAREA
    ]
    if texts:
        tests.append(rf"strpos(concat_ws('', {', '.join(texts)}), E'\r') > 0")
    if any(rule.value_map for rule in rules):
        tests.append("true")
    return " OR ".join(tests) or "false"


def reference_to(field: LocalField, value: str) -> str:
    """The id of the record of ours that a remote id stands for; NULL where it has none."""
    table, column = _REFERENCES[field.refers_to]
    extra = " AND r.connection_id = %(connection)s AND r.company_id IS NOT NULL" if table == "sync_recordlink" else ""
    return (
        f"CASE WHEN {value} = '' THEN NULL ELSE (SELECT r.{column} FROM {table} r "
        f"WHERE r.tenant_id = %(tenant)s{extra} AND r.remote_id = {value}) END"
    )


def local_value(field: LocalField, value: str, referred: str) -> str:
    """A canonical value, typed as its field's column; a reference is what ``referred`` has found."""
    match field.kind:
        case Kind.INTEGER:
            return f"nullif({value}, '')::numeric::bigint"
        case Kind.DECIMAL:
            return f"nullif({value}, '')::numeric"
        case Kind.DATE:
            return f"nullif({value}, '')::date"
        case Kind.BOOLEAN:
            return f"({value} = 'true')"
        case Kind.REFERENCE:
            return referred
        case _:
            return value


def domain(value: str) -> str:
    """``apps.domain.values.domain_of`` for websites, in SQL."""
    return (
        f"CASE WHEN {value} ~ '^[^ ]+[.][^ ]+$' THEN "
        rf"btrim(regexp_replace(regexp_replace(lower({value}), '^([a-z]+://)?(www[.])?', ''), '[/?:].*$', ''), '.') "
        "ELSE '' END"
    )

"""SOQL: no text can leave its quotes, no name can carry more than a name, and filters mean what the evaluator means."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.filters import Group, Operator, Rule
from apps.domain.values import FieldType
from apps.salesforce.soql import (
    Select,
    address_length,
    condition,
    find_text,
    identifier,
    in_parts,
    moment,
    quoted,
    record_id,
    window_text,
)

_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def unquoted(literal: str) -> str:
    """A reader of literals as the SOQL reference describes them; it refuses one that ends early."""
    assert literal[0] == literal[-1] == "'"
    assert re.fullmatch(r"(?:[^'\\]|\\.)*", literal[1:-1], re.S), literal
    return re.sub(r"\\(.)", lambda m: _UNESCAPED.get(m[1], m[1]), literal[1:-1], flags=re.S)


@given(st.text())
def test_any_text_comes_back_from_its_literal(text: str) -> None:
    assert unquoted(quoted(text)) == text


@given(st.text(min_size=1))
def test_like_pattern_holds_the_text_and_no_wildcard_of_it(text: str) -> None:
    rule = Rule("LastName", FieldType.STRING, Operator.CONTAINS, (text,))
    pattern = condition(rule).removeprefix("LastName LIKE ")
    assert unquoted(pattern) == f"%{text}%"
    inner = pattern[2:-2]
    assert not re.search(r"(?<!\\)(?:\\\\)*[%_]", inner), pattern


@given(st.text())
def test_names_that_are_no_names_are_refused(name: str) -> None:
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*", name, re.A):
        return
    with pytest.raises(ValueError):
        identifier(name)


@pytest.mark.parametrize("name", ["Name FROM User", "Id,Name", "Id\n", "Owner..Name", "1st", "a" * 256, "Näme", "(x)"])
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError):
        str(Select("Lead", [name]))
    with pytest.raises(ValueError):
        str(Select(name, ["Id"]))
    with pytest.raises(ValueError):
        condition(Rule(name, FieldType.STRING, Operator.EQUALS, ("x",)))


@pytest.mark.parametrize("text", ["//evil.example/x", "../../../oauth2/revoke", "00Q", "00Q00000000000É", "x" * 16, ""])
def test_ids_that_are_no_ids_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        record_id(text)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule("Name", FieldType.STRING, Operator.EQUALS, ("O'Brien",)), "Name = 'O\\'Brien'"),
        (Rule("Name", FieldType.STRING, Operator.NOT_EQUALS, ("a", "b")), "Name NOT IN ('a', 'b')"),
        (Rule("Name", FieldType.STRING, Operator.IN, ("a", "a", "b")), "Name IN ('a', 'b')"),
        (Rule("Name", FieldType.STRING, Operator.IN, ()), "Id = NULL"),
        (Rule("Name", FieldType.STRING, Operator.NOT_IN, ()), "Id != NULL"),
        (Rule("Name", FieldType.STRING, Operator.CONTAINS, ()), "Id = NULL"),
        (Rule("Name", FieldType.STRING, Operator.STARTS_WITH, ("50%_",)), "Name LIKE '50\\%\\_%'"),
        (Rule("Name", FieldType.STRING, Operator.CONTAINS, ("a", "b")), "(Name LIKE '%a%' OR Name LIKE '%b%')"),
        (Rule("Amount", FieldType.CURRENCY, Operator.LESS, ("10.5",)), "Amount < 10.5"),
        (Rule("IsConverted", FieldType.BOOLEAN, Operator.EQUALS, ("false",)), "IsConverted = FALSE"),
        (Rule("CloseDate", FieldType.DATE, Operator.GREATER_OR_EQUAL, ("2026-11-24",)), "CloseDate >= 2026-11-24"),
        (
            Rule("SystemModstamp", FieldType.DATETIME, Operator.GREATER, ("2026-11-24T10:00:00.123Z",)),
            "SystemModstamp > 2026-11-24T10:00:00.123Z",
        ),
        (Rule("Email", FieldType.EMAIL, Operator.IS_BLANK), "Email = NULL"),
        (Rule("Owner.Name", FieldType.STRING, Operator.IS_NOT_BLANK), "Owner.Name != NULL"),
    ],
)
def test_rules_read_as_soql(rule: Rule, text: str) -> None:
    assert condition(rule) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FieldType.DOUBLE, "1 OR Id != NULL"),
        (FieldType.DOUBLE, "1e5"),
        (FieldType.DATE, "2026-11-24T00:00:00Z"),
        (FieldType.DATE, "THIS_WEEK"),
        (FieldType.TIME, "TODAY"),
        (FieldType.DATETIME, "2026-11-24"),
        (FieldType.TIME, "10:00"),
    ],
)
def test_unquoted_literals_are_checked(kind: FieldType, text: str) -> None:
    with pytest.raises(ValueError):
        condition(Rule("X", kind, Operator.GREATER, (text,)))


def test_comparison_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError):
        condition(Rule("X", FieldType.INT, Operator.LESS))


def test_groups_nest_and_an_empty_one_admits_everything() -> None:
    one = Rule("A", FieldType.INT, Operator.EQUALS, ("1",))
    two = Rule("B", FieldType.INT, Operator.EQUALS, ("2",))
    assert condition(Group((one, Group((one, two), all_of=False)))) == "(A = 1 AND (A = 1 OR B = 2))"
    assert condition(Group(())) == ""
    assert condition(Group((one, Group(())))) == "(A = 1)"
    assert condition(Group((one, Group(())), all_of=False)) == ""
    assert str(Select("Lead", ["Id"], Group(()))) == "SELECT Id FROM Lead"


def test_whole_query() -> None:
    rule = Rule("Email", FieldType.EMAIL, Operator.IS_NOT_BLANK)
    query = Select("Contact", ["Id", "Account.Name"], rule, order_by=["SystemModstamp", "Id"], limit=10)
    assert str(query) == (
        "SELECT Id, Account.Name FROM Contact WHERE Email != NULL ORDER BY SystemModstamp, Id LIMIT 10"
    )


def test_moment_keeps_milliseconds_and_is_utc() -> None:
    value = datetime(2026, 11, 24, 12, 0, 0, 123999, tzinfo=timezone(timedelta(hours=2)))
    assert moment(value) == "2026-11-24T10:00:00.123Z"
    assert moment(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
    with pytest.raises(ValueError):
        moment(datetime(2026, 1, 1))  # noqa: DTZ001  # the case under test


SINCE, UNTIL = datetime(2026, 11, 24, 8, tzinfo=UTC), datetime(2026, 11, 24, 8, 0, 1, 500_000, tzinfo=UTC)
LAST = "00Q000000000001AAA"


def test_window_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    assert window_text("Lead", ["Id", "Email"], since=SINCE, until=UNTIL, after=None, limit=2000) == (
        "SELECT Id, Email FROM Lead WHERE SystemModstamp >= 2026-11-24T08:00:00.000Z"
        " AND SystemModstamp < 2026-11-24T08:00:01.500Z ORDER BY SystemModstamp, Id LIMIT 2000"
    )


def test_window_goes_on_behind_the_row_that_was_last() -> None:
    text = window_text("Lead", ["Id"], since=SINCE, until=UNTIL, after=(SINCE, LAST), limit=1)
    assert (
        " AND (SystemModstamp > 2026-11-24T08:00:00.000Z"
        f" OR (SystemModstamp = 2026-11-24T08:00:00.000Z AND Id > '{LAST}'))" in text
    )


@pytest.mark.parametrize("bad", ["", "x' OR Id != '", "00Q"])
def test_window_behind_no_id_is_refused(bad: str) -> None:
    with pytest.raises(ValueError):
        window_text("Lead", ["Id"], since=SINCE, until=UNTIL, after=(SINCE, bad), limit=1)


def test_look_for_texts_quotes_each_and_finds_nothing_without_one() -> None:
    assert find_text("Lead", ["Id"], "Email", ["o'neil@x.example", "b"]) == (
        "SELECT Id FROM Lead WHERE Email IN ('o\\'neil@x.example', 'b')"
    )
    assert find_text("Lead", ["Id"], "Email", ["a"]) == "SELECT Id FROM Lead WHERE Email = 'a'"
    assert find_text("Lead", ["Id"], "Email", []) == "SELECT Id FROM Lead WHERE Id = NULL"


@given(st.lists(st.text(alphabet="aé'\\ %", max_size=12), max_size=60, unique=True), st.integers(160, 900))
def test_long_lists_are_asked_in_parts_that_fit_and_cover_all_values(values: list[str], longest: int) -> None:
    base = Select("Lead", ["Id"], Rule("IsDeleted", FieldType.BOOLEAN, Operator.EQUALS, ("false",)))
    seen: list[str] = []
    for part in in_parts(base, "Email", values, longest=longest):
        assert address_length(part) <= longest
        assert isinstance(part.where, Group)
        rule = part.where.parts[1]
        assert isinstance(rule, Rule)
        seen += rule.values
    assert seen == values


def test_query_that_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ValueError):
        list(in_parts(Select("Lead", ["Id"]), "Email", ["x" * 500], longest=200))


def test_length_is_that_of_the_address() -> None:
    assert address_length("a = 'é'") == len(quote("a = 'é'"))


def test_names_of_real_queries_are_names(salesforce_truth: Path) -> None:
    asked = [entry["soql"] for entry in json.loads((salesforce_truth / "soql" / "valid.json").read_text())]
    plain = [re.match(r"(?i)select ([\w., ]+) from (\w+)", soql) for soql in asked]
    names = {name.strip() for found in plain if found for name in found[1].split(",")}
    assert len(names) > 100
    assert {identifier(name) for name in names if " " not in name} == {name for name in names if " " not in name}

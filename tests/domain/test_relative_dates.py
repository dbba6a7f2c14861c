"""Dates that move with the calendar mean the days that they mean in SOQL (C12)."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from apps.domain.comparisons import check_filter, read_operand
from apps.domain.filters import BadFilter, Filter, Group, Operator, Rule, evaluate
from apps.domain.relative_dates import has_relative, is_relative, relative_words, resolved, span
from apps.domain.values import FieldType

TODAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("literal", "first", "after"),
    [
        ("TODAY", "2026-03-31", "2026-04-01"),
        ("YESTERDAY", "2026-03-30", "2026-03-31"),
        ("TOMORROW", "2026-04-01", "2026-04-02"),
        ("THIS_MONTH", "2026-03-01", "2026-04-01"),
        ("LAST_MONTH", "2026-02-01", "2026-03-01"),
        ("NEXT_MONTH", "2026-04-01", "2026-05-01"),
        ("THIS_QUARTER", "2026-01-01", "2026-04-01"),
        ("LAST_QUARTER", "2025-10-01", "2026-01-01"),
        ("NEXT_YEAR", "2027-01-01", "2028-01-01"),
        ("LAST_N_DAYS:30", "2026-03-01", "2026-04-01"),
        ("LAST_90_DAYS", "2025-12-31", "2026-04-01"),
        ("NEXT_N_DAYS:2", "2026-04-01", "2026-04-03"),
        ("LAST_N_MONTHS:2", "2026-01-01", "2026-03-01"),
        ("NEXT_N_QUARTERS:1", "2026-04-01", "2026-07-01"),
        ("N_DAYS_AGO:365", "2025-03-31", "2025-04-01"),
        ("N_MONTHS_AGO:1", "2026-02-01", "2026-03-01"),
    ],
)
def test_a_literal_means_its_days(literal: str, first: str, after: str) -> None:
    days = span(literal, TODAY)
    assert days is not None
    assert [day.isoformat() for day in days] == [first, after]


@pytest.mark.parametrize(
    "text",
    ["THIS_WEEK", "LAST_N_WEEKS:2", "THIS_FISCAL_YEAR", "LAST_N_DAYS", "LAST_N_DAYS:-1", "LAST_N_DAYS:99999",
     "LAST_N_YEARS:9999", "N_YEARS_AGO:2030", "today", "", "2026-01-31"],
)  # fmt: skip
def test_what_depends_on_more_than_the_day_is_not_known(text: str) -> None:
    assert not is_relative(text)


def filtered(operator: Operator, literal: str, kind: FieldType = FieldType.DATE) -> Filter:
    return Rule("D", kind, operator, (literal,))


@pytest.mark.parametrize(
    ("operator", "admitted"),
    [
        (Operator.EQUALS, ["2026-03-01", "2026-03-31"]),
        (Operator.NOT_EQUALS, ["", "2026-02-28", "2026-04-01"]),
        (Operator.LESS, ["2026-02-28"]),
        (Operator.LESS_OR_EQUAL, ["2026-02-28", "2026-03-01", "2026-03-31"]),
        (Operator.GREATER, ["2026-04-01"]),
        (Operator.GREATER_OR_EQUAL, ["2026-03-01", "2026-03-31", "2026-04-01"]),
    ],
)
def test_a_date_is_compared_with_the_whole_span(operator: Operator, admitted: list[str]) -> None:
    tree = resolved(filtered(operator, "THIS_MONTH"), datetime(2026, 3, 31, 12, tzinfo=UTC), UTC)
    assert tree is not None
    days = ["", "2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"]
    assert [day for day in days if evaluate(tree, {"D": day})] == admitted


def test_a_moment_is_compared_in_the_zone_of_the_user_and_across_its_clock_changes() -> None:
    zone, now = ZoneInfo("Europe/Berlin"), datetime(2026, 3, 29, 22, 30, tzinfo=UTC)
    tree = resolved(filtered(Operator.GREATER_OR_EQUAL, "YESTERDAY", FieldType.DATETIME), now, zone)
    assert tree == filtered(Operator.GREATER_OR_EQUAL, "2026-03-28T23:00:00.000Z", FieldType.DATETIME)
    tree = resolved(filtered(Operator.LESS_OR_EQUAL, "YESTERDAY", FieldType.DATETIME), now, zone)
    assert tree == filtered(Operator.LESS, "2026-03-29T22:00:00.000Z", FieldType.DATETIME)


def test_groups_are_resolved_throughout_and_the_rest_stays() -> None:
    city = Rule("City", FieldType.STRING, Operator.EQUALS, ("TODAY",))
    tree = Group((city, Group((filtered(Operator.LESS, "TODAY"),), all_of=False)))
    assert has_relative([None, tree])
    assert not has_relative([city, None])
    found = resolved(tree, datetime(2026, 3, 31, tzinfo=UTC), UTC)
    assert found == Group((city, Group((filtered(Operator.LESS, "2026-03-31"),), all_of=False)))


def test_only_filters_that_are_asked_for_may_move() -> None:
    assert read_operand(FieldType.DATE, " last_n_days:7 ", moves=True) == "LAST_N_DAYS:7"
    with pytest.raises(BadFilter):
        read_operand(FieldType.DATE, "LAST_N_DAYS:7")
    check_filter(filtered(Operator.LESS, "TODAY"), moves=True)
    with pytest.raises(BadFilter):
        check_filter(filtered(Operator.LESS, "TODAY"))
    with pytest.raises(BadFilter, match="one date"):
        check_filter(Rule("D", FieldType.DATE, Operator.EQUALS, ("TODAY", "2026-01-01")), moves=True)


def test_they_are_said_in_words() -> None:
    literals = ["TODAY", "THIS_MONTH", "LAST_N_DAYS:30", "NEXT_90_DAYS", "N_MONTHS_AGO:1"]
    words = ["today", "this month", "the last 30 days", "the next 90 days", "1 month ago"]
    assert [relative_words(one) for one in literals] == words

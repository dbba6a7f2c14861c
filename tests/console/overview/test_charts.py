"""Charts are numbers before they are pictures."""

import pytest

from apps.console.charts import BASE, TOP, area_chart, bar_chart, round_above

WEEK = ["1 Nov", "2 Nov", "3 Nov", "4 Nov", "5 Nov", "6 Nov", "7 Nov"]


def test_an_area_chart_reaches_from_edge_to_edge_and_from_zero_to_its_top() -> None:
    chart = area_chart(WEEK, [("in", "From Salesforce", [0, 5, 8, 1, 2, 3, 4])])
    (line,) = chart.series
    assert line.line.startswith(f"M0.0,{BASE:.1f} ")
    assert line.dots[1].y == TOP
    assert line.dots[-1].x == 100
    assert len(line.dots) == 6  # none where nothing happened
    assert line.total == chart.total == 23
    assert [rule.value for rule in chart.rules] == [0, 2, 4, 6, 8]


def test_the_table_and_the_pointer_have_every_number_of_every_line() -> None:
    chart = area_chart(["1 Nov", "2 Nov"], [("in", "From Salesforce", [1200, 0]), ("out", "To Salesforce", [3, 7])])
    assert [(column.label, column.values) for column in chart.columns] == [("1 Nov", [1200, 3]), ("2 Nov", [0, 7])]
    assert chart.columns[0].tip == "1 Nov: 1,200 from Salesforce, 3 to Salesforce"


@pytest.mark.parametrize("days", [2, 14, 30, 90])
def test_about_five_days_are_named_and_the_ends_among_them(days: int) -> None:
    chart = area_chart([str(i) for i in range(days)], [("in", "In", [1] * days)])
    named = [column.tick for column in chart.columns if column.tick]
    assert named[0] == "start"
    assert named[-1] == "end"
    assert len(named) == min(days, 5)


def test_a_long_line_has_no_dots_because_they_would_touch() -> None:
    assert area_chart([str(i) for i in range(90)], [("in", "In", [1] * 90)]).series[0].dots == []


def test_a_bar_that_is_not_zero_can_be_seen_beside_the_highest() -> None:
    chart = bar_chart([("1 Nov", 0), ("2 Nov", 1), ("3 Nov", 100_000)], height=56, unit="calls")
    assert [bar.height for bar in chart.bars] == [0, 2, 56]
    assert [bar.y + bar.height for bar in chart.bars] == [56, 56, 56]
    assert chart.highest == 100_000


def test_charts_of_nothing_are_flat() -> None:
    assert area_chart(WEEK, [("in", "In", [0] * 7)]).total == 0
    assert bar_chart([("1 Nov", 0)], height=56, unit="calls").bars[0].height == 0


@pytest.mark.parametrize(("value", "top"), [(0, 4), (4, 4), (5, 8), (9, 20), (41, 80), (81, 200), (70_898, 80_000)])
def test_the_top_is_round_and_its_quarters_are_whole(value: int, top: int) -> None:
    assert round_above(value) == top
    assert top % 4 == 0

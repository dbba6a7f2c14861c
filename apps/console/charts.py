"""Charts as plain numbers for inline SVG; the page adds a table with the same numbers.

Across, places are percentages, so that a chart fills any width without stretching its words; down, they are pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

TOP, BASE = 14, 174
_RULES = 4
_TICKS = 5
_MOST_DOTS = 31


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line with its value."""

    value: int
    y: float


@dataclass(frozen=True, slots=True)
class Dot:
    """A value with its place."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Series:
    """A line over a filled area, SVG paths on a plane 100 wide; a dot marks each day on which something happened."""

    key: str
    label: str
    line: str
    area: str
    dots: list[Dot]
    total: int


@dataclass(frozen=True, slots=True)
class Column:
    """One day of the chart: its values in the order of the series, and the stripe that answers to the pointer."""

    label: str
    values: list[int]
    x: float
    left: float
    width: float
    tick: str
    tip: str


@dataclass(frozen=True, slots=True)
class AreaChart:
    """Series over the same days, with the rules behind them."""

    series: list[Series]
    columns: list[Column]
    rules: list[Rule]
    total: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One day as a bar; ``x`` and ``width`` in percent."""

    label: str
    value: int
    x: float
    y: float
    width: float
    height: float
    tip: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars of a small chart, as high as ``HEIGHT``."""

    bars: list[Bar]
    total: int
    highest: int


def area_chart(days: Sequence[str], lines: Sequence[tuple[str, str, Sequence[int]]]) -> AreaChart:
    """A chart of (key, label, values) lines, from zero to a round number above the largest value."""
    top = round_above(max((max(values, default=0) for _, _, values in lines), default=0))
    places = [round(100 * i / max(len(days) - 1, 1), 2) for i in range(len(days))]
    series = [_series(key, label, values, places, top) for key, label, values in lines]
    rules = [Rule(top * i // _RULES, _height(top * i // _RULES, top)) for i in range(_RULES + 1)]
    columns = [_column(i, days, places, lines) for i in range(len(days))]
    return AreaChart(series, columns, rules, sum(one.total for one in series))


def _series(key: str, label: str, values: Sequence[int], places: Sequence[float], top: int) -> Series:
    dots = [Dot(x, _height(value, top)) for x, value in zip(places, values, strict=True)]
    line = "M" + " L".join(f"{dot.x},{dot.y}" for dot in dots) if dots else ""
    area = f"{line} L100,{BASE} L0,{BASE} Z" if dots else ""
    shown = [dot for dot, value in zip(dots, values, strict=True) if value] if len(dots) <= _MOST_DOTS else []
    return Series(key, label, line, area, shown, sum(values))


def _column(
    index: int, days: Sequence[str], places: Sequence[float], lines: Sequence[tuple[str, str, Sequence[int]]]
) -> Column:
    half = 50 / max(len(days) - 1, 1)
    left, right = max(0.0, places[index] - half), min(100.0, places[index] + half)
    values = [numbers[index] for _, _, numbers in lines]
    words = ", ".join(
        f"{value:,} {label[:1].lower()}{label[1:]}" for value, (_, label, _) in zip(values, lines, strict=True)
    )
    return Column(
        days[index],
        values,
        places[index],
        round(left, 2),
        round(right - left, 2),
        _tick(index, len(days)),
        f"{days[index]}: {words}",
    )


def _tick(index: int, days: int) -> str:
    """Whether a day is named below the chart, and how its name is anchored: about five are, the ends among them."""
    named = {round((days - 1) * i / (_TICKS - 1)) for i in range(_TICKS)} if days > _TICKS else set(range(days))
    if index not in named:
        return ""
    return "start" if index == 0 else "end" if index == days - 1 else "middle"


def bar_chart(days: Sequence[tuple[str, int]], *, height: int, unit: str) -> BarChart:
    """Bars side by side; the highest takes the whole height, and one that is not zero can be seen."""
    highest = max((value for _, value in days), default=0)
    step = 100 / max(len(days), 1)
    bars = []
    for i, (label, value) in enumerate(days):
        tall = max(round(value / highest * height, 1), 2.0) if value else 0.0
        tip = f"{label}: {value:,} {unit}"
        bars.append(
            Bar(label, value, round(i * step + step * 0.14, 2), height - tall, round(step * 0.72, 2), tall, tip)
        )
    return BarChart(bars, sum(value for _, value in days), highest)


def _height(value: int, top: int) -> float:
    return round(BASE - value / top * (BASE - TOP), 1)


def round_above(value: int) -> int:
    """The smallest of 4, 8, 20, 40, 80, 200, … that is not below the value: its quarters are whole numbers."""
    power = 1
    while True:
        for step in (4, 8, 20):
            if step * power >= value:
                return step * power
        power *= 10

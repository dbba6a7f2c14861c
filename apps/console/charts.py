"""Charts as plain numbers for inline SVG; the page adds a table with the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 190
LEFT, TOP, BASE = 48, 10, 160
_RULES = 4


@dataclass(frozen=True, slots=True)
class Point:
    """One value with its place, and the column that answers to the pointer."""

    label: str
    value: int
    x: float
    y: float
    column_x: float
    column_width: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line with its value."""

    value: int
    y: float


@dataclass(frozen=True, slots=True)
class AreaChart:
    """A line over a filled area; ``line`` and ``area`` are SVG paths."""

    points: list[Point]
    rules: list[Rule]
    line: str
    area: str
    total: int

    @property
    def first(self) -> Point | None:
        return self.points[0] if self.points else None

    @property
    def last(self) -> Point | None:
        return self.points[-1] if self.points else None


def area_chart(values: Sequence[tuple[str, int]]) -> AreaChart:
    """An area over the whole width, from zero to a round number above the largest value."""
    if not values:
        return AreaChart([], [], "", "", 0)
    top = round_above(max(value for _, value in values))
    step = (WIDTH - LEFT) / max(len(values) - 1, 1)
    points = [_point(i, label, value, step, top) for i, (label, value) in enumerate(values)]
    line = "M" + " L".join(f"{point.x},{point.y}" for point in points)
    area = f"{line} L{points[-1].x},{BASE} L{points[0].x},{BASE} Z"
    rules = [Rule(top * i // _RULES, _height(top * i // _RULES, top)) for i in range(_RULES + 1)]
    return AreaChart(points, rules, line, area, sum(value for _, value in values))


def _point(index: int, label: str, value: int, step: float, top: int) -> Point:
    x = LEFT + index * step
    left, right = max(LEFT, x - step / 2), min(WIDTH, x + step / 2)
    return Point(label, value, round(x, 1), _height(value, top), round(left, 1), round(right - left, 1))


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

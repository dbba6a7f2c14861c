"""Charts as plain numbers for inline SVG; the page adds a table with the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, BASE = 640, 150, 130


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its label and value."""

    label: str
    value: int
    x: float
    y: float
    width: float
    height: float


def bars(points: Sequence[tuple[str, int]]) -> list[Bar]:
    """Bars that fill the width; the largest value fills the height."""
    if not points:
        return []
    most = max(max(value for _, value in points), 1)
    step = WIDTH / len(points)
    return [
        Bar(
            label,
            value,
            round(i * step + step * 0.15, 1),
            round(BASE - value / most * (BASE - 10), 1),
            round(step * 0.7, 1),
            round(value / most * (BASE - 10), 1),
        )
        for i, (label, value) in enumerate(points)
    ]

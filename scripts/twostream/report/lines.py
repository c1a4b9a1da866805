"""A small chart of curves as SVG: axes, an optional band, lines, and marks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from twostream.report.markup import drawing

WIDTH, HEIGHT = 290, 170
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 8, 34

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """The range of an axis, what it is called, and the numbers that are written at it."""

    low: float
    high: float
    name: str
    ticks: Sequence[float]

    def share(self, value: float) -> float:
        """Return where a value lies, 0 at the low end and 1 at the high one."""
        return (value - self.low) / ((self.high - self.low) or 1)


@dataclass(frozen=True)
class Chart:
    """A chart's title, what it shows in words, its axes and its curves.

    `lines` are by their class in the style; `band` is a low and a high line, `rules` are upright dotted lines
    (x), `mark` is a point.
    """

    title: str
    description: str
    x: Axis
    y: Axis
    lines: dict[str, Points]
    band: tuple[Points, Points] | None = None
    rules: Sequence[float] = field(default_factory=list)
    mark: tuple[float, float] | None = None
    height: int = HEIGHT

    def svg(self) -> str:
        """Return the chart as SVG."""
        content = [*self._grid(), *self._rules()]
        if self.band:
            low, high = self.band
            content.append(f'<polygon class="band" points="{self._points([*low, *reversed(high)])}"/>')
        content += [
            f'<polyline class="{n}" points="{self._points(line)}"/>' for n, line in self.lines.items()
        ]
        if self.mark:
            x, y = self._place(*self.mark)
            content.append(f'<path class="mark" d="M{x} {y - 5}l5 5l-5 5l-5-5z"/>')
        size = f'class="chart" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" height="{self.height}"'
        return drawing(self.title, self.description, size, "".join(content))

    def _place(self, x: float, y: float) -> tuple[float, float]:
        across, down = WIDTH - LEFT - RIGHT, self.height - TOP - BOTTOM
        return round(LEFT + self.x.share(x) * across, 1), round(TOP + (1 - self.y.share(y)) * down, 1)

    def _points(self, points: Points) -> str:
        return " ".join(f"{x:g},{y:g}" for x, y in (self._place(*point) for point in points))

    def _grid(self) -> list[str]:
        bottom = self.height - BOTTOM
        parts = []
        for value in self.y.ticks:
            _, y = self._place(self.x.low, value)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
            parts.append(f'<text x="{LEFT - 4}" y="{y + 4}" text-anchor="end">{value:g}</text>')
        for value in self.x.ticks:
            x, _ = self._place(value, self.y.low)
            parts.append(f'<text x="{x}" y="{bottom + 13}" text-anchor="middle">{value:g}</text>')
        middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
        parts.append(
            f'<text x="{middle}" y="{self.height - 6}" text-anchor="middle">{escape(self.x.name)}</text>'
        )
        return parts

    def _rules(self) -> list[str]:
        places = (self._place(value, self.y.low)[0] for value in self.rules)
        return [
            f'<line class="rule" x1="{x}" x2="{x}" y1="{TOP}" y2="{self.height - BOTTOM}"/>' for x in places
        ]


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about so many round numbers from `low` to `high`."""
    span = (high - low) or 1
    step = next(
        step
        for power in range(-6, 12)
        for step in (10.0**power, 2 * 10.0**power, 5 * 10.0**power)
        if span / step <= count
    )
    first = -(-low // step)
    return [
        round((first + number) * step, 9) for number in range(int((high - first * step) / step + 1e-9) + 1)
    ]

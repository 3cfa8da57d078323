"""Charts as SVG: lines over time, what was done meanwhile, and a legend."""

import calendar
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

COLUMNS, WIDTH, HEIGHT, GAP, HEAD = 3, 306, 240, 12, 64
LEFT, RIGHT, TOP, BOTTOM, SIDE = 52, 12, 42, 76, 12
"""Wide enough for a README to show it as large as it is."""
POINTS = 110
TICKS, CLOCKS = 4, 2
LEGEND_ROWS, LETTER = 3, 5.9
COLOURS = ("#2563eb", "#d97706", "#15803d", "#b91c1c", "#7c3aed", "#0e7490", "#a16207", "#be185d", "#4d7c0f", "#475569")
STYLE = f"""
text {{ font: 10.5px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #475569; }}
.name, .title {{ font-weight: 600; fill: #0f172a; }} .name {{ font-size: 20px; }} .title {{ font-size: 12.5px; }}
.card {{ fill: #fff; stroke: #e2e8f0; }} .grid {{ stroke: #e2e8f0; }}
.mark {{ fill: #fde68a; opacity: 0.55; }} .number {{ font-weight: 600; fill: #92400e; }}
.end {{ text-anchor: end; }} .mid {{ text-anchor: middle; }}
polyline {{ fill: none; stroke-width: 1.6; stroke-linejoin: round; }}
{"".join(f".c{n} {{ stroke: {colour}; }} .f{n} {{ fill: {colour}; }} " for n, colour in enumerate(COLOURS))}
"""
MARK = re.compile(r"(\d\d:\d\d:\d\d)(?:\+(\d+))? (.+)")


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its legend and its points; a gap is not a number."""

    legend: str
    points: Sequence[tuple[float, float]]

    @property
    def most(self) -> float:
        return max((value for _, value in self.points if not math.isnan(value)), default=math.nan)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when to when, and how far apart; in Unix seconds."""

    start: float
    end: float

    @property
    def step(self) -> float:
        return (self.end - self.start) / POINTS


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was done to the deployment, for so many seconds from a time of the day."""

    clock: str
    seconds: int
    text: str

    @classmethod
    def read(cls, text: str) -> "Mark":
        """From `HH:MM:SS+SECONDS WHAT`; raises ValueError."""
        found = MARK.fullmatch(text)
        if found is None:
            raise ValueError(text)
        return cls(found[1], int(found[2] or 0), found[3])

    def place(self, stretch: Stretch) -> tuple[float, float]:
        """Where it begins and ends, as parts of the stretch."""
        day = time.strftime("%Y-%m-%d", time.gmtime(stretch.end))
        at = calendar.timegm(time.strptime(f"{day} {self.clock}", "%Y-%m-%d %H:%M:%S"))
        length = stretch.end - stretch.start
        return (at - stretch.start) / length, (at + max(self.seconds, length / POINTS) - stretch.start) / length


def written(unit: str) -> Callable[[float], str]:
    """How a value of a unit of Grafana's reads."""
    return {
        "s": lambda value: f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms",
        "reqps": lambda value: f"{_short(value)}/s",
        "percentunit": lambda value: f"{value * 100:.3g} %",
        "bytes": lambda value: f"{value / (1 << 20):.3g} MiB",
    }.get(unit, _short)


def _short(value: float) -> str:
    return f"{value / 1000:.3g} k" if abs(value) >= 1000 else f"{value:.3g}"


def ceiling(value: float) -> float:
    """The least round number that a chart with a few equal steps can end at."""
    if value <= 0:
        return 1.0
    size = 10 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if size * step >= value * 0.999)


def panel(title: str, unit: str, lines: Sequence[Line], stretch: Stretch, marks: Sequence[Mark]) -> str:
    """One chart with its axes and legend."""
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    show = written(unit)
    part = 1 << 20 if unit == "bytes" else 1
    most = max((line.most for line in lines if not math.isnan(line.most)), default=0)
    most = ceiling(most / part) * part
    drawn = f'<rect class="card" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
    drawn += f'<text class="title" x="{SIDE}" y="21">{escape(title)}</text>'
    for number, mark in enumerate(marks, start=1):
        begins, ends = (LEFT + width * min(1, max(0, at)) for at in mark.place(stretch))
        drawn += f'<rect class="mark" x="{begins:.1f}" y="{TOP}" width="{ends - begins:.1f}" height="{height}"/>'
        drawn += f'<text class="number mid" x="{(begins + ends) / 2:.1f}" y="{TOP - 4}">{number}</text>'
    for tick in range(TICKS + 1):
        at = TOP + height * (1 - tick / TICKS)
        drawn += f'<line class="grid" x1="{LEFT}" x2="{LEFT + width}" y1="{at:.1f}" y2="{at:.1f}"/>'
        drawn += f'<text class="end" x="{LEFT - 5}" y="{at + 4:.1f}">{show(most * tick / TICKS)}</text>'
    for tick in range(CLOCKS + 1):
        clock = time.strftime("%H:%M:%S", time.gmtime(stretch.start + (stretch.end - stretch.start) * tick / CLOCKS))
        anchor = "mid" if 0 < tick < CLOCKS else "end" if tick else ""
        drawn += f'<text class="{anchor}" x="{LEFT + width * tick / CLOCKS:.0f}" y="{TOP + height + 15}">{clock}</text>'
    for number, line in reversed(list(enumerate(lines))):  # the first ones on top
        for piece in _pieces(line.points):
            places = " ".join(f"{LEFT + width * at:.1f},{TOP + height * (1 - value / most):.1f}" for at, value in piece)
            drawn += f'<polyline class="c{number % len(COLOURS)}" points="{places}"/>'
    return drawn + _legend(lines, show)


def _pieces(points: Sequence[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    """Stretches without a gap."""
    piece: list[tuple[float, float]] = []
    for at, value in (*points, (2.0, math.nan)):
        if not math.isnan(value):
            piece.append((at, value))
        elif piece:
            yield piece
            piece = []


def _legend(lines: Sequence[Line], show: Callable[[float], str]) -> str:
    """The series with their highest values, as many as there is room for; those that are nought are counted."""
    moving = [line for line in lines if line.most > 0]
    words = [f"{line.legend} {show(line.most)}" for line in moving]
    if still := len(lines) - len(moving):
        words.append(f"{still} more at 0" if moving else "all at 0")
    placed: list[tuple[float, int, str]] = []
    for text in words or ["nothing to show"]:
        x, row = (placed[-1][0] + _wide(placed[-1][2]), placed[-1][1]) if placed else (0.0, 0)
        if placed and x + _wide(text) > WIDTH - SIDE:
            x, row = 0.0, row + 1
        if row == LEGEND_ROWS:
            x, row, _ = placed.pop()
            placed.append((x, row, f"and {len(lines) - len(placed)} more"))
            break
        placed.append((x, row, text))
    drawn = ""
    for number, (left, row, text) in enumerate(placed):
        x, y = SIDE + left, HEIGHT - BOTTOM + 34 + 16 * row
        if number < len(moving) and text == words[number]:
            drawn += f'<rect class="f{number % len(COLOURS)}" x="{x:.0f}" y="{y - 8}" width="9" height="9" rx="2"/>'
            x += 13
        drawn += f'<text x="{x:.0f}" y="{y}">{escape(text)}</text>'
    return drawn


def _wide(text: str) -> float:
    return 22 + LETTER * len(text)


def key(marks: Sequence[Mark]) -> str:
    """What was done to the deployment, where there is a place left for it."""
    drawn = f'<rect class="card" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
    drawn += f'<text class="title" x="{SIDE}" y="21">What happened</text>'
    for number, mark in enumerate(marks, start=1):
        y = 26 + 22 * number
        drawn += f'<rect class="mark" x="{SIDE}" y="{y - 13}" width="18" height="18"/>'
        drawn += (
            f'<text class="number mid" x="21" y="{y}">{number}</text><text x="38" y="{y}">{escape(mark.text)}</text>'
        )
    return drawn

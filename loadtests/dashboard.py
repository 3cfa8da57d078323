"""The dashboard's queries as a Prometheus answers them, in a picture: `python -m loadtests.dashboard --url URL`."""

import argparse
import json
import math
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DASHBOARD = ROOT / "k8s" / "base" / "dashboard.json"
PICTURE = ROOT / "pictures" / "dashboard.svg"
NOTE = "drawn from the answers of a Prometheus to the dashboard's queries; not a picture of Grafana"
COLUMNS, WIDTH, HEIGHT, GAP, HEAD = 3, 430, 268, 14, 64
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 38, 84
POINTS = 110
TICKS = 4
SHOWN = 8
"""Series named in a legend; all are drawn."""
COLOURS = ("#2563eb", "#d97706", "#15803d", "#b91c1c", "#7c3aed", "#0e7490", "#a16207", "#be185d", "#4d7c0f", "#475569")
STYLE = f"""
text {{ font: 11px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #475569; }}
.name, .title {{ font-weight: 600; fill: #0f172a; }} .name {{ font-size: 20px; }} .title {{ font-size: 13px; }}
.card {{ fill: #fff; stroke: #e2e8f0; }} .grid {{ stroke: #e2e8f0; }}
.end {{ text-anchor: end; }} .mid {{ text-anchor: middle; }}
polyline {{ fill: none; stroke-width: 1.6; stroke-linejoin: round; }}
{"".join(f".c{n} {{ stroke: {colour}; }} .f{n} {{ fill: {colour}; }} " for n, colour in enumerate(COLOURS))}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its legend and its points; a gap is not a number."""

    legend: str
    points: Sequence[tuple[float, float]]

    @property
    def last(self) -> float:
        return next((value for _, value in reversed(self.points) if not math.isnan(value)), math.nan)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when to when, and how far apart; in Unix seconds."""

    start: float
    end: float

    @property
    def step(self) -> float:
        return (self.end - self.start) / POINTS


def answered(url: str, query: str, legend: str, stretch: Stretch) -> Iterator[Line]:
    """The series of a query, as Prometheus has them over a stretch."""
    values = {"query": query, "start": stretch.start, "end": stretch.end, "step": stretch.step}
    address = f"{url}/api/v1/query_range?{urllib.parse.urlencode(values)}"
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 — whoever runs it names the server
        found = json.load(answer)["data"]["result"]
    for series in found:
        labels: dict[str, str] = series["metric"]
        name = re.sub(r"\{\{(\w+)\}\}", lambda word, labels=labels: labels.get(word[1], ""), legend)
        held = {round((at - stretch.start) / stretch.step): float(value) for at, value in series["values"]}
        yield Line(name, [(number / POINTS, held.get(number, math.nan)) for number in range(POINTS + 1)])


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


def panel(title: str, unit: str, lines: Sequence[Line], stretch: Stretch, x: int, y: int) -> str:
    """One chart with its axes and legend."""
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    show = written(unit)
    part = 1 << 20 if unit == "bytes" else 1
    most = max((value for line in lines for _, value in line.points if not math.isnan(value)), default=0)
    most = ceiling(most / part) * part
    drawn = f'<rect class="card" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
    drawn += f'<text class="title" x="14" y="23">{escape(title)}</text>'
    for tick in range(TICKS + 1):
        at = TOP + height * (1 - tick / TICKS)
        drawn += f'<line class="grid" x1="{LEFT}" x2="{LEFT + width}" y1="{at:.1f}" y2="{at:.1f}"/>'
        drawn += f'<text class="end" x="{LEFT - 6}" y="{at + 4:.1f}">{show(most * tick / TICKS)}</text>'
    for tick in range(TICKS + 1):
        clock = time.strftime("%H:%M:%S", time.gmtime(stretch.start + (stretch.end - stretch.start) * tick / TICKS))
        anchor = "mid" if 0 < tick < TICKS else "end" if tick else ""
        drawn += f'<text class="{anchor}" x="{LEFT + width * tick / TICKS:.0f}" y="{TOP + height + 16}">{clock}</text>'
    for number, line in enumerate(lines):
        for piece in _pieces(line.points):
            places = " ".join(f"{LEFT + width * at:.1f},{TOP + height * (1 - value / most):.1f}" for at, value in piece)
            drawn += f'<polyline class="c{number % len(COLOURS)}" points="{places}"/>'
    return f'<g transform="translate({x} {y})">{drawn}{_legend(lines, show)}</g>'


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
    """The first series with their last values, in rows."""
    drawn, x, y = "", 14.0, HEIGHT - 46
    texts = [f"{line.legend} {show(line.last)}" if not math.isnan(line.last) else line.legend for line in lines[:SHOWN]]
    if len(lines) > SHOWN:
        texts.append(f"and {len(lines) - SHOWN} more")
    for number, text in enumerate(texts):
        width = 24 + 6.1 * len(text)
        if x + width > WIDTH and x > 14:
            x, y = 14.0, y + 17
        if number < SHOWN:
            drawn += f'<rect class="f{number % len(COLOURS)}" x="{x:.0f}" y="{y - 8}" width="9" height="9" rx="2"/>'
        drawn += f'<text x="{x + 13:.0f}" y="{y}">{escape(text)}</text>'
        x += width
    return drawn


def picture(url: str, stretch: Stretch, window: str, note: str) -> str:
    """All panels of the dashboard; `window` is what Grafana's $__rate_interval stands for."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    drawn = ""
    for number, one in enumerate(found["panels"]):
        lines = [
            line
            for target in one["targets"]
            for line in answered(
                url, target["expr"].replace("$__rate_interval", window), target["legendFormat"], stretch
            )
        ]
        lines.sort(key=lambda line: not any(value > 0 for _, value in line.points))  # what is nought can be left out
        x = GAP + (number % COLUMNS) * (WIDTH + GAP)
        y = HEAD + (number // COLUMNS) * (HEIGHT + GAP)
        drawn += panel(one["title"], one["fieldConfig"]["defaults"]["unit"], lines, stretch, x, y) + "\n"
    width = GAP + COLUMNS * (WIDTH + GAP)
    height = HEAD + -(-len(found["panels"]) // COLUMNS) * (HEIGHT + GAP)
    day = time.strftime("%Y-%m-%d", time.gmtime(stretch.end))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="The dashboard\'s panels">\n<style>{STYLE}</style>\n'
        f'<rect width="{width}" height="{height}" fill="#f8fafc"/>\n<text class="name" x="{GAP}" y="32">Laurel</text>\n'
        f'<text x="{GAP}" y="51">{day}, {NOTE}{escape(note and f": {note}")}</text>\n{drawn}</svg>\n'
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.dashboard", description="Draws the README's dashboard.")
    parser.add_argument("--url", required=True, help="a Prometheus that scrapes pods")
    parser.add_argument("--minutes", type=float, default=10, help="how long a stretch, up to now (default 10)")
    parser.add_argument("--window", default="15s", help="of rates, four scrapes or more (default 15s)")
    parser.add_argument("--note", default="", help="what there is to see")
    args = parser.parse_args()
    now = time.time()
    drawn = picture(args.url.rstrip("/"), Stretch(now - args.minutes * 60, now), args.window, args.note)
    PICTURE.write_text(drawn)
    print(f"{PICTURE.name}: {len(drawn):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

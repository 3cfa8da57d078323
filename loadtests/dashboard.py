"""The dashboard's queries as a Prometheus answers them, in a picture: `python -m loadtests.dashboard --url URL`."""

import argparse
import json
import math
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from loadtests.charts import COLUMNS, GAP, HEAD, HEIGHT, POINTS, STYLE, WIDTH, Line, Mark, Stretch, key, panel

ROOT = Path(__file__).parent.parent
DASHBOARD = ROOT / "k8s" / "base" / "dashboard.json"
PICTURE = ROOT / "pictures" / "dashboard.svg"
NOTE = "a Prometheus's answers to the dashboard's queries, with the highest value of each line"


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


def picture(url: str, stretch: Stretch, window: str, note: str, marks: Sequence[Mark] = ()) -> str:
    """All panels of the dashboard; `window` is what Grafana's $__rate_interval stands for."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    cards = []
    for one in found["panels"]:
        lines = [
            line
            for target in one["targets"]
            for line in answered(
                url, target["expr"].replace("$__rate_interval", window), target["legendFormat"], stretch
            )
        ]
        lines.sort(key=lambda line: not line.most > 0)  # what is nought can be left out
        cards.append(panel(one["title"], one["fieldConfig"]["defaults"]["unit"], lines, stretch, marks))
    if marks:
        cards.append(key(marks))
    drawn = ""
    for number, card in enumerate(cards):
        x, y = GAP + (number % COLUMNS) * (WIDTH + GAP), HEAD + (number // COLUMNS) * (HEIGHT + GAP)
        drawn += f'<g transform="translate({x} {y})">{card}</g>\n'
    width = GAP + COLUMNS * (WIDTH + GAP)
    height = HEAD + -(-len(cards) // COLUMNS) * (HEIGHT + GAP)
    day = time.strftime("%Y-%m-%d", time.gmtime(stretch.end))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="The dashboard\'s panels">\n<style>{STYLE}</style>\n'
        f'<rect width="{width}" height="{height}" fill="#f8fafc"/>\n<text class="name" x="{GAP}" y="32">Laurel</text>\n'
        f'<text x="{GAP}" y="51">{day} UTC{escape(note and f", {note}")}; {NOTE}</text>\n{drawn}</svg>\n'
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.dashboard", description="Draws the README's dashboard.")
    parser.add_argument("--url", required=True, help="a Prometheus that scrapes pods")
    parser.add_argument("--minutes", type=float, default=10, help="how long a stretch, up to now (default 10)")
    parser.add_argument("--window", default="15s", help="of rates, four scrapes or more (default 15s)")
    parser.add_argument("--note", default="", help="what there is to see")
    parser.add_argument(
        "--mark",
        action="append",
        default=[],
        type=Mark.read,
        metavar="'HH:MM:SS[+SECONDS] WHAT'",
        help="what was done then (UTC), shown behind the lines; may be repeated",
    )
    args = parser.parse_args()
    now = time.time()
    drawn = picture(args.url.rstrip("/"), Stretch(now - args.minutes * 60, now), args.window, args.note, args.mark)
    PICTURE.write_text(drawn)
    print(f"{PICTURE.name}: {len(drawn):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

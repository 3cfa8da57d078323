"""The verdict as text and as a page with charts."""

from collections.abc import Callable, Sequence
from html import escape
from typing import TypeVar

from loadtests.load.course import Instant, course
from loadtests.load.measured import Measured, Moment
from loadtests.load.told import Told
from loadtests.load.verdict import Finding, Stores, summary

WIDTH, HEIGHT = 860, 160
Drawn = TypeVar("Drawn", Moment, Instant)
STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --a: #2563eb; --b: #d97706; --line: #8884; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 b { padding: .1em .4em; border-radius: .3em; color: #fff; background: #15803d; }
h1 b.red { background: #b91c1c; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .6em; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child, dl, li { text-align: left; }
dt { font-weight: 600; float: left; clear: left; width: 16rem; }
svg { width: 100%; height: auto; } polyline { fill: none; stroke-width: 1.5; }
.a { stroke: var(--a); color: var(--a); } .b { stroke: var(--b); color: var(--b); }
svg text { fill: currentColor; stroke: none; font-size: 11px; }
"""


def text(told: Told, stores: Stores, measured: Measured, found: Sequence[Finding]) -> str:
    """For a terminal: the run, then what broke."""
    facts = summary(told, stores, measured)
    width = max(map(len, facts))
    lines = [f"  {name:<{width}}  {value}" for name, value in facts.items()]
    lines += [f"  {note}" for note in stores.notes]
    lines += [f"  failed: {error}" for error in measured.errors]
    lines += [f"  BROKEN  {finding.kind}: {finding.text}" for finding in found]
    return "\n".join([f"Verdict: {_word(found)}", *lines])


def _word(found: Sequence[Finding]) -> str:
    return f"FAILED, {len(found)} {'thing' if len(found) == 1 else 'things'} broke" if found else "passed"


def page(told: Told, stores: Stores, measured: Measured, found: Sequence[Finding]) -> str:
    """For a browser; it needs no other file."""
    red = ' class="red"' if found else ""
    broken = "".join(f"<li><b>{escape(finding.kind)}</b>: {escape(finding.text)}" for finding in found)
    facts = "".join(f"<dt>{escape(k)}<dd>{escape(v)}" for k, v in summary(told, stores, measured).items())
    notes = "".join(f"<li>{escape(note)}" for note in (*stores.notes, *measured.errors))
    went = course(told, stores, measured.seconds)
    charts = "".join(
        [
            _chart("People", measured.history, ("people", lambda m: float(m.people))),
            _chart(
                "Requests and own events a second",
                measured.history,
                ("all", lambda m: m.requests),
                ("failed", lambda m: m.failures),
            ),
            _chart("Times, ms", measured.history, ("p50", lambda m: m.p50), ("p95", lambda m: m.p95)),
            _chart("Commit → screen, ms", went, ("p50", lambda i: i.lag_p50), ("p95", lambda i: i.lag_p95)),
            _chart(
                "Redemptions a second", went, ("redeemed", lambda i: i.redeemed), ("replayed", lambda i: i.replayed)
            ),
        ]
    )
    rows = "".join(
        f"<tr><td>{escape(row.kind)} {escape(row.name)}<td>{row.count:,}<td>{row.failures:,}"
        f"<td>{row.p50:,.0f}<td>{row.p95:,.0f}<td>{row.p99:,.0f}<td>{row.most:,.0f}"
        for row in measured.rows
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Load test: {_word(found)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>Load test: <b{red}>{_word(found)}</b></h1>"
        f"<p>{measured.seconds:,.0f} s against {escape(', '.join(measured.hosts))}</p>"
        f"<ul>{broken}</ul><dl>{facts}</dl><ul>{notes}</ul>{charts}"
        "<h2>Measured</h2><table><tr><th>what<th>count<th>failed<th>p50 ms<th>p95<th>p99<th>most"
        f"{rows}</table>"
        '<p>Where locust drove it, its own report stands beside: <a href="locust.html">locust.html</a>.</p></html>\n'
    )


def _chart(title: str, history: Sequence[Drawn], *lines: tuple[str, Callable[[Drawn], float]]) -> str:
    if len(history) < 2:
        return ""
    last = history[-1].at or 1.0
    most = max(max(value(moment) for moment in history) for _, value in lines) or 1.0
    drawn = ""
    for number, (name, value) in enumerate(lines):
        points = " ".join(
            f"{WIDTH * moment.at / last:.1f},{HEIGHT - HEIGHT * value(moment) / most:.1f}" for moment in history
        )
        letter = "ab"[number]
        drawn += f'<polyline class="{letter}" points="{points}"/>'
        drawn += f'<text class="{letter}" x="{70 + 70 * number}" y="-6">{escape(name)}</text>'
    return (
        f'<h2>{escape(title)}</h2><svg viewBox="0 -20 {WIDTH} {HEIGHT + 40}" role="img" aria-label="{escape(title)}">'
        f'<text x="0" y="-6">{most:,.0f}</text><text x="{WIDTH - 40}" y="{HEIGHT + 14}">{last:,.0f} s</text>'
        f"{drawn}</svg>"
    )

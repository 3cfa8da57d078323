"""The results as a table and as JSON."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psutil

from loadtests.bench.figures import Figure

HEADER = ("", "measured", "rounds", "asked", "wanted", "verdict")
SMALL, LARGE = 10, 1_000


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table that also reads well on a terminal, notes below it."""
    rows = [HEADER, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    notes = [f"- {figure.what}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def _cells(figure: Figure) -> tuple[str, ...]:
    spread = f"{shown(min(figure.values))}–{shown(max(figure.values))}"
    limits = [
        "" if limit is None else f"{'≥' if figure.sense == 'at least' else '≤'} {shown(limit)}{_unit(figure)}"
        for limit in (figure.bound, figure.wanted)
    ]
    return (figure.what, shown(figure.median) + _unit(figure), spread, *limits, figure.verdict)


def _unit(figure: Figure) -> str:
    return f" {figure.unit}" if figure.unit else ""


def shown(value: float) -> str:
    """A number with about three significant digits."""
    size = abs(value)
    if size >= LARGE:
        return f"{value:,.0f}"
    return f"{value:.2f}" if size < SMALL else f"{value:.1f}"


def document(figures: Sequence[Figure], options: Mapping[str, Any]) -> dict[str, Any]:
    """Everything about a run, JSON-ready."""
    return {
        "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "options": dict(options),
        "figures": [
            {
                "what": figure.what,
                "unit": figure.unit,
                "median": figure.median,
                "values": list(figure.values),
                "sense": figure.sense,
                "bound": figure.bound,
                "wanted": figure.wanted,
                "verdict": figure.verdict,
                "note": figure.note,
            }
            for figure in figures
        ],
    }


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": psutil.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "load": [round(load, 2) for load in psutil.getloadavg()],
    }


def headline(found: Mapping[str, Any]) -> str:
    """One sentence on where, how and how often."""
    options = found["options"]
    return (
        f"{place(found)}; medians of {options['rounds']} rounds of {options['seconds']:g} s, "
        "the contestants taking turns."
    )


def place(found: Mapping[str, Any]) -> str:
    """Where and when."""
    host = found["machine"]
    return (
        f"{host['cores']} cores, {host['memoryGiB']} GiB, {host['system']} {host['architecture']}, Python "
        f"{host['python']}; servers, databases and load generator on the same machine, fsync on; "
        f"measured {found['measuredAt'][:10]}"
    )

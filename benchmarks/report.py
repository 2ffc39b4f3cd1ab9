"""Tables in reStructuredText, and the page they are written into."""

import os
import platform
import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks import databases

PAGE = Path(__file__).parent.parent / "docs" / "performance.rst"

_MARK = re.compile(r"(\.\. benchmark: (\S+)\n).*?(\n\.\. end of benchmark)", re.DOTALL)

#: The columns that every run has.
COLUMNS = (
    "SQL statements",
    "CPU s",
    "reactor not free, at most ms (on the clock)",
    "first build s",
    "last build s",
    "memory MB",
)


def table(title, header, rows):
    """A table with a title."""
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in (header, *rows):
        for number, cell in enumerate(row):
            lines.append(f"   {' ' if number else '*'} - {cell}".rstrip())
    return "\n".join(lines) + "\n"


def columns(result):
    """What `COLUMNS` has of one run."""
    more = "" if result.get("done", True) else "> "
    return (
        f"{more}{count(result['statements'])}",
        f"{more}{result['cpu']:.2f}",
        not_free(result),
        seconds(result["first"]),
        f"{more if result['last'] is None else ''}{seconds(result['last'])}",
        f"{result['memory'] / 1e6:.0f}",
    )


def not_free(result):
    """How long the reactor was not free, in milliseconds; and on the clock, where the host had taken a part of that."""
    own, shown = (round(1000 * result[name]) for name in ("blocked", "blocked_on_the_clock"))
    return f"{own}" if own == shown else f"{own} ({shown})"


def count(number):
    """A number of things: 10 050."""
    return f"{number:,}".replace(",", "\u202f")


def farm(result):
    """Which farm a run was made with."""
    seats = result.get("seats")
    size = f"{result['workers']} × {result['builders']}"
    return size if seats is None else f"{size} with {seats} workers each"


def seconds(value):
    """A time, if there is one."""
    return "–" if value is None else f"{value:.2f}"


def environment():
    """On what it was measured: the kind of machine, the versions, the day."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    packages = ("buildbot", "twisted", "sqlalchemy", "python-dateutil")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Measured on {date.today().isoformat()}, on {os.cpu_count()} cores of {model}, with Python "  # noqa: DTZ011
        f"{platform.python_version()}, {versions}, SQLite {_sqlite()}, PostgreSQL {databases.version()}.\n"
    )


def _sqlite():
    import sqlite3  # noqa: PLC0415 (only here)

    return sqlite3.sqlite_version


def write(tables):
    """Put `tables` (texts by name) between their markers."""
    text = PAGE.read_text(encoding="utf-8")

    def replaced(match):
        name = match[2]
        return f"{match[1]}\n{tables[name]}{match[3]}" if name in tables else match[0]

    PAGE.write_text(_MARK.sub(replaced, text), encoding="utf-8")

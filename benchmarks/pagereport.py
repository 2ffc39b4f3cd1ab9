"""What `benchmarks.page` has measured, as the table of docs/page.rst."""

import os
import platform
import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.report import table

PAGE = Path(__file__).parent.parent / "docs" / "page.rst"

_MARK = re.compile(r"(\.\. benchmark: page\n).*?(\n\.\. end of benchmark)", re.DOTALL)

HEADER = ("", "median", "bound", "besides")

# (what, milliseconds, more, the bound or None) of each thing that was measured
_measured = []


def tell(what, milliseconds, more="", bound=None):
    """Something was measured: it is printed, and kept for the table."""
    met = "" if bound is None else f"  {'within' if milliseconds <= bound else 'NOT WITHIN'} {bound:.0f}"
    print(f"{what:58} {milliseconds:7.0f} ms{met:18} {more}".rstrip(), flush=True)
    _measured.append((what, milliseconds, more, bound))


def text(browser, load):
    """All of it in reStructuredText; `browser` is the version of Chromium, `load` how many others ran when it began."""
    rows = [
        (what, f"{milliseconds:.0f}", "" if bound is None else f"{bound:.0f}", more)
        for what, milliseconds, more, bound in _measured
    ]
    return f"{table('Milliseconds until it is painted', HEADER, rows)}\n{_environment(browser, load)}"


def write(browser, load):
    """Put it between its marks in docs/page.rst."""
    before = PAGE.read_text(encoding="utf-8")
    after = _MARK.sub(lambda match: f"{match[1]}\n{text(browser, load)}{match[2]}", before)
    PAGE.write_text(after, encoding="utf-8")


def _environment(browser, load):
    model = "an unknown kind"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    return (
        f"Measured on {date.today().isoformat()}, on {os.cpu_count()} cores of {model} without a graphics card, "  # noqa: DTZ011
        f"with Chromium {browser}, Buildbot {version('buildbot')}, Python {platform.python_version()}; the load of the machine was "
        f"{load:.1f} when it began.\n"
    )

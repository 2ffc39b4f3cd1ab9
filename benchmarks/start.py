"""What it costs to start a command of the owner's, beside a Python that imports what any such command needs."""

import os
import sys

from benchmarks import report

TITLE = "The start of a command"

_HELP = "import sys; from presence.commands.main import main; sys.exit(main(['status', '--help']))"

#: What is started: the name, and the program.
STARTED = {
    "`import argparse, json, http.client`": "import argparse, json, http.client",
    "`presence status --help`": _HELP,
}


def measured(*, quick):
    """The CPU time of each, in seconds: of some runs, in turn, the one that took the least."""
    best = dict.fromkeys(STARTED, float("inf"))
    for _ in range(5 if quick else 20):
        for name, program in STARTED.items():
            best[name] = min(best[name], _cpu(program))
    return best


def _cpu(program):
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", program], os.environ, file_actions=silent)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"{program!r} has failed: {status}")
    return usage.ru_utime + usage.ru_stime


def tables(results):
    """The table."""
    return report.table(
        TITLE, ("started", "CPU ms"), [(name, f"{1000 * each:.0f}") for name, each in results.items()]
    )

"""What both kinds of directories have in common: what is installed, what runs, and the clock."""

from __future__ import annotations

import platform
import sys
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import TYPE_CHECKING

import presence
from presence.breaks.warnings import hostWarnings
from presence.calendar.zones import localZone
from presence.commands.doctor.finding import note, problem, well
from presence.wire.processes import isAlive, pidIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from presence.commands.doctor.finding import Finding

# The first day on which there was a presence: a clock before it is wrong. In seconds since the epoch.
_FIRST_DAY = 1_763_942_400

# A file that lies further in the future than this says that the clock was set back since. In seconds.
_AHEAD = 120


def versions(*distributions: str) -> Iterator[Finding]:
    """What is installed where."""
    where = Path(presence.__file__).parent
    yield well(f"presence {_version('buildbot-presence')} in {where}, Python {platform.python_version()}")
    for name in distributions:
        found = _version(name)
        if found is None:
            yield note(
                f"{name} is not installed beside this presence",
                f"look with the presence that is: {sys.executable} is not the Python that runs it",
            )
        else:
            yield well(f"{name} {found}")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def process(directory: Path, kind: str, restart: str) -> Iterator[Finding]:
    """Whether it runs, and whether that process is older than what is installed."""
    pid = pidIn(directory)
    if pid is None:
        yield note(
            f"the {kind} does not run (there is no twistd.pid)",
            f"start it: {restart.replace('restart', 'start')}",
        )
        return
    if not isAlive(pid):
        yield problem(
            f"twistd.pid names process {pid}, which is not there: the {kind} was killed",
            f"start it again: {restart.replace('restart', 'start')}",
        )
        return
    started, installed = _started(pid), _installed()
    if started is None or installed is None or started >= installed:
        yield well(f"the {kind} runs (process {pid})")
        return
    yield problem(
        f"the {kind} (process {pid}) was started before this presence was installed: it runs the code of before, if any",
        f"restart it once, cleanly: {restart}",
    )


def _started(pid: int) -> float | None:
    """When a process has begun, in seconds since the epoch; None where the system does not say it."""
    with suppress(OSError):
        return Path(f"/proc/{pid}").stat().st_mtime
    return None


def _installed() -> float | None:
    """When presence was installed, in seconds since the epoch."""
    with suppress(PackageNotFoundError, OSError):
        files = distribution("buildbot-presence").files or ()
        for each in files:
            if each.name == "RECORD":
                return Path(str(each.locate())).stat().st_mtime
    return None


def clock(directory: Path) -> Iterator[Finding]:
    """Whether the clock and the zone can be true."""
    now = time.time()
    newest = max((path.stat().st_mtime for path in directory.iterdir() if path.is_file()), default=now)
    if now < _FIRST_DAY:
        yield problem(f"the clock shows {_shown(now)}", "set it, and keep it right: install an NTP client")
    elif newest > now + _AHEAD:
        yield problem(
            f"the clock shows {_shown(now)}, and a file here is of {_shown(newest)}: it was set back since",
            "set it, and keep it right: install an NTP client",
        )
    try:
        zone = localZone()
    except ValueError as error:
        yield problem(f"the zone of this machine is not known: {error}", "set TZ, or /etc/localtime")
    else:
        for warning in hostWarnings():
            yield problem(warning, "set TZ of the account that runs this, or remove it")
        yield well(f"it is {_shown(now)} here, {zone}: breaks that name no zone are by this clock")


def _shown(instant: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(instant))

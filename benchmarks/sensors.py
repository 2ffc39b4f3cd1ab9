"""What sensors cost a worker that does nothing else: its processor, with what it starts, and its memory.

It asks what is there: `DISPLAY` and `DBUS_SYSTEM_BUS_ADDRESS` say which X display and which bus.
"""

import os
import re
import resource
import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.meters import after
from presence.worker import client as client_module
from presence.worker.client import PresenceClient

TITLE = "A worker that has sensors, and does nothing"

WAYS = (
    "none",
    "used",
    "battery",
    "running",
    "load",
    "disk",
    "command",
    "calendar",
    "all but calendar",
    "all",
)

_SECONDS = 20

# All of them at the same time: they wait, but for what is measured.
TOGETHER = True

_CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:benchmark
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20260101T000000Z
DTEND:20260101T010000Z
RRULE:FREQ=WEEKLY
END:VEVENT
END:VCALENDAR
"""


class _Transport:
    """Of a worker that is not connected."""

    ownsProcess = True

    def __init__(self, worker):
        pass

    def listen(self, listener):
        """Nobody connects."""

    def runningBuilders(self):
        """None."""
        return []


class _Worker:
    name = "mac-mini"

    def __init__(self, basedir):
        self.basedir = basedir


def plan(*, quick):
    """The runs."""
    for way in ("none", "all but calendar") if quick else WAYS:
        yield {"way": way, "seconds": 2 if quick else _SECONDS}


async def measure(reactor, *, way, seconds):
    """One run."""
    basedir = tempfile.mkdtemp()
    client_module.transportOf = _Transport
    sensors = _sensors(way, basedir)
    client = PresenceClient(_Worker(basedir), sensors=sensors, localPort=None, reactor=reactor)
    client.startService()
    # all have looked once, and have imported what they need
    await after(reactor, 5)
    before = _cpu()
    await after(reactor, seconds)
    cpu = _cpu() - before
    seen = {each["name"]: each["text"] for each in client.owner.status()["sensors"]}
    client.stopService()
    return {"cpu": cpu, "memory": _memory(), "processes": len(_pids()), "seen": seen}


def _sensors(way, basedir):
    if way == "none":
        return []
    from presence.worker.sensors import (  # noqa: PLC0415 (who has none does not import them)
        Calendar,
        Command,
        DiskBelow,
        LoadAbove,
        OnBattery,
        Used,
        WhileRunning,
    )

    calendar = Path(basedir, "events.ics")
    calendar.write_text(_CALENDAR, encoding="utf-8")
    make = {
        "used": lambda: Used("15m"),
        "battery": OnBattery,
        "running": lambda: WhileRunning("blender", "gimp"),
        "load": lambda: LoadAbove(1.5),
        "disk": lambda: DiskBelow("5G"),
        "command": lambda: Command("false"),
        "calendar": lambda: Calendar(str(calendar), tz="UTC"),
    }
    return [
        one()
        for name, one in make.items()
        if way in {name, "all"} or (way == "all but calendar" and name != "calendar")
    ]


def _cpu():
    """The seconds that this process, and those that it has started, have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _memory():
    """The memory of this process, in bytes."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))[1]) * 1024


def _pids():
    return [each for each in os.listdir("/proc") if each.isdecimal()]  # noqa: PTH208


def tables(results):
    """The table."""
    none = next((each for each in results if each["way"] == "none"), None)
    rows = [
        (
            each["way"],
            f"{100 * each['cpu'] / each['seconds']:.3f}",
            "–" if none is None or each is none else f"{(each['memory'] - none['memory']) / 1e6:.1f}",
            each["processes"],
        )
        for each in results
    ]
    return report.table(
        TITLE,
        ("sensors", "CPU, % of a core", "memory more than without, MB", "processes on the machine"),
        rows,
    )

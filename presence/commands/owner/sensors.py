"""`presence sensors`: what tells this machine by itself that its owner needs it, and what it sees."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from presence.commands import exits
from presence.commands.owner.client import LocalClient, LocalError, addBasedir, basedirOf
from presence.commands.owner.sensoroptions import addSensors, sensorsOf
from presence.commands.terminal import Clocks, complain, table
from presence.wire.localaddress import LocalFile, LocalFileError
from presence.words.sensors import stateText

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable
    from pathlib import Path

    from presence.commands.owner.sensoroptions import Written
    from presence.worker.sensors.reading import SensorStatus

_NONE = "The machine has no sensors. presence install --help says which there are; presence sensors --try tries them."


_EXITS = "exit status: 0 told; 1 failed; 2 usage error; 3 the worker is not running"


def addParser(subparsers: Any) -> None:
    """Add the command to the command line."""
    text = "say what this machine's sensors see; --try one that is not on yet"
    parser = subparsers.add_parser(
        "sensors", help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=_EXITS
    )
    addBasedir(parser)
    parser.add_argument("--json", action="store_true", help="print it for programs; see docs/protocol.rst")
    parser.add_argument(
        "--try",
        dest="try_",
        action="store_true",
        help="look once with those that are given here; nothing is changed",
    )
    addSensors(parser, prefix="With --try. ")
    parser.set_defaults(run=_run)


def _run(options: Namespace) -> int:
    try:
        basedir = basedirOf(options)
        given = sensorsOf(options)
    except ValueError as problem:
        return complain(problem, exits.USAGE)
    except LocalError as problem:
        return complain(problem, problem.status)
    if bool(given) is not options.try_:
        return complain(
            "say what to try: --try --away-when-used 15m"
            if options.try_
            else "--try looks with what is given here; `presence install` turns it on",
            exits.USAGE,
        )
    try:
        sensors = _try(given, basedir) if given else LocalClient(basedir).status().get("sensors", [])
    except LocalError as problem:
        return complain(problem, problem.status)
    print(json.dumps(sensors, indent=2) if options.json else _text(sensors))
    return exits.DONE


def _try(given: list[Written], basedir: Path) -> list[SensorStatus]:
    """What the sensors see from here, as in the status of a worker."""
    from presence.worker.looking.cannottell import CannotTellError  # noqa: PLC0415 (only where something is tried)
    from presence.worker.sensors.reading import Reading, checkReading, statusOf  # noqa: PLC0415

    found = []
    for each in given:
        sensor = each.make(_process(basedir))
        try:
            reading = checkReading(sensor.read(), time.time())
        except CannotTellError as problem:
            reading = Reading(None, str(problem))
        now = time.time()
        quiet = None if reading.last is None else reading.last + sensor.quiet
        holds = bool(reading.away) or (quiet is not None and quiet > now)
        found.append(statusOf(sensor.name, reading, now, holds=holds, quietUntil=quiet))
    return found


def _process(basedir: Path) -> int | None:
    """That of the worker, whose builds do not count; None if it does not run."""
    try:
        address = LocalFile(str(basedir)).read()
    except LocalFileError:
        return None
    return None if address is None else address.pid


def _text(sensors: Iterable[SensorStatus]) -> str:
    if not sensors:
        return _NONE
    clocks = Clocks.here()
    rows = [
        (
            each["name"],
            stateText(each, clocks.moment(each["quiet_until"])),
            each["text"],
            clocks.moment(each["at"]),
        )
        for each in sensors
    ]
    return table(("SENSOR", "SAYS", "WHAT IT SEES", "LOOKED"), rows)

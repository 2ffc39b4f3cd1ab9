"""`presence breaks`: the breaks that are coming, before they surprise anybody."""

from __future__ import annotations

import json
import re
import sys
import time
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.breaks.ics.writer import calendarText, entriesOf
from presence.breaks.reading.spelling import spelledBreak
from presence.breaks.schedule import Break, BreakSchedule
from presence.breaks.warnings import hostWarnings, warningsOf
from presence.calendar.instants import datetimeOf, secondsOf
from presence.calendar.isodates import isoDatetime
from presence.calendar.wallclock import asInstant, startInstant
from presence.calendar.zones import canonicalZone, localZone, zoneFor
from presence.commands.breakstext import period, section, titleOf
from presence.commands.master.command import matching
from presence.commands.options import Paragraphs, UsageError

if TYPE_CHECKING:
    from argparse import Namespace

_EPILOG = """\
examples:
  presence breaks /srv/buildmaster
  presence breaks --break "19:00-07:00 MO-FR" --break "12:00-13:00" --tz Europe/Berlin
  presence breaks --break "7PM-7AM" --tz Europe/Berlin --from 2026-10-24
  presence breaks --break "19:00-21:00" --rule "FREQ=MONTHLY;BYDAY=2TU" --days 90
  presence breaks --break "FR 18:00 - MO 08:00" --tz Europe/Berlin
  presence breaks --break "2026-12-24T19:00/2026-12-27T07:00"
  presence breaks /srv/buildmaster --days 90 --ics > breaks.ics
  presence breaks /srv/buildmaster 'mac-*' --json

exit status: 0 shown; 1 the configuration has mistakes, or cannot be read; 2 usage error
"""
_MAX_DAYS = 3660
_YEARS = range(1970, 9000)
_FAILED = 1
_MISUSED = 2


class _MisuseError(Exception):
    """The command line says something that cannot be; the message says what would be right."""


class _LoadError(Exception):
    """The master's configuration has mistakes, one a line."""


def addParser(subparsers: Any) -> None:
    """Add `breaks` to the command line."""
    parser = subparsers.add_parser(
        "breaks",
        help="show the breaks that are coming, of a master's workers or as written on the command line",
        description="Show the breaks that are coming: those of every worker in a master's configuration, or those "
        "that are written on the command line, to try them out. Nothing is started and nothing is changed.",
        epilog=_EPILOG,
        formatter_class=Paragraphs,
    )
    parser.add_argument("master", nargs="?", metavar="MASTERDIR", help="the directory of a Buildbot master")
    parser.add_argument(
        "workers",
        nargs="*",
        metavar="WORKER",
        help="only these: a name, or a pattern such as 'mac-*' (by default all)",
    )
    parser.add_argument(
        "--break",
        dest="breaks",
        action="append",
        default=[],
        metavar="BREAK",
        help='a break instead of a master: "19:00-07:00", "Mon-Fri 9:00-17:00", "FR 18:00 - MO 08:00", or once: '
        '"2026-12-24T19:00/2026-12-27T07:00"; may be repeated',
    )
    parser.add_argument(
        "--working",
        action="append",
        default=[],
        metavar="TIMES",
        help="the opposite: when it works, written like a --break; may be repeated",
    )
    parser.add_argument(
        "--calendar",
        dest="calendars",
        action="append",
        default=[],
        metavar="FILE",
        help="an iCalendar file (.ics) whose events are breaks; may be repeated",
    )
    parser.add_argument(
        "--rule", help='the days on which a single --break starts, such as "FREQ=MONTHLY;BYDAY=2TU"'
    )
    parser.add_argument("--since", metavar="DATE", help="the first day of --rule, from which it counts")
    parser.add_argument(
        "--tz",
        metavar="ZONE",
        help="the time zone, such as Europe/Berlin: of each --break, or to show a master's breaks in; by default "
        "that of this host, and for a master's breaks their own",
    )
    parser.add_argument(
        "--from", dest="start", metavar="DATE", help="the first day, or moment, to show (default: now)"
    )
    parser.add_argument("--days", default="7", metavar="N", help="how many days to show (default: 7)")
    parser.add_argument(
        "--ics",
        action="store_true",
        help="write a calendar (iCalendar) instead, for phones and calendar programs",
    )
    parser.add_argument(
        "--reasons", action="store_true", help="with the reasons of the breaks in it; with --ics only"
    )
    parser.add_argument(
        "--json", action="store_true", help="print it for programs, in the fields of the REST API"
    )
    parser.set_defaults(run=run)


def run(options: Namespace) -> int:
    """Show the breaks that `options` ask for; the exit status."""
    try:
        asked = _asked(options, datetimeOf(time.time()))
        warned = _warnings(asked)
        if options.json:
            print(_json(asked, warned))
        elif options.ics:
            # its lines have the ends that a calendar file has to have, also on Windows
            sys.stdout.write(_calendar(asked, reasons=options.reasons))
        else:
            for line in _page(asked):
                print(line)
        for warning in warned:
            print(f"warning: {warning}", file=sys.stderr)
    except _MisuseError as misuse:
        print(f"presence breaks: {misuse}", file=sys.stderr)
        return _MISUSED
    except _LoadError as error:
        print(error, file=sys.stderr)
        return _FAILED
    return 0


@dataclass(frozen=True)
class _Asked:
    """What is shown: whose schedules, by the names of the workers, and from when to when; `short` is where they leave too few
    workers ready.
    """

    schedules: list[tuple[str, BreakSchedule]]
    now: datetime
    start: datetime
    stop: datetime
    days: int
    zone: str | tzinfo | None
    home: str | tzinfo
    short: tuple[str, ...] = ()


def _asked(options: Namespace, now: datetime) -> _Asked:
    days = _days(options.days)
    zone = None if options.tz is None else _checked("--tz", canonicalZone, options.tz)
    home = localZone() if zone is None else zone
    # (seconds of now would be told in every sum)
    start = (
        now.replace(second=0, microsecond=0)
        if options.start is None
        else _start(options.start, zoneFor(home))
    )
    stop = _days_later(start, days, zoneFor(home))
    short: tuple[str, ...] = ()
    if options.master is not None:
        schedules, short = _schedules_of_master(options)
    else:
        schedules = [("", _written_schedule(options, home))]
    return _Asked(schedules, now, start, stop, days, zone, home, short)


def _page(asked: _Asked) -> list[str]:
    """All that is printed, line by line."""
    lines = [period(asked.start.astimezone(zoneFor(asked.home)), asked.days)]
    without = [name for name, schedule in asked.schedules if schedule.isEmpty and name]
    for name, schedule in asked.schedules:
        if name not in without:
            title = titleOf(name, schedule, asked.zone, asked.home)
            lines += ["", *section(title, schedule, asked.start, asked.stop)]
    if without:
        lines += ["", f"no breaks: {', '.join(without)}"]
    return lines


def _json(asked: _Asked, warned: list[str]) -> str:
    """All of it for programs: breaks as the REST API tells them."""
    from presence.breaks.forecast import breaksBetween  # noqa: PLC0415 (nobody else needs it)
    from presence.master.api.told import breakEntity  # noqa: PLC0415

    workers = []
    for name, schedule in asked.schedules:
        whole, partly = breaksBetween(schedule, asked.start, asked.stop)
        workers.append(
            {
                "name": name,
                "zones": list(schedule.zones),
                "breaks": [breakEntity(each) for each in whole],
                "partial_breaks": [{**breakEntity(each), "limit": each.limit} for each in partly],
            }
        )
    first, last = secondsOf(asked.start), secondsOf(asked.stop)
    return json.dumps({"from": first, "until": last, "workers": workers, "warnings": warned}, indent=2)


def _warnings(asked: _Asked) -> list[str]:
    """What is allowed, and hardly meant."""
    found = hostWarnings() if asked.zone is None else []
    for name, schedule in asked.schedules:
        who = f"{name}: " if name else ""
        found += [f"{who}{each}" for each in warningsOf(schedule, asked.now)]
    return [*found, *asked.short]


def _calendar(asked: _Asked, *, reasons: bool) -> str:
    """The same as a calendar file."""
    entries = [
        entry
        for name, schedule in asked.schedules
        for entry in entriesOf(name or "worker", schedule, asked.start, asked.stop, reasons=reasons)
    ]
    return calendarText("Breaks of workers", entries, asked.now, asked.stop)


# --- what is asked for


def _checked(name: str, reader: Any, value: Any) -> Any:
    try:
        return reader(value)
    except ValueError as problem:
        raise _MisuseError(f"{name}: {problem}") from None


def _days(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= _MAX_DAYS:
        raise _MisuseError(f"--days: {text!r} is not a number from 1 to {_MAX_DAYS}")
    return int(text)


def _start(text: str, zone: tzinfo) -> datetime:
    moment: datetime = _checked("--from", isoDatetime, text)
    if moment.year not in _YEARS:
        raise _MisuseError(f"--from: {text!r} does not lie in the years from {_YEARS[0]} to {_YEARS[-1]}")
    return startInstant(moment, zone) if moment.tzinfo is None else asInstant(moment)


def _days_later(start: datetime, days: int, zone: tzinfo) -> datetime:
    """The moment at which the clocks of `zone` show the same time, some days later."""
    wall = start.astimezone(zone).replace(tzinfo=None)
    return startInstant(wall + timedelta(days=days), zone)


def _written_schedule(options: Namespace, zone: str | tzinfo) -> BreakSchedule:
    """The schedule of the breaks on the command line."""
    if not (options.breaks or options.calendars or options.working):
        raise _MisuseError(
            'say whose breaks: a master\'s directory, or --break "19:00-07:00" to try one out (see --help)'
        )
    if options.rule is not None and len(options.breaks) != 1:
        raise _MisuseError("--rule goes with one --break: write several as a list in master.cfg")
    if options.working:
        if options.breaks or options.calendars:
            raise _MisuseError(
                "--working excludes --break and --calendar: say when it is away, or when it works"
            )
        working = options.working
        schedule: BreakSchedule = _checked(
            "--working", partial(BreakSchedule.fromConfig, None, zone), working
        )
        return schedule
    breaks = [_written_break(text, options, zone) for text in options.breaks]
    reader = partial(Break.fromCalendar, tz=zone)
    breaks += [_checked("--calendar", reader, name) for name in options.calendars]
    return BreakSchedule(breaks)


def _written_break(text: str, options: Namespace, zone: str | tzinfo) -> Break:
    try:
        start, stop, days = spelledBreak(text)
    except ValueError as problem:
        raise _MisuseError(f"--break: {problem}") from None
    try:
        return Break(start, stop, days, tz=zone, rule=options.rule, since=options.since)
    except ValueError as problem:
        raise _MisuseError(f"--break {text!r}: {problem}") from None


def _schedules_of_master(options: Namespace) -> tuple[list[tuple[str, BreakSchedule]], tuple[str, ...]]:
    """The workers of a master by name, each with its schedule; and where these leave too few workers ready."""
    written = options.breaks or options.calendars or options.working
    if written or options.rule is not None or options.since is not None:
        raise _MisuseError("a master's directory and --break exclude each other")
    # a worker without this plugin has no schedule, and so no breaks
    config = _load_config(Path(options.master))
    short: list[str] = []
    for service in config.services.values():
        if hasattr(service, "shortBreaks"):
            short += service.shortBreaks(config)
    schedules = [(each.workername, getattr(each, "schedule", BreakSchedule())) for each in config.workers]
    return _meant(options.workers, schedules), tuple(short)


def _meant(
    patterns: list[str], schedules: list[tuple[str, BreakSchedule]]
) -> list[tuple[str, BreakSchedule]]:
    """Those of the workers that the command line names; all where it names none."""
    if not patterns:
        return schedules
    try:
        found = matching(patterns, [{"name": name} for name, _ in schedules], "worker")
    except UsageError as problem:
        raise _MisuseError(str(problem)) from None
    meant = {each["name"] for each in found}
    return [each for each in schedules if each[0] in meant]


def _load_config(master: Path) -> Any:
    """The configuration of the master in this directory, found and read as Buildbot does."""
    try:
        from buildbot.config.errors import ConfigErrors  # noqa: PLC0415 (--break needs no Buildbot)
        from buildbot.config.master import FileLoader  # noqa: PLC0415
        from buildbot.scripts.base import getConfigFileFromTac  # noqa: PLC0415

        from presence.master.slave.keywords import BreakWarning  # noqa: PLC0415
    except ImportError as error:
        raise _LoadError(
            f"reading a master's configuration needs Buildbot ({error}): run this where the master runs, or "
            "pip install 'buildbot-presence[master]'"
        ) from None
    if not master.is_dir():
        raise _MisuseError(
            f"{str(master)!r} is not a directory: give the one in which the master's buildbot.tac is"
        )
    try:
        config_file = getConfigFileFromTac(str(master), quiet=True)
    except Exception as error:  # buildbot.tac is a program, and may do anything
        raise _LoadError(f"buildbot.tac in {str(master)!r} cannot be read: {error!r}") from error
    try:
        with warnings.catch_warnings():
            # they are told below, and not as lines of code
            warnings.simplefilter("ignore", BreakWarning)
            config = FileLoader(str(master), config_file).loadConfig()
    except ConfigErrors as errors:
        raise _LoadError(
            "\n".join(["Configuration errors:", *(f"  {each}" for each in errors.errors)])
        ) from None
    for service in config.services.values():
        # what `PresenceService` gives to workers that are declared without a presence
        if hasattr(service, "giveTerms"):
            service.giveTerms(config.workers)
    return config

"""`presence breaks`: the breaks that are coming, before they surprise anybody."""

from __future__ import annotations

import re
import sys
import time
from argparse import Namespace, RawDescriptionHelpFormatter
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.breaks.schedule import Break, BreakSchedule
from presence.calendar.isodates import isoDatetime
from presence.calendar.wallclock import UTC, asInstant, clockChanges, later, startInstant
from presence.calendar.zones import canonicalZone, localZone, zoneFor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from presence.breaks.schedule import BreakInterval

_EPILOG = """\
examples:
  presence breaks /srv/buildmaster
  presence breaks --break "19:00-07:00 MO-FR" --break "12:00-13:00" --tz Europe/Berlin
  presence breaks --break "7PM-7AM" --tz Europe/Berlin --from 2026-10-24
  presence breaks --break "19:00-21:00" --rule "FREQ=MONTHLY;BYDAY=2TU" --days 90
  presence breaks --break "2026-12-24T19:00/2026-12-27T07:00"
"""
_MAX_DAYS = 3660
_YEARS = range(1970, 9000)
_BREAK = re.compile(
    r"(?P<start>[^-–]+)[-–]\s*(?P<stop>\S+(?:\s+[ap]\.?m\.?(?=\s|$))?)(?:\s+(?P<days>.+))?", re.IGNORECASE
)

_NO_END = "no end within 400 days"

_FAILED = 1
_MISUSED = 2


class _MisuseError(Exception):
    """The command line says something that cannot be; the message says what would be right."""


class _LoadError(Exception):
    """The master's configuration has mistakes, one a line."""


@dataclass(frozen=True)
class _Title:
    """Whose breaks they are, and in which zone they are shown."""

    name: str
    zone: tzinfo
    zoneName: str


def addParser(subparsers: Any) -> None:
    """Add `breaks` to the command line."""
    parser = subparsers.add_parser(
        "breaks",
        help="show the breaks that are coming, of a master's workers or as written on the command line",
        description="Show the breaks that are coming: those of every worker in a master's configuration, or those "
        "that are written on the command line, to try them out. Nothing is started and nothing is changed.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("master", nargs="?", metavar="MASTERDIR", help="the directory of a Buildbot master")
    parser.add_argument(
        "--break",
        dest="breaks",
        action="append",
        default=[],
        metavar="BREAK",
        help='a break instead of a master: "19:00-07:00", "19:00-07:00 MO-FR", or once: '
        '"2026-12-24T19:00/2026-12-27T07:00"; may be repeated',
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
    parser.set_defaults(run=run)


def run(options: Namespace) -> int:
    """Show the breaks that `options` ask for; the exit status."""
    try:
        for line in _page(options, datetime.fromtimestamp(time.time(), UTC)):
            print(line)
    except _MisuseError as misuse:
        print(f"presence breaks: {misuse}", file=sys.stderr)
        return _MISUSED
    except _LoadError as error:
        print(error, file=sys.stderr)
        return _FAILED
    return 0


def _page(options: Namespace, now: datetime) -> list[str]:
    """All that is printed, line by line."""
    days = _days(options.days)
    zone = None if options.tz is None else _checked("--tz", canonicalZone, options.tz)
    home = localZone() if zone is None else zone
    start = now if options.start is None else _start(options.start, zoneFor(home))
    stop = _days_later(start, days, zoneFor(home))
    if options.master is not None:
        schedules = _schedules_of_master(options)
    else:
        schedules = [("", _written_schedule(options, home))]
    lines = [_period(start.astimezone(zoneFor(home)), days)]
    for name, schedule in schedules:
        title = _title(name, schedule, zone, home)
        lines += ["", *_section(title, schedule, start, stop)]
    return lines


# --- what is asked for


def _checked(name: str, reader: Any, value: Any) -> Any:
    try:
        return reader(value)
    except ValueError as problem:
        raise _MisuseError(f"{name}: {problem}") from None


def _days(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= _MAX_DAYS:
        raise _MisuseError(f"--days: {text!r} is no number from 1 to {_MAX_DAYS}")
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
    if not options.breaks:
        raise _MisuseError(
            'say whose breaks: a master\'s directory, or --break "19:00-07:00" to try one out (see --help)'
        )
    if options.rule is not None and len(options.breaks) != 1:
        raise _MisuseError("--rule goes with one --break: write several as a list in master.cfg")
    return BreakSchedule([_written_break(text, options, zone) for text in options.breaks])


def _written_break(text: str, options: Namespace, zone: str | tzinfo) -> Break:
    start, slash, stop = text.partition("/")
    days = None
    if not slash:
        match = _BREAK.fullmatch(text.strip())
        if match is None:
            raise _MisuseError(
                f'--break: {text!r} is no break: write "19:00-07:00", "19:00-07:00 MO-FR" or '
                '"2026-12-24T19:00/2026-12-27T07:00"'
            )
        start, stop, days = match["start"], match["stop"], match["days"]
    try:
        return Break(start, stop, days, tz=zone, rule=options.rule, since=options.since)
    except ValueError as problem:
        raise _MisuseError(f"--break {text!r}: {problem}") from None


def _schedules_of_master(options: Namespace) -> list[tuple[str, BreakSchedule]]:
    """The workers of a master by name, each with its schedule."""
    if options.breaks or options.rule is not None or options.since is not None:
        raise _MisuseError("a master's directory and --break exclude each other")
    # a worker without this plugin has no schedule, and so no breaks
    return [
        (worker.workername, getattr(worker, "schedule", BreakSchedule()))
        for worker in _load_workers(Path(options.master))
    ]


def _load_workers(master: Path) -> list[Any]:
    """The workers in the configuration of the master in this directory, found and read as Buildbot does."""
    try:
        from buildbot.config.errors import ConfigErrors  # noqa: PLC0415 (--break needs no Buildbot)
        from buildbot.config.master import FileLoader  # noqa: PLC0415
        from buildbot.scripts.base import getConfigFileFromTac  # noqa: PLC0415
    except ImportError as error:
        raise _LoadError(
            f"reading a master's configuration needs Buildbot ({error}): run this where the master runs, or "
            "pip install 'buildbot-presence[master]'"
        ) from None
    if not master.is_dir():
        raise _MisuseError(
            f"{str(master)!r} is no directory: give the one in which the master's buildbot.tac is"
        )
    try:
        config_file = getConfigFileFromTac(str(master), quiet=True)
    except Exception as error:  # buildbot.tac is a program, and may do anything
        raise _LoadError(f"buildbot.tac in {str(master)!r} cannot be read: {error!r}") from error
    try:
        workers: list[Any] = FileLoader(str(master), config_file).loadConfig().workers
    except ConfigErrors as errors:
        raise _LoadError(
            "\n".join(["Configuration errors:", *(f"  {each}" for each in errors.errors)])
        ) from None
    return workers


# --- what is shown


def _title(name: str, schedule: BreakSchedule, zone: str | tzinfo | None, home: str | tzinfo) -> _Title:
    """The zone is `zone` if there is one, else the one in which the breaks are written, if it is one."""
    if zone is None:
        written = [each.tz for each in schedule.breaks if each.tz is not None]
        zone = written[0] if written and all(each == written[0] for each in written) else home
    return _Title(name, zoneFor(zone), zone if isinstance(zone, str) else "local time")


def _period(start: datetime, days: int) -> str:
    moment = f"{start:%a %Y-%m-%d}"
    if (start.hour, start.minute) != (0, 0):
        moment += f" {start:%H:%M}"
    return f"Breaks in the {days} days from {moment}" if days > 1 else f"Breaks in the day from {moment}"


def _section(title: _Title, schedule: BreakSchedule, start: datetime, stop: datetime) -> list[str]:
    """What there is to say of one worker."""
    intervals = schedule.between(start, stop)
    if schedule.isEmpty:
        return [f"{title.name}: no breaks"]
    away = sum(((min(each.stop or stop, stop) - max(each.start, start)) for each in intervals), timedelta(0))
    names = [title.name] if title.name else []
    head = [*names, title.zoneName, f"on a break for {_length(away)} of {_length(stop - start)}"]
    rows = [row for each in intervals for row in _rows(title.zone, each, start, stop)]
    changes = clockChanges(title.zone, start, stop)
    rows += [
        (change, _change(title.zone, change))
        for change in changes
        if not any(each.start < change < (each.stop or stop) for each in intervals)
    ]
    rows.sort(key=lambda row: row[0])
    return [", ".join(head), *(f"  {text}" for _, text in rows)]


def _rows(
    zone: tzinfo, interval: BreakInterval, first: datetime, last: datetime
) -> Iterator[tuple[datetime, str]]:
    """A line for a break, and one for each change of the clocks in it, with the instants they are about.

    `first`, `last`: the period which is shown. Of a long break the changes before and after it are left out.
    """
    start = interval.start.astimezone(zone)
    reason = "; ".join(interval.reasons)
    if interval.stop is not None:
        stop = _stop(start, interval.stop.astimezone(zone))
        yield interval.start, _line(start, stop, _length(interval.stop - interval.start), reason)
    elif interval.start < first:
        yield interval.start, f"{_NO_END:<55}   {reason}".rstrip()
    else:
        yield interval.start, _line(start, _NO_END, "", reason)
    earliest = max(interval.start, later(first, -timedelta(days=1)))
    for change in clockChanges(zone, earliest, min(interval.stop or last, last)):
        if change != interval.stop:
            effect = "" if interval.stop is None else f": {_effect(zone, change)}"
            yield interval.start, f"  {_change(zone, change)}{effect}"


def _effect(zone: tzinfo, change: datetime) -> str:
    shift = _shift(zone, change)
    return f"this break is {_length(abs(shift))} {'longer' if shift < timedelta(0) else 'shorter'}"


def _line(start: datetime, stop: str, length: str, reason: str) -> str:
    return f"{start:%a %Y-%m-%d  %H:%M} – {stop:<16} {length:>12}   {reason}".rstrip()


def _stop(start: datetime, stop: datetime) -> str:
    """The end of a break: with its day if that is another one, and the end of a day as 24:00."""
    last = stop - timedelta(days=1) if (stop.hour, stop.minute, stop.second) == (0, 0, 0) else stop
    clock = "24:00" if last is not stop else _clock(stop)
    if last.date() == start.date():
        return clock
    return (
        f"{clock} {last:%a}" if last.date() - start.date() < timedelta(days=7) else f"{clock} {last:%Y-%m-%d}"
    )


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _change(zone: tzinfo, change: datetime) -> str:
    """A change of the clocks, as it is announced: by the time at which it happens on the old clock."""
    before, after = (change - timedelta(seconds=1)).astimezone(zone), change.astimezone(zone)
    shift = _shift(zone, change)
    moment = before + timedelta(seconds=1)
    direction = "forward" if shift > timedelta(0) else "back"
    return (
        f"{moment:%a %Y-%m-%d  %H:%M}   clocks go {direction} by {_length(abs(shift))}, "
        f"{before.tzname()} → {after.tzname()}"
    )


def _shift(zone: tzinfo, change: datetime) -> timedelta:
    """By how much the clocks are set forward, or (negative) back."""
    before, after = (change - timedelta(seconds=1)).astimezone(zone), change.astimezone(zone)
    return (after.utcoffset() or timedelta(0)) - (before.utcoffset() or timedelta(0))


def _length(span: timedelta) -> str:
    """A length of time for people: ``13 h``, ``1 h 30 min``, ``168 h``."""
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if number
    ]
    return " ".join(parts) or "0 min"

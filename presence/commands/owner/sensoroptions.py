"""Sensors as options of a command line: `--away-when-used 15m`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from presence.worker.sensors.reading import Sensor


@dataclass(frozen=True, slots=True)
class Written:
    """A sensor as it is written in a `buildbot.tac`: the name of its class, and its arguments."""

    kind: str
    arguments: tuple[Any, ...] = ()
    name: str | None = None

    def __str__(self) -> str:
        # a tac file may be of any encoding
        arguments = [ascii(each) for each in self.arguments]
        if self.name is not None:
            arguments.append(f"name={self.name!a}")
        return f"{self.kind}({', '.join(arguments)})"

    def make(self, pid: int | None = None) -> Sensor:
        """The sensor, for the worker whose process is `pid`, by default this one. Raises `ValueError`."""
        from presence.worker import sensors  # noqa: PLC0415 (two commands need them)

        keywords = {} if self.name is None else {"name": self.name}
        if pid is not None and self.kind in {"Used", "WhileRunning", "LoadAbove"}:
            keywords["pid"] = pid  # type: ignore[assignment]
        return getattr(sensors, self.kind)(*self.arguments, **keywords)  # type: ignore[no-any-return]


def addSensors(parser: ArgumentParser, *, prefix: str = "") -> None:
    """Let the command be told of sensors. `prefix` is put before what each of them does."""
    group = parser.add_argument_group("away by itself", f"{prefix}See docs/sensors.rst.")
    group.add_argument(
        "--away-when-used",
        metavar="DURATION",
        help="while somebody is at the machine, and until nobody was for so long: 15m, or longer",
    )
    group.add_argument("--away-on-battery", action="store_true", help="while it runs on battery")
    group.add_argument(
        "--away-while-running",
        metavar="PROGRAM",
        action="append",
        default=[],
        help="may be given several times",
    )
    group.add_argument(
        "--away-when-load-above",
        metavar="NUMBER",
        help="while others keep more than so many processors busy: 1.5",
    )
    group.add_argument(
        "--away-when-disk-below", metavar="SIZE", help="while less than so much disk is free: 5G"
    )
    group.add_argument(
        "--away-when",
        metavar="COMMAND",
        action="append",
        default=[],
        help="while this command of the shell ends with exit status 0; its first line is the reason; may be given "
        "several times",
    )
    group.add_argument("--away-during", metavar="FILE", help="during the events of an .ics file")


def sensorsOf(options: Namespace) -> list[Written]:
    """The sensors that were given. Raises `ValueError` for those that cannot be."""
    found = list(_given(options))
    for each in found:
        each.make()
    return found


def _given(options: Namespace) -> Iterator[Written]:
    if options.away_when_used is not None:
        yield Written("Used", (options.away_when_used,))
    if options.away_on_battery:
        yield Written("OnBattery")
    if options.away_while_running:
        yield Written("WhileRunning", tuple(options.away_while_running))
    for kind, value in (
        ("LoadAbove", options.away_when_load_above),
        ("DiskBelow", options.away_when_disk_below),
    ):
        if value is not None:
            yield Written(kind, (value,))
    for number, command in enumerate(options.away_when, 1):
        yield Written("Command", (command,), None if number == 1 else f"command {number}")
    if options.away_during is not None:
        yield Written("Calendar", (options.away_during,))

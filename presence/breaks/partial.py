"""Partial breaks: times in which some builds may start, and not others. They do not make a worker unready."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

from presence.breaks.coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from presence.breaks.coverage import BreakInterval
    from presence.breaks.written import Break

_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class Limit:
    """What may start: at most `builds` at once (None: any number), of builders that match one of `only` (none: of
    all builders), and none of `without`. Patterns are those of shells, as in ``"quick-*"``; case matters.
    """

    builds: int | None = None
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @classmethod
    def of(cls, break_: Break) -> Limit:
        """The limit that `break_` sets."""
        return cls(break_.builds, break_.only, break_.without)

    def admits(self, builder: str) -> bool:
        """Whether builds of `builder` may start at all."""
        matches = (fnmatchcase(builder, pattern) for pattern in self.only)
        return (not self.only or any(matches)) and not any(
            fnmatchcase(builder, pattern) for pattern in self.without
        )

    @property
    def text(self) -> str:
        """The limit for people: ``"at most 2 builds, only quick-*, without bench-*"``."""
        parts = []
        if self.builds is not None:
            parts.append("at most 1 build" if self.builds == 1 else f"at most {self.builds} builds")
        parts += [f"only {', '.join(self.only)}"] if self.only else []
        parts += [f"without {', '.join(self.without)}"] if self.without else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class PartialInterval:
    """A partial break as it happens, merged with those of the same limit: see `BreakInterval`."""

    start: datetime
    stop: datetime | None
    limit: Limit
    reasons: tuple[str, ...] = ()


class Partials:
    """The partial ones among the breaks of a schedule. Instants are in UTC."""

    __slots__ = ("_limits",)

    def __init__(self, breaks: Sequence[Break]) -> None:
        self._limits = grouped((Limit.of(each), each) for each in breaks if each.isPartial)

    def at(self, instant: datetime) -> tuple[PartialInterval, ...]:
        """The partial breaks in which `instant` lies."""
        found = ((limit, coverage.at(instant)) for limit, coverage in self._limits)
        return tuple(_partial(limit, each) for limit, each in found if each is not None)

    def between(self, start: datetime, stop: datetime) -> list[PartialInterval]:
        """Those that overlap ``[start, stop)``, by their start."""
        found = [
            _partial(limit, each)
            for limit, coverage in self._limits
            for each in coverage.between(start, stop)
        ]
        return sorted(found, key=lambda each: each.start)

    def nextChange(self, instant: datetime) -> datetime | None:
        """The first instant after `instant` at which one of them begins or ends; None if there is none."""
        changes = (coverage.nextChange(instant) for _, coverage in self._limits)
        return min((each for each in changes if each is not None), default=None)


def grouped(breaks: Iterable[tuple[_K, Break]]) -> list[tuple[_K, Coverage]]:
    """When the breaks are, those with the same key together."""
    groups: dict[_K, list[Break]] = {}
    for key, each in breaks:
        groups.setdefault(key, []).append(each)
    return [(key, coverageOf(each)) for key, each in groups.items()]


def coverageOf(breaks: Sequence[Break]) -> Coverage:
    """When at least one of `breaks` is."""
    return Coverage(tuple(each.occurrences() for each in breaks), tuple(each.reason for each in breaks))


def _partial(limit: Limit, interval: BreakInterval) -> PartialInterval:
    return PartialInterval(interval.start, interval.stop, limit, interval.reasons)

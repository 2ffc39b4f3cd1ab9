"""How long the builds that run now will still take, from the durations of those of the past.

Asked for all builds at once it costs two SQL statements (one more for each further hundred builds, and for each hundred
builders), over indexes, and of each builder no more than its last builds are read, however old the master is.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from buildbot.process.results import SUCCESS, WARNINGS
from twisted.internet.defer import inlineCallbacks

from presence.master.stored.rows import pieces

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from twisted.internet.defer import Deferred

#: How many builds of a builder are looked back upon.
LOOK_BACK = 50

#: How many successful builds on the same worker are enough to disregard the other workers.
ENOUGH = 5

# An estimate leans on no fewer of the builds of the past than one of so many: one stray build is not a pattern.
_STRAY = 10

# For `likelyLongest`: what a median deviation is of a standard deviation, how many of them are added to the median, and how
# many times as long as that a stray is. benchmarks/sparing.py shows what comes of it.
_TO_DEVIATION = 1.4826
_SPREADS = 4.0
_FAR = 5.0

# How many builds, or builders, are asked for in one SQL statement.
_CHUNK = 100


@dataclass(frozen=True)
class Estimate:
    """A build that runs: since when it does (seconds since the epoch, whole ones), and for how many seconds it
    still will. It may be None: not known.
    """

    startedAt: float
    remaining: float | None


@inlineCallbacks
def estimates(master: Any, buildids: Iterable[int]) -> Generator[Deferred[Any], Any, dict[int, Estimate]]:
    """The estimates for the builds that run of these, by their ids, in a Deferred.

    Those that have ended, or never were, are missing.
    """
    wanted = sorted(set(buildids))
    if not wanted:
        return {}
    now = master.reactor.seconds()
    return (yield master.db.pool.do(_estimate, master.db.model.builds, wanted, now))


@inlineCallbacks
def remaining(master: Any, build: Any) -> Generator[Deferred[Any], Any, float | None]:
    """For how many seconds `build` (a Buildbot build) will still run, in a Deferred. None when that is not known,
    and when it has ended, or is still being prepared.
    """
    if build.buildid is None:
        return None
    estimate = (yield estimates(master, [build.buildid])).get(build.buildid)
    return None if estimate is None else estimate.remaining


def remainingOf(elapsed: float, durations: Sequence[float]) -> float | None:
    """How long something that runs for `elapsed` seconds will still take, when others took so long as `durations`.

    The median of what those still took that have come so far as this one: so it is the median of them all at
    first, and what runs for longer than usual is compared with what has been longer than usual. It is None for
    what runs for longer than (nearly) all of them, and when there are none.
    """
    return _remaining(elapsed, sorted(durations))


def _remaining(elapsed: float, durations: Sequence[float]) -> float | None:
    """The same, of durations that are sorted."""
    first = bisect_right(durations, elapsed)
    longer = len(durations) - first
    if not longer or longer * _STRAY < len(durations):
        return None
    return _median(durations[first:]) - elapsed


def pastDurations(master: Any, builderid: int, workerid: int) -> Deferred[list[float]]:
    """How long (in seconds, without what they waited for locks) the last builds of a builder took that were successful: on
    this worker where there are enough of them, else on all. In a Deferred; one SQL statement.
    """
    builds = master.db.model.builds
    newest = sa.select(sa.func.max(builds.c.number)).where(builds.c.builderid == builderid).scalar_subquery()
    query = _past(builds, sa.and_(builds.c.builderid == builderid, builds.c.number > newest - LOOK_BACK))

    def thd(connection: Any) -> list[float]:
        return _durations(connection.execute(query).fetchall(), workerid)

    return master.db.pool.do(thd)


def likelyLongest(durations: Sequence[float]) -> float | None:
    """A bound that the next one is unlikely to exceed, when others took so long as `durations`; None without any.

    The median and four times the spread around it (the median deviation, scaled to what would be the standard
    deviation of a normal distribution), but no less than the longest of them took: some builders have builds of two
    kinds, and then the spread around the median says nothing of the longer ones. A single one that took far longer than
    the others is a stray, and says nothing either.
    """
    if not durations:
        return None
    middle = _median(durations)
    spread = _TO_DEVIATION * _median(abs(each - middle) for each in durations)
    *others, longest = sorted(durations)
    if others and longest > _FAR * middle:
        longest = others[-1]
    return max(middle + _SPREADS * spread, longest)


def _estimate(connection: Any, builds: Any, buildids: Sequence[int], now: float) -> dict[int, Estimate]:
    columns = (
        builds.c.id,
        builds.c.number,
        builds.c.builderid,
        builds.c.workerid,
        builds.c.started_at,
        builds.c.locks_duration_s,
    )
    running = [
        row
        for some in pieces(buildids, _CHUNK)
        for row in connection.execute(
            sa.select(*columns).where(builds.c.id.in_(some), builds.c.complete_at.is_(None))
        )
    ]
    first: dict[int, int] = {}
    for row in running:
        first[row.builderid] = min(row.number, first.get(row.builderid, row.number))
    history: dict[int, list[Any]] = {builderid: [] for builderid in first}
    for some in pieces(list(first), _CHUNK):
        # by number, and not by time: that is what there is an index for
        recent = [
            sa.and_(
                builds.c.builderid == builderid,
                builds.c.number >= first[builderid] - LOOK_BACK,
                builds.c.number < first[builderid],
            )
            for builderid in some
        ]
        for row in connection.execute(_past(builds, sa.or_(*recent))):
            history[row.builderid].append(row)

    # (hundreds of them may be of one builder)
    @cache
    def durations(builderid: int, workerid: int | None) -> list[float]:
        return sorted(_durations(history[builderid], workerid))

    return {
        row.id: Estimate(
            row.started_at,
            # how long it waits for locks says nothing of how long it works
            _remaining(now - row.started_at - row.locks_duration_s, durations(row.builderid, row.workerid)),
        )
        for row in running
    }


def _past(builds: Any, which: Any) -> Any:
    """The statement for those of the builds `which` that were successful."""
    return sa.select(
        builds.c.builderid,
        builds.c.workerid,
        (builds.c.complete_at - builds.c.started_at - builds.c.locks_duration_s).label("duration"),
    ).where(which, builds.c.results.in_((SUCCESS, WARNINGS)), builds.c.complete_at.is_not(None))


def _median(values: Iterable[float]) -> float:
    """As that of the module statistics, which is as large as five of ours, and needs fractions and decimals besides."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _durations(history: Sequence[Any], workerid: int | None) -> list[float]:
    """The durations of the builds on this worker, where there are enough, else on all of them."""
    here = [row.duration for row in history if row.workerid == workerid]
    return here if len(here) >= ENOUGH else [row.duration for row in history]

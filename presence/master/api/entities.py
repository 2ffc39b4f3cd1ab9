"""The entities of workers and builders. All instants are seconds since the epoch."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import cached_property
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, cast

from buildbot.process.workerforbuilder import States

from presence.calendar.instants import datetimeOf
from presence.calendar.wallclock import later
from presence.master.api.told import breakEntity, holdEntity
from presence.model.states import PresenceState
from presence.words.absent import allAbsentText
from presence.words.holds import holdText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from presence.breaks.forecast import Forecast
    from presence.master.api.shapes import (
        BreaksEntity,
        BuilderPresenceEntity,
        PresenceEntity,
    )
    from presence.master.breaks.deadlines import BreakDeadlines
    from presence.master.breaks.door import BreakDoor, Refusal
    from presence.master.farm.seen.snapshots import Snapshots
    from presence.master.holding.drains import Drains
    from presence.master.roster import Roster
    from presence.master.why.blocks import Blocks
    from presence.master.why.facts import Reason
    from presence.model.builderpresence import BuilderPresence
    from presence.model.readycounts import ReadyCounts
    from presence.model.states import Hold
    from presence.model.workerpresence import WorkerPresence

# How many workers are named when it is told why none of them is ready.
_NAMED = 3

# How far a calendar goes: a program that subscribes to it asks again every hour or every day, and keeps what is over for a while.
_CALENDAR, _CALENDAR_BEFORE = timedelta(days=90), timedelta(days=14)


class Entities:
    """Makes the entities of the workers and builders of a master.

    It asks each time, and keeps only what hundreds of them have in common.
    """

    def __init__(
        self,
        roster: Roster,
        counts: ReadyCounts,
        drains: Drains,
        door: BreakDoor,
        deadlines: BreakDeadlines,
        *,
        blocks: Blocks,
        groupsOf: Callable[[Any], Iterable[str]],
        builderHold: Callable[[int], Hold | None],
    ) -> None:
        self._roster = roster
        self._counts = counts
        self._drains = drains
        self._door = door
        self._deadlines = deadlines
        self._blocks = blocks
        self._groups_of = groupsOf
        self._builder_hold = builderHold
        # what other masters tell of their workers; None where there is one master
        self._farm: Snapshots | None = None
        # the names of workers by their ids, as far as they have been asked for; until the configuration changes
        self._names: dict[int, str] = {}
        # of a worker, the ids of its builders; until the configuration changes. Many have the same.
        self._builderids: dict[str, tuple[int, ...]] = {}
        self._same_builderids: dict[tuple[int, ...], tuple[int, ...]] = {}
        # of the workers of builders none of which is ready, why; until the holds of any worker change
        self._reasons: dict[tuple[WorkerPresence, ...], tuple[str, float | None]] = {}

    def join(self, farm: Snapshots) -> None:
        """From now on this master is one of several."""
        self._farm = farm

    def follow(self) -> None:
        """The configuration has changed."""
        self._names.clear()
        self._builderids.clear()
        self._same_builderids.clear()
        self._reasons.clear()

    def workerChanged(self) -> None:
        """The holds of a worker have changed."""
        self._reasons.clear()

    @property
    def _master(self) -> Any:
        return self._roster.master

    @cached_property
    def _forecast(self) -> Forecast:
        from presence.breaks.forecast import Forecast  # noqa: PLC0415 (for whom has breaks)

        return Forecast()

    def workerName(self, workerid: int) -> str | None:
        """The name of the worker with this id, if it is one of this master's, or of the farm's."""
        if workerid not in self._names:
            # (a worker has no id before its service has started)
            self._names = {each.workerid: name for name, each in self._master.workers.workers.items()}
        name = self._names.get(workerid)
        return self._farm.known.nameOf(workerid) if name is None and self._farm is not None else name

    def isWorker(self, name: str) -> bool:
        """Whether there is a worker of this name on this master, or in the farm."""
        return name in self._master.workers.workers or (self._farm is not None and name in self._farm.names)

    def builderName(self, builderid: int) -> str | None:
        """The name of the builder with this id, if it is one of this master's, or of the farm's."""
        builder = self._master.botmaster.getBuilderById(builderid)
        if builder is not None:
            return builder.name
        return None if self._farm is None else self._farm.known.builderName(builderid)

    def builderId(self, name: str) -> int | None:
        """The id of a builder of this master, or of the farm."""
        builder = self._master.botmaster.builders.get(name)
        # Buildbot's own way is a Deferred. The botmaster has asked it of every builder before there were workers.
        if builder is not None:
            return builder._builderid
        known = {} if self._farm is None else self._farm.known.builders
        return next((number for number, each in known.items() if each == name), None)

    def worker(
        self, name: str, *, breaks: bool = True, span: tuple[float, float] | None = None
    ) -> PresenceEntity | None:
        """A worker; without its `breaks` where nobody has asked for them. They are those of the coming days, or of `span`, from
        one instant to another. None when it is not there (yet).
        """
        told = None if self._farm is None else self._farm.elsewhere(name)
        if told is not None:
            return _shown(told, breaks=breaks, span=span)
        worker = self._master.workers.workers.get(name)
        presence = self._roster.findWorker(name)
        if worker is None or presence is None or worker.workerid is None:
            return None
        now = self._master.reactor.seconds()
        running = self._running(worker, presence)
        enrolled = self._roster.enrolled(name)
        entity: PresenceEntity = {
            "workerid": worker.workerid,
            "name": name,
            "state": presence.state.name,
            "holds": [holdEntity(each) for each in presence.holds],
            "connected": worker.conn is not None,
            "busy": running > 0,
            "running": running,
            "back_at": presence.backAt,
            "next_break": None,
            "breaks": [],
            "partial_breaks": [],
            "limits": [{"limit": each.limit.text, "until": each.until} for each in presence.limits],
            "refused": [],
            "blocked": [],
            "interrupts_at": self._deadlines.interruptsAt(name),
            "work_until": None,
            "builders": self._builder_ids_of(name),
            "groups": list(self._groups_of(worker)),
            "zones": [],
            "holdable": enrolled is not None,
            "drain": None,
            "masterid": None if self._farm is None else self._master.masterid,
            "stale_since": None,
        }
        if presence.ready and not running:
            entity["blocked"] = [
                {"kind": each.kind, "text": each.text} for each in self._blocks.ofWorker(name)
            ]
        if enrolled is not None:
            drain = enrolled.adminRecord.drain
            if drain is not None:
                entity["drain"] = {
                    "state": "draining" if self._drains.isBusy(name) else "drained",
                    "deadline": drain.deadline,
                    "on_deadline": drain.onDeadline,
                    "group": drain.group,
                }
            until = None if enrolled.breakTimer is None else enrolled.breakTimer.suspendedUntil
            entity["work_until"] = until if until is not None and until > now else None
            entity["refused"] = [
                {"builder": builder, "reason": why.reason, "until": why.until, "finish_by": why.finishBy}
                for builder, why in self._door.refusals(name).items()
            ]
            entity["zones"] = list(enrolled.schedule.zones)
            coming = None if (schedule := enrolled.schedule).isEmpty else self._forecast.next(schedule, now)
            entity["next_break"] = None if coming is None else breakEntity(coming)
            if breaks:
                known = self.breaks(name, span)
                entity["breaks"], entity["partial_breaks"] = known["breaks"], known["partial_breaks"]
        return entity

    def breaks(self, name: str, span: tuple[float, float] | None) -> BreaksEntity:
        """The breaks of a worker of this master, those of the coming days or of `span`."""
        enrolled, now = self._roster.enrolled(name), self._master.reactor.seconds()
        if enrolled is None or enrolled.schedule.isEmpty:
            return {"breaks": [], "partial_breaks": []}
        whole, partial = self._forecast.both(enrolled.schedule, now, span)
        return {
            "breaks": [breakEntity(each) for each in whole],
            "partial_breaks": [{**breakEntity(each), "limit": each.limit} for each in partial],
        }

    def calendar(self, name: str, *, reasons: bool) -> str | None:
        """The breaks of a worker in the coming weeks as an iCalendar file; None when it is not one of ours."""
        enrolled = self._roster.enrolled(name)
        if enrolled is None:
            return None
        from presence.breaks.ics.writer import calendarText, entriesOf  # noqa: PLC0415 (for who asks)

        now = datetimeOf(self._master.reactor.seconds())
        last = later(now, _CALENDAR)
        entries = entriesOf(name, enrolled.schedule, later(now, -_CALENDAR_BEFORE), last, reasons=reasons)
        return calendarText(f"Breaks of {name}", entries, now, last)

    def workers(self, *, breaks: bool, span: tuple[float, float] | None = None) -> list[PresenceEntity]:
        """All workers that are there, by name: see `worker()`."""
        names = self._roster.workers.keys() | (set() if self._farm is None else self._farm.names)
        found = (self.worker(name, breaks=breaks, span=span) for name in sorted(names))
        return [each for each in found if each is not None]

    def builders(self, waiting: Mapping[int, int]) -> list[BuilderPresenceEntity]:
        """All builders that are there, by name; of each so many requests wait (by its id)."""
        names = self._roster.builders.keys() | (
            set() if self._farm is None else set(self._farm.known.builders.values())
        )
        found = (self.builder(name, waiting) for name in sorted(names))
        return [each for each in found if each is not None]

    def builder(self, name: str, waiting: Mapping[int, int]) -> BuilderPresenceEntity | None:
        """A builder, of which so many requests wait (by its id). None when it is not there (yet)."""
        if self._farm is not None:
            return self._builder_of_farm(name, waiting, self._farm)
        builder, builderid = self._roster.findBuilder(name), self.builderId(name)
        if builder is None or builderid is None:
            return None
        ready = before = self._counts.readyOf(name)
        whole = self._blocks.ofBuilder(name)
        blocked = self._blocked(builder) if self._blocks.mayConcern(name) else {}
        refusing = self._refusing(builder) if self._door.isGuarding else {}
        reason: str | None
        if whole is not None:
            ready, reason, back_at = 0, whole.text, whole.until
        elif refusing or blocked:
            # a worker that is ready may be in a partial break that refuses this builder
            ready -= len({each for each in refusing if not each.admits(name)} | blocked.keys())
            told = {each: why.reason for each, why in refusing.items()}
            told.update({each: why.text for each, why in blocked.items()})
            ends = [why.until for each, why in refusing.items() if each not in blocked]
            reason, back_at = _why_refused(told, ends, builder) if len(told) >= before else (None, None)
        else:
            reason, back_at = (None, None) if ready else self._why(builder.workers)
            if not builder.workers and (absent := self._roster.withoutOf(name)):
                reason = allAbsentText(absent)
        return {
            "builderid": builderid,
            "name": name,
            "state": (PresenceState.AVAILABLE if ready else PresenceState.NOT_ACCEPTING_NEW_BUILDS).name,
            "ready": ready,
            "total": len(builder.workers),
            "waiting": waiting.get(builderid, 0),
            "reason": reason,
            "back_at": back_at,
            "hold": None if builder.held is None else holdEntity(builder.held),
        }

    def _builder_of_farm(
        self, name: str, waiting: Mapping[int, int], farm: Snapshots
    ) -> BuilderPresenceEntity | None:
        # (a master that is alone has not got it in memory)
        from presence.master.farm.seen.builders import builderEntity  # noqa: PLC0415

        builderid = self.builderId(name)
        if builderid is None:
            return None
        workers = [(farm.entity(each), each.unusable) for each in farm.known.ofBuilder(builderid)]
        return cast(
            "BuilderPresenceEntity",
            builderEntity(builderid, name, workers, waiting.get(builderid, 0), self._builder_hold(builderid)),
        )

    def unusable(self, name: str) -> dict[str, list[Any]]:
        """The builders (ids, as text) that would not start on a worker, though it is ready, and why: [text, until when]."""
        presence = self._roster.findWorker(name)
        worker = self._master.workers.workers.get(name)
        found: dict[str, list[Any]] = {}
        if presence is None or worker is None or not presence.ready:
            return found
        idle = not self._running(worker, presence)
        for builder in self._counts.buildersOf(name):
            blocked = self._blocks.ofBuilder(builder)
            if blocked is None and self._blocks.mayConcern(builder):
                blocked = self._blocks.ofPair(builder, name, idle=idle)
            refused = self._door.why(name, builder) if self._door.isGuarding else None
            if blocked is not None:
                found[str(self.builderId(builder))] = [blocked.text, blocked.until]
            elif refused is not None:
                found[str(self.builderId(builder))] = [refused.reason, refused.until]
        return found

    def isLimited(self, worker: str) -> bool:
        """Whether a worker that is ready may refuse some of its builders."""
        return self._door.isGuarded(worker) or bool(self._blocks.ofWorker(worker))

    def _blocked(self, builder: BuilderPresence) -> dict[WorkerPresence, Reason]:
        """Those workers of a builder that are ready and on which none of its builds would start all the same, and why."""
        found = {}
        for each in builder.workers:
            worker = self._master.workers.workers.get(each.name) if each.ready else None
            if worker is not None:
                idle = not self._running(worker, each)
                why = self._blocks.ofPair(builder.name, each.name, idle=idle)
                if why is not None:
                    found[each] = why
        return found

    def _refusing(self, builder: BuilderPresence) -> dict[WorkerPresence, Refusal]:
        """Those workers of a builder that are ready and refuse it, and why."""
        found = ((each, self._door.why(each.name, builder.name)) for each in builder.workers if each.ready)
        return {each: why for each, why in found if why is not None}

    def _builder_ids_of(self, worker: str) -> list[int]:
        known = self._builderids.get(worker)
        if known is None:
            ids = map(self.builderId, self._counts.buildersOf(worker))
            found = tuple(sorted(each for each in ids if each is not None))
            known = self._builderids[worker] = self._same_builderids.setdefault(found, found)
        return list(known)

    def _why(self, workers: tuple[WorkerPresence, ...]) -> tuple[str, float | None]:
        """Why none of these workers is ready, for people; and when the first of them is back, if one knows."""
        known = self._reasons.get(workers)
        if known is None:
            known = self._reasons[workers] = _why(workers, self._roster.isDrained)
        return known

    def _running(self, worker: Any, presence: WorkerPresence) -> int:
        if self._roster.enrolled(presence.name) is not None:
            return presence.running
        # of a stock worker nobody keeps count
        return sum(each.state is States.BUILDING for each in worker.workerforbuilders.values())


def _shown(told: Mapping[str, Any], *, breaks: bool, span: tuple[float, float] | None) -> PresenceEntity:
    """A worker of which another master tells, with those of its breaks that are wanted, as far as they are known."""
    entity, (first, last) = dict(told), span or (-math.inf, math.inf)
    for field in ("breaks", "partial_breaks"):
        entity[field] = [
            each
            for each in (entity[field] if breaks else ())
            if each["start"] < last and (each["stop"] is None or each["stop"] > first)
        ]
    return cast("PresenceEntity", entity)


def _why_refused(
    refusing: Mapping[WorkerPresence, str], until: Sequence[float | None], builder: BuilderPresence
) -> tuple[str, float | None]:
    """Why those workers of a builder that are ready refuse it, for people; and when the first of all takes it again, if one
    knows: of the former it is known `until` when.
    """
    told = [f"{each.name}: {why}" for each, why in tuple(refusing.items())[:_NAMED]]
    if len(refusing) > _NAMED:
        told.append(f"and {len(refusing) - _NAMED} more")
    ends = [*until]
    ends += [each.backFor(builder.name) for each in builder.workers if not each.ready]
    return "; ".join(told), min((each for each in ends if each is not None), default=None)


def _why(workers: Sequence[WorkerPresence], isDrained: Callable[[str], bool]) -> tuple[str, float | None]:
    if not workers:
        return "it has no workers", None
    # the first of them to be back comes first, and those who know not last
    first = nsmallest(_NAMED, workers, key=lambda each: math.inf if (at := each.backAt) is None else at)
    told = [
        f"{each.name}: {', '.join(holdText(holdEntity(hold), drain=isDrained(each.name)) for hold in each.holds)}"
        for each in first
    ]
    if len(workers) > _NAMED:
        told.append(f"and {len(workers) - _NAMED} more")
    return "; ".join(told), first[0].backAt

"""What is true now that somebody is to know: asked once a minute, of what the master knows already."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from presence.calendar.durations import durationText
from presence.calendar.instants import datetimeOf, secondsOf
from presence.calendar.wallclock import later
from presence.master.reporters.generator import isMeant
from presence.master.reporters.notice import Notice
from presence.words.holds import holdText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from presence.master.reporters.notice import NoticeTerms
    from presence.master.roster import Roster
    from presence.model.states import Hold
    from presence.model.workerpresence import WorkerPresence

# What nobody has to be told of: it was scheduled, or is about all workers.
_EXPECTED = frozenset({"break", "reconfig"})

# A schedule that says nothing after so long runs out.
_FAR = timedelta(days=400)

#: A worker that is back so many seconds before it has said, or later, is early, or late.
GRACE = 15 * 60.0


def entityOf(hold: Hold) -> dict[str, Any]:
    """The hold as the words are made of it."""
    return {"source": hold.source, "reason": hold.reason, "by": hold.by}


class Looks:
    """Finds notices for `terms`, of the workers and builders of `roster`."""

    def __init__(self, roster: Roster, terms: NoticeTerms) -> None:
        self._roster = roster
        self._terms = terms
        # since when builders have had requests and no ready worker
        self._starving: dict[str, float] = {}
        self._told: set[str] = set()

    def ofWorkers(self, now: float) -> Iterator[Notice]:
        """What is to be known of workers now."""
        for name, presence in self._roster.workers.items():
            if isMeant(self._terms.workers, name):
                yield from self._away(presence, now)
                yield from self._ending(presence, now)
                yield from self._overdue(presence, now)

    def ofBuilders(
        self, waiting: Mapping[str, int], ready: Mapping[str, int], now: float
    ) -> Iterator[Notice]:
        """What is to be known of builders, when so many requests wait for each, and so many of its workers are ready."""
        after = self._terms.starvingAfter
        for name in self._roster.builders if after is not None else ():
            if not isMeant(self._terms.builders, name):
                continue
            if waiting.get(name) and not ready.get(name):
                since = self._starving.setdefault(name, now)
                if after is not None and now - since >= after and name not in self._told:
                    self._told.add(name)
                    yield Notice(
                        f"starving {name} {since:.0f}",
                        "starvingAfter",
                        f"{name}: {waiting[name]} requests wait, and none of its workers has been ready for {durationText(now - since)}",
                        builder=name,
                        since=since,
                    )
            else:
                began = self._starving.pop(name, None)
                if name in self._told:
                    self._told.discard(name)
                    why = "it has a ready worker again" if ready.get(name) else "no request waits any more"
                    yield Notice(
                        f"starved {name} {now:.0f}",
                        "starvingAfter",
                        f"{name}: {why}",
                        builder=name,
                        since=began,
                    )

    def ofSchedules(self, now: float) -> Iterator[Notice]:
        """The schedules that run out."""
        left = self._terms.breaksLeft
        for worker in self._roster.enrolledWorkers if left is not None else ():
            name, schedule = worker.workername, worker.schedule
            if not isMeant(self._terms.workers, name) or schedule.isEmpty:
                continue
            horizon = later(datetimeOf(now), _FAR)
            coming = schedule.between(datetimeOf(now), horizon)
            if left is None or len(coming) >= left or schedule.nextChange(horizon) is not None:
                continue
            last = coming[-1].stop if coming else None
            are = "break is" if len(coming) == 1 else "breaks are"
            text = f"the schedule of {name} runs out: {len(coming) or 'no'} {are} left"
            until = None if last is None else secondsOf(last)
            yield Notice(f"runs out {name} {len(coming)}", "breaksLeft", text, (name,), until=until)

    def _away(self, presence: WorkerPresence, now: float) -> Iterator[Notice]:
        longest = self._terms.awayLongerThan
        holds = [each for each in presence.holds if each.source not in _EXPECTED]
        if longest is None or not holds:
            return
        first = min(holds, key=lambda each: each.since)
        passed = now - first.since
        if passed >= longest:
            # again when it has lasted twice as long, four times, …
            times = 1
            while passed >= 2 * times * longest:
                times *= 2
            yield Notice(
                f"away {presence.name} {first.source} {first.since:.0f} {times}",
                "awayLongerThan",
                f"{presence.name} has been {holdText(entityOf(first))} for {durationText(passed)}",
                (presence.name,),
                since=first.since,
                until=presence.backAt,
            )

    def _ending(self, presence: WorkerPresence, now: float) -> Iterator[Notice]:
        within = self._terms.endsWithin
        for each in presence.holds if within is not None else ():
            named = each.source in {"worker", "admin"} and each.until is not None
            # (one that was to last no longer than that was about to end from the beginning)
            if (
                named
                and within is not None
                and each.until is not None
                and each.until - each.since > within >= each.until - now
            ):
                yield Notice(
                    f"ends {presence.name} {each.source} {each.until:.0f}",
                    "endsWithin",
                    f"{presence.name} is {holdText(entityOf(each))}, and that is about to end",
                    (presence.name,),
                    until=each.until,
                )

    def _overdue(self, presence: WorkerPresence, now: float) -> Iterator[Notice]:
        worker = self._roster.enrolled(presence.name)
        drain = None if worker is None or not self._terms.drains else worker.adminRecord.drain
        if drain is not None and drain.deadline is not None and presence.busy and now > drain.deadline:
            yield Notice(
                f"overdue {presence.name} {drain.deadline:.0f}",
                "drains",
                f"{presence.name} is past the deadline of its drain, and a build still runs",
                (presence.name,),
                until=drain.deadline,
            )

"""The parts of a master that nobody may ever ask for something: what each of them says until somebody does, and what makes it then.

Until then a part is as one that has just been made: nothing is held, drained, guarded or ordered.
"""

# (each is imported by the function that makes it)
# ruff: noqa: PLC0415

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import succeed
from twisted.logger import Logger

from presence.lazy import MAKE, later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import IReactorTime

    from presence.master.api.reconfigreport import ReconfigReport
    from presence.master.api.shapes import ReconfigEntity
    from presence.master.breaks.deadlines import BreakDeadlines
    from presence.master.breaks.door import BreakDoor
    from presence.master.builds.requeue import Requeue
    from presence.master.enrolled import EnrolledWorker
    from presence.master.holding.drains import Census, Drains
    from presence.master.holding.givenup import GivenUp
    from presence.master.holding.storedorders import StoredOrders
    from presence.master.quiesce.gate import ReconfigGate
    from presence.master.quiesce.plan import Plan
    from presence.master.quiesce.reconfigurations import Reconfigurations
    from presence.master.quiesce.shutdown import Shutdown
    from presence.master.quiesce.standstill import Standstill
    from presence.master.roster import Roster
    from presence.master.starting.answers import SiteAnswers
    from presence.master.starting.wakeup import Wakeup
    from presence.master.why.blocks import Blocks
    from presence.model.states import Hold

_log = Logger()


def _nothing(*_args: object, **_keywords: object) -> None:
    pass


def _no(*_args: object, **_keywords: object) -> bool:
    return False


def _yes(*_args: object, **_keywords: object) -> bool:
    return True


def _make(*_args: object, **_keywords: object) -> object:
    return MAKE


def _if(wanted: object) -> object:
    return MAKE if wanted else None


# Of every part: it has no timer.
_IDLE = {"stop": _nothing, "clockJumped": _nothing}
# Of a door.
_OPEN = {"isGuarding": False, "onlyChildren": _no, "mayStart": _yes}


# --- drains and breaks


def requeue(clock: IReactorTime) -> Requeue:
    """What sends builds back to the queue."""

    def make() -> Requeue:
        from presence.master.builds.requeue import Requeue

        return Requeue(clock)

    return later(make, _IDLE)


def givenUp(roster: Roster, orders: StoredOrders, told: Callable[[str, str | None], object]) -> GivenUp:
    """Releases the workers of drains that are given up."""

    def make() -> GivenUp:
        from presence.master.holding.givenup import GivenUp

        return GivenUp(roster, orders, told)

    return later(make, {**_IDLE, "giveUp": _make})


def drains(
    roster: Roster,
    requeue: Requeue,
    announce: Callable[[str], object],
    wake: Callable[[str], object],
    giveUp: Callable[[EnrolledWorker], object],
    *,
    census: Census | None,
) -> Drains:
    """The drains: made for the first one."""

    def make() -> Drains:
        from presence.master.holding.drains import Drains

        return Drains(roster, requeue, announce, wake, giveUp, census=census)

    none: frozenset[str] = frozenset()
    return later(
        make,
        {
            **_OPEN,
            **dict.fromkeys(("stop", "forget", "changed", "holdsChanged", "anotherIsAway"), _nothing),
            **dict.fromkeys(("isBusy", "admits", "wasAdmitted"), _no),
            "exempts": lambda *_, **__: none,
            "follow": lambda worker: _if(worker.adminRecord.drain is not None),
        },
    )


def breakDoor(roster: Roster, wake: Callable[[str], object], announce: Callable[[str], object]) -> BreakDoor:
    """The door of breaks that spare builds: made for the first worker that has any."""

    def make() -> BreakDoor:
        from presence.master.breaks.door import BreakDoor

        return BreakDoor(roster, wake, announce)

    return later(
        make,
        {
            **_IDLE,
            **_OPEN,
            "forget": _nothing,
            "isGuarded": _no,
            "refusals": lambda _: {},
            "why": _nothing,
            "whyNot": lambda *_: succeed(None),
            "follow": lambda worker: _if(worker.schedule.isPartial or worker.schedule.finishes),
        },
    )


def breakDeadlines(roster: Roster, requeue: Requeue, announce: Callable[[str], object]) -> BreakDeadlines:
    """The deadlines of breaks: made for the first worker whose breaks have any."""

    def make() -> BreakDeadlines:
        from presence.master.breaks.deadlines import BreakDeadlines

        return BreakDeadlines(roster, requeue, announce)

    return later(
        make,
        {
            **_IDLE,
            "forget": _nothing,
            "holdsChanged": _nothing,
            "interruptsAt": _nothing,
            "follow": lambda worker: _if(worker.schedule.interrupts),
        },
    )


# --- the master brought to rest


def _standstill(master: Any, answers: SiteAnswers, wakeup: Wakeup) -> Standstill:
    from presence.master.quiesce.standstill import Standstill

    return Standstill(master, answers, lambda: wakeup.isPending)


def reconfigurations(
    roster: Roster,
    gate: ReconfigGate,
    parts: tuple[SiteAnswers, Wakeup],
    changed: Callable[[], object],
    wake: Callable[[], object],
) -> Reconfigurations:
    """The reconfigurations: made for the first one."""
    ended = False

    def make() -> Reconfigurations:
        from presence.master.quiesce.reconfigurations import Reconfigurations

        part = Reconfigurations(roster, gate, _standstill(roster.master, *parts), changed, wake)
        if ended:
            part.stop()
        else:
            part.start().addErrback(
                lambda failure: _log.failure("while listening to the ends of builds", failure)
            )
        return part

    def stop() -> None:
        nonlocal ended
        ended = True

    none: frozenset[str] = frozenset()
    return later(
        make,
        {
            **dict.fromkeys(("clockJumped", "configurationChanged", "lookSoon", "giveBack"), _nothing),
            **dict.fromkeys(("current", "last")),
            "exempts": none,
            "stop": stop,
        },
    )


def shutdown(
    master: Any, parts: tuple[SiteAnswers, Wakeup], changed: Callable[[], object], wake: Callable[[], object]
) -> Shutdown:
    """The stop of the master: made when it is ordered, or called off."""

    def make() -> Shutdown:
        from presence.master.quiesce.shutdown import Shutdown

        return Shutdown(master, _standstill(master, *parts), changed, wake)

    return later(make, {**_IDLE, "stopping": None})


def reconfigReport(
    master: Any, reconfigurations: Reconfigurations, send: Callable[[ReconfigEntity], object]
) -> ReconfigReport:
    """What is told of reconfigurations: made for the first one, or for the first who asks."""

    def make() -> ReconfigReport:
        from presence.master.api.reconfigreport import ReconfigReport

        return ReconfigReport(master, reconfigurations, send)

    return later(make, _IDLE)


# --- what blocks workers


def blocks(
    roster: Roster,
    plan: Callable[[], Plan],
    buildersOf: Callable[[str], Iterable[str]],
    announce: Callable[[Iterable[str], Iterable[str]], object],
    *,
    builderHold: Callable[[str], Hold | None],
) -> Blocks:
    """What keeps every build from a worker that nothing holds: made where there are locks, and when builders are held."""
    ended = False

    def make() -> Blocks:
        from presence.master.why.blocks import Blocks

        part = Blocks(roster, plan, buildersOf, announce, builderHold=builderHold)
        if ended:
            part.stop()
        else:
            part.follow()
        return part

    def stop() -> None:
        nonlocal ended
        ended = True

    def has_locks() -> bool:
        master = roster.master
        return any(
            each.config is not None and each.config.locks for each in master.botmaster.builders.values()
        ) or any(map(_has_locks, master.workers.workers.values()))

    return later(
        make,
        {
            "clockJumped": _nothing,
            "stop": stop,
            "ofWorker": lambda _: (),
            "ofBuilder": lambda name: _if(builderHold(name) is not None),
            "ofPair": _nothing,
            "mayConcern": _no,
            "follow": lambda: _if(has_locks()),
            "workerChanged": lambda name: _if(_has_locks(roster.master.workers.workers.get(name))),
        },
    )


def _has_locks(worker: Any) -> bool:
    # those that it has, and those that were declared and that Buildbot has yet to find
    return any(getattr(worker, name, None) for name in ("locks", "lock_accesses", "access"))

"""The status of a worker as its owner sees it, made of what this machine and the master know."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from presence.breaks.forecast import freeOf, nextBreak
from presence.model import states
from presence.worker.link.conversation import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from presence.breaks.forecast import ComingBreak
    from presence.model.states import Hold
    from presence.wire.messages import RunningBuild, View
    from presence.worker.returning.policy import ReturnStatus
    from presence.worker.sensors.reading import SensorStatus

#: The version of the dictionary that `statusOf` makes.
VERSION = 1

_KNOWS = {Plugin.UNKNOWN: None, Plugin.PRESENT: True, Plugin.ABSENT: False}


class HoldStatus(TypedDict):
    """A hold. Instants are seconds since the epoch."""

    source: str
    reason: str | None
    by: str | None
    since: float
    until: float | None


class BreakStatus(TypedDict):
    """A break that is or will be."""

    start: float
    stop: float | None
    reason: str | None


class RunningStatus(TypedDict):
    """A build that runs."""

    builder: str
    since: float | None


class StoppingStatus(TypedDict):
    """A stop that was asked for."""

    deadline: float | None


class ViewStatus(TypedDict):
    """What the master thinks."""

    state: str
    holds: list[HoldStatus]
    next_break: BreakStatus | None
    running: int
    breaks: list[BreakStatus]


class MasterStatus(TypedDict):
    """The master, as far as it is known."""

    connected: bool
    knows_presence: bool | None
    why: str | None
    view: ViewStatus | None


class Status(TypedDict):
    """The status: see ``docs/protocol.rst``."""

    version: int
    name: str
    state: str
    holds: list[HoldStatus]
    back_at: float | None
    next_break: BreakStatus | None
    breaks: list[BreakStatus]
    work_until: float | None
    running: list[RunningStatus]
    stopping: StoppingStatus | None
    sensors: list[SensorStatus]
    on_return: ReturnStatus | None
    master: MasterStatus


class MasterSide(NamedTuple):
    """Whether a master is connected, whether it knows presence, why there is no view (or what is wrong), and its view."""

    connected: bool
    plugin: Plugin
    why: str | None
    view: View | None


def statusOf(  # noqa: PLR0917
    name: str,
    now: float,
    holds: Iterable[Hold],
    breaks: Iterable[ComingBreak],
    running: Iterable[RunningBuild],
    workUntil: float | None,
    stopping: StoppingStatus | None,
    master: MasterSide,
    sensors: list[SensorStatus],
    onReturn: ReturnStatus | None = None,
) -> Status:
    """The status, fit for JSON. `holds`, `breaks` and `running` are this machine's own.

    The mirror of this machine's own hold in the view of the `master` is left out. `sensors` is what there is to see of each.
    """
    view = master.view
    if view is not None:
        theirs = [hold for hold in view.holds if hold.source != "worker"]
        holds = [*holds, *(hold for hold in theirs if hold.until is None or hold.until > now)]
        breaks = [*breaks, *(each for each in view.breaks if each.stop is None or each.stop > now)]
        running = view.builds
    ordered = states.inSourceOrder(dict.fromkeys(holds))
    coming = sorted(dict.fromkeys(breaks), key=lambda each: (each.start, each.stop or float("inf")))
    back_at, next_break = states.backAt(ordered), nextBreak(coming, now)
    return {
        "version": VERSION,
        "name": name,
        "state": states.stateOf(ordered).value,
        "holds": [_hold(each) for each in ordered],
        # as `WorkerPresence.backAt`, and of both sides' breaks
        "back_at": None if back_at is None else freeOf(coming, back_at),
        "next_break": None if next_break is None else _break(next_break),
        "breaks": [_break(each) for each in coming],
        "work_until": workUntil,
        "running": [{"builder": each.builder, "since": each.since} for each in running],
        "stopping": stopping,
        "sensors": sensors,
        "on_return": onReturn,
        "master": {
            "connected": master.connected,
            "knows_presence": _KNOWS[master.plugin],
            "why": master.why,
            "view": _view(view, now),
        },
    }


def _view(view: View | None, now: float) -> ViewStatus | None:
    if view is None:
        return None
    next_break = nextBreak(view.breaks, now) or view.nextBreak
    return {
        "state": view.state.value,
        "holds": [_hold(each) for each in view.holds],
        "next_break": None if next_break is None else _break(next_break),
        "running": view.running,
        "breaks": [_break(each) for each in view.breaks],
    }


def _hold(hold: Hold) -> HoldStatus:
    return {
        "source": hold.source,
        "reason": hold.reason,
        "by": hold.by,
        "since": hold.since,
        "until": hold.until,
    }


def _break(coming: ComingBreak) -> BreakStatus:
    return {"start": coming.start, "stop": coming.stop, "reason": coming.reason}

"""The status of a worker as its owner sees it, made of what this machine and the master know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.breaks.forecast import freeOf, nextBreak
from presence.model import states

if TYPE_CHECKING:
    from collections.abc import Iterable

    from presence.breaks.forecast import ComingBreak
    from presence.model.states import Hold
    from presence.wire.messages import RunningBuild, View

#: The version of the dictionary that `statusOf` makes.
VERSION = 1


def statusOf(  # noqa: PLR0917
    name: str,
    now: float,
    holds: Iterable[Hold],
    breaks: Iterable[ComingBreak],
    running: Iterable[RunningBuild],
    workUntil: float | None,
    stopping: dict[str, float | None] | None,
    master: tuple[bool, bool | None, str | None, View | None],
    sensors: list[dict[str, Any]],
) -> dict[str, Any]:
    """The status, fit for JSON. `holds`, `breaks` and `running` are this machine's own.

    `master` says whether it is connected, whether it knows presence, why there is no view (or what is wrong),
    and its view. The mirror of this machine's own hold in that view is left out. `sensors` is what there is to see of each.
    """
    connected, knows, why, view = master
    if view is not None:
        theirs = [hold for hold in view.holds if hold.source != "worker"]
        holds = [*holds, *(hold for hold in theirs if hold.until is None or hold.until > now)]
        breaks = [*breaks, *(each for each in view.breaks if each.stop is None or each.stop > now)]
        running = view.builds
    ordered = states.inSourceOrder(dict.fromkeys(holds))
    coming = sorted(dict.fromkeys(breaks), key=lambda each: (each.start, each.stop or float("inf")))
    back_at = states.backAt(ordered)
    return {
        "version": VERSION,
        "name": name,
        "state": states.stateOf(ordered).value,
        "holds": [_hold(each) for each in ordered],
        # as `WorkerPresence.backAt`, and of both sides' breaks
        "back_at": None if back_at is None else freeOf(coming, back_at),
        "next_break": _break(nextBreak(coming, now)),
        "breaks": [_break(each) for each in coming],
        "work_until": workUntil,
        "running": [{"builder": each.builder, "since": each.since} for each in running],
        "stopping": stopping,
        "sensors": sensors,
        "master": {"connected": connected, "knows_presence": knows, "why": why, "view": _view(view, now)},
    }


def _view(view: View | None, now: float) -> dict[str, Any] | None:
    if view is None:
        return None
    return {
        "state": view.state.value,
        "holds": [_hold(each) for each in view.holds],
        "next_break": _break(nextBreak(view.breaks, now) or view.nextBreak),
        "running": view.running,
        "breaks": [_break(each) for each in view.breaks],
    }


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "source": hold.source,
        "reason": hold.reason,
        "by": hold.by,
        "since": hold.since,
        "until": hold.until,
    }


def _break(coming: ComingBreak | None) -> dict[str, Any] | None:
    return None if coming is None else {"start": coming.start, "stop": coming.stop, "reason": coming.reason}

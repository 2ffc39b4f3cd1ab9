"""What this side's holds come to in one announcement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from presence.calendar.instants import LATEST
from presence.model.states import PresenceState
from presence.text import MAX_REASON, cut
from presence.wire.messages import AVAILABLE, Announcement

if TYPE_CHECKING:
    from presence.breaks.forecast import ComingBreak
    from presence.model.workerpresence import WorkerPresence


def announcementOf(
    presence: WorkerPresence,
    now: float,
    workUntil: float | None,
    breaks: tuple[ComingBreak, ...],
    *,
    sendBack: bool = False,
) -> Announcement:
    """The announcement at `now`, while breaks are suspended until `workUntil`, if that is not None; `breaks` are to come."""
    holds, until = presence.holds, presence.backAt
    if not holds or (until is not None and until <= now):
        return replace(AVAILABLE, workUntil=workUntil, breaks=breaks)
    reasons = dict.fromkeys(hold.reason for hold in holds if hold.reason is not None)
    return Announcement(
        PresenceState.NOT_ACCEPTING_NEW_BUILDS,
        cut("; ".join(reasons) or None, MAX_REASON),
        next((hold.by for hold in holds if hold.by is not None), None),
        min(hold.since for hold in holds),
        None if until is None else min(until, LATEST),
        workUntil,
        breaks,
        sendBack,
    )

"""What this side's holds come to in one announcement. Pure: it is told the instant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from presence.breaks.forecast import freeFrom
from presence.model.states import PresenceState, backAt
from presence.wire.messages import AVAILABLE, LATEST, MAX_REASON, Announcement, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from presence.breaks.schedule import BreakSchedule
    from presence.model.states import Hold


def announcementOf(
    holds: Sequence[Hold], schedule: BreakSchedule, now: float, workUntil: float | None
) -> Announcement:
    """The announcement at `now`, with the breaks of `schedule` suspended until `workUntil`, if that is not None."""
    until = backAt(holds)
    if until is not None:
        # a break may begin when the last hold ends
        until = freeFrom(schedule, until, workUntil)
    if not holds or (until is not None and until <= now):
        return replace(AVAILABLE, workUntil=workUntil)
    reasons = dict.fromkeys(hold.reason for hold in holds if hold.reason is not None)
    return Announcement(
        PresenceState.NOT_ACCEPTING_NEW_BUILDS,
        cut("; ".join(reasons) or None, MAX_REASON),
        next((hold.by for hold in holds if hold.by is not None), None),
        min(hold.since for hold in holds),
        None if until is None else min(until, LATEST),
        workUntil,
    )

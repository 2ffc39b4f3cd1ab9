"""A master of a farm that goes back to stock workers, while others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.farm.connections import othersOf
from presence.orders.record import AdminRecord

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

    from presence.master.farm.member import Member
    from presence.master.holding.recordtable import RecordTable

_log = Logger()


@inlineCallbacks
def isLast(master: Any, member: Member | None) -> Generator[Deferred[Any], Any, bool]:
    """Whether of the masters of the farm that live no other one may have presences, so that nobody heeds what is stored of them.
    `member` is None where masters hear nothing of each other.
    """
    try:
        others = yield othersOf(master)
    except Exception:  # noqa: BLE001 (whatever it is: then it is not known)
        _log.failure("while asking which other masters live: what admins have ordered stays as it is")
        return False
    names = [
        name
        for each, name in others.items()
        if member is None or member.snapshots.pulse.mayHavePresences(each)
    ]
    if names:
        _log.info(
            "what admins have ordered is not forgotten, for it is heeded by {masters}",
            masters=", ".join(names),
        )
    return not names


@inlineCallbacks
def forgetOrders(table: RecordTable) -> Generator[Deferred[Any], Any, None]:
    """Forget what is stored of any worker: of those, too, that only masters have that went back before."""
    stored = yield table.readAll()
    yield table.change(sorted(stored), lambda _: AdminRecord())

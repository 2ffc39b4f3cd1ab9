"""What the distributor did before there was any part of ours.

As a master starts it sorts all builders, before the first worker is there. By then `master.cfg` has imported presence: so Buildbot's
class is touched, for this and nowhere else. Where the site has no `prioritizeBuilders` they are sorted with one question, that
first time; where it has, the question is followed, so that somebody can do without the answer. And a farm
that adopts presence while it runs may be stuck in any of the functions already: then the distributor's loop is cancelled, as
far as nothing is claimed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from buildbot.process.buildrequestdistributor import BuildRequestDistributor
from twisted.internet.defer import Deferred

from presence.master.starting.sorting import sortTogether

if TYPE_CHECKING:
    from twisted.python.failure import Failure

# by distributor: what it waits for, and the names of the builders that are to be sorted
_sorting: WeakKeyDictionary[Any, dict[Deferred[Any], list[str]]] = WeakKeyDictionary()
# the distributors that have sorted builders before
_experienced: WeakSet[Any] = WeakSet()


def _follow() -> None:
    sort = BuildRequestDistributor._sortBuilders

    def sortBuilders(distributor: Any, names: list[str]) -> Any:
        answer = sort(distributor, names)
        if not isinstance(answer, Deferred) or answer.called:
            return answer
        waits: Deferred[Any] = Deferred()
        pending = _sorting.setdefault(distributor, {})
        pending[waits] = names

        def answered(result: Any) -> None:
            if pending.pop(waits, None) is not None:
                waits.callback(result)

        def failed(failure: Failure) -> None:
            if pending.pop(waits, None) is not None:
                waits.errback(failure)

        answer.addCallbacks(answered, failed)
        return waits

    BuildRequestDistributor._sortBuilders = sortBuilders


def _sort_at_once() -> None:
    sort = BuildRequestDistributor._defaultSorter

    def defaultSorter(distributor: Any, master: Any, builders: list[Any]) -> Deferred[list[Any]]:
        if distributor in _experienced:
            # (there are parts of ours by now, or there will be none)
            in_order: Deferred[list[Any]] = sort(distributor, master, builders)
            return in_order
        _experienced.add(distributor)
        return sortTogether(master, builders, partial(sort, distributor))

    BuildRequestDistributor._defaultSorter = defaultSorter


_follow()
_sort_at_once()


class EarlyQuestions:
    """What the distributor of `master` waits for now, and nobody has followed."""

    def __init__(self, master: Any) -> None:
        self._botmaster = master.botmaster
        self._clock = master.reactor
        self._distributor = master.botmaster.brd
        self._since = self._clock.seconds()
        self._sorting = dict(_sorting.get(self._distributor, {}))
        lock = self._distributor.activity_lock
        self._isChoosing = lock.locked
        if lock.locked:
            # between two builders it lets the lock go
            lock.acquire().addCallback(self._has_gone_on)

    def giveUp(self, after: float) -> bool:
        """Do without the answers if they have been waited for so many seconds. Whether there were any."""
        # (a clock that was set back must not make it last)
        if abs(self._clock.seconds() - self._since) < after:
            return False
        sorting, self._sorting = self._sorting, {}
        pending = _sorting.get(self._distributor, {})
        due = [waits for waits in sorting if waits in pending]
        for waits in due:
            waits.callback(pending.pop(waits))
        if not self._isChoosing or self._botmaster._starting_brid_to_cancel:
            return bool(due)
        # Buildbot logs that the function has failed, and goes on to the next builder
        self._isChoosing = False
        self._distributor._activity_loop_deferred.cancel()
        return True

    def _has_gone_on(self, lock: Any) -> None:
        self._isChoosing = False
        lock.release()

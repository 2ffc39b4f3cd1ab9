"""What the workers of other masters can be ordered: each master stores it of its own, whenever its configuration has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.farm.connections import mastersIn
from presence.model.retries import Retries
from presence.orders.orderable import refusalOf
from presence.orders.refusals import CannotFollow

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.holding.recordtable import Check
    from presence.master.holding.storedorders import StoredOrders
    from presence.master.roster import Roster
    from presence.master.stored.rows import Rows
    from presence.orders.workers import Order

_log = Logger()

_ROW = "workers "

# How long it is waited for more changes, in seconds: at a start the workers come one after the other.
_GATHER = 0.5


class Orderable:
    """Knows what can be ordered of which worker of the farm."""

    def __init__(self, roster: Roster, orders: StoredOrders) -> None:
        self._roster = roster
        self._master = roster.master
        self._orders = orders
        self._stored: dict[str, str] | None = None
        self._timer: IDelayedCall | None = None
        self._retries = Retries(self._master.reactor, lambda _: self._follow())

    def changed(self) -> None:
        """There may be other workers, or other things that can be ordered of them: store that soon."""
        if self._timer is None:
            self._timer = self._master.reactor.callLater(_GATHER, self._follow)

    def _follow(self) -> None:
        self._cancel()
        found = {name: self._orders.abilityOf(name) for name in sorted(self._roster.workers)}
        if found != self._stored:
            self._store(found)

    def stop(self) -> None:
        """No timer is left."""
        self._cancel()
        self._retries.stop()

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def clockJumped(self) -> None:
        """The clock has been set: what is to be tried again is tried now."""
        self._retries.clockJumped()
        if self._timer is not None:
            self._timer.reset(0)

    def check(self, workers: Mapping[str, int], order: Order) -> Check:
        """What looks whether all of `workers` (their ids, by name) can follow `order`, in the transaction of the order, before
        anything is locked; it raises `CannotFollow`, which says why one cannot.

        The master that a worker is connected to knows. Of one that no master has it is asked here, or else one that can be ordered
        it at any master can.
        """
        here, model = self._master.masterid, self._master.db.model
        # (what follows is done in a thread)
        ours = {
            name: self._orders.refusalOf(name, order) for name in workers if self._roster.findWorker(name)
        }

        def look(connection: Any, farm: Rows) -> None:
            masters = mastersIn(connection, model, sorted(workers.values()))
            others = {}
            for name, workerid in workers.items():
                found = masters.get(workerid, {})
                if here not in found and (found or name not in ours):
                    others[name] = found
                elif (refusal := ours.get(name)) is not None:
                    raise CannotFollow(refusal)
            if others:
                # those of the masters that have them, or, where none has one, of all
                everywhere = not all(others.values())
                asked = None if everywhere else {each for found in others.values() for each in found}
                abilities = _abilities(connection, farm, asked)
                for name, found in others.items():
                    _check(name, found, abilities, order)

        return look

    @inlineCallbacks
    def _store(self, found: dict[str, str]) -> Generator[Deferred[Any], Any, None]:
        self._stored = found
        try:
            yield self._orders.table.setFarmState(f"{_ROW}{self._master.masterid}", found)
            self._retries.succeeded(None)
        except Exception:  # noqa: BLE001 (whatever it is: it is tried again)
            _log.failure("while storing what can be ordered of the workers")
            self._stored = None
            self._retries.failed(None)


def _abilities(connection: Any, farm: Rows, masters: Iterable[int] | None) -> dict[int, dict[str, str]]:
    """What these masters (ids; None: all) have stored of their workers."""
    if masters is None:
        rows = farm.find(connection, farm.table.c.name.startswith(_ROW, autoescape=True))
    else:
        rows = farm.read(connection, [f"{_ROW}{each}" for each in masters])
    return {int(name[len(_ROW) :]): json.loads(value) for name, value in rows.items()}


def _check(
    name: str, masters: Mapping[int, str], abilities: Mapping[int, Mapping[str, str]], order: Order
) -> None:
    told = {each: known[name] for each, known in abilities.items() if name in known}
    if masters:
        # (a master of which nothing is stored may be one without presences, or an older one: it does not confirm the order)
        for masterid, where in masters.items():
            refusal = refusalOf(name, told[masterid], order) if masterid in told else None
            if refusal is not None:
                raise CannotFollow(f"{refusal} (so it is at master {where}, which has it)")
        return
    refusals = [refusalOf(name, each, order) for each in told.values()]
    refused = [each for each in refusals if each is not None]
    if refused and len(refused) == len(refusals):
        raise CannotFollow(refused[0])

"""The orders of a farm with several masters, as one of them sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.master.farm.census import Census
from presence.master.farm.confirmations import Confirmations
from presence.master.farm.orderable import Orderable
from presence.master.farm.reconciliation import Reconciliation
from presence.master.farm.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

    from presence.master.holding.storedorders import StoredOrders
    from presence.master.roster import Roster


class FarmOrders:
    """Puts together what heeds the orders of other masters, what lets them know, and what knows whom they can order what.

    `census` counts what runs on drained workers, and `remote` asks other masters about themselves.
    `check` and `acknowledge` are what the API asks (`presence.master.api.endpoints.Farm`).
    """

    def __init__(self, roster: Roster, orders: StoredOrders) -> None:
        self._confirmations = Confirmations(roster, orders.table)
        self._orderable = Orderable(roster, orders)
        self.reconciliation = Reconciliation(roster.master, orders, self._confirmations.heeds)
        self.census = Census(roster.master, orders.table)
        self.remote = Remote(roster.master)
        self.check = self._orderable.check
        self.acknowledge = self._confirmations.acknowledge

    def serve(self, *types: Any) -> None:
        """Let other masters order what is ordered of these resource types (see `presence.master.api.endpoints.OfEachMaster`)."""
        for each in types:
            self.remote.serve(each.name, each.serve)

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen to the other masters, and tell them."""
        yield self._confirmations.start()
        yield self.reconciliation.start()
        yield self.census.start()
        yield self.remote.start()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Listen no more. No timer is left."""
        self._orderable.stop()
        yield self.remote.stop()
        yield self.census.stop()
        yield self.reconciliation.stop()
        yield self._confirmations.stop()

    def workersChanged(self) -> None:
        """There are other workers, or they have other breaks."""
        self._orderable.changed()

    def clockJumped(self) -> None:
        """The clock has been set."""
        self._orderable.clockJumped()
        self.reconciliation.clockJumped()
        self.census.clockJumped()
        self.remote.clockJumped()
        self._confirmations.clockJumped()

"""Orders about another master as a whole (its reconfiguration, its stop): they go over the message queue, and are answered.

Nothing of them is stored: a master that comes back an hour later shall not stop then. So an order that is not answered may
have been heard, or not, and that is what is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred

from presence.orders.refusals import OrderRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from twisted.internet.interfaces import IDelayedCall

#: The first part of the keys of all messages between masters.
TOPIC = "presencefarm"

#: How long an answer may take, in seconds: a master reads its whole configuration before it answers to a reconfig.
PATIENCE = 15.0


class Served(Protocol):
    """What a master does when it is asked by another one."""

    def __call__(self, action: str | None, params: dict[str, Any], by: str | None) -> Deferred[Any]:
        """Follow an order, or only tell what there is, where `action` is None: the answer, as JSON takes it."""


class Remote:
    """Asks other masters, and answers them; what there is to be asked is `serve()`d, by name."""

    def __init__(self, master: Any, makeId: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._master = master
        self._make_id = makeId
        self._served: dict[str, Served] = {}
        self._consumers: list[Any] = []
        self._waiting: dict[str, tuple[Deferred[Any], IDelayedCall]] = {}

    def serve(self, what: str, served: Served) -> None:
        """Let other masters ask for this."""
        self._served[what] = served

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen."""
        here = str(self._master.masterid)
        for last, heard in (("order", self._ordered), ("answer", self._answered)):
            self._consumers.append((yield self._master.mq.startConsuming(heard, (TOPIC, here, last))))

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Answer nobody any more; whoever waits is told. No timer is left."""
        for each in tuple(self._waiting):
            self._end(each, OrderRefused("this master stops"))
        for consumer in self._consumers:
            yield consumer.stopConsuming()

    def clockJumped(self) -> None:
        """The clock has been set: nobody waits for hours."""
        for _, timer in self._waiting.values():
            timer.reset(PATIENCE)

    @inlineCallbacks
    def ask(
        self,
        masterid: int,
        what: str,
        action: str | None,
        params: Mapping[str, Any],
        by: str | None,
        *,
        patience: float = PATIENCE,
    ) -> Generator[Deferred[Any], Any, Any]:
        """The answer of another master, in a Deferred. It fails with `LookupError` if there is none with this id, and with
        `OrderRefused`.
        """
        known = yield self._master.db.masters.getMaster(masterid)
        if known is None:
            raise LookupError(f"there is no master {masterid}: GET masters lists them")
        if not known.active:
            raise OrderRefused(f"master {known.name} does not run")
        number = self._make_id()
        why = (
            f"master {known.name} has not answered within {patience:.0f} s: it may have heard it, or not. "
            "Does it run, has it got PresenceService, and is the router there?"
        )
        done: Deferred[Any] = Deferred()
        timer = self._master.reactor.callLater(patience, lambda: self._end(number, OrderRefused(why)))
        self._waiting[number] = done, timer
        message = {
            "id": number,
            "from": self._master.masterid,
            "what": what,
            "action": action,
            "params": dict(params),
            "by": by,
        }
        self._master.mq.produce((TOPIC, str(masterid), "order"), message)
        return (yield done)

    def _end(self, number: str, result: Any) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            done, timer = waiting
            if timer.active():
                timer.cancel()
            if isinstance(result, Exception):
                done.errback(result)
            else:
                done.callback(result)

    def _answered(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        error = message["error"]
        self._end(message["id"], message["result"] if error is None else OrderRefused(error))

    @inlineCallbacks
    def _ordered(self, _key: tuple[str, ...], message: dict[str, Any]) -> Generator[Deferred[Any], Any, None]:
        result, error = None, None
        served = self._served.get(message["what"])
        try:
            if served is None:
                raise OrderRefused(f"it knows no {message['what']}")  # noqa: TRY301 (it is answered like the others)
            result = yield maybeDeferred(served, message["action"], message["params"], message["by"])
        except Exception as problem:  # noqa: BLE001 (whoever has asked is told)
            # (Buildbot's own errors have it there)
            error = getattr(problem, "message", None) or str(problem) or type(problem).__name__
        answer = {"id": message["id"], "result": result, "error": error}
        self._master.mq.produce((TOPIC, str(message["from"]), "answer"), answer)

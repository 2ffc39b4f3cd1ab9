"""What the owner can ask and say over the local server, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from presence.worker.local.site import MAX_BODY
from presence.worker.stopping import StopRefusedError
from presence.worker.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure

    from presence.worker.owner import Owner

_BAD, _CONFLICT, _TOO_LARGE, _NO_ROOM = 400, 409, 413, 507


class SayingError(Exception):
    """What was said cannot be done. `code` is the HTTP status; the text says what would be right."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class LocalAPI:
    """The status of the `owner`'s worker, and the orders that he may give."""

    def __init__(self, owner: Owner, clock: IReactorTime) -> None:
        self._owner = owner
        self._clock = clock
        # each with the keys that may be given
        self._orders: dict[str, tuple[Callable[..., Deferred[Any]], frozenset[str]]] = {
            "away": (owner.away, frozenset({"reason", "until"})),
            "back": (owner.back, frozenset()),
            "work": (self._work, frozenset({"until"})),
            "stop": (owner.stopWhenIdle, frozenset({"deadline"})),
        }

    @property
    def orders(self) -> frozenset[str]:
        """The names of the orders."""
        return frozenset(self._orders)

    def status(self) -> dict[str, Any]:
        """`Owner.status()`, when that was, and whether the master has heard what was said last."""
        return {**self._owner.status(), "now": self._clock.seconds(), "told": self._owner.told}

    def say(self, name: str, body: bytes) -> Deferred[dict[str, Any]]:
        """Do it. Fires with the status, or fails with `SayingError`. Raises that for a bad body."""
        order, keys = self._orders[name]
        done: Deferred[Any] = order(**_arguments(body, keys))
        return done.addCallbacks(lambda _: self.status(), _refused)

    def _work(self, until: Any = None) -> Deferred[Any]:
        return self._owner.workAnyway(until)


def _arguments(body: bytes, keys: frozenset[str]) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise SayingError(
            _TOO_LARGE, f"that is more than the {MAX_BODY} bytes which are read: say it shorter"
        )
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise SayingError(_BAD, "that is not JSON: a JSON object is right") from None
    if not isinstance(given, dict):
        raise SayingError(_BAD, "that is not a JSON object: one is right, as in {}")
    unknown = sorted(set(given) - keys)
    if unknown:
        known = ", ".join(sorted(keys)) or "none"
        raise SayingError(_BAD, f"{unknown[0][:40]!a} is not known here: the keys are {known}")
    return given


def _refused(failure: Failure) -> Failure:
    problem = failure.value
    for kind, code in ((StoreError, _NO_ROOM), (StopRefusedError, _CONFLICT), (ValueError, _BAD)):
        if isinstance(problem, kind):
            raise SayingError(code, str(problem)) from None
    return failure

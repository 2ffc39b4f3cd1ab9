"""Buildbot's own ways to ask for a reconfiguration: SIGHUP, `buildbot reconfig` and the manhole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.errors import PresenceStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

    from presence.master.quiesce.reconfiguration import Reconfiguration
    from presence.orders.reconfig import ReconfigOrder

_log = Logger()


class BuildbotsOwn:
    """Stands in for `master.reconfig` when it is told to: what comes that way is requested like any other reconfiguration.

    `request` does that (see `Reconfigurations.request`), and `waitedFor` says which builds it waits for.
    """

    def __init__(
        self,
        master: Any,
        request: Callable[[ReconfigOrder, str], Deferred[Reconfiguration]],
        waitedFor: Callable[[Reconfiguration], list[Any]],
    ) -> None:
        self._master = master
        self._request = request
        self._waited_for = waitedFor
        self._reconfig: Callable[[], Deferred[None]] | None = None

    @property
    def reconfig(self) -> Callable[[], Deferred[None]]:
        """What Buildbot does by itself."""
        return self._reconfig or self._master.reconfig

    def takeOver(self, order: Callable[[], ReconfigOrder]) -> None:
        """Let them go through here, with what `order()` makes."""
        self.giveBack()
        self._reconfig = self._master.reconfig
        self._master.reconfig = lambda: self._asked(order())

    def giveBack(self) -> None:
        """Let them go their own way again."""
        if self._reconfig is not None:
            self._master.reconfig = self._reconfig
            self._reconfig = None

    @inlineCallbacks
    def _asked(self, order: ReconfigOrder) -> Generator[Deferred[Any], Any, None]:
        """What takes the place of `master.reconfig`. Fires when it has ended; never fails, as that one."""
        # (imported when somebody orders one: other masters have not got it in memory)
        from presence.master.quiesce.newconfig import Mistakes  # noqa: PLC0415
        from presence.master.quiesce.progress import logOrdering  # noqa: PLC0415

        try:
            reconfig = yield self._request(order, "buildbot reconfig")
            yield logOrdering(self._master, lambda: self._waited_for(reconfig))
            yield reconfig.ended()
        except (Mistakes, PresenceStopped):
            pass
        except Exception:  # noqa: BLE001
            # whoever sends a signal takes no answer
            _log.failure("while reconfiguring")

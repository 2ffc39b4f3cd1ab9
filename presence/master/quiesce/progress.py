"""What the log says while a reconfiguration waits. `buildbot reconfig` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.builds.running import workerOf
from presence.master.quiesce.inside import ordering

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from twisted.internet.defer import Deferred

    from presence.master.quiesce.reconfiguration import Reconfiguration

_log = Logger()

# How often the log says who is waited for, in seconds. `buildbot reconfig` gives up when it sees no progress for ten.
_PROGRESS = 5.0


def logProgress(reconfig: Reconfiguration, builds: Sequence[Any], now: float) -> bool:
    """Say which builds are waited for, when that is new, or was said a while ago. Whether it is new."""
    names = [f"{each.builder.name} on {workerOf(each)}" for each in builds]
    news = sorted(names) != reconfig.logged
    # (a clock that was set back must not silence it)
    if not news and 0 <= now - reconfig.loggedAt < _PROGRESS:
        return False
    reconfig.logged = sorted(names)
    if names:
        reconfig.loggedAt = now
        # the first words are those by which `buildbot reconfig` knows that there is progress
        _log.info(
            "beginning configuration update when idle. Loading configuration from the file again when what it "
            "would hurt has ended: {builds}",
            builds=", ".join(reconfig.logged),
        )
    return news


@inlineCallbacks
def logOrdering(master: Any, waitedFor: Callable[[], Sequence[Any]]) -> Generator[Deferred[Any], Any, None]:
    """Say which of the builds that are waited for have ordered it themselves, if any: `buildbot reconfig` must not wait for its
    end. `waitedFor` is asked when it is known who orders.
    """
    inside = yield ordering(master)
    builds = [each for each in waitedFor() if each.buildid in inside]
    if not builds:
        return
    # the first words are those by which it knows that it need not watch any longer
    _log.info(
        "configuration update completes when what has ordered it has ended: {builds}",
        builds=", ".join(
            sorted(f"{each.builder.name} #{each.number} on {workerOf(each)}" for each in builds)
        ),
    )

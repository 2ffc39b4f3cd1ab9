"""Loading a new `master.cfg` without giving it to anybody, and giving Buildbot just the one that was loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.config import ConfigErrors
from twisted.internet.defer import inlineCallbacks, maybeDeferred
from twisted.internet.threads import deferToThreadPool

from presence.master.compat import changesDatabase
from presence.master.quiesce.mistakes import doubled, mistakesOf, notedPlaces

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure


class Mistakes(Exception):  # noqa: N818 (they are those of whoever wrote master.cfg)
    """What is wrong with the new configuration, in `messages`. Nothing has changed."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


@inlineCallbacks
def loadConfig(master: Any) -> Generator[Deferred[Any], Any, Any]:
    """The `MasterConfig` that the file makes now, in a Deferred. It fails with `Mistakes`."""
    # Buildbot collects the mistakes of whatever is being loaded in one place: so one at a time
    yield master.initLock.acquire()
    try:
        pool = master.reactor.getThreadPool()
        config = yield deferToThreadPool(master.reactor, pool, _load, master)
        yield _check(master, config)
    finally:
        master.initLock.release()
    return config


def _load(master: Any) -> Any:
    """What is done in a thread: a file may take its time."""
    folder = str(master.basedir)
    with notedPlaces(folder) as places:
        try:
            return master.config_loader.loadConfig()
        except Exception as problem:
            raise Mistakes(mistakesOf(problem, folder, places)) from problem


@inlineCallbacks
def _check(master: Any, config: Any) -> Generator[Deferred[Any], Any, None]:
    """Look for what Buildbot would refuse too late, when half of the configuration has been exchanged."""
    if mistakes := doubled(config):
        raise Mistakes(mistakes)
    if config.mq["type"] != master.config.mq["type"]:
        raise Mistakes(["Cannot change c['mq']['type'] after the master has started"])
    if (yield changesDatabase(master, config)):
        raise Mistakes(["Cannot change c['db'] after the master has started"])


@inlineCallbacks
def reconfigureWith(
    master: Any, reconfig: Callable[[], Deferred[None]], config: Any
) -> Generator[Deferred[Any], Any, list[str]]:
    """Let Buildbot do its `reconfig`, with a configuration that has been loaded. A Deferred of what went wrong.

    The file itself may have changed since it was looked at.
    """
    problems: list[str] = []
    loader, apply = master.config_loader, master.reconfigServiceWithBuildbotConfig

    def noted(failure: Failure) -> Failure:
        problem = failure.value
        problems.extend(problem.errors if isinstance(problem, ConfigErrors) else [str(problem)])
        return failure

    master.config_loader = _Loaded(config, loader)
    # Buildbot says only in its log what has failed here
    master.reconfigServiceWithBuildbotConfig = lambda new: maybeDeferred(apply, new).addErrback(noted)
    try:
        yield reconfig()
    finally:
        master.config_loader = loader
        del master.reconfigServiceWithBuildbotConfig
    if master.config is not config and not problems:
        problems.append("Buildbot has not taken the configuration: look into twistd.log")
    return problems


class _Loaded:
    """A loader of Buildbot's that has loaded already; the next time it loads."""

    def __init__(self, config: Any, loader: Any) -> None:
        self._configs = [config]
        self._loader = loader

    def loadConfig(self) -> Any:
        """The configuration."""
        return self._configs.pop() if self._configs else self._loader.loadConfig()

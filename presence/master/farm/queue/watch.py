"""Watches the router of the message queue, which Buildbot does not: without it a master of Buildbot's stays, deaf, and does not even
end when it is told to.

Buildbot connects once (`buildbot.wamp.connector`). Where that fails it waits for ever, and where the connection is lost it stops
its services and stays. Here a master whose router is away says so at once, goes on by itself, and is connected again; or it
ends, so that whoever supervises it starts it anew.
"""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from presence.master.farm.queue.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.interfaces import IDelayedCall

_log = Logger()

#: What may be done when the router is away.
REJOIN, END = "rejoin", "end"
ROUTER_LOST = (REJOIN, END)

#: How long it may take to connect, in seconds.
PATIENCE = 5.0

#: How long it takes to the next attempt, in seconds, the first time and at most; each time it takes twice as long.
FIRST, LAST = 0.5, 15.0

#: After so long without anything through a connection that seems to be there it is cut, in seconds: the router's machine may be
#: gone without a farewell.
SILENT = 30.0

#: How long the services of a master that ends may take for it, in seconds.
ENDING = 60.0

#: The exit status of a master that has ended because of its router.
STATUS = 75

_HINT = 'see docs/masters.rst, "The router"'


class RouterWatch:
    """Watches the connection of `master` to its router. `policy` gives what to do when it is away; `rejoined` is called when it
    is there again, and the consumers of messages are subscribed.
    """

    def __init__(
        self,
        master: Any,
        policy: Callable[[], str],
        rejoined: Callable[[], object],
    ) -> None:
        self._master = master
        self._policy = policy
        self._rejoined = rejoined
        self._connector = master.wamp
        self._here = Loopback(master.reactor)
        self._timer: IDelayedCall | None = None
        self._since = 0.0
        self._delay = FIRST
        self._problem: str | None = None
        self._silence_said = False
        self._stopped = False
        #: whether it goes on without the router
        self.away = False

    @property
    def _url(self) -> str:
        return str(self._connector.router_url)

    def start(self) -> None:
        """Begin to watch. The first connection is Buildbot's."""
        if self._connector.app is None:
            # its turn to be configured comes after ours
            self._later(FIRST, self.start)
            return
        if self._connector.service is not None:
            self._joined(self._connector.service)
            return
        self._connector.serviceDeferred.addCallback(self._first)
        for session in self._connector.services:
            if hasattr(session, "onLeave"):
                session.onLeave = self._refused
        app = self._connector.app
        make = app.make

        def makeWatched(config: Any) -> Any:
            session = make(config)
            session.onLeave = self._refused
            return session

        # (it may make the session only now)
        app.make = makeWatched
        self._later(PATIENCE, self._not_joined)

    def stop(self) -> None:
        """The master stops: watch no more."""
        self._stopped = True
        self._cancel()

    def heard(self, deaf: bool, since: float) -> None:
        """Whether nothing has come through for long, and since when: looked at now and then."""
        if self.away or self._stopped:
            return
        silence = self._master.reactor.seconds() - since
        if not deaf:
            if self._silence_said:
                _log.info("messages come through the router at {url} again", url=self._url)
            self._silence_said = False
            return
        if not self._silence_said:
            self._silence_said = True
            _log.error(
                "nothing comes through the router at {url} for {silence:.0f} s; orders and what is shown come from the "
                "database meanwhile",
                url=self._url,
                silence=silence,
            )
        if silence > SILENT:
            self._cut(self._connector.service)

    def _first(self, session: Any) -> Any:
        if session is not self._here and not self._stopped:
            self._cancel()
            self._joined(session)
        return session

    # --- it is lost

    def _joined(self, session: Any) -> None:
        """Hear when this session is lost, before Buildbot stops its services for it."""

        def left(details: Any) -> Any:
            if self._stopped or session.leaving or self._connector.service is not session:
                return None
            reason = getattr(details, "message", None) or getattr(details, "reason", details)
            self._lost(f"the connection to the router at {self._url} is lost ({reason})", session)
            return None

        session.onLeave = left
        self._here.adopt(session)
        self._watch_subscriptions(session)

    def _watch_subscriptions(self, session: Any) -> None:
        """Keep what is subscribed on this session, so that it can be subscribed on the next one."""
        stock = session.subscribe

        @inlineCallbacks
        def subscribe(
            handler: Any, topic: Any = None, options: Any = None, **more: Any
        ) -> Generator[Deferred[Any], Any, Any]:
            if topic is None:
                return (yield stock(handler, topic, options, **more))
            ours = yield self._here.subscribe(handler, topic, options)
            try:
                there = yield stock(handler, topic, options, **more)
            except Exception:
                if self._connector.service is session:
                    yield ours.unsubscribe()
                    raise
                # the session was lost before the router had answered: it is subscribed on the next one
            else:
                if self._connector.service is session:
                    ours.there = there
            return ours

        session.subscribe = subscribe

    def _lost(self, what: str, session: Any) -> None:
        if self._policy() == END:
            _log.error("{what}: this master ends, as routerLost says; {hint}", what=what, hint=_HINT)
        else:
            _log.error(
                "{what}: this master goes on by itself, and is connected again when that can be; what happens at other "
                "masters is seen from the database until then",
                what=what,
            )
        for each in self._here.subscriptions:
            each.there = None
        self._go_on_alone()
        if session is not None:
            session.disownServiceParent()
        self._drop_connection()
        if self._policy() == END:
            self._end()
        else:
            self._delay = FIRST
            self._later(0, self._connect)

    def _refused(self, details: Any) -> None:
        """The router has not let in the first session, of which Buildbot would think that it has been there."""
        if not (self.away or self._stopped):
            self._problem = str(getattr(details, "message", details))
            _log.error(
                "the router at {url}: {problem}; {hint}", url=self._url, problem=self._problem, hint=_HINT
            )

    def _not_joined(self) -> None:
        self._lost(f"the router at {self._url} has not let this master in for {PATIENCE:.0f} s", None)

    def _go_on_alone(self) -> None:
        self.away = True
        self._since = self._master.reactor.seconds()
        self._connector.service = self._here
        if not self._connector.serviceDeferred.called:
            # who waits for the first connection goes on with this one
            self._connector.serviceDeferred.callback(self._here)

    def _drop_connection(self) -> None:
        """Have neither a connection nor a session in the making any more."""
        # (Buildbot sees by `app` that it is configured already)
        if self._connector.app is not None and self._connector.app.parent is not None:
            self._connector.app.disownServiceParent()

    def _cut(self, session: Any) -> None:
        transport = getattr(session, "_transport", None)
        if transport is not None:
            # what comes of it is that the session is lost
            transport.transport.abortConnection()

    def _end(self) -> None:
        reactor = self._master.reactor
        # the last thing that this process does, so that whoever supervises it sees that it has not ended by order
        atexit.register(os._exit, STATUS)
        # whatever still waits for something
        reactor.callLater(ENDING, os._exit, STATUS)
        reactor.stop()

    # --- and is there again

    def _connect(self) -> None:
        from presence.master.farm.queue.connecting import connect  # noqa: PLC0415 (it imports autobahn)

        if self._stopped:
            return
        joined: Deferred[Any] = Deferred()
        self._connector.serviceDeferred = joined
        joined.addCallback(self._in)
        self._connector.app = connect(self._connector, self._failed)
        self._later(PATIENCE, self._failed, "it does not answer")

    def _failed(self, problem: str) -> None:
        if self._stopped or not self.away:
            return
        self._connector.service = self._here
        self._drop_connection()
        if problem != self._problem:
            self._problem = problem
            _log.error("the router at {url}: {problem}; {hint}", url=self._url, problem=problem, hint=_HINT)
        self._later(self._delay, self._connect)
        self._delay = min(2 * self._delay, LAST)

    def _in(self, session: Any) -> Any:
        self._cancel()
        # until everything is subscribed there what this master says to itself goes the short way
        self._connector.service = self._here
        moved = self._here.moveTo(session)
        moved.addCallbacks(
            lambda _: self._there(session), lambda failure: self._failed(failure.getErrorMessage())
        )
        return session

    def _there(self, session: Any) -> None:
        if self._stopped:
            return
        self._connector.service = session
        self.away = False
        self._problem = None
        self._joined(session)
        _log.info(
            "connected to the router at {url} again, after {seconds:.0f} s",
            url=self._url,
            seconds=self._master.reactor.seconds() - self._since,
        )
        self._rejoined()

    def _later(self, seconds: float, call: Callable[..., object], *args: Any) -> None:
        self._cancel()
        self._timer = self._master.reactor.callLater(seconds, call, *args)

    def _cancel(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

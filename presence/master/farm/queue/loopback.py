"""A master's message queue while its router is away: what the master says to itself arrives, what it would say to others is lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import gatherResults, inlineCallbacks, succeed

from presence.master.farm.remote import TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred


class Subscription:
    """What a consumer of Buildbot's wants to hear. Buildbot keeps it to unsubscribe, whatever session it is made on by then."""

    def __init__(self, owner: Loopback, callback: Callable[..., object], topic: str, options: Any) -> None:
        self._owner = owner
        self.callback = callback
        self.topic = topic
        self.options = options
        #: that of the session with the router; None while there is none
        self.there: Any = None
        # (a component of a topic that is empty stands for any)
        self._pattern = topic.split(".")

    def matches(self, parts: list[str]) -> bool:
        """Whether this is about a topic, given by its components."""
        return len(parts) == len(self._pattern) and all(
            wanted in ("", part) for wanted, part in zip(self._pattern, parts, strict=True)
        )

    def unsubscribe(self) -> Any:
        """Hear no more."""
        self._owner.subscriptions.pop(self, None)
        there, self.there = self.there, None
        return succeed(None) if there is None or not there.active else there.unsubscribe()


class Loopback:
    """Stands where Buildbot's connector has its session with the router (`master.wamp.service`)."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        #: all that is subscribed, in its order
        self.subscriptions: dict[Subscription, None] = {}
        #: Buildbot's connector sets it when it stops
        self.leaving = False

    def adopt(self, session: Any) -> None:
        """Know what has been subscribed on a session without us, so that it can be subscribed again."""
        known: list[Any] = [each for some in session._subscriptions.values() for each in some]
        for each in known:
            consumer: Any = getattr(each.handler.fn, "__self__", None)
            if not hasattr(consumer, "unreg") or consumer.unreg is not each:
                # it is Buildbot's own object that listens to nothing, or one that we have
                continue
            consumer.unreg = ours = self._known(each.handler.fn, each.topic)
            ours.there = each
        # Buildbot does not wait for the router's answer
        for request in tuple(session._subscribe_reqs.values()):
            self._expect(request)

    def _known(self, callback: Callable[..., object], topic: str) -> Subscription:
        ours = Subscription(self, callback, topic, _options(topic))
        self.subscriptions[ours] = None
        return ours

    def _expect(self, request: Any) -> None:
        """Know what is being subscribed: it is to be subscribed again, also if the session is lost before that is answered."""
        consumer: Any = getattr(request.handler.fn, "__self__", None)
        if not hasattr(consumer, "unreg"):
            return
        ours = self._known(request.handler.fn, request.topic)

        def answered(result: Any) -> Any:
            # (Buildbot has taken the answer, and has unsubscribed what it wants to hear no more)
            if consumer.callback is None:
                self.subscriptions.pop(ours, None)
            else:
                ours.there, consumer.unreg = consumer.unreg, ours
            return result

        request.on_reply.addBoth(answered)

    def subscribe(self, callback: Callable[..., object], topic: str, options: Any = None) -> Deferred[Any]:
        """Let `callback` hear what is said about `topic`."""
        ours = Subscription(self, callback, topic, options)
        self.subscriptions[ours] = None
        return succeed(ours)

    def publish(self, topic: str, data: Any, options: Any = None) -> Deferred[None]:  # noqa: ARG002 (Buildbot's name)
        """Say something to whoever listens on this master."""
        parts = topic.split(".")
        if TOPIC in parts:
            # who hears himself hears the others
            return succeed(None)
        details = SimpleNamespace(topic=topic)
        for each in tuple(self.subscriptions):
            if each.matches(parts):
                self._reactor.callLater(0, self._deliver, each, data, details)
        return succeed(None)

    def _deliver(self, subscription: Subscription, data: Any, details: Any) -> None:
        if subscription in self.subscriptions:
            subscription.callback(data, details=details)

    @inlineCallbacks
    def moveTo(self, session: Any) -> Generator[Deferred[Any], Any, None]:
        """Subscribe everything on a session. A Deferred that fires when that is done."""
        moving = tuple(self.subscriptions)
        found = yield gatherResults(
            [session.subscribe(each.callback, each.topic, each.options) for each in moving]
        )
        for ours, there in zip(moving, found, strict=True):
            if ours in self.subscriptions:
                ours.there = there
            else:
                # it has been unsubscribed meanwhile
                yield there.unsubscribe()


def _options(topic: str) -> Any:
    """The options with which Buildbot subscribes to a topic."""
    from autobahn.wamp.types import SubscribeOptions  # noqa: PLC0415 (it is large)

    if "" in topic.split("."):
        return SubscribeOptions(match="wildcard", details_arg="details")
    return SubscribeOptions(details_arg="details")

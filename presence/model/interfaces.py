"""The boundaries between the parts. No logic."""

from __future__ import annotations

from zope.interface import Attribute, Interface


class IWorkerPresence(Interface):
    """Whether one worker accepts new builds, why it does not, and until when."""

    name = Attribute("The name of the worker, a str.")
    state = Attribute("A `PresenceState`: AVAILABLE exactly when there is no hold.")
    ready = Attribute("True when the state is AVAILABLE.")
    holds = Attribute("The holds, a tuple of `Hold` in the order of `states.SOURCES`.")
    backAt = Attribute(
        "Seconds since the epoch at which the last of the holds ends; None when one of them has no end, and "
        "when there is none."
    )
    running = Attribute("How many builds run, an int.")
    busy = Attribute("True when a build runs.")

    def heldBy(source):
        """The `Hold` that `source` has placed, or None. `ValueError` for an unknown source."""

    def hold(source, reason=None, by=None, until=None, since=None):
        """Stop accepting builds on behalf of `source`, one of `states.SOURCES`.

        Replaces the hold which that source may have placed before. `reason` and `by` are for people. `until`
        is in seconds since the epoch: the hold then ends by itself at that instant. A hold that has ended
        already is not placed. `since` is when it began, by default now.

        Raises `ValueError` for an unknown source or an instant that is not a finite number, and has then
        changed nothing.
        """

    def release(source):
        """End the hold of `source`. Does nothing when it holds nothing; `ValueError` for an unknown one."""

    def waitUntilReady():
        """A Deferred that fires with this presence: at once when it is ready, else on the flip.

        Those who wait are fired in the order in which they asked, and only while the worker is ready. The
        Deferred fails with `PresenceStopped` on `stop()`. Cancelling it withdraws the question.
        """

    def waitUntilIdle():
        """A Deferred that fires with this presence when no build runs: at once, or when the last finishes.

        It fails with `PresenceStopped` on `stop()`. Cancelling it withdraws the question.
        """

    def buildStarted():
        """One more build runs."""

    def buildFinished():
        """One build less runs. `ValueError` when none did."""

    def observe(observer):
        """Call `observer(presence)` after every change of the holds. Returns a callable that ends it."""

    def stop():
        """The worker is gone: end all timers and observations, and fail all waiters with `PresenceStopped`.

        What is held or released afterwards changes nothing.
        """


class IBuilderPresence(Interface):
    """The presence of a builder: that of the workers it may use, taken together."""

    name = Attribute("The name of the builder, a str.")
    workers = Attribute("Its workers, a tuple of `IWorkerPresence`, in the order in which they were added.")
    state = Attribute("A `PresenceState`: AVAILABLE when one of the workers is.")
    readyWorkers = Attribute("Those of the workers that are ready, a tuple.")
    backAt = Attribute(
        "Seconds since the epoch at which the first of the workers is back, None when none of them has said, "
        "and when one is ready."
    )

    def addWorker(presence):
        """The builder may use this worker from now on. Adding it twice is adding it once."""

    def removeWorker(presence):
        """The builder may not use this worker any longer. Does nothing when it did not."""

    def waitUntilReady():
        """A Deferred that fires with an `IWorkerPresence` that is ready: at once, or when there is one.

        Order, failing and cancelling are as in `IWorkerPresence.waitUntilReady`.
        """

    def stop():
        """The builder is gone: fail all waiters with `PresenceStopped`."""


class IBreakSchedule(Interface):
    """When the breaks are. Pure: it is told the instant. Instants are aware datetimes, UTC when returned."""

    def at(instant):
        """The `BreakInterval` that contains `instant`, or None."""

    def nextChange(instant):
        """The first instant strictly after `instant` at which a break begins or ends, or None."""

    def between(start, stop):
        """The `BreakInterval`s that overlap `[start, stop)`, merged and in order."""


class IBreakTimer(Interface):
    """Places and releases the hold `break` of one worker, as its schedule says."""

    schedule = Attribute("The `IBreakSchedule` in force.")
    suspendedUntil = Attribute(
        "Until when the breaks are suspended by anybody, in seconds since the epoch, or None."
    )

    def start():
        """Do what the schedule says of this moment, and go on doing so. Starting twice is starting once."""

    def stop():
        """Release the hold and leave no timer behind."""

    def replace(schedule):
        """Go on with another schedule, from this moment."""

    def suspensionBy(source):
        """Until when `source` has suspended the breaks, in seconds since the epoch, or None."""

    def suspend(until, source="admin"):
        """Accept builds in spite of the breaks until this instant (seconds since the epoch).

        Each source (one of `states.SOURCES`) has a suspension of its own, and the latest of them counts. None,
        or an instant that is past, ends that of `source`. `ValueError` when it is not a finite number.
        """

    def reconsider():
        """Ask the schedule again: the clock may have jumped."""

"""What is counted and measured on a master while somebody wants metrics, and how Prometheus reads it."""

from __future__ import annotations

from collections import Counter as Counts
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from twisted.internet.defer import inlineCallbacks

from presence.master.metrics.bygroup import ByGroup
from presence.master.metrics.causes import BY, INTERVAL, Causes
from presence.master.metrics.lag import EventLag
from presence.master.metrics.statements import Statements
from presence.master.metrics.times import KINDS, Times, stateOf
from presence.orders.abilities import ABILITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from prometheus_client import Metric
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.happenings.happening import Happening
    from presence.master.roster import Roster
    from presence.master.why.facts import Why
    from presence.model.workerpresence import WorkerPresence

_ORDERS = frozenset(ABILITIES.values())


class Measures:
    """The numbers of one master, from `start()` to `stop()`.

    `why(builder)` tells why a request of it would wait, `readyOf(builder)` how many of its workers are ready, and `tallies()` are
    numbers that others count: those of wake-ups and of builds that were refused at the last moment. `nameOf` gives the name of the
    worker with an id, `groupsOf` the groups of a worker of Buildbot's.
    """

    def __init__(
        self,
        roster: Roster,
        why: Callable[[str], Deferred[Why]],
        *,
        readyOf: Callable[[str], int],
        tallies: Callable[[], dict[str, int]],
        nameOf: Callable[[int], str | None],
        groupsOf: Callable[[Any], Iterable[str]],
    ) -> None:
        self._roster = roster
        self._master = roster.master
        self._ready_of = readyOf
        self._tallies = tallies
        self._name_of = nameOf
        self._groups = ByGroup(groupsOf)
        self._times = Times(roster.clock, self._groups.add)
        self._causes = Causes(self._master, why)
        self._statements = Statements(self._master.db.pool.engine)
        self._timer: IDelayedCall | None = None
        self._consumers: list[Any] = []
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._orders = Counter(
            "presence_orders",
            "Orders of people and scripts, and what came of them.",
            ["order", "outcome"],
            registry=self._registry,
        )
        self._holds = Counter(
            "presence_holds_begun",
            "Holds that have begun, by source; those of admins are orders.",
            ["source"],
            registry=self._registry,
        )
        # what has not happened yet is 0: of what is not there Prometheus knows no increase
        for each in sorted(_ORDERS):
            self._orders.labels(each, "done")
        for each in KINDS:
            self._holds.labels(each)
        lag = Histogram(
            "presence_event_lag_seconds",
            "How long it took until a change of a worker was announced.",
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
            registry=self._registry,
        )
        self._lag = EventLag(roster.clock, lag.observe)

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Begin to count."""
        self._statements.start()
        self._tick()
        for listener, key in (
            (self._build_event, ("builds", None, "new")),
            (self._build_event, ("builds", None, "finished")),
            (self._lag.announced, ("presences", None, "changed")),
        ):
            self._consumers.append((yield self._master.mq.startConsuming(listener, key)))

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Count nothing any more. No timer is left."""
        self._statements.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        consumers, self._consumers = self._consumers, []
        for each in consumers:
            yield each.stopConsuming()

    def text(self) -> str:
        """All numbers, as Prometheus reads them."""
        return generate_latest(self._registry).decode()

    # --- what happens

    def happened(self, happening: Happening) -> None:
        """Something has happened."""
        if happening.kind == "order" and happening.what in _ORDERS:
            self._orders.labels(happening.what, happening.outcome or "done").inc()
        elif happening.kind == "begin":
            self._holds.labels(happening.what).inc()

    def workerChanged(self, presence: WorkerPresence) -> None:
        """The holds of a worker have changed."""
        self._times.changed(presence)
        self._lag.changed(presence.name)

    def clockJumped(self) -> None:
        """The clock has jumped: the next look may be hours away now."""
        if self._timer is not None:
            self._timer.reset(0)

    def _build_event(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        presence = self._roster.findWorker(self._name_of(message["workerid"]) or "")
        if presence is not None:
            self._times.changed(presence)

    def _tick(self) -> None:
        self._timer = self._roster.clock.callLater(INTERVAL, self._tick)
        self._settle()
        self._causes.ask()

    def _settle(self) -> None:
        self._times.settle(self._roster.workers.values())
        self._groups.follow(self._master.workers.workers.values())

    # --- how it is read

    def collect(self) -> Iterator[Metric]:
        """What is true now, for Prometheus' registry."""
        workers = self._roster.workers.values()
        self._settle()
        yield _gauge(
            "presence_workers",
            "Workers, by what they do and by the source of the first hold.",
            ("state", "source"),
            Counts(stateOf(each) for each in workers),
        )
        yield _counter(
            "presence_worker_seconds",
            "Seconds that each worker has spent in a state; of more than 1000 workers the others together.",
            ("worker", "state", "source"),
            self._times.seconds,
        )
        yield _gauge(
            "presence_group_workers",
            "Workers of each group and machine, by what they do; a worker may belong to several.",
            ("group", "state"),
            self._groups.workers(workers),
        )
        yield _counter(
            "presence_group_worker_seconds",
            "Seconds that the workers of each group have spent in a state, all together; of more than 100 groups the others together.",
            ("group", "state"),
            self._groups.seconds,
        )
        yield _gauge(
            "presence_requests_waiting",
            "Unclaimed build requests by what they wait for: presence alone, capacity, or something else.",
            ("cause", "by"),
            self._causes.waiting,
        )
        yield _counter(
            "presence_request_wait_seconds",
            "Seconds that build requests have waited, all together, by what they waited for.",
            ("cause", "by"),
            {**{("none", each): 0.0 for each in BY}, **self._causes.seconds},
        )
        builders = Counts("ready" if self._ready_of(each) else "none ready" for each in self._roster.builders)
        yield _gauge(
            "presence_builders", "Builders that have a ready worker, or none.", ("state",), _keyed(builders)
        )
        yield _gauge(
            "presence_running_builds",
            "Builds that run on workers with a presence.",
            (),
            {(): sum(each.running for each in workers)},
        )
        yield _counter(
            "presence_statements",
            "Statements that the master has sent to its database, Buildbot's own too.",
            (),
            {(): self._statements.number},
        )
        for name, (text, number) in self._told().items():
            yield _counter(name, text, (), {(): number})

    def _told(self) -> dict[str, tuple[str, int]]:
        tallies = self._tallies()
        return {
            "presence_wakeups": (
                "Calls to the distributor of build requests when workers became ready.",
                tallies["wakeups"],
            ),
            "presence_gate_refusals": (
                "Builds that were refused at the last moment and went back to the queue.",
                tallies["refusals"],
            ),
        }


def _keyed(counts: Counts[str]) -> dict[tuple[str, ...], int]:
    return {(key,): number for key, number in counts.items()}


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Any) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, text: str, labels: tuple[str, ...], values: Any) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family

"""What a master tells Prometheus."""

from pathlib import Path

from buildbot.config.errors import capture_config_errors
from buildbot.plugins import util
from buildbot.test.fake.machine import LatentMachineController
from twisted.internet.defer import fail
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break
from presence.master.metrics import bygroup, port, terms, times
from presence.master.metrics.causes import INTERVAL
from presence.master.service import PresenceService
from presence.model.workerpresence import WorkerPresence
from presence.wire.secrets import digestOf
from presence.wire.tokens import Token, changeTokens
from tests.master.apicase import ApiTestCase, user
from tests.master.fakemaster import HOUR
from tests.missing import missing

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    MISSING = "there is no prometheus_client: pip install -e .[test]"
else:
    MISSING = None

LUNCH = Break("07:00", "08:00", tz="UTC", reason="lunch")


class MetricsTests(ApiTestCase):
    skip = MISSING
    service = {"metrics": True}  # noqa: RUF012

    def config(self, controllers, builders=None, *, service=None, **more):
        more["services"] = [PresenceService(**(self.service if service is None else service))]
        return super().config(controllers, builders, **more)

    def farm(self, **more):
        self.startMaster([self.slave("mac-mini", onBreakDuring=LUNCH), self.slave("aarch64")], **more)

    def samples(self):
        """{(name, values of the labels in their order): value}."""
        self.pass_(0.01)
        status, text = self.renderText("presencemetrics")
        self.assertEqual(status, 200)
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
        }

    def value(self, *key):
        return self.samples().get(key, 0)

    def test_workers(self):
        """Workers are counted by what they do and what holds them; and so are the seconds of each."""
        self.farm()
        self.passUntil(self.at(6.5))
        self.request()
        (name,) = self.startedOn()
        self.passUntil(self.at(7.5))
        found = self.samples()
        states = {key[1:]: value for key, value in found.items() if key[0] == "presence_workers"}
        if name == "mac-mini":
            self.assertEqual(states, {("break", "draining"): 1, ("", "idle"): 1})
        else:
            self.assertEqual(states, {("break", "away"): 1, ("", "working"): 1})
        for worker in ("mac-mini", "aarch64"):
            spent = {
                key[1:3]: value
                for key, value in found.items()
                if key[0] == "presence_worker_seconds_total" and key[3] == worker
            }
            self.assertApproximates(sum(spent.values()), 1.5 * HOUR, 30)
        self.assertApproximates(
            found[
                "presence_worker_seconds_total",
                "break",
                "draining" if name == "mac-mini" else "away",
                "mac-mini",
            ],
            HOUR / 2,
            1,
        )

    def test_groups(self):
        """A group, or a machine, is one thing: its workers by what they do, and their seconds together. They follow a reconfig."""
        machine = LatentMachineController(name="hz-bbw2").machine
        workers = [
            self.slave("mac-mini", onBreakDuring=LUNCH),
            self.slave("aarch64", machine_name="hz-bbw2"),
            self.slave("x86", machine_name="hz-bbw2"),
        ]
        service = {"metrics": True, "groups": {"office": ["mac-*", "x86"], "nobody": "none"}}
        self.startMaster(workers, service=service, machines=[machine])
        self.passUntil(self.at(7.5))

        def groups(name, samples):
            return {key[1:]: value for key, value in samples.items() if key[0] == name and value}

        found = self.samples()
        self.assertEqual(
            groups("presence_group_workers", found),
            {("hz-bbw2", "idle"): 2, ("office", "idle"): 1, ("office", "away"): 1},
        )
        self.assertEqual(found["presence_group_workers", "hz-bbw2", "away"], 0)
        spent = groups("presence_group_worker_seconds_total", found)
        self.assertApproximates(spent["hz-bbw2", "idle"], 2 * 1.5 * HOUR, 30)
        self.assertApproximates(spent["office", "away"], HOUR / 2, 1)
        self.reconfig(workers, service={"metrics": True}, machines=[machine])
        found = groups("presence_group_worker_seconds_total", self.samples())
        self.assertEqual(found.keys(), {("hz-bbw2", "idle")})
        self.assertGreaterEqual(found["hz-bbw2", "idle"], spent["hz-bbw2", "idle"])

    def test_waiting(self):
        """Requests wait because of presence alone, because the farm is busy, or for something else; and for how long they have."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=LUNCH)])
        self.request()
        self.request()
        self.pass_(INTERVAL)
        self.assertEqual(self.value("presence_requests_waiting", "capacity", "busy"), 1)
        self.finishAll()
        self.passUntil(self.at(7))
        self.request()
        self.request()
        self.passUntil(self.at(7.5))
        self.assertEqual(self.value("presence_requests_waiting", "presence", "break"), 2)
        self.assertApproximates(
            self.value("presence_request_wait_seconds_total", "presence", "break"),
            2 * HOUR / 2,
            3 * INTERVAL,
        )
        self.assertEqual(self.value("presence_builders", "none ready"), 1)

    def test_builderHeld(self):
        """Where the builder itself is held, that is to blame."""
        self.farm()
        self.post("builders/runtests/presence", "hold", user("ann"))
        self.request()
        self.pass_(INTERVAL)
        self.assertEqual(self.value("presence_requests_waiting", "presence", "held"), 1)

    def test_orders(self):
        """Orders are counted by what they are and what has come of them; holds that begin by their sources."""
        self.farm(
            authz=util.Authz(
                allowRules=[util.AnyControlEndpointMatcher(role="admins")],
                roleMatchers=[util.RolesFromUsername(roles=["admins"], usernames=["ann"])],
            )
        )
        self.post("presences/mac-mini", "hold", user("ann"))
        self.post("presences/mac-mini", "hold", user("mallory"))
        self.presence().hold("worker", "somebody types", "sensor")
        found = self.samples()
        self.assertEqual(found["presence_orders_total", "hold", "done"], 1)
        self.assertEqual(found["presence_orders_total", "hold", "forbidden"], 1)
        self.assertEqual(found["presence_holds_begun_total", "sensor"], 1)

    def test_lag(self):
        """How long a change takes to be announced, and what the database was asked."""
        self.farm()
        self.presence().hold("worker", "away", "owner")
        self.pass_(1)
        found = self.samples()
        self.assertGreaterEqual(found["presence_event_lag_seconds_count",], 1)
        self.assertLess(found["presence_event_lag_seconds_sum",], 1)
        self.assertGreater(found["presence_statements_total",], 0)
        self.assertGreater(found["presence_wakeups_total",] + 1, 0)
        self.assertEqual(found["presence_gate_refusals_total",], 0)

    def test_database(self):
        """A database that does not answer is no matter for builds, nor for what else is told."""
        self.farm()
        self.patch(self.master.db.pool, "do", lambda *_: fail(RuntimeError("gone")))
        self.pass_(3 * INTERVAL)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.value("presence_workers", "", "idle"), 2)

    def test_authorization(self):
        """Buildbot's rules about reading are about them, too."""
        self.farm(authz=util.Authz(allowRules=[util.AnyEndpointMatcher(role="admins")]))
        status, _ = self.renderText("presencemetrics")
        self.assertEqual(status, 403)

    def test_token(self):
        """Where the rules ask who reads, Prometheus has a token."""
        self.farm(
            authz=util.Authz(
                allowRules=[util.AnyEndpointMatcher(role="admins")],
                roleMatchers=[util.RolesFromUsername(roles=["admins"], usernames=["ann"])],
            )
        )
        token = Token(
            "prometheus", "ann", ("hold",), self.reactor.seconds(), None, digestOf("presence-token-x")
        )
        changeTokens(Path(self.master.basedir), lambda known: (*known, token))
        self.authorization = b"Bearer presence-token-x"
        self.assertEqual(self.renderText("presencemetrics")[0], 200)
        self.authorization = b"Bearer presence-token-y"
        self.assertEqual(self.renderText("presencemetrics")[0], 403)

    def test_off(self):
        """They are turned on and off by a reconfig."""
        self.farm(service={})
        self.assertEqual(self.renderText("presencemetrics")[0], 404)
        workers = [self.slave("mac-mini", onBreakDuring=LUNCH), self.slave("aarch64")]
        self.reconfig(workers, service={"metrics": True})
        self.assertEqual(self.value("presence_workers", "", "idle"), 2)
        self.reconfig([self.slave("mac-mini", onBreakDuring=LUNCH), self.slave("aarch64")], service={})
        self.assertEqual(self.renderText("presencemetrics")[0], 404)
        self.assertEqual(self.assembly.telling.orderListeners, [])


class TimesTests(SynchronousTestCase):
    def test_bounded(self):
        """So many workers have times of their own; the others have them together, and who goes makes room."""
        self.patch(times, "MOST_WORKERS", 2)
        clock = Clock()
        found = times.Times(clock)
        workers = [WorkerPresence(name, clock) for name in "abcd"]
        found.settle(workers)
        clock.advance(10)
        found.settle(workers)
        self.assertEqual(
            found.seconds, {("a", "idle", ""): 10, ("b", "idle", ""): 10, ("other", "idle", ""): 20}
        )
        found.settle(workers[1:])
        clock.advance(10)
        found.settle(workers[1:])
        self.assertEqual(sorted({key[0] for key in found.seconds}), ["b", "c", "other"])

    def test_clock(self):
        """A clock that is set makes nobody work for a year, or less than nothing."""
        clock = Clock()
        found = times.Times(clock)
        worker = WorkerPresence("a", clock)
        for seconds in (0, 1e8, -1e8):
            clock.rightNow += seconds
            found.changed(worker)
        self.assertEqual(found.seconds, {("a", "idle", ""): 60})


class ByGroupTests(SynchronousTestCase):
    def test_bounded(self):
        """So many groups have numbers of their own; the others have them together, each worker once, and who goes makes room."""
        self.patch(bygroup, "MOST_GROUPS", 1)

        class Worker:
            def __init__(self, name, *groups):
                self.workername, self.groups = name, groups

        def tell(*workers):
            found.follow(workers)
            for each in workers:
                found.add(each.workername, "idle", 10)
            return {key: value for key, value in found.seconds.items() if value}

        found = bygroup.ByGroup(lambda worker: worker.groups)
        self.assertEqual(tell(Worker("none")), {})
        self.assertEqual(
            tell(Worker("a", "one"), Worker("b", "two", "three")),
            {("one", "idle"): 10, ("other", "idle"): 10},
        )
        self.assertEqual(tell(Worker("b", "two")), {("two", "idle"): 10})
        self.assertEqual(len(found.seconds), len(times.STATES))


class TermsTests(SynchronousTestCase):
    skip = MISSING

    def test_places(self):
        """True is the master's web server, a number a port on loopback, and a string what Twisted makes of it."""
        self.assertIs(terms.metricsPlace(None), None)
        self.assertIs(terms.metricsPlace(False), None)
        self.assertEqual(terms.metricsPlace(True), terms.WEB)
        self.assertEqual(terms.metricsPlace(9123), "tcp:9123:interface=127.0.0.1")
        self.assertEqual(terms.metricsPlace("tcp:9123:interface=10.0.0.7"), "tcp:9123:interface=10.0.0.7")

    def test_mistakes(self):
        """All else is a mistake, which says what would be right."""
        for wrong in (0, 70000, "yes", "tcp:nine", 1.5, [9123]):
            with capture_config_errors() as errors:
                PresenceService(metrics=wrong)
            self.assertIn("give True", "".join(errors.errors), wrong)
        with capture_config_errors() as errors, missing("prometheus_client"):
            PresenceService(metrics=True)
        self.assertIn("buildbot-presence[metrics]", "".join(errors.errors))


class PortTests(SynchronousTestCase):
    def test_taken(self):
        """A port that somebody else has is tried again, until it can be had; at the end it is given back."""

        class Endpoint:
            results = [fail(CannotListenError("127.0.0.1", 9123, "taken")) for _ in range(2)]  # noqa: RUF012
            stopped = 0

            def listen(self, _site):
                return self.results.pop() if self.results else self

            def getHost(self):
                return self

            port = 9123

            def stopListening(self):
                Endpoint.stopped += 1

        self.patch(port, "serverFromString", lambda *_: Endpoint())
        clock = Clock()
        metrics = port.MetricsPort(clock, "tcp:9123", str)
        metrics.start()
        self.assertIs(metrics.number, None)
        clock.pump([1] * 5)
        self.assertEqual(metrics.number, 9123)
        self.successResultOf(metrics.stop())
        self.assertEqual((Endpoint.stopped, clock.getDelayedCalls()), (1, []))

import json
from pathlib import Path

from buildbot.config.errors import capture_config_errors
from buildbot.plugins import util
from buildbot.process.results import SUCCESS
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from presence.master.api.reconfig import Reconfig
from presence.master.authz import ReconfigEndpointMatcher
from presence.master.note import urlOf
from presence.wire.masternote import NOTE
from tests.master.apicase import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, ApiTestCase, user
from tests.master.fakemaster import HOUR
from tests.master.quiescecase import QuiesceTestCase


class ReconfigApiTests(QuiesceTestCase, ApiTestCase):
    """`/api/v2/reconfig`: what there is to know, and what may be ordered."""

    def setUp(self):
        super().setUp()
        builders = {"m": ["mac"], "a": ["arm"]}
        self.farm(self.stock("mac"), self.stock("arm"), builders=builders)
        self.write(self.slave("mac"), self.stock("arm"), builders=builders)
        self.resultOf(self.master.mq.startConsuming(self.heard, ("reconfigs", None, None)))
        self.pass_(1)
        self.events.clear()

    def entity(self):
        entity = self.getOne("reconfig")
        self.assertEntity(entity, Reconfig)
        return entity

    def test_idle(self):
        """When nothing is under way it says so."""
        entity = self.entity()
        self.assertEqual((entity["state"], entity["last"], entity["waiting_for"]), ("idle", None, []))
        self.assertEqual(self.getOne(f"masters/{self.master.masterid}/reconfig"), entity)

    def test_wayOfOne(self):
        """The order is answered with what is held, progress is told, and the end."""
        began = self.reactor.seconds()
        brid = self.request("m")
        answer = self.post("reconfig", "reconfig", user("ann"), deadline=began + HOUR).result
        self.assertEqual(answer["mistakes"], [])
        entity = self.entity()
        self.assertEqual((entity["state"], entity["number"], entity["by"]), ("waiting", 1, "ann"))
        self.assertEqual((entity["deadline"], entity["on_deadline"]), (began + HOUR, "abort"))
        (held,) = entity["held"]
        self.assertEqual((held["builder"], held["worker"]), (None, "mac"))
        (waiting,) = entity["waiting_for"]
        self.assertEqual((waiting["builder"], waiting["worker"], waiting["number"]), ("m", "mac", 1))
        self.assertEqual((waiting["since"], waiting["remaining"]), (int(began), None))
        self.pass_(1)
        self.assertEqual([each["state"] for each in self.changes("reconfigs")], ["waiting"])
        self.pass_(HOUR / 2)
        self.assertEqual(self.changes("reconfigs"), [])
        self.finish("m")
        self.pass_(1)
        told = self.changes("reconfigs")
        self.assertEqual(told[-1]["state"], "idle")
        self.assertEqual(told[-1]["last"]["result"], "reconfigured")
        self.assertEqual(self.entity()["last"]["number"], 1)
        self.assertEqual(self.results(brid), [SUCCESS])

    def test_clockSetBack(self):
        """When the clock is set back an hour in a pause between two events, the next one is told when that is noticed."""
        self.request("m")
        self.post("reconfig", "reconfig", user("ann"))
        self.reactor.advance(0)
        self.post("reconfig", "cancel", user("ann"))
        self.reactor.rightNow -= HOUR
        self.tickers[0].tick()
        for _ in range(5):
            self.reactor.advance(0)
        self.assertEqual(self.changes("reconfigs")[-1]["state"], "idle")

    def test_estimate(self):
        """How long a build still takes is estimated from those of the past."""
        for _ in range(3):
            self.request("m")
            self.pass_(100)
            self.finish("m")
        self.request("m")
        self.pass_(40)
        self.post("reconfig", "reconfig")
        (waiting,) = self.entity()["waiting_for"]
        self.assertTrue(57 <= waiting["remaining"] <= 63, waiting)
        self.finish("m")

    def test_mistakes(self):
        """What is wrong with the file is in the answer, and nothing is held."""
        self.write(self.slave("mac"), builders={"m": ["nobody"]})
        for action in ("reconfig", "plan"):
            answer = self.post("reconfig", action).result
            self.assertEqual(answer["mistakes"], ["builder 'm' uses unknown workers 'nobody'"])
        self.assertEqual(self.entity()["state"], "idle")

    def test_plan(self):
        """A plan says what would be held, why, and what runs there; and nothing is done."""
        self.request("m")
        self.request("a")
        plan = self.post("reconfig", "plan").result
        self.assertEqual([(each["worker"], each["builder"]) for each in plan["held"]], [("mac", None)])
        self.assertIn("BuildSlave", plan["held"][0]["why"])
        self.assertEqual([each["builder"] for each in plan["waiting_for"]], ["m"])
        plan = self.post("reconfig", "plan", all=True).result
        self.assertEqual([each["builder"] for each in plan["waiting_for"]], ["m", "a"])
        self.assertNothingHeld()
        self.finishAll()

    def test_cancel(self):
        """A cancellation ends it; where nothing waits it is refused."""
        self.request("m")
        self.post("reconfig", "reconfig", user("ann"))
        answer = self.post("reconfig", "cancel", user("bob")).result
        self.assertEqual(
            (answer["state"], answer["last"]["result"], answer["last"]["by"]), ("idle", "cancelled", "bob")
        )
        status, code, text = self.post("reconfig", "cancel").error
        self.assertEqual((status, code), (400, INVALID_REQUEST))
        self.assertIn("no reconfig waits", text)
        self.pass_(1)
        self.finishAll()

    def test_bad(self):
        """What is wrong with an order is refused, and nothing has changed."""
        other = f"masters/{self.master.masterid + 1}/reconfig"
        for path, action, params, expected in (
            ("reconfig", "reconfig", {"deadline": "soon"}, (400, INVALID_PARAMS)),
            ("reconfig", "reconfig", {"all": "yes"}, (400, INVALID_PARAMS)),
            ("reconfig", "Reconfig", {}, (501, METHOD_NOT_FOUND)),
            (other, "reconfig", {}, (404, INVALID_REQUEST)),
        ):
            self.assertEqual(self.post(path, action, **params).error[:2], expected)
        self.assertEqual(self.get(other).status, 404)
        self.assertNothingHeld()

    def test_rules(self):
        """Who may order what is a matter of rules; reading is not."""
        self.setAuthz(
            util.Authz(
                allowRules=[
                    ReconfigEndpointMatcher(role="planners", actions=["plan"], defaultDeny=False),
                    ReconfigEndpointMatcher(role="admins"),
                ],
                roleMatchers=[
                    util.RolesFromUsername(roles=["admins"], usernames=["ann"]),
                    util.RolesFromUsername(roles=["planners"], usernames=["bob"]),
                ],
            )
        )
        self.assertEqual(self.post("reconfig", "plan", user("bob")).status, 200)
        self.assertEqual(self.post("reconfig", "reconfig", user("bob")).status, 403)
        self.assertEqual(self.post("reconfig", "plan", user("eve")).status, 403)
        self.assertEqual(self.post("reconfig", "plan").status, 403)
        self.assertEqual(self.get("reconfig").status, 200)
        self.assertEqual(self.post("presences/arm", "hold").status, 200)  # these rules are not about it
        self.assertEqual(self.post("reconfig", "reconfig", user("ann")).status, 200)
        self.pass_(1)

    def test_rulesWithMistakes(self):
        """An action that there is not is a mistake in the configuration."""
        with capture_config_errors() as errors:
            ReconfigEndpointMatcher(role="admins", actions=["reload"])
            ReconfigEndpointMatcher(role="admins", actions=1)
        self.assertIn("reconfig, plan, cancel", errors.errors[0])
        self.assertIn("ReconfigEndpointMatcher: actions=1", errors.errors[1])


class NoteTests(QuiesceTestCase):
    """The note in the master's directory."""

    def test_note(self):
        """It is there while the master runs, and says when there is no web server."""
        self.farm(self.stock("mac"))
        path = Path(self.master.basedir, NOTE)
        self.assertIsNone(json.loads(path.read_text())["url"])
        self.stopMaster()
        self.assertFalse(path.exists())


class UrlTests(SynchronousTestCase):
    def test_urls(self):
        """The URL is where the server listens, and that of everybody where this is no TCP port of this machine."""

        class Master:
            class config:  # noqa: N801 (as Buildbot calls it)
                buildbotURL = "https://farm.example/"

            class www:  # noqa: N801
                port_service = None
                port = "tcp:8010"

        def listening(kind, host):
            class Port:
                def getHost(self):
                    address = type(kind, (), {})()
                    address.host, address.port = host, 8010
                    return address

            class Service:
                _waitingForPort = succeed(Port())

            Master.www.port_service = Service()
            return urlOf(Master)

        self.assertIsNone(urlOf(Master))
        self.assertEqual(listening("IPv4Address", "0.0.0.0"), "http://127.0.0.1:8010/")
        self.assertEqual(listening("IPv4Address", "10.0.0.7"), "http://10.0.0.7:8010/")
        self.assertEqual(listening("IPv6Address", "::"), "http://[::1]:8010/")
        self.assertEqual(listening("UNIXAddress", None), "https://farm.example/")
        Master.www.port = "ssl:8010"
        self.assertEqual(listening("IPv4Address", "0.0.0.0"), "https://farm.example/")

"""Orders about a master as a whole that are given at another one."""

from buildbot.www.authz import endpointmatchers, roles
from buildbot.www.authz.authz import Authz
from twisted.internet.defer import succeed

from presence.master.farm.remote import PATIENCE, TOPIC
from tests.master.apicase import INVALID_REQUEST, user
from tests.master.farm.farmcase import OTHER, FarmTestCase

ANN = user("ann")


class RemoteTests(FarmTestCase):
    """Master b is what the test answers as."""

    def setUp(self):
        super().setUp()
        authz = Authz(
            allowRules=[endpointmatchers.AnyControlEndpointMatcher(role="admins")],
            roleMatchers=[roles.RolesFromUsername(["admins"], ["ann"])],
        )
        self.startMaster([self.slave("mac-mini")], authz=authz)
        self.b = self.resultOf(self.master.db.masters.findMasterId("b"))
        self.resultOf(self.master.db.masters.setMasterState(self.b, True))
        self.asked, self.answers = [], []
        for master, last, heard in (
            (self.b, "order", self.asked),
            (OTHER, "answer", self.answers),
        ):
            self.resultOf(
                self.master.mq.startConsuming(
                    lambda _, message, heard=heard: heard.append(message), (TOPIC, str(master), last)
                )
            )

    def answerAs(self, result=None, error=None):
        """What master b answers to whatever it is asked."""

        def answer(_key, message):
            told = {"id": message["id"], "result": result, "error": error}
            self.master.mq.produce((TOPIC, str(message["from"]), "answer"), told)

        self.resultOf(self.master.mq.startConsuming(answer, (TOPIC, str(self.b), "order")))

    def ask(self, what, action, **params):
        """Master b asks this one: the answer."""
        self.answers.clear()
        self.master.mq.produce(
            (TOPIC, str(self.master.masterid), "order"),
            {"id": "7", "from": OTHER, "what": what, "action": action, "params": params, "by": "bob"},
        )
        self.pass_(1)
        (answer,) = self.answers
        return answer

    def test_ask(self):
        """What is ordered of another master goes there with who orders it, and its answer comes back."""
        self.answerAs({"masterid": self.b, "state": "stopping"})
        answer = self.post(f"masters/{self.b}/shutdown", "stop", ANN, reason="update")
        self.assertEqual(answer.result["state"], "stopping")
        (asked,) = self.asked
        self.assertEqual(
            {name: asked[name] for name in ("what", "action", "params", "by")},
            {"what": "shutdown", "action": "stop", "params": {"reason": "update"}, "by": "ann"},
        )
        self.assertFalse(self.master.botmaster.shuttingDown)

    def test_get(self):
        """The stop and the reconfiguration of another master can be seen."""
        self.answerAs({"masterid": self.b, "state": "idle"})
        entity = self.resultOf(self.master.data.get(("masters", self.b, "reconfig")))
        self.assertEqual((entity["state"], self.asked[0]["action"]), ("idle", None))

    def test_refused(self):
        """What the other one refuses is refused in its words."""
        self.answerAs(error="the master is not about to stop")
        answer = self.post(f"masters/{self.b}/shutdown", "cancel", ANN)
        self.assertEqual(answer.error, (400, INVALID_REQUEST, "the master is not about to stop"))

    def test_notAllowed(self):
        """The rules are those of the master that is asked, and what they forbid goes nowhere."""
        self.assertEqual(self.post(f"masters/{self.b}/shutdown", "stop", user("eve")).status, 403)
        self.assertEqual(self.post(f"masters/{self.b}/shutdown", "stop", ANN, nonsense=1).status, 400)
        self.assertEqual(self.asked, [])

    def test_noAnswer(self):
        """When nothing comes that is said, and that nobody knows whether it was heard; a clock that jumps makes it no hours."""
        for seconds in (0, -3600):
            problems = []
            done = self.master.data.control("cancel", {}, ("masters", self.b, "reconfig"))
            done.addErrback(problems.append)
            self.pass_(1)
            self.jump(seconds)
            self.pass_(PATIENCE + 1)
            self.assertIn("may have heard it, or not", problems[0].value.message)

    def test_unknown(self):
        """A master that is not there, or does not run, is not waited for."""
        self.assertEqual(self.post("masters/4711/shutdown", "stop", ANN).status, 404)
        self.resultOf(self.master.db.masters.setMasterState(self.b, False))
        answer = self.post(f"masters/{self.b}/shutdown", "stop", ANN)
        self.assertEqual(answer.error, (400, INVALID_REQUEST, "master b does not run"))
        self.assertEqual(self.asked, [])

    def test_answer(self):
        """What another master orders is followed, and answered."""
        self.assertEqual(self.ask("reconfig", None)["result"]["state"], "idle")
        answer = self.ask("reconfig", "cancel")
        self.assertIsNone(answer["result"])
        self.assertIn("no reconfig waits", answer["error"])
        self.assertIn("no action", self.ask("reconfig", "explode")["error"])
        self.assertIn("knows no", self.ask("nonsense", "stop")["error"])
        ordered = []
        self.assembly.shutdown.request = lambda order, by: ordered.append((order.reason, by))
        self.assertIsNone(self.ask("shutdown", "stop", reason="update")["error"])
        self.assertEqual(ordered, [("update", "bob")])

    def test_stops(self):
        """Who waits when the master stops is told."""
        problems = []
        done = self.master.data.control("cancel", {}, ("masters", self.b, "reconfig"))
        done.addErrback(problems.append)
        self.pass_(1)
        self.resultOf(self.assembly.farmOrders.remote.stop() or succeed(None))
        self.assertIn("this master stops", problems[0].value.message)

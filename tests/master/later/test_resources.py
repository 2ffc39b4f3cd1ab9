"""Resources of the Data API that are registered when somebody first asks for one of them."""

import subprocess
import sys

from buildbot.data.exceptions import InvalidPathError
from buildbot.util.pathmatch import Matcher
from twisted.trial.unittest import SynchronousTestCase

from presence.master.farm.remote import TOPIC
from presence.master.later.resources import PLURALS
from tests.master.apicase import ApiTestCase
from tests.master.fakemaster import MasterTestCase

# Imports what they need in steps, and says of each which of our modules it has brought; and at the end what was missing yet.
STEPS = """
import sys
from buildbot.data.base import ResourceType
import presence.master.assembly
from presence.master.later import resources

def ours():
    return {each for each in sys.modules if each.startswith("presence.")}

there = ours()
for _ in resources.imported():
    print(len(ours() - there))
    there = ours()
from presence.master.api import presences, reconfig, requestpresences, runningbuilds, shutdown
from presence.master.trail import resource
# Buildbot looks at all attributes of what it registers
for module in presences, reconfig, requestpresences, runningbuilds, shutdown, resource:
    for each in vars(module).values():
        if isinstance(each, type) and issubclass(each, ResourceType):
            made = each.__new__(each)
            for name in dir(made):
                getattr(made, name, None)
print(*sorted(ours() - there))
print(*sorted(each for each in there if each.startswith("presence.orders.")))
"""


class StepsTests(SynchronousTestCase):
    def test_steps(self):
        """No step imports more than three of our modules, and all together what registering them wants; how orders are read is
        not among that, nor what may be ordered.
        """
        ended = subprocess.run(
            [sys.executable, "-c", STEPS], stdout=subprocess.PIPE, check=True, encoding="utf-8"
        )
        *steps, missing, orders = ended.stdout.split("\n")[:-1]
        self.assertLessEqual(max(map(int, steps)), 3)
        self.assertEqual(missing, "")
        unwanted = ("reading", "reconfig", "shutdown", "workers")
        self.assertFalse({f"presence.orders.{each}" for each in unwanted} & set(orders.split()))


class NotAskedTests(MasterTestCase):
    def test_notAsked(self):
        """A master that builds, of whose events nobody hears, has none of them, whatever else of Buildbot's is asked for."""
        self.startMaster([self.slave("mac-mini"), self.stock("plain")])
        self.request()
        self.request()
        self.assertEqual(len(self.resultOf(self.master.data.get(("workers",)))), 2)
        self.assertEqual(len(self.resultOf(self.master.data.get(("builders", 1, "workers")))), 2)
        self.assertFalse(set(PLURALS) & set(vars(self.master.data.rtypes)))

    def test_anotherMaster(self):
        """Nor has one of several masters, before another one asks: that one is answered."""
        self.startMaster([self.slave("mac-mini")], multiMaster=True)
        self.assertFalse(set(PLURALS) & set(vars(self.master.data.rtypes)))
        answers = []
        heard = self.master.mq.startConsuming(
            lambda _, message: answers.append(message), (TOPIC, "99", "answer")
        )
        self.resultOf(heard)
        asked = {"id": "7", "from": 99, "what": "shutdown", "action": None, "params": {}, "by": None}
        self.master.mq.produce((TOPIC, str(self.master.masterid), "order"), asked)
        self.pass_(1)
        (answer,) = answers
        self.assertIsNone(answer["error"])
        self.assertEqual(answer["result"]["masterid"], self.master.masterid)


class ResourcesTests(ApiTestCase):
    def start(self):
        self.startMaster([self.slave("mac-mini"), self.stock("plain")])

    def ours(self):
        """{name: plural} of our resource types that are registered."""
        types = vars(self.master.data.rtypes).values()
        return {each.name: each.plural for each in types if type(each).__module__.startswith("presence.")}

    def test_asked(self):
        """The first question for one of them registers all, under their names, and is answered."""
        self.start()
        self.assertEqual(len(self.getAll("presences")), 2)
        self.assertEqual(self.ours(), PLURALS)
        self.assertIs(type(self.master.data.matcher), Matcher)

    def test_paths(self):
        """So does one for what belongs to something of Buildbot's."""
        self.start()
        self.assertEqual(self.get("workers/mac-mini/presence").status, 200)

    def test_unknown(self):
        """A path that there is not is none afterwards, either."""
        self.start()
        for _ in range(2):
            self.assertRaises(InvalidPathError, self.master.data.getEndpoint, ("presents",))

    def test_root(self):
        """Who asks for all that there is hears of them."""
        self.start()
        self.master.data.getEndpoint(())
        self.assertEqual(self.ours(), PLURALS)

    def test_specification(self):
        """So does who asks for its specification."""
        self.start()
        self.master.data.getEndpoint(("application.spec",))
        self.assertEqual(self.ours(), PLURALS)

    def test_order(self):
        """The first request may be an order."""
        self.start()
        self.post("presences/mac-mini", "hold", reason="x")
        self.assertEqual(self.worker("mac-mini").adminRecord.hold.reason, "x")

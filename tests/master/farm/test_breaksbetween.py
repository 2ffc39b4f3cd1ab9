"""The breaks of other days than the coming ones, of workers that another master has: that one is asked."""

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from presence.master.farm.breaksbetween import askOthers
from presence.master.farm.remote import TOPIC
from presence.orders.refusals import OrderRefused
from tests.master.farm.farmcase import OTHER, FarmTestCase

DAY = 86400


class AnswerTests(FarmTestCase):
    """What this master answers to others."""

    def setUp(self):
        super().setUp()
        each = ("07:00", "19:00")
        workers = [self.slave(name, onBreakDuring=each, timezone="UTC") for name in ("w1", "w2")]
        self.startMaster([*workers, self.stock("old")])
        self.answers = []
        heard = self.master.mq.startConsuming(
            lambda _, message: self.answers.append(message), (TOPIC, str(OTHER), "answer")
        )
        self.resultOf(heard)

    def ask(self, **params):
        message = {"id": "7", "from": OTHER, "what": "presence", "action": None, "params": params, "by": None}
        self.master.mq.produce((TOPIC, str(self.master.masterid), "order"), message)
        self.pass_(0.1)
        return self.answers.pop()

    def test_breaks(self):
        """It says what the breaks are then, those of many workers once; a worker without breaks, and one that is not there, have none."""
        first = int(self.at(0)) + 30 * DAY
        result = self.ask(first=first, last=first + DAY, workers=["w1", "w2", "old", "gone"])["result"]
        self.assertEqual(result["workers"], {"w1": 0, "w2": 0, "old": 1, "gone": 1})
        (there,) = result["breaks"][0]["breaks"]
        self.assertEqual((there["start"], there["stop"]), (first + 7 * 3600, first + 19 * 3600))
        self.assertEqual(result["breaks"][1], {"breaks": [], "partial_breaks": []})

    def test_nonsense(self):
        """What cannot be understood is answered with an error."""
        for params in (
            {},
            {"first": 1, "last": "x", "workers": []},
            {"first": 1, "last": 2, "workers": None},
        ):
            self.assertIn("cannot be understood", self.ask(**params)["error"])


class Remote:
    """Another master, which has the answers by worker."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def ask(self, masterid, what, action, params, by, *, patience):
        self.asked.append((masterid, params["workers"]))
        answer = self.answers.get(masterid, {})
        if not isinstance(answer, dict):
            return answer
        names = params["workers"]
        breaks = [{"breaks": [answer[name]], "partial_breaks": []} for name in names]
        return succeed({"breaks": breaks, "workers": {name: number for number, name in enumerate(names)}})


class AskTests(SynchronousTestCase):
    def worker(self, name, masterid, *, stale=None):
        return {
            "name": name,
            "masterid": masterid,
            "stale_since": stale,
            "breaks": ["known"],
            "partial_breaks": ["known"],
        }

    def ask(self, remote, *workers):
        done = askOthers(remote, 1, workers, (1.0, 2.0))
        return done, [each["breaks"] for each in workers]

    def test_others(self):
        """Those that other masters tell are asked of each of these, and our own are not."""
        remote = Remote({2: {"w2": "b2", "w4": "b4"}, 3: {"w3": "b3"}})
        workers = [self.worker("w1", 1), self.worker("w2", 2), self.worker("w3", 3), self.worker("w4", 2)]
        done, breaks = self.ask(remote, *workers)
        self.successResultOf(done)
        self.assertEqual(breaks, [["known"], ["b2"], ["b3"], ["b4"]])
        self.assertEqual(remote.asked, [(2, ["w2", "w4"]), (3, ["w3"])])

    def test_many(self):
        """Of many workers some are asked at a time."""
        names = [f"w{number:03}" for number in range(250)]
        remote = Remote({2: dict.fromkeys(names, "there")})
        done, breaks = self.ask(remote, *(self.worker(name, 2) for name in names))
        self.successResultOf(done)
        self.assertEqual(breaks, [["there"]] * 250)
        self.assertEqual([len(asked) for _, asked in remote.asked], [100, 100, 50])

    def test_gone(self):
        """One that is gone is not asked, and of one that does not answer what is known stays."""
        remote = Remote({2: fail(OrderRefused("not within 5 s")), 3: Deferred()})
        workers = self.worker("w2", 2), self.worker("w3", 3, stale=1.0)
        done, breaks = self.ask(remote, *workers)
        self.successResultOf(done)
        self.assertEqual((breaks, [each for each, _ in remote.asked]), ([["known"]] * 2, [2]))

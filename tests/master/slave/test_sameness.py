"""Which workers are equal, and that a new configuration is noticed."""

import inspect

from buildbot.locks import WorkerLock
from buildbot.util import ComparableMixin
from buildbot.worker.base import Worker
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break
from presence.master.buildslave import BuildSlave
from presence.master.slave.sameness import Sameness
from tests.each import each
from tests.master.fakemaster import MasterTestCase

LOCK = WorkerLock("lock").access("counting")

# of each keyword two values
VALUES = {
    "passwd": ("s3cret", "other"),
    "onBreakDuring": (("07:00", "19:00"), Break("07:00", "19:00", "MO-FR")),
    "workingDuring": (("07:00", "19:00"), ("08:00", "19:00")),
    "timezone": ("UTC", "Europe/Berlin"),
    "availableWhile": (bool, callable),
    "owners": ("me@example.org", ["me@example.org", "you@example.org"]),
    "max_builds": (1, 2),
    "notify_on_missing": ("me@example.org", ["you@example.org"]),
    "missing_timeout": (600, 60),
    "properties": ({"os": "linux"}, {"os": "macos"}),
    "defaultProperties": ({"os": "linux"}, {"os": "macos"}),
    "locks": ([LOCK], []),
    "keepalive_interval": (3600, 60),
    "machine_name": ("one", "two"),
}


def slave(name="mac-mini", passwd="s3cret", **keywords):
    return BuildSlave(name, passwd, **keywords)


@each(
    VALUES,
    "Workers with another {}= are not equal, those with the same are: also without it, and to a reconfig.",
)
class KeywordTests(SynchronousTestCase):
    def check(self, keyword):
        one, two = VALUES[keyword]
        for others in ({keyword: two}, {}) if keyword != "passwd" else ({keyword: two},):
            self.assertNotEqual(slave(**{keyword: one}), slave(**others))
            self.assertFalse(slave(**{keyword: one}) == slave(**others))
            self.assertFalse(ComparableMixin.isEquivalent(slave(**{keyword: one}), slave(**others)))
        self.assertEqual(slave(**{keyword: one}), slave(**{keyword: one}))
        self.assertTrue(ComparableMixin.isEquivalent(slave(**{keyword: one}), slave(**{keyword: one})))
        self.assertEqual(hash(slave(**{keyword: one})), hash(slave(**{keyword: one})))

    def test_all(self):
        """No keyword is left out."""
        known = {*inspect.signature(BuildSlave).parameters, *inspect.signature(Worker.checkConfig).parameters}
        self.assertEqual(known - {"self", "name", "password", "kwargs"}, set(VALUES))


class EqualityTests(SynchronousTestCase):
    def test_same(self):
        """A worker is equal to itself, and two of another name or class are not equal."""
        one, other = slave(), type("Other", (BuildSlave,), {})("mac-mini", "s3cret")
        self.assertEqual(one, one)
        for different in (slave("mac-maxi"), other, Worker("mac-mini", "s3cret"), None, "mac-mini"):
            self.assertNotEqual(one, different)
            self.assertFalse(one == different)

    def test_commonCase(self):
        """To find that it is the same object, or that the names differ, no attribute is collected."""
        one, two = slave("one"), slave("two")
        again = one
        self.patch(ComparableMixin, "_cmp_common", lambda *_: self.fail("Buildbot was asked"))
        self.assertEqual((one == again, one == two, one != again, one != two), (True, False, False, True))

    def test_hash(self):
        """A worker stays in a set when it is configured anew."""
        one = slave()
        known = {one}
        one._config_kwargs = {**one._config_kwargs, "max_builds": 5}
        self.assertIn(one, known)


class AttachingTests(MasterTestCase):
    """How a worker joins its builders."""

    def test_onceEach(self):
        """A worker that tells its builders again is with each of them once."""
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")], {"one": ["mac-mini", "aarch64"]})
        builder, worker = self.master.botmaster.builders["one"], self.worker("mac-mini")
        there = list(builder.workers)
        self.assertEqual(sorted(each.worker.name for each in there), ["aarch64", "mac-mini"])
        self.resultOf(worker.attachBuilder(builder))
        self.assertEqual(builder.workers, there)
        self.assertEqual(builder.attaching_workers, [])

    def test_leftBehind(self):
        """A worker that a builder has dropped in a reconfig joins it again."""
        self.startMaster([self.slave("mac-mini")], {"one": ["mac-mini"]})
        builder, worker = self.master.botmaster.builders["one"], self.worker("mac-mini")
        builder.workers.clear()
        self.resultOf(worker.attachBuilder(builder))
        self.assertEqual([each.worker for each in builder.workers], [worker])


class AttachTests(MasterTestCase):
    NAMES = ("w1", "w2", "w3")

    def joined(self):
        """The workers of each builder."""
        return {
            name: tuple(sorted(wfb.worker.name for wfb in builder.workers))
            for name, builder in self.master.botmaster.builders.items()
        }

    def test_notCompared(self):
        """Who connects joins all builders, each once, also when it comes again; and nobody is compared with it."""
        compared = []
        stock = Sameness.__eq__
        self.patch(Sameness, "__eq__", lambda one, other: (compared.append(other), stock(one, other))[1])
        slaves = [self.slave(name) for name in self.NAMES]
        self.startMaster(slaves, dict.fromkeys(("b1", "b2"), self.NAMES), connect=False)
        compared.clear()
        for name in self.NAMES:
            self.connect(name)
        self.pass_(1)
        self.assertEqual(compared, [])
        self.disconnect("w2")
        self.pass_(1)
        self.assertEqual(self.joined(), dict.fromkeys(("b1", "b2"), ("w1", "w3")))
        # (Buildbot looks for the one that has gone)
        compared.clear()
        self.connect("w2")
        self.pass_(1)
        self.assertEqual(self.joined(), dict.fromkeys(("b1", "b2"), self.NAMES))
        self.assertEqual(compared, [])

    def test_there(self):
        """Who is told again what it builds joins no builder twice, and is there for one that is new."""
        slaves = [self.slave(name) for name in self.NAMES]
        self.startMaster(slaves, {"b1": self.NAMES})
        self.reconfig(slaves, dict.fromkeys(("b1", "b2"), self.NAMES))
        self.pass_(1)
        self.assertEqual(self.joined(), dict.fromkeys(("b1", "b2"), self.NAMES))
        attaching = [builder.attaching_workers for builder in self.master.botmaster.builders.values()]
        self.assertEqual(attaching, [[], []])

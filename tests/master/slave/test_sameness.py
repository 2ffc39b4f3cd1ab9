"""Which workers are equal, and that a new configuration is noticed."""

import inspect

from buildbot.locks import WorkerLock
from buildbot.util import ComparableMixin
from buildbot.worker.base import Worker
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break
from presence.master.buildslave import BuildSlave
from tests.each import each

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

from types import SimpleNamespace

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from presence.master.starting import decisions
from presence.master.starting.decisions import Decisions


def request(number):
    return SimpleNamespace(id=number)


def on(name):
    return SimpleNamespace(worker=SimpleNamespace(workername=name))


def raising(*_):
    raise KeyError("mac")


class LookTests(SynchronousTestCase):
    """What the functions of a site say in one look at a builder."""

    def setUp(self):
        self.decisions = Decisions()
        self.look = self.decisions.begin("runtests")

    def assertKept(self):
        self.assertIs(self.decisions.of("runtests"), self.look)

    def test_nextBuild(self):
        """The requests that `nextBuild` chose are kept in their order; what it was not offered, and none at all, are not."""
        self.assertFalse(self.look.asked)
        first, second, stranger = map(request, (1, 2, 3))
        for answer in (second, stranger, None):
            ask = self.look.followNextBuild(lambda *_, answer=answer: answer)
            self.assertIs(ask("builder", [first, second]), answer)
        later = self.look.followNextBuild(lambda *_: succeed(first))("builder", [first, second])
        self.assertIs(self.successResultOf(later), first)
        self.assertEqual(list(self.look.chosen), [2, 1])
        self.assertTrue(self.look.asked)
        self.assertKept()

    def test_nextBuildFails(self):
        """What went wrong in it is kept until it is asked again, and goes wrong as it did."""
        self.assertRaises(KeyError, self.look.followNextBuild(raising), "builder", [])
        self.assertTrue(self.look.asked)
        self.assertEqual(self.look.failed, "KeyError: 'mac'")
        self.assertKept()
        late = self.look.followNextBuild(lambda *_: fail(OSError("disk")))("builder", [])
        self.failureResultOf(late, OSError)
        self.assertEqual(self.look.failed, "OSError: disk")
        self.look.followNextBuild(lambda *_: None)("builder", [])
        self.assertIsNone(self.look.failed)

    def test_nextWorker(self):
        """A request is kept for which no worker was chosen, or none that was offered, with what went wrong; until one is."""
        w0 = on("w0")
        for answer, kept in ((None, {1: None}), (on("stranger"), {1: None}), (w0, {})):
            self.look.followNextWorker(lambda *_, answer=answer: answer)("builder", [w0], request(1))
            self.assertEqual(self.look.noWorker, kept)
        self.assertRaises(KeyError, self.look.followNextWorker(raising), "builder", [w0], request(2))
        self.assertEqual(self.look.noWorker, {2: "KeyError: 'mac'"})
        self.assertKept()

    def test_nothingToKeep(self):
        """Of a look in which nothing was refused there is nothing."""
        w0 = on("w0")
        self.look.followNextWorker(lambda *_: w0)("builder", [w0], request(1))
        self.assertTrue(self.look.followCanStart(lambda *_: True, w0, request(1)))
        self.assertIsNone(self.decisions.of("runtests"))

    def test_canStart(self):
        """The workers are kept on which a request may not start, as they were called when it was asked."""
        self.assertFalse(self.look.followCanStart(lambda *_: False, on("w0"), request(1)))
        leaves, answer = on("w1"), Deferred()
        said = self.look.followCanStart(lambda *_: answer, leaves, request(1))
        leaves.worker = None
        answer.callback(False)
        self.assertFalse(self.successResultOf(said))
        self.assertRaises(KeyError, self.look.followCanStart, raising, on("w2"), request(2))
        self.assertEqual(self.look.refused, {1: {"w0", "w1"}, 2: {"w2"}})
        self.assertKept()

    def test_most(self):
        """Of a look at a builder with very many requests not all are kept, and of those that are all workers."""
        self.patch(decisions, "MOST", 2)
        for number in (1, 2, 3):
            self.look.followCanStart(lambda *_: False, on("w0"), request(number))
        self.look.followCanStart(lambda *_: False, on("w1"), request(2))
        self.assertEqual(self.look.refused, {1: {"w0"}, 2: {"w0", "w1"}})


class DecisionsTests(SynchronousTestCase):
    """What is kept of all looks."""

    def test_begin(self):
        """With the next look at a builder what was said in the one before does not count; that of others does."""
        decided = Decisions()
        for name in ("a", "b"):
            decided.begin(name).followNextBuild(lambda *_: None)("builder", [])
        decided.begin("a")
        self.assertIsNone(decided.of("a"))
        self.assertIsNotNone(decided.of("b"))

    def test_leftOut(self):
        """A builder is left out until `prioritizeBuilders` names it, or is another function."""
        decided = Decisions()
        decided.sorted(["a", "b"], ["b"])
        self.assertTrue(decided.isLeftOut("a"))
        self.assertFalse(decided.isLeftOut("b"))
        decided.sorted(["b"], [])
        self.assertTrue(decided.isLeftOut("a"))
        decided.sorted(["a", "b"], ["a"])
        self.assertFalse(decided.isLeftOut("a"))
        self.assertTrue(decided.isLeftOut("b"))
        decided.begin("b").followNextBuild(lambda *_: None)("builder", [])
        decided.forget()
        self.assertFalse(decided.isLeftOut("b"))
        self.assertIsNone(decided.of("b"))

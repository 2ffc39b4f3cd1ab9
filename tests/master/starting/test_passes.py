from types import SimpleNamespace

from twisted.internet.defer import Deferred, ensureDeferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from presence.master.starting.decisions import Decisions
from presence.master.starting.distribution import Distribution


class Builder:
    def __init__(self, name, *workernames):
        self.name = name
        self.config = SimpleNamespace(workernames=list(workernames))


class Distributor:
    """Of Buildbot's there is what is followed here. `looked` are the builders that it was about, `sent` the names it was given."""

    active = False

    def __init__(self):
        self._pending_builders = []
        self.looked, self.sent = [], []
        self.look = succeed(None)
        self.order = lambda names: names

    async def _maybeStartBuildsOnBuilder(self, builder):
        self.looked.append(builder)
        await self.look

    def _sortBuilders(self, names):
        return self.order(names)

    def maybeStartBuildsOn(self, names):
        self.sent.append(names)
        return succeed(None)


class Answers:
    """Of what a site answers nothing is given up, but when a test says so."""

    def __init__(self):
        self.givenUp = 0
        self.decisions = Decisions()

    def awaiting(self, what, answer, otherwise):
        return answer


class DistributionTests(SynchronousTestCase):
    """To which builders the distributor has to be sent, and to which it goes anyway."""

    def setUp(self):
        self.a, self.b = Builder("a", "w0"), Builder("b", "w0", "w1")
        self.distributor, self.answers = Distributor(), Answers()
        self.returns, self.passes = [], []
        self.distribution = Distribution(
            SimpleNamespace(botmaster=SimpleNamespace(brd=self.distributor)),
            self.answers,
            lambda: self.returns.append(True),
            lambda builder, well: self.passes.append((builder, well)),
        )
        self.distribution.start()

    def toSend(self, *workernames):
        return self.distribution.buildersToSend(set(workernames), [self.a, self.b])

    def send(self, *builders):
        self.successResultOf(self.distribution.send(list(builders)))

    def reach(self, builder):
        return ensureDeferred(self.distributor._maybeStartBuildsOnBuilder(builder))

    def test_usesTheWorker(self):
        """It is sent to the builders of a worker that is ready, and not to one that has left the configuration."""
        self.assertEqual(self.toSend("w1"), [self.b])
        self.assertEqual(self.toSend("w0"), [self.a, self.b])
        self.a.config = None
        self.assertEqual(self.toSend("w0"), [self.b])

    def test_ahead(self):
        """To a builder that it has yet to reach it need not be sent, until it has reached that."""
        self.assertFalse(self.distribution.hasBuildersAhead)
        self.distributor.active = True
        self.send(self.a)
        self.assertEqual(self.distributor.sent, [["a"]])
        self.assertTrue(self.distribution.isActive)
        self.assertTrue(self.distribution.hasBuildersAhead)
        self.assertEqual(self.toSend("w0"), [self.b])
        self.successResultOf(self.reach(self.a))
        self.assertEqual((self.distributor.looked, self.passes), ([self.a], [(self.a, True)]))
        self.assertFalse(self.distribution.hasBuildersAhead)
        self.assertEqual(self.toSend("w0"), [self.a, self.b])

    def test_through(self):
        """When it is not on its way afterwards it is through with them; what it still had it is sent to again."""
        self.distributor._pending_builders = ["c"]
        self.send(self.a)
        self.assertEqual(self.distributor.sent, [["a", "c"]])
        self.assertFalse(self.distribution.isActive)
        self.assertFalse(self.distribution.hasBuildersAhead)

    def test_unreached(self):
        """The workers of the builders that it does not reach are told once."""
        self.distributor.active = True
        self.send(self.b)
        self.assertEqual(self.distribution.takeUnreached(), {"w0", "w1"})
        self.assertEqual(self.distribution.takeUnreached(), set())
        self.assertEqual(self.toSend("w1"), [self.b])

    def test_leftOut(self):
        """It is not on its way to builders that the site's `prioritizeBuilders` leaves out, and that is kept."""
        self.distributor.active = True
        self.send(self.a, self.b)
        self.distributor.order = lambda names: ["b"]
        ordered = self.successResultOf(self.distributor._sortBuilders(["a", "b"]))
        self.assertEqual(ordered, ["b"])
        self.assertEqual(self.toSend("w0"), [self.a])
        self.assertTrue(self.answers.decisions.isLeftOut("a"))

    def test_late(self):
        """To the builder that it is busy with it returns when a worker of it becomes ready meanwhile, and for no other worker."""
        for worker, late in (("w1", []), ("w0", [True])):
            self.distributor.look = Deferred()
            looks = self.reach(self.a)
            self.assertNotIn(self.a, self.toSend(worker))
            self.assertEqual(self.returns, [])
            self.distributor.look.callback(None)
            self.successResultOf(looks)
            self.assertEqual(self.returns, late)
            self.assertEqual(self.distribution.hasBuildersToRevisit, bool(late))
        self.assertEqual(self.toSend(), [self.a])
        self.assertFalse(self.distribution.hasBuildersToRevisit)
        # once
        self.successResultOf(self.reach(self.a))
        self.assertEqual(self.returns, [True])

    def test_fails(self):
        """That a look at a builder has failed is told, and it is not busy with that builder any more."""
        self.distributor.look = fail(OSError("no database"))
        self.failureResultOf(self.reach(self.a), OSError)
        self.assertEqual(self.passes, [(self.a, False)])
        self.assertEqual(self.toSend("w0"), [self.a, self.b])

    def test_givenUp(self):
        """To a builder at which a site's answer was given up it returns; one that it reaches is none any more that it returns to."""
        self.distributor.look = Deferred()
        looks = self.reach(self.a)
        self.answers.givenUp += 1
        self.distributor.look.callback(None)
        self.successResultOf(looks)
        self.assertTrue(self.distribution.hasBuildersToRevisit)
        self.successResultOf(self.reach(self.a))
        self.assertFalse(self.distribution.hasBuildersToRevisit)

    def test_stop(self):
        """When it is not followed any more its methods are its own again."""
        self.assertIn("_sortBuilders", vars(self.distributor))
        self.distribution.stop()
        for name in ("_maybeStartBuildsOnBuilder", "_sortBuilders"):
            self.assertNotIn(name, vars(self.distributor))

from types import SimpleNamespace

from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.task import Clock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from presence.master.starting import answers
from presence.master.starting.answers import SiteAnswers, patientChooser


class Distributor:
    """Of Buildbot's there is what is touched here."""

    def __init__(self):
        self.activity_lock = DeferredLock()

    def stopService(self):
        return succeed(None)


class AnswersCase(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.distributor = Distributor()
        self.answers = SiteAnswers(
            SimpleNamespace(reactor=self.clock, botmaster=SimpleNamespace(brd=self.distributor))
        )
        self.answers.start()


class SiteAnswersTests(AnswersCase):
    """What the distributor waits for ends when the site answers, or when nobody waits for it any longer."""

    def asked(self, otherwise=None):
        """A question whose answer takes its time: the site's answer, and what the distributor waits for."""
        answer = Deferred()
        return answer, self.answers.awaiting("nextWorker", answer, otherwise)

    def test_answered(self):
        """What the site answers, or how it fails, is what the distributor gets; what is there already is not waited for."""
        for there in ("w0", None, succeed("w0")):
            self.assertIs(self.answers.awaiting("nextWorker", there, "nobody"), there)
        answer, waits = self.asked()
        self.assertNoResult(waits)
        answer.callback("w0")
        self.assertEqual(self.successResultOf(waits), "w0")
        answer, waits = self.asked()
        answer.errback(OSError("disk"))
        self.failureResultOf(waits, OSError)
        self.assertFalse(self.answers.giveUp())

    def test_tooLate(self):
        """What the site answers afterwards, or how it fails, is nobody's any more. What is given up is counted, and logged."""
        late = [self.asked()[0] for _ in range(2)]
        self.assertEqual(self.answers.givenUp, 0)
        said = []
        self.patch(answers._log, "observer", lambda event: said.append(formatEvent(event)))
        self.assertTrue(self.answers.giveUp())
        self.assertEqual(self.answers.givenUp, 2)
        self.assertEqual(said, ["nextWorker does not answer: nobody waits for it any longer"] * 2)
        late[0].callback("w0")
        late[1].errback(OSError("disk"))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_answersWithAnother(self):
        """What was answered with a Deferred that has no result yet is waited for, too."""
        answer = succeed(None)
        answer.addCallback(lambda _: Deferred())
        waits = self.answers.awaiting("nextWorker", answer, "nobody")
        self.answers.giveUp()
        self.assertEqual(self.successResultOf(waits), "nobody")

    def test_askedBefore(self):
        """What the distributor asked before there was anybody to follow it is given up, too; and nothing before that."""
        distributor = Distributor()
        distributor.activity_lock.acquire()
        distributor._activity_loop_deferred = Deferred()
        distributor._activity_loop_deferred.addErrback(lambda _: None)
        botmaster = SimpleNamespace(brd=distributor, _starting_brid_to_cancel={})
        given = SiteAnswers(SimpleNamespace(reactor=self.clock, botmaster=botmaster))
        self.assertIs(given.giveUp(), False)
        given.start()
        self.assertEqual((given.giveUp(), given.giveUp()), (True, False))

    def test_whileItStops(self):
        """What is asked while the distributor stops is given up at once; when it has stopped it is waited for again."""
        stopping = Deferred()
        self.answers.stop()
        self.patch(self.distributor, "stopService", lambda: stopping)
        self.answers.start()
        stopped = self.distributor.stopService()
        self.assertEqual(self.successResultOf(self.asked("nobody")[1]), "nobody")
        stopping.callback("done")
        self.assertEqual(self.successResultOf(stopped), "done")
        self.assertNoResult(self.asked()[1])

    def test_thatVeryInstant(self):
        """A distributor that stops does not wait for what was asked in that very instant either."""
        waits = self.answers.awaiting("nextWorker", Deferred(), "nobody")
        self.successResultOf(self.distributor.stopService())
        self.assertEqual(self.successResultOf(waits), "nobody")

    def test_stop(self):
        """When nobody follows the questions any more nothing waits, and the distributor stops as Buildbot's does."""
        waits = self.answers.awaiting("nextWorker", Deferred(), "nobody")
        self.answers.stop()
        self.assertEqual(self.successResultOf(waits), "nobody")
        self.assertNotIn("stopService", vars(self.distributor))

    def test_patience(self):
        """Given up is what has been waited for so long, also by a clock that was set back meanwhile; the rest is waited for."""
        old = self.answers.awaiting("canStartBuild", Deferred(), False)
        self.clock.advance(10)
        new = self.answers.awaiting("canStartBuild", Deferred(), False)
        self.clock.advance(5)
        self.assertEqual(self.answers.overdue(15), [("canStartBuild", 0.0)])
        self.assertTrue(self.answers.giveUp(15))
        self.assertFalse(self.successResultOf(old))
        self.assertNoResult(new)
        self.assertFalse(self.answers.giveUp(15))
        self.clock.rightNow = -5.0
        self.assertTrue(self.answers.giveUp(15))
        self.assertFalse(self.successResultOf(new))


class Chooser:
    """Of Buildbot's there is what is followed here."""

    def __init__(self, bldr, master):
        self.bldr, self.master = bldr, master
        self.nextWorker = lambda _builder, _workers, _request: None

    def canStartBuild(self, wfb, request):
        return self.bldr.canStart


class ChooserTests(AnswersCase):
    """A chooser of Buildbot's, or of a site, that waits with patience."""

    def chooser(self, nextWorker=None, everywhere=None):
        builder = SimpleNamespace(name="b", config=SimpleNamespace(nextWorker=nextWorker), canStart=False)
        master = SimpleNamespace(config=SimpleNamespace(select_next_worker=everywhere))
        return patientChooser(Chooser, self.answers)(builder, master)

    def test_nextWorker(self):
        """It is noted that the site's function chose no worker, of a builder or of all; of Buildbot's own it is not."""
        for functions, noted in (((None, None), False), ((len, None), True), ((None, len), True)):
            chooser = self.chooser(*functions)
            self.assertIsNone(chooser.nextWorker("b", [], SimpleNamespace(id=7)))
            look = self.answers.decisions.of("b")
            self.assertEqual(look is not None and 7 in look.noWorker, noted)

    def test_without(self):
        """A chooser of a site's own may do without a function."""
        self.assertFalse(hasattr(self.chooser(), "nextBuild"))

    def test_canStartBuild(self):
        """What does not answer whether a build may start is given up, by its name, and the build does not start."""
        chooser = self.chooser()
        chooser.bldr.canStart = Deferred()
        wfb = SimpleNamespace(worker=SimpleNamespace(workername="w0"))
        waits = chooser.canStartBuild(wfb, SimpleNamespace(id=7))
        self.assertEqual(self.answers.overdue(0), [("canStartBuild of builder b", 0.0)])
        self.answers.giveUp()
        self.assertIs(self.successResultOf(waits), False)

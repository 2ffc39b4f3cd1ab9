"""What the distributor does before there is any part of ours."""

from types import SimpleNamespace

from buildbot.process.builder import Builder
from buildbot.process.buildrequestdistributor import BuildRequestDistributor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.master.starting import early
from presence.master.starting.early import EarlyQuestions
from tests.master.fakemaster import MasterTestCase
from tests.master.starting.test_answers import Distributor


class FirstSortingTests(MasterTestCase):
    """The builders of a master that starts."""

    def test_together(self):
        """They are sorted with one question for all of them, though none of our parts has begun by then."""
        asked = []
        self.patch(Builder, "get_highest_priority", lambda builder: asked.append(builder.name))
        self.startMaster([self.slave("mac-mini")], {name: ["mac-mini"] for name in "abc"})
        self.assertEqual(asked, [])


class EarlyCase(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.distributor = Distributor()
        self.distributor._activity_loop_deferred = Deferred()
        self.distributor._activity_loop_deferred.addErrback(lambda _: None)
        self.starting = {}

    def questions(self):
        botmaster = SimpleNamespace(brd=self.distributor, _starting_brid_to_cancel=self.starting)
        return EarlyQuestions(SimpleNamespace(botmaster=botmaster, reactor=self.clock))


class DefaultSorterTests(SynchronousTestCase):
    """Buildbot's own sorter, on its class."""

    def test_onlyTheFirstTime(self):
        """Where no part of ours has come by the second time, none will: then it is Buildbot that sorts."""
        self.patch(BuildRequestDistributor, "_defaultSorter", lambda _distributor, *asked: succeed(asked))
        self.patch(early, "sortTogether", lambda *_: succeed("together"))
        early._sort_at_once()
        distributors = [Distributor(), Distributor()]
        answers = [
            self.successResultOf(BuildRequestDistributor._defaultSorter(each, "master", ["a", "b"]))
            for each in (*distributors, *distributors)
        ]
        self.assertEqual(answers, 2 * ["together"] + 2 * [("master", ["a", "b"])])


class SortingTests(EarlyCase):
    """`prioritizeBuilders`, which is followed on Buildbot's class."""

    def setUp(self):
        super().setUp()
        self.patch(BuildRequestDistributor, "_sortBuilders", lambda _distributor, _names: self.answer)
        early._follow()

    def asked(self, answer):
        self.answer = answer
        return BuildRequestDistributor._sortBuilders(self.distributor, ["a", "b"])

    def test_there(self):
        """What is there already is handed on as it is."""
        for answer in (["b", "a"], succeed(["b", "a"])):
            self.assertIs(self.asked(answer), answer)
        self.assertFalse(self.questions().giveUp(0))

    def test_answered(self):
        """What the site answers, or how it fails, is what the distributor gets, and nothing is left to give up."""
        well, ill = Deferred(), Deferred()
        waits = [self.asked(well), self.asked(ill)]
        questions = self.questions()
        well.callback(["b"])
        ill.errback(OSError("disk"))
        self.assertEqual(self.successResultOf(waits[0]), ["b"])
        self.failureResultOf(waits[1], OSError)
        self.assertIs(questions.giveUp(0), False)

    def test_givenUp(self):
        """Given up the builders are sorted as they were; what the site answers afterwards, or how it fails, is nobody's."""
        late = [Deferred(), Deferred()]
        waits = [self.asked(each) for each in late]
        questions = self.questions()
        self.assertIs(questions.giveUp(0), True)
        self.assertEqual([self.successResultOf(each) for each in waits], [["a", "b"]] * 2)
        late[0].callback(["b"])
        late[1].errback(OSError("disk"))
        self.assertIs(questions.giveUp(0), False)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_patience(self):
        """Given up is what has been waited for so long since somebody looks; also by a clock that was set back."""
        for later in (15, -15):
            waits = self.asked(Deferred())
            questions = self.questions()
            self.clock.rightNow += 0.9 * later
            self.assertIs(questions.giveUp(15), False)
            self.assertNoResult(waits)
            self.clock.rightNow += 0.1 * later
            self.assertIs(questions.giveUp(15), True)
            self.successResultOf(waits)

    def test_later(self):
        """What is asked after somebody has begun to look is not given up here."""
        questions = self.questions()
        waits = self.asked(Deferred())
        self.assertFalse(questions.giveUp(0))
        self.assertNoResult(waits)


class ChoosingTests(EarlyCase):
    """The distributor is busy with a builder, in whichever function."""

    def setUp(self):
        super().setUp()
        self.lock = self.distributor.activity_lock
        self.lock.acquire()
        self.early = self.questions()

    def test_cancelled(self):
        """Its loop is cancelled, once."""
        self.assertIs(self.early.giveUp(0), True)
        self.assertTrue(self.distributor._activity_loop_deferred.called)
        self.distributor._activity_loop_deferred = Deferred()
        self.assertIs(self.early.giveUp(0), False)
        self.assertNoResult(self.distributor._activity_loop_deferred)

    def test_starting(self):
        """It is not cancelled while it starts a build, for that is claimed."""
        self.starting[7] = False
        self.assertIs(self.early.giveUp(0), False)
        self.assertNoResult(self.distributor._activity_loop_deferred)

    def test_goneOn(self):
        """It is not cancelled when it has gone on, and its lock is free again."""
        self.lock.release()
        self.assertFalse(self.lock.locked)
        self.assertIs(self.early.giveUp(0), False)
        self.assertNoResult(self.distributor._activity_loop_deferred)

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from presence.master.why.explain import explain, explainWorker, explainWorkers
from presence.master.why.facts import Reason, Running, Taken, WorkerFacts
from presence.model.states import Hold
from presence.words.holds import HOLDS
from presence.words.waiting import KINDS

NOW = 1000.0
TEST12 = Running("runtests #12", NOW + 720)
LATER = Running("lint #3", NOW + 900)
UNKNOWN = Running("docs #1", None)

FREE = WorkerFacts("mac", 1, accepts=True)


def held(source, until=None, **more):
    return Hold(source, more.get("reason"), more.get("by"), 500.0, until)


class SensorTests(SynchronousTestCase):
    def test_counted(self):
        """A worker that is away by itself is called and counted as that, and not as held by its owner."""
        facts = [replace(FREE, name=name, holds=(held("worker", by="sensor"),)) for name in "abcde"]
        why = explainWorkers(facts, NOW)
        self.assertEqual({each.reasons[0].kind for each in why.workers}, {"sensor"})
        self.assertEqual(why.summary[-1].text, "of the others 4 away by itself")


class ExplainWorkerTests(SynchronousTestCase):
    """What is known of a worker becomes reasons, and the instant at which all of them are over."""

    def assertWhy(self, facts, texts, earliest, *, estimated=False):
        why = explainWorker(facts, NOW)
        self.assertEqual([each.text for each in why.reasons], texts)
        self.assertEqual((why.earliest, why.estimated), (earliest, estimated))

    def test_free(self):
        """A worker that nothing keeps is free now, and never without a reason."""
        self.assertWhy(FREE, ["free for it"], NOW)

    def test_busy(self):
        """A worker builds for one builder once at a time."""
        self.assertWhy(replace(FREE, own=TEST12), ["busy with runtests #12"], NOW + 720, estimated=True)
        self.assertWhy(replace(FREE, own=UNKNOWN), ["busy with docs #1"], None)

    def test_full(self):
        """Of the builds that run so many have to end that there is a place."""
        facts = replace(FREE, running=(LATER, TEST12), most=2)
        self.assertWhy(
            facts, ["busy with lint #3 and runtests #12, at most 2 at once"], NOW + 720, estimated=True
        )
        self.assertWhy(
            replace(facts, most=1),
            ["busy with lint #3 and runtests #12, at most 1 at once"],
            NOW + 900,
            estimated=True,
        )
        self.assertWhy(replace(facts, most=3), ["free for it"], NOW)

    def test_holds(self):
        """Holds are said in their own words; when they end with the breaks that follow is what the presence says."""
        holds = (held("break", NOW + 60), held("admin", NOW + 90, by="ann", reason="disks"))
        self.assertWhy(
            replace(FREE, holds=holds, backAt=NOW + 90), ["on a break", "held by ann (disks)"], NOW + 90
        )
        self.assertWhy(replace(FREE, holds=(held("offline"),)), ["not connected"], None)
        (offline,) = explainWorker(replace(FREE, holds=(held("offline"),)), NOW).reasons
        self.assertEqual((offline.kind, offline.since), ("offline", 500.0))

    def test_drain(self):
        """The hold of an admin who drains it is called a drain, and it is said how it ends."""
        facts = replace(FREE, holds=(held("admin", by="ann"),), drained=True)
        self.assertWhy(facts, ["drain by ann"], None)
        self.assertEqual(explainWorker(facts, NOW).reasons[0].hint, "presence release mac")

    def test_buildEndsInABreak(self):
        """A build that ends in the middle of a break is followed by the rest of the break."""
        facts = replace(FREE, own=TEST12, freeFrom=lambda at: max(at, 5000.0))
        self.assertWhy(facts, ["busy with runtests #12"], 5000.0, estimated=True)

    def test_locks(self):
        """A lock is free when one of those who have it has ended, or all of them if it is wanted for oneself."""
        one = replace(FREE, locks=(Taken("db", (TEST12, LATER), all=False),))
        text = "waits for the lock db, which runtests #12 and lint #3 have"
        self.assertWhy(one, [text], NOW + 720, estimated=True)
        self.assertWhy(
            replace(one, locks=(Taken("db", (TEST12, LATER), all=True),)), [text], NOW + 900, estimated=True
        )
        self.assertWhy(replace(one, locks=(Taken("db", (), all=True),)), ["waits for the lock db"], None)

    def test_neverFreeWhenBuildbotSaysNo(self):
        """A worker that Buildbot does not let build is not called free, whatever else is known."""
        self.assertWhy(
            replace(FREE, accepts=False, className="Odd"), ["its class, Odd, lets no build start now"], None
        )
        self.assertWhy(replace(FREE, attached=False), ["about to be attached to the builder"], None)

    def test_refusals(self):
        """What a door has said counts as it has said it."""
        refusal = Reason("partial", "in a partial break: only lint", until=NOW + 30)
        self.assertWhy(replace(FREE, refusals=(refusal,)), ["in a partial break: only lint"], NOW + 30)


class ExplainTests(SynchronousTestCase):
    """All workers of a builder, taken together."""

    def why(self, *facts, general=(), ahead=0):
        return explain(explainWorkers(facts, NOW), general, ahead)

    def texts(self, why):
        return [each.text for each in why.summary]

    def test_firstFree(self):
        """It starts on the worker that is free first; that one is named first, those who know nothing last."""
        why = self.why(
            replace(FREE, name="a", holds=(held("admin", by="ann"),)),
            replace(FREE, name="b", own=LATER),
            replace(FREE, name="c", own=TEST12),
        )
        self.assertEqual((why.earliest, why.estimated), (NOW + 720, True))
        self.assertEqual(
            self.texts(why), ["c: busy with runtests #12", "b: busy with lint #3", "a: held by ann"]
        )

    def test_ahead(self):
        """Those ahead of it take the workers that are free first; more than there are workers, and nobody knows."""
        busy = [replace(FREE, name=name, own=run) for name, run in (("a", TEST12), ("b", LATER))]
        why = self.why(*busy, ahead=1)
        self.assertEqual(why.earliest, NOW + 900)
        self.assertEqual(self.texts(why)[0], "1 request of the builder is ahead of it")
        self.assertIsNone(self.why(*busy, ahead=2).earliest)

    def test_general(self):
        """What concerns all workers is said first, and while it has no end nothing starts, however free they are."""
        why = self.why(FREE, general=(Reason("master", "the master is stopping"),))
        self.assertIsNone(why.earliest)
        self.assertEqual(self.texts(why), ["the master is stopping", "mac: free for it"])

    def test_none(self):
        """A builder without workers is said to have none."""
        self.assertEqual(self.texts(self.why()), ["the builder has no workers"])

    def test_many(self):
        """Of many workers the first is named, and of the others it is counted what they do."""
        facts = [replace(FREE, name=f"w{number}", own=LATER) for number in range(5)]
        facts += [replace(FREE, name="x", own=TEST12), replace(FREE, name="y", holds=(held("offline"),))]
        self.assertEqual(
            self.texts(self.why(*facts)),
            ["x: busy with runtests #12", "of the others 5 busy, 1 not connected"],
        )

    def test_kinds(self):
        """Whatever reason a worker has first there is a word for it in a count."""
        odd = [
            FREE,
            replace(FREE, own=TEST12),
            replace(FREE, locks=(Taken("db", (), all=True),)),
            replace(FREE, attached=False),
            replace(FREE, accepts=False),
            *(replace(FREE, holds=(held(source),)) for source in HOLDS),
        ]
        kinds = {explainWorker(each, NOW).reasons[0].kind for each in odd}
        self.assertLessEqual(kinds, set(KINDS) | set(HOLDS))

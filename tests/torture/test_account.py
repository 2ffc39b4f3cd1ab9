from twisted.trial.unittest import SynchronousTestCase

from tests.torture.account import SETTLES, Account, Planned, Start, overlaps
from tests.torture.afterwards import breakable, endsByItself, forgettable


class AccountTests(SynchronousTestCase):
    def setUp(self):
        self.account = Account()

    def assertFound(self, number, *starts):
        self.assertEqual(len(self.account.contradictions(list(starts))), number)

    def test_held(self):
        """A start after an acknowledged hold contradicts it, one before it or on another worker does not."""
        self.account.held("a", "admin", 10.0)
        self.assertFound(1, Start("a", 11.0, 0.0), Start("a", 9.0, 0.0), Start("b", 11.0, 0.0))

    def test_orderedAnew(self):
        """From the moment at which something else is ordered nothing is sure, of this source and worker only."""
        self.account.held("a", "admin", 10.0)
        self.account.held("a", "owner", 10.0)
        self.account.ordered("a", "admin", 12.0)
        self.account.ordered("b", "owner", 12.0)
        self.assertFound(1, Start("a", 13.0, 0.0))
        self.account.ordered("a", "owner", 12.5)
        self.assertFound(0, Start("a", 13.0, 0.0))

    def test_until(self):
        """A hold with an end ends by the master's clock."""
        self.account.held("a", "admin", 10.0, until=500.0)
        self.assertFound(1, Start("a", 11.0, 499.0), Start("a", 12.0, 500.0))

    def test_children(self):
        """In a drain what another build waits for may start, and nothing else."""
        self.account.held("a", "admin", 10.0, children=True)
        self.assertFound(1, Start("a", 11.0, 0.0, child=True), Start("a", 11.0, 0.0))

    def test_breaks(self):
        """A start in a break contradicts it from when the master knows of it, unless breaks are suspended."""
        self.account.breaks.append(Planned("a", 100.0, 200.0, known=5.0))
        self.assertFound(1, Start("a", 6.0, 150.0), Start("a", 4.0, 150.0), Start("a", 7.0, 200.0))
        self.account.suspending("a", 5.5)
        self.assertFound(0, Start("a", 6.0, 150.0))
        self.account.resumed("a", 6.5)
        self.assertFound(1, Start("a", 6.0, 150.0), Start("a", 7.0, 150.0))

    def test_suspendedForAWhile(self):
        """An owner who has said "work" for a while is not asked when it ends; what an admin resumes makes it no shorter."""
        self.account.breaks.append(Planned("a", 100.0, 200.0, known=5.0))
        self.account.suspending("a", 6.0, 9.0)
        self.account.suspending("a", 7.0)
        self.account.resumed("a", 7.5)
        self.assertFound(2, Start("a", 5.5, 150.0), Start("a", 8.0, 150.0), Start("a", 9.5, 150.0))

    def test_droppedBreaks(self):
        """A break that was taken out of master.cfg forbids nothing any more, wherever the clock is set to."""
        self.account.breaks.append(Planned("a", 100.0, 200.0, known=5.0))
        self.account.dropped(150.0, 6.5)
        self.assertFound(1, Start("a", 7.0, 150.0))
        self.account.dropped(250.0, 7.5)
        self.assertFound(1, Start("a", 7.0, 150.0), Start("a", 8.0, 150.0))

    def test_forgotten(self):
        """What may still forbid a start is not forgotten."""
        self.account.held("a", "admin", 10.0)
        self.account.ordered("a", "admin", 20.0)
        self.account.breaks.append(Planned("a", 100.0, 200.0, known=5.0, upto=20.0))
        self.account.suspended.append(("a", 0.0, 20.0))
        self.account.jumps.append(20.0 - SETTLES)
        self.account.forget(19.0)
        self.assertFound(1, Start("a", 19.5, 150.0))
        self.account.forget(20.0)
        self.assertEqual((self.account.holds, self.account.breaks, self.account.suspended), ([], [], []))
        self.assertEqual(self.account.jumps, [])

    def test_clockWasSet(self):
        """What depends on the time of day counts again when the master has had time to notice."""
        self.account.breaks.append(Planned("a", 100.0, 200.0, known=5.0))
        self.account.jumps.append(10.0)
        self.assertFound(1, Start("a", 11.0, 150.0), Start("a", 10.1 + SETTLES, 150.0))

    def test_clockWasSetAndHeld(self):
        """A hold without an end counts whatever the clock does."""
        self.account.held("a", "admin", 10.0)
        self.account.jumps.append(10.0)
        self.assertFound(1, Start("a", 11.0, 150.0))


class LockTests(SynchronousTestCase):
    def test_exclusive(self):
        """An exclusive user stands alone."""
        counting, exclusive = ("disk", False, 1.0, 3.0), ("disk", True, 2.0, 4.0)
        self.assertEqual(len(overlaps([counting, exclusive])), 1)
        self.assertEqual(
            overlaps([counting, counting, ("disk", True, 3.0, 4.0), ("net", True, 1.0, 2.0)]), []
        )


class ForgottenTests(SynchronousTestCase):
    def test_crash(self):
        """The end of a build may be forgotten when something crashed just then, and no other."""
        notes = [{"what": "end", "at": at, "build": at} for at in (10.0, 95.0, 104.0, 130.0)]
        notes.append({"what": "begin", "at": 100.0, "build": 7})
        self.assertEqual(forgettable(notes, [100.0]), {95.0, 104.0})
        self.assertEqual(forgettable(notes, []), set())

    def test_breakable(self):
        """A build that ran when the database crashed may have ended as an exception; another one may not."""
        notes = [{"what": "start", "request": at, "at": at} for at in (30.0, 60.0, 99.0, 101.0)]
        self.assertEqual(breakable(notes, [100.0]), {60.0, 99.0})
        self.assertEqual(breakable([{"what": "end", "build": 1, "at": 99.0}], [100.0]), set())


class HeldTests(SynchronousTestCase):
    def test_endsByItself(self):
        """A break that ends later is waited for; a hold without an end is not, and none that should have ended."""
        forever, over, running = ([{"until": until}] for until in (None, 90.0, 110.0))
        self.assertFalse(endsByItself({"a": forever, "b": over, "c": []}, 100.0))
        self.assertTrue(endsByItself({"a": forever, "b": running}, 100.0))
        self.assertTrue(endsByItself({"a": over}, 90.0 + SETTLES - 0.1))

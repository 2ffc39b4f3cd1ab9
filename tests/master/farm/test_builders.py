"""A builder whose workers are connected to several masters."""

from twisted.trial.unittest import SynchronousTestCase

from presence.master.farm.seen.builders import builderEntity


def worker(name, *sources, back_at=None):
    holds = [{"source": each, "reason": None, "by": None, "since": 1.0, "until": None} for each in sources]
    state = "NOT_ACCEPTING_NEW_BUILDS" if holds else "AVAILABLE"
    return {"name": name, "state": state, "holds": holds, "back_at": back_at}


class BuilderTests(SynchronousTestCase):
    def entity(self, *workers):
        return builderEntity(7, "runtests", workers, 3)

    def test_ready(self):
        """Those are counted that are ready."""
        found = self.entity((worker("w1"), {}), (worker("w2", "offline"), {}))
        self.assertEqual((found["state"], found["ready"], found["total"]), ("AVAILABLE", 1, 2))
        self.assertEqual((found["reason"], found["back_at"], found["waiting"]), (None, None, 3))

    def test_away(self):
        """When none is, it is said why, of those first that are back first; and when the first of them is back."""
        found = self.entity(
            (worker("w1", "offline"), {}),
            (worker("w2", "break", back_at=90.0), {}),
            (worker("w3", "admin"), {}),
        )
        self.assertEqual((found["ready"], found["back_at"]), (0, 90.0))
        self.assertRegex(found["reason"], "^w2: on a break; w1: not connected; w3: ")

    def test_unusable(self):
        """A worker that is ready and would not start this builder does not count; for another builder it does."""
        found = self.entity((worker("w1"), {"7": ["a break begins at 19:00", 50.0], "8": ["x", None]}))
        self.assertEqual((found["ready"], found["reason"]), (0, "w1: a break begins at 19:00"))
        self.assertEqual(found["back_at"], 50.0)
        self.assertEqual(self.entity((worker("w1"), {"8": ["x", None]}))["ready"], 1)

    def test_wholeBuilder(self):
        """What concerns all of its workers is said once."""
        lock = {"7": ["the lock db is taken", None]}
        self.assertEqual(
            self.entity((worker("w1"), lock), (worker("w2"), lock))["reason"], "the lock db is taken"
        )

    def test_many(self):
        """Of many some are named."""
        found = self.entity(*((worker(f"w{number}", "offline"), {}) for number in range(9)))
        self.assertEqual(
            found["reason"], "w0: not connected; w1: not connected; w2: not connected; and 6 more"
        )

    def test_none(self):
        """A builder without workers says so."""
        self.assertEqual(self.entity()["reason"], "it has no workers")

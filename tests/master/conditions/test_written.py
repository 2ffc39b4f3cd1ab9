import functools

from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import SynchronousTestCase

from presence.master.conditions.written import Condition, readConditions


def blocks(_):
    return True


async def waits(_):
    return True


@inlineCallbacks
def waitsToo(_):
    yield


class Site:
    def __call__(self, _):
        return True

    async def isCool(self, _):
        return True


class ConditionTests(SynchronousTestCase):
    def test_defaults(self):
        """A function is a condition: asked each minute, under its name."""
        (found,) = readConditions(blocks)
        self.assertEqual((found.every, found.timeout, found.name), (60.0, 20.0, "blocks"))
        self.assertEqual(Condition(lambda _: True).name, "condition")
        self.assertEqual(readConditions(None), ())

    def test_inThread(self):
        """What waits in the reactor is not asked in a thread, and everything else is; unless it is said otherwise."""
        for ask, expected in (
            (blocks, True),
            (Site(), True),
            (functools.partial(blocks), True),
            (waits, False),
            (waitsToo, False),
            (Site().isCool, False),
            (functools.partial(waits), False),
            (len, True),
        ):
            self.assertIs(Condition(ask).inThread, expected, ask)
        self.assertIs(Condition(blocks, blocking=False).inThread, False)
        self.assertIs(Condition(waits, blocking=True).inThread, True)

    def test_mistakes(self):
        """Each mistake says what would be right."""
        for arguments, said in (
            ({"ask": 7}, "7 cannot be asked: give a function"),
            ({"every": "often"}, "every: 'often' is not a duration"),
            ({"every": 0.5}, "every: 0.5 is not between a second and a day"),
            ({"every": None}, "every: None is not a duration"),
            ({"timeout": True}, "timeout: True is not a duration"),
            ({"reason": "a\nb"}, "write plain text on one line"),
            ({"name": 7}, "7 is not text"),
            ({"blocking": "yes"}, "blocking: 'yes' is neither"),
        ):
            error = self.assertRaises(
                ValueError, lambda given=arguments: Condition(**{"ask": blocks, **given})
            )
            self.assertIn(said, str(error))

    def test_equal(self):
        """Buildbot compares the old with the new configuration."""
        self.assertEqual(Condition(blocks, every="1m"), Condition(blocks, every=60))
        self.assertNotEqual(Condition(blocks), Condition(waits))

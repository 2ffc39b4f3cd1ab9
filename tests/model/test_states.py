from twisted.trial.unittest import SynchronousTestCase

from presence.model.states import SOURCES, Hold, PresenceState, backAt, inSourceOrder, stateOf


def hold(source="worker", until=None):
    return Hold(source, None, None, 0.0, until)


class StatesTests(SynchronousTestCase):
    def test_twoStates(self):
        """AVAILABLE and NOT_ACCEPTING_NEW_BUILDS are states, and nothing else is."""
        self.assertEqual([state.name for state in PresenceState], ["AVAILABLE", "NOT_ACCEPTING_NEW_BUILDS"])

    def test_sourceOrder(self):
        """The sources are shown in the order of the design."""
        self.assertEqual(
            SOURCES,
            (
                "offline",
                "break",
                "worker",
                "sensor",
                "admin",
                "condition",
                "pause",
                "quarantine",
                "graceful",
                "reconfig",
            ),
        )

    def test_availableExactlyWithoutHold(self):
        """No hold makes AVAILABLE; any hold of any source makes NOT_ACCEPTING_NEW_BUILDS."""
        self.assertIs(stateOf([]), PresenceState.AVAILABLE)
        for source in SOURCES:
            self.assertIs(stateOf([hold(source)]), PresenceState.NOT_ACCEPTING_NEW_BUILDS)

    def test_inSourceOrder(self):
        """Holds are shown in source order, whatever the order in which they were placed."""
        holds = [hold(source) for source in reversed(SOURCES)]
        self.assertEqual([each.source for each in inSourceOrder(holds)], list(SOURCES))


class HoldTests(SynchronousTestCase):
    def test_unknownSource(self):
        """A source that is not in the list is a ValueError that lists what is."""
        error = self.assertRaises(ValueError, hold, "lunch")
        self.assertIn("'lunch'", str(error))
        self.assertIn("quarantine", str(error))

    def test_names(self):
        """A hold of a sensor has a name; one of another source has none."""
        self.assertNotEqual(Hold("sensor", None, None, 0.0, None, "disk"), hold("sensor"))
        error = self.assertRaises(ValueError, Hold, "worker", None, None, 0.0, None, "disk")
        self.assertIn("'worker' has no name: those of sensor, condition have", str(error))

    def test_instantsAreFiniteNumbers(self):
        """Not a number, infinite, a boolean or a text: none of them is an instant."""
        for wrong in (float("nan"), float("inf"), True, "19:00"):
            error = self.assertRaises(ValueError, hold, until=wrong)
            self.assertIn("seconds since the epoch", str(error))
            self.assertRaises(ValueError, Hold, "worker", None, None, wrong, None)

    def test_frozenAndComparable(self):
        """A hold is a value: it cannot be changed, and equal ones are equal."""
        self.assertEqual(hold(), hold())
        self.assertRaises(AttributeError, setattr, hold(), "until", 5.0)


class BackAtTests(SynchronousTestCase):
    def test_latestEnd(self):
        """A worker is back when the last of its holds has ended."""
        self.assertEqual(backAt([hold("break", 10.0), hold("worker", 30.0), hold("admin", 20.0)]), 30.0)

    def test_unknownWhenOneHasNoEnd(self):
        """One hold without an end makes it unknown."""
        self.assertIsNone(backAt([hold("break", 10.0), hold("worker")]))

    def test_noHold(self):
        """Who is there is not coming back."""
        self.assertIsNone(backAt([]))

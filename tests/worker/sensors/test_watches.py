"""Sensors hold, let go, and are bounded; and the owner's word stands above them."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from presence.worker.sensors import CannotTellError
from presence.worker.sensors.reading import MAX_SENSOR, Reading, checkSensors
from presence.worker.sensors.watch import PATIENCE
from tests.worker.fakewire import HOUR, NOW, ClientTestCase
from tests.worker.sensors.fakes import FakeSensor, SensorsTestCase

SOMEBODY = ("used", "somebody uses the machine")


class HoldTests(SensorsTestCase):
    """A sensor holds at once, and lets go after its quiet time."""

    def test_quietTime(self):
        """It holds at the next look, and until it has been quiet for its quiet time: not a second less."""
        self.sensor.away()
        self.reactor.advance(1)
        self.assertEqual(self.holds(), [SOMEBODY])
        self.sensor.free()
        self.reactor.pump([1.0] * 899)
        self.assertEqual((self.holds(), self.reading()["quiet_until"]), ([SOMEBODY], NOW + 901))
        self.reactor.pump([1.0])
        self.assertEqual((self.holds(), self.reading()["quiet_until"]), ([], None))

    def test_severalByName(self):
        """Each holds under its own name; what is announced is the one hold of the worker, with all reasons."""
        self.sensors = [self.sensor, FakeSensor("battery", quiet=60.0)]
        self.restart()
        self.connect()
        self.sensors[1].away("it runs on battery")
        self.reactor.advance(1)
        message = self.takeMessage()[1]
        self.assertEqual(
            (message["reason"], message["by"], message["until"]), ("it runs on battery", "sensor", None)
        )
        self.answer()
        self.sensor.away()
        self.reactor.advance(1)
        self.assertEqual(self.takeMessage()[1]["reason"], "it runs on battery; somebody uses the machine")
        self.assertEqual(len(self.holds()), 2)

    def test_sinceAndReasonStay(self):
        """While it holds neither reason nor beginning changes, whatever it says: the master hears nothing."""
        self.sensor.away("load 3.1")
        self.reactor.advance(1)
        self.connect()
        for load in range(20):
            self.sensor.away(f"load {load}")
            self.reactor.advance(1)
        self.assertEqual(self.transport.sent, [])
        (hold,) = self.client.presence.holds
        self.assertEqual((hold.reason, hold.since), ("load 3.1", NOW + 1))
        self.assertEqual(self.reading()["text"], "load 19")

    def test_greeting(self):
        """The first that a master hears is that somebody is there; and until it has been looked, nobody is let in."""
        self.sensor.says = "hangs"
        self.restart()
        self.assertEqual(self.greet()["reason"], "looks whether somebody needs this machine")
        self.reactor.advance(5)
        self.assertEqual(self.holds(), [])
        self.sensor.away()
        self.restart()
        self.assertEqual(self.greet()["reason"], SOMEBODY[1])

    def test_seenBefore(self):
        """A sensor that knows when somebody was there last holds for the rest of the quiet time, after a restart too."""
        self.sensor.reason = SOMEBODY[1]
        self.sensor.free(last=NOW - 800)
        self.restart()
        self.assertEqual(self.holds(), [SOMEBODY])
        self.reactor.pump([50.0, 50.0])
        self.assertEqual(self.holds(), [])

    def test_clockSetBack(self):
        """A clock that is set back makes no hold longer than the quiet time."""
        self.sensor.away()
        self.reactor.advance(1)
        self.sensor.free(last=NOW + 1)
        self.reactor.rightNow -= 10 * HOUR
        self.ticker.jumped()
        self.reactor.pump([1.0] * 901)
        self.assertEqual(self.holds(), [])


class FlapTests(SensorsTestCase):
    def typing(self, hours, pause):
        """An owner types for a moment every `pause` seconds; how often the master heard of a change in each hour."""
        self.connect()
        heard = [0] * hours
        for second in range(0, int(hours * HOUR), 50):
            if second % pause == 0:
                self.sensor.away()
            for step in (1, 49):
                self.reactor.advance(step)
                self.sensor.free()
                if self.transport.sent:
                    heard[second // 3600] += 1
                    self.answer()
        return heard

    def test_everyTenMinutes(self):
        """An owner who types every ten minutes is one change, and no more for as long as that goes on."""
        self.assertEqual(self.typing(3, 600), [1, 0, 0])

    def test_hastyQuietTime(self):
        """With a quiet time that is too short for that it is half as long again as his pause, after one return."""
        self.sensors = [FakeSensor(quiet=300.0)]
        self.sensor = self.sensors[0]
        self.restart()
        self.assertEqual(self.typing(3, 600), [3, 0, 0])
        # he has typed ten minutes ago
        self.reactor.pump([50.0] * 5)
        self.assertEqual(self.holds(), [SOMEBODY])
        self.reactor.pump([50.0, 50.0])
        self.assertEqual(self.holds(), [])

    def test_exactEnd(self):
        """What ends exactly, with a quiet time of 0, is never made longer."""
        self.sensors = [FakeSensor("calendar", quiet=0.0)]
        self.restart()
        for _ in range(3):
            self.sensors[0].away()
            self.reactor.advance(1)
            self.assertEqual(len(self.holds()), 1)
            self.sensors[0].free()
            self.reactor.advance(1)
            self.assertEqual(self.holds(), [])


class WordTests(SensorsTestCase):
    """The owner's word wins, both ways, over restarts."""

    def test_work(self):
        """`work` silences the sensors until then, also over a restart; then they hold again."""
        self.sensor.away()
        self.reactor.advance(1)
        self.client.owner.workAnyway(NOW + HOUR)
        self.assertEqual(self.holds(), [])
        self.restart()
        self.reactor.advance(5)
        self.assertEqual(self.holds(), [])
        self.assertEqual(self.greet()["state"], "AVAILABLE")
        self.reactor.pump([HOUR])
        self.assertEqual(self.holds(), [SOMEBODY])

    def test_workEnds(self):
        """`work --end` gives them their voice back."""
        self.sensor.away()
        self.client.owner.workAnyway(NOW + HOUR)
        self.reactor.advance(1)
        self.client.owner.workAnyway(None)
        self.assertEqual(self.holds(), [SOMEBODY])

    def test_away(self):
        """A sensor that lets go does not undo "away", and it is the owner's reason and name that the master hears first."""
        self.sensor.away()
        self.reactor.advance(1)
        self.client.owner.away("rendering")
        self.sensor.free()
        self.connect()
        self.reactor.pump([1.0] * 901)
        self.assertEqual(self.takeMessage()[1]["reason"], "rendering")
        self.restart()
        self.assertEqual(self.greet()["by"], "owner")

    def test_back(self):
        """`back` ends "away", and what a sensor holds goes on."""
        self.sensor.away()
        self.reactor.advance(1)
        self.client.owner.away()
        self.client.owner.back()
        self.assertEqual(self.sources(), ["sensor"])

    def test_masterRestarts(self):
        """A master that has been away hears the same again."""
        self.sensor.away()
        self.reactor.advance(1)
        first = self.connect()
        self.disconnect()
        second = self.greet()
        self.assertEqual({**first, "now": 0}, {**second, "now": 0})


class WrongTests(SensorsTestCase):
    """A sensor that hangs, fails or lies holds nobody for ever, and crashes nothing."""

    def test_cannotTell(self):
        """Whatever goes wrong is said, begins no hold, and ends one after the quiet time."""
        for says, text in (
            (CannotTellError("no battery is here"), "no battery is here"),
            (OSError(5, "gone"), "it has failed: [Errno 5] gone"),
            (ValueError("x\n" * 5000), "it has failed: x x x"),
            (None, "it has said None, which is not a Reading"),
            (5, "it has said 5, which is not a Reading"),
            (Reading("yes", ""), "it has said away='yes': True, False or None is right"),
            (Reading(True, b"bytes"), "it has said text=(a bytes): one line of text is right"),
            (Reading(False, "", "noon"), "it has said last='noon': seconds"),
            ("hangs", f"it has not answered within {PATIENCE:.0f} s"),
        ):
            self.sensor.says = says
            self.restart()
            self.reactor.pump([PATIENCE])
            self.assertTrue(self.reading()["text"].startswith(text), self.reading()["text"])
            self.assertEqual((self.reading()["away"], self.holds()), (None, []))
            self.sensor.away()
            self.reactor.advance(1)
            self.assertEqual(self.holds(), [SOMEBODY])
            self.sensor.says = says
            self.reactor.pump([10.0] * 94)
            self.assertEqual(self.holds(), [], says)
            self.reactor.pump([10.0] * 9)
            self.assertEqual(self.holds(), [], says)

    def test_hangsAndClockSet(self):
        """A look that hangs is not waited for any longer because the clock was set back."""
        self.sensor.away()
        self.reactor.advance(1)
        self.sensor.says = "hangs"
        self.reactor.advance(1)
        self.reactor.rightNow -= 10 * HOUR
        self.ticker.jumped()
        self.reactor.pump([10.0] * 100)
        self.assertEqual(self.holds(), [])

    def test_longReason(self):
        """A reason of 10 MB is cut, and is one line."""
        self.sensor.away("x\n" * 5_000_000)
        self.reactor.advance(1)
        self.assertLessEqual(len(self.greet()["reason"]), 512)
        self.assertNotIn("\n", self.greet()["reason"])

    def test_future(self):
        """Somebody who was last seen in the future was not seen: or it would be so until then."""
        self.sensor.free(last=NOW + 100 * HOUR)
        self.restart()
        self.assertEqual(self.holds(), [])


class MistakeTests(SynchronousTestCase):
    def test_mistakes(self):
        """What is not a list of sensors, each with a name of its own, is a ValueError that says what is right."""
        for sensors, pattern in (
            ("used", r"is not a list: write sensors="),
            (FakeSensor(), r"is not a list"),
            ([FakeSensor], r"with its brackets"),
            ([5], r"5 is not a sensor"),
            ([FakeSensor(), FakeSensor()], r"two are called 'used': give one"),
            ([FakeSensor("")], r"empty name"),
            ([FakeSensor("x" * (MAX_SENSOR + 1))], r"at most 40"),
            ([FakeSensor(every=0)], r"every=0 of 'used' is wrong: at least 0.5"),
            ([FakeSensor(quiet="15m")], r"quiet='15m' of 'used'"),
        ):
            self.assertRaisesRegex(ValueError, pattern, checkSensors, sensors)


class LightTests(ClientTestCase):
    def test_noWakeUp(self):
        """Without sensors there is not one timer."""
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.client.owner.status()["sensors"], [])

    def test_noImport(self):
        """Without sensors not one of their modules is imported."""
        program = (
            "import sys, presence.worker.client as module; from unittest.mock import Mock; "
            "module.transportOf = Mock(); worker = Mock(basedir='.'); worker.name = 'mac-mini'; "
            "module.PresenceClient(worker, localPort=None); "
            "sys.exit(any(name.startswith('presence.worker.sensors') for name in sys.modules))"
        )
        self.assertEqual(subprocess.run([sys.executable, "-c", program], check=False).returncode, 0)

"""Sensors that say what a test lets them say, on a fake clock and without threads."""

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from presence.worker.sensors import CannotTellError, watches
from presence.worker.sensors.reading import Reading
from tests.worker.fakewire import ClientTestCase


class FakeSensor:
    def __init__(self, name="used", every=1.0, quiet=900.0, says=None):
        self.name, self.every, self.quiet = name, every, quiet
        self.says = Reading(False, "nobody is there") if says is None else says
        self.looks = 0

    def away(self, text="somebody uses the machine"):
        self.says = Reading(True, text)

    def free(self, last=None):
        self.says = Reading(False, "nobody is there", last)

    def read(self):
        self.looks += 1
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


class FakeLooker:
    """Looks at once; a sensor that says "hangs" never comes back."""

    def __init__(self, reactor):
        pass

    def stop(self):
        pass

    def look(self, look):
        try:
            said = look()
        except Exception as problem:  # noqa: BLE001
            return fail(problem)
        return Deferred() if said == "hangs" else succeed(said)


class SensorsTestCase(ClientTestCase):
    def setUp(self):
        self.patch(watches, "Looker", FakeLooker)
        self.sensor = FakeSensor()
        self.sensors = [self.sensor]
        super().setUp()

    def holds(self):
        """What the sensors' holds say: [(name, reason)]."""
        return [(hold.name, hold.reason) for hold in self.client.presence.holds if hold.source == "sensor"]

    def reading(self, at=0):
        return self.client.owner.status()["sensors"][at]


class KindTestCase(SynchronousTestCase):
    """A kind of sensor, by what it says when it looks."""

    def assertSays(self, sensor, away, pattern):
        reading = sensor.read()
        self.assertIs(reading.away, away, reading)
        self.assertRegex(reading.text, pattern)

    def assertCannotTell(self, sensor, pattern):
        self.assertRegex(str(self.assertRaises(CannotTellError, sensor.read)), pattern)

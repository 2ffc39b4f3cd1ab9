"""The owner is asked when a build starts while somebody uses the machine; the answer is an "away" like any other."""

import subprocess
import sys
import time
from dataclasses import replace

from twisted.internet.defer import Deferred

from presence.wire.messages import RunningBuild
from presence.worker.client import PresenceClient
from presence.worker.looking.cannottell import CannotTellError
from presence.worker.notifying import desktop, starts
from presence.worker.sensors.reading import Reading
from tests.worker.fakewire import HOUR, NOW, ClientTestCase, FakeWorker, view


class FakeLooker:
    """Lets the test look when it likes."""

    looks: list

    def __init__(self, reactor):
        self.waiting = None
        FakeLooker.looks = []

    def look(self, look):
        looked = Deferred()
        self.looks.append((look, looked))
        return looked

    def stop(self):
        pass


class FakeUsed:
    ago = 10.0

    def look(self):
        if self.ago is None:
            raise CannotTellError("nothing is there to ask")
        return Reading(False, "", time.time() - self.ago)


class NoticeTests(ClientTestCase):
    def setUp(self):
        self.patch(starts, "Looker", FakeLooker)
        self.patch(starts, "Used", FakeUsed)
        self.patch(desktop, "ask", self.ask)
        self.asked, self.answer = [], True
        super().setUp()
        self.connect()

    def makeClient(self, worker, **keywords):
        return PresenceClient(worker, **keywords, notify=True)

    def ask(self, title, text, button, over):
        self.asked.append(text)
        self.over = over
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def runs(self, *builders):
        """So many builds run, says the master."""
        builds = tuple(RunningBuild(each, None) for each in builders)
        self.show(replace(view(running=len(builds)), builds=builds))

    def look(self):
        """Let the thread do its work."""
        look, looked = FakeLooker.looks.pop(0)
        try:
            looked.callback(look())
        except CannotTellError as problem:
            looked.errback(problem)

    def test_away(self):
        """The button is "away" for an hour, with a reason that says where it was said; it is kept as any other."""
        self.runs("any")
        self.look()
        self.assertEqual(self.asked, ["A build of any has started. It is finished in any case."])
        (hold,) = self.client.presence.holds
        self.assertEqual(
            (hold.source, hold.reason, hold.until), ("worker", "said on the desktop", NOW + HOUR)
        )

    def test_closed(self):
        """Who closes the notice is asked again when the next build starts after nothing ran, and not before."""
        self.answer = False
        self.runs("any")
        self.look()
        self.runs("any", "other")
        self.runs("other")
        self.assertEqual((FakeLooker.looks, self.client.presence.holds), ([], ()))
        self.runs()
        self.runs("third")
        self.look()
        self.assertEqual(len(self.asked), 2)

    def test_ends(self):
        """The notice is taken away when nothing runs any more, and when the worker ends."""
        self.answer = False
        self.runs("any")
        self.look()
        self.assertFalse(self.over.is_set())
        self.runs()
        self.assertTrue(self.over.is_set())
        self.runs("any")
        self.look()
        self.end()
        self.assertTrue(self.over.is_set())
        self.begin()

    def test_nobodyThere(self):
        """Nobody is asked who is not there, or of whom that cannot be told."""
        for ago in (301.0, None):
            self.patch(FakeUsed, "ago", ago)
            self.runs("any")
            self.look()
            self.runs()
        self.assertEqual(self.asked, [])

    def test_noDesktop(self):
        """Where there is no desktop nothing happens."""
        self.answer = CannotTellError("there is no desktop")
        self.runs("any")
        self.look()
        self.assertEqual((len(self.asked), self.client.presence.holds), (1, ()))

    def test_strangeNames(self):
        """What a master calls a builder neither turns the text around nor floods the desktop."""
        self.runs("a\u202eb" + "x" * 80)
        self.look()
        self.assertIn("a\ufffdbx", self.asked[0])


class LightTests(ClientTestCase):
    def test_off(self):
        """Unless it is turned on nothing of it is imported, and what is no yes or no is a mistake."""
        program = (
            "import sys, presence.worker.client; sys.exit(any('notifying' in each for each in sys.modules))"
        )
        self.assertEqual(subprocess.run([sys.executable, "-c", program], check=False).returncode, 0)
        worker = FakeWorker(self.basedir)
        problem = self.assertRaises(
            ValueError, PresenceClient, worker, notify="yes", localPort=None, reactor=self.reactor
        )
        self.assertIn("notify='yes' is not right: give True or False", str(problem))

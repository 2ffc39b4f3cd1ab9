"""Events that nobody would hear are not made."""

from types import SimpleNamespace

from buildbot.mq.simple import SimpleMQ
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from presence.master.listening.listeners import SortedListeners
from presence.master.listening.unheard import Unheard

PATHS = {"build": ["builders/{builderid}/builds/{number}", "builds/{buildid}"], "step": ["steps/{stepid}"]}


class ResourceType:
    def __init__(self, paths, made):
        self.eventPaths = paths
        self.made = made

    def generateEvent(self, which, event):
        self.made.append((which, event))
        return succeed(None)


class UnheardTests(SynchronousTestCase):
    def setUp(self):
        self.made = []
        self.queue = SimpleMQ()
        types = {name: ResourceType(paths, self.made) for name, paths in PATHS.items()}
        self.types = types
        self.master = SimpleNamespace(
            mq=SimpleNamespace(impl=self.queue), data=SimpleNamespace(getResourceType=types.get)
        )
        SortedListeners(self.master.mq).start()
        self.unheard = Unheard(self.master)
        self.unheard.start()

    def happens(self, name, which, event):
        """Whether the event is made."""
        self.made.clear()
        self.assertIsNone(self.successResultOf(self.types[name].generateEvent(which, event)))
        return self.made == [(which, event)]

    def listen(self, *wanted):
        return self.successResultOf(self.queue.startConsuming(lambda key, message: None, wanted))

    def test_nobody(self):
        """Nobody listens: none is made; somebody listens to builds: these are, from then on and as long as that."""
        self.listen("control", "builds", "7", "stop")
        self.assertFalse(self.happens("build", 7, "new"))
        builds = self.listen("builds", None, None)
        self.assertTrue(self.happens("build", 7, "new"))
        self.assertFalse(self.happens("step", 70, "new"))
        builds.stopConsuming()
        self.assertFalse(self.happens("build", 7, "new"))

    def test_everyPath(self):
        """Whoever listens by another path, or to one thing alone, or to everything there is, hears it as before."""
        for wanted in (
            ("builders", "3", "builds", None, "new"),
            ("builders", None, "builds", "9", None),
            ("builds", "7", "new"),
            (None, None, "new"),
            (None, None, None),
        ):
            listener = self.listen(*wanted)
            self.assertTrue(self.happens("build", 7, "new"), wanted)
            listener.stopConsuming()
        for wanted in (
            ("builders", None, "builds", None, "finished"),
            ("builders", None, "new"),
            ("builds", None, "finished"),
            ("builds", None),
            (None, None, "finished"),
        ):
            listener = self.listen(*wanted)
            self.assertFalse(self.happens("build", 7, "new"), wanted)
            listener.stopConsuming()

    def test_debug(self):
        """Where a site has all events in its log they are made."""
        self.queue.debug = True
        self.assertTrue(self.happens("step", 1, "new"))

    def test_leftAlone(self):
        """Where the listeners are not known, as between several masters, and afterwards, all are made."""
        self.unheard.stop()
        self.assertTrue(self.happens("step", 1, "new"))
        self.unheard.start()
        self.queue.qrefs = list(self.queue.qrefs)
        self.assertTrue(self.happens("step", 1, "new"))
        self.unheard.stop()
        self.master.mq.impl = object()
        several = Unheard(self.master)
        several.start()
        self.assertTrue(self.happens("step", 1, "new"))
        several.stop()

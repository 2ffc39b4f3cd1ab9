import io

from twisted.trial.unittest import SynchronousTestCase

from presence.demo.story import Page, Story


class Terminal(io.StringIO):
    def isatty(self):
        return True


class StoryTests(SynchronousTestCase):
    def setUp(self):
        self.stream = io.StringIO()
        self.story = Story(Page(self.stream))

    def presence(self, at, worker, **holds):
        self.story.told({"what": "presence", "at": at, "worker": worker, "holds": holds})

    def began(self, at, build, request, worker="mac-mini"):
        self.story.told({"what": "began", "at": at, "build": build, "request": request, "worker": worker})

    def finished(self, at, build, request, results=0):
        self.story.told(
            {"what": "finished", "at": at, "build": build, "request": request, "results": results}
        )

    def lines(self):
        """The lines so far, without the time."""
        return [line[13:] for line in self.stream.getvalue().splitlines()]

    def test_story(self):
        """What runs goes on in the break, what is requested waits for its end, and how long is said."""
        self.presence(99.0, "mac-mini")
        self.story.request(1, 100.0)
        self.began(100.25, 1, 1)
        self.presence(101.0, "mac-mini", **{"break": ["lunch", 105.0]})
        self.finished(102.0, 1, 1)
        self.story.request(2, 103.0)
        self.presence(105.0, "mac-mini")
        self.began(105.125, 2, 2)
        said = self.lines()
        self.assertEqual(said[0], "mac-mini  is available")
        self.assertEqual(said[1], "mac-mini  builds request 1, 0.25 s after it was requested")
        self.assertRegex(
            said[2],
            r"^mac-mini  goes on its break \(lunch\) until \d\d:\d\d:\d5; the build of request 1 goes on; "
            "now nobody accepts builds$",
        )
        self.assertEqual(said[3], "mac-mini  has finished request 1, begun before its break")
        self.assertRegex(said[4], r"^          request 2 waits for whoever is back first, at \d\d:\d\d:\d5$")
        self.assertEqual(said[5], "mac-mini  is back from its break; 1 request waiting")
        self.assertEqual(
            said[6], "mac-mini  builds request 2, 0.12 s after mac-mini came back; it had waited 2.0 s"
        )
        self.assertEqual(self.story.delays, [0.125])
        self.assertEqual(self.story.open, {2})

    def test_backToTheQueue(self):
        """A build that was refused leaves its request open."""
        self.story.request(1, 100.0)
        self.finished(101.0, 1, 1, results=5)
        self.assertEqual(self.lines(), ["          request 1 goes back to the queue: the break came first"])
        self.assertEqual(self.story.open, {1})

    def test_builtBeforeItIsKnown(self):
        """A request whose build is over before its number is known is not open."""
        self.began(100.1, 1, 1)
        self.finished(100.2, 1, 1)
        self.story.request(1, 100.0)
        self.assertEqual(self.story.open, set())

    def test_colours(self):
        """There are colours on a terminal, unless NO_COLOR is set, and nowhere else."""
        terminal = Terminal()
        Page(terminal).write("back", "32")
        self.assertEqual(terminal.getvalue(), "\033[32mback\033[0m\n")
        Page(self.stream).write("back", "32")
        self.assertEqual(self.stream.getvalue(), "back\n")

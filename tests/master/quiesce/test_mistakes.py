from pathlib import Path

from buildbot.config import ConfigErrors
from buildbot.config.master import FileLoader
from twisted.trial.unittest import SynchronousTestCase

from presence.master.quiesce.mistakes import mistakesOf, notedPlaces

HEAD = """\
from buildbot.plugins import util, worker
c = BuildmasterConfig = {}
"""


class MistakesTests(SynchronousTestCase):
    """Each mistake is one line, which begins with the file and the line where it was made."""

    def mistakes(self, text, **files):
        folder = Path(self.mktemp())
        folder.mkdir()
        for name, content in {**files, "master": text}.items():
            (folder / f"{name}{'.cfg' if name == 'master' else '.py'}").write_text(content)
        with notedPlaces(str(folder)) as places:
            try:
                FileLoader(str(folder), "master.cfg").loadConfig()
            except ConfigErrors as problem:
                return mistakesOf(problem, str(folder), places)
        return []

    def test_notDefined(self):
        """What a file does wrong while it is run."""
        self.assertEqual(
            self.mistakes(f"{HEAD}\nx = nobody\n"), ["master.cfg:4: NameError: name 'nobody' is not defined"]
        )
        self.flushLoggedErrors(NameError)

    def test_inAModuleOfTheSite(self):
        """A mistake in a module of the site's own is told where it is, and not where that is imported."""
        (mistake,) = self.mistakes("import h18site\n", h18site="\n\n1 // 0\n")
        self.assertTrue(mistake.startswith("h18site.py:3: ZeroDivisionError: "), mistake)
        self.flushLoggedErrors(ZeroDivisionError)

    def test_syntax(self):
        """A file that is not Python: one line, with what is written there."""
        (mistake,) = self.mistakes(f"{HEAD}c = (\nd = 1\n")
        self.assertTrue(mistake.startswith("master.cfg:"), mistake)
        self.assertIn("SyntaxError: ", mistake)
        self.assertNotIn("\n", mistake)

    def test_collected(self):
        """All that Buildbot collects, ours and its own, each with its line where there is one."""
        found = self.mistakes(
            f"{HEAD}c['workers'] = [worker.BuildSlave(name='a', passwd='x', onBreakDuring=('7', '8:00'))]\n"
            "c['builders'] = [\n"
            "    util.BuilderConfig('b', workernames=['a'], tags=[7], factory=util.BuildFactory())\n]\n"
        )
        self.assertTrue(any(each.startswith("master.cfg:3: ") for each in found), found)
        self.assertTrue(any(each.startswith("master.cfg:5: ") and "tags" in each for each in found), found)

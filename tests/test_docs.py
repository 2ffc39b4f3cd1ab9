"""What the pages of the documentation say is run, and what they show is what is there."""

import argparse
import contextlib
import io
import re
import shlex
import textwrap
import unittest
from pathlib import Path

from buildbot.config.errors import capture_config_errors
from buildbot.plugins import util, worker
from buildbot.worker import docker
from twisted.internet import defer
from twisted.internet.task import Clock
from twisted.python import log
from twisted.trial.unittest import SynchronousTestCase

import presence
from docs.rooms import PICTURE, picture
from presence.commands.main import main
from presence.testing import FakeRoster
from tests.each import each
from tests.rooms import MODULES, ROOT

HERE = Path(__file__).parent.parent
PAGES = {path.stem: path for path in [*HERE.glob("docs/*.rst"), HERE / "README.md"]}

RST_BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
MARKDOWN_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)

# What one types at a terminal, without the prompt and the name of the program.
COMMAND_LINE = re.compile(r"^ *\$ presence (.+)$", re.MULTILINE)

# Blocks that cannot be run, by how they begin, and why.
NOT_RUN = {
    "def canStartBuild(builder, wfb, request):": "the hook that one has before migrating",
    "PresenceClient(s, ": "a line of buildbot.tac, about its worker `s`",
    "onBreakDuring=[": "a keyword, without what it is one of",
    "from presence.master.holding.leftovers import": "a master that is not there",
    "Break.fromCalendar(": "a file that is not there",
}


def blocks(page):
    """The Python blocks of a page, in the order in which they stand there."""
    text = PAGES[page].read_text(encoding="utf-8")
    found = (MARKDOWN_BLOCK if page == "README" else RST_BLOCK).findall(text)
    return [textwrap.dedent(block) for block in found]


def namespace():
    """What stands above such a block: in a master.cfg, or in a module of somebody's who uses the model."""
    public = {name: getattr(presence, name) for name in presence.__all__}
    return {
        "c": {"www": {}},
        "util": util,
        "worker": worker,
        "defer": defer,
        "log": log,
        "clock": Clock(),
        **public,
    }


class Hasty:
    """The publisher of `testing.rst`, but for the waiting."""

    def __init__(self, roster):
        self.published = []

    def publish(self, what):
        self.published.append(f"{what} on mac-mini")
        return defer.succeed(None)


WITH_BLOCKS = sorted(page for page in PAGES if blocks(page))


@each(WITH_BLOCKS, "The Python blocks of {} run, in the order in which they stand there.")
class PythonTests(SynchronousTestCase):
    def setUp(self):
        # what a worker of Docker's asks for, and does not use before it starts a container
        self.patch(docker, "docker_py_version", docker.parse_version("7.1.0"))

    def check(self, page):
        names = namespace()
        for block in blocks(page):
            if block.startswith(tuple(NOT_RUN)):
                continue
            with capture_config_errors(raise_on_error=True), contextlib.redirect_stdout(io.StringIO()):
                exec(compile(block, page, "exec"), names)
        self.names = names

    def test_noneForgotten(self):
        """Blocks that are not run are there, so that none is excused that has gone."""
        beginnings = [block for page in WITH_BLOCKS for block in blocks(page)]
        for beginning in NOT_RUN:
            self.assertTrue(any(block.startswith(beginning) for block in beginnings), beginning)

    def test_tests(self):
        """The test that is shown of somebody's own code passes, and it fails when the code does not wait."""
        self.check("testing")
        for publisher, successful in ((self.names["Publisher"], True), (Hasty, False)):
            self.names["Publisher"] = publisher
            result = unittest.TestResult()
            unittest.defaultTestLoader.loadTestsFromTestCase(self.names["PublisherTests"]).run(result)
            self.assertEqual((result.testsRun, result.wasSuccessful()), (3, successful), result)

    def test_whoCanTest(self):
        """What the tutorial shows fires when a worker is ready."""
        self.check("tutorial")
        roster = FakeRoster({"mac-mini": ("07:00", "19:00")}, {"runtests": ["mac-mini"]})
        self.names["Roster"] = roster
        waiting = self.names["whenSomebodyCanTest"](object())
        self.assertNoResult(waiting)
        roster.clock.advanceBy(hours=7)
        self.successResultOf(waiting)

    def test_model(self):
        """What the reference shows of a worker fires."""
        self.check("api")
        self.assertIs(self.successResultOf(self.names["ready"]), self.names["presence"])

    def test_schedule(self):
        """The answers of a schedule are those that the page says in its comments."""
        self.check("breaks")
        schedule, instant = self.names["schedule"], self.names["instant"]
        found = schedule.at(instant)
        self.assertEqual(
            (f"{found.start:%H:%M}", f"{found.stop:%H:%M}", found.reasons), ("11:00", "13:00", ())
        )
        self.assertEqual(f"{schedule.nextChange(instant):%H:%M}", "13:00")


class CommandTests(SynchronousTestCase):
    """The commands on the pages are run in `tests/integration/`, in other words. Here it is that they can be typed."""

    def test_canBeTyped(self):
        """Every `presence` command line on a page is one that the program takes."""
        parse = argparse.ArgumentParser.parse_args

        def parsed(parser, arguments=None, namespace=None):
            options = parse(parser, arguments, namespace)
            options.run = lambda _: 0
            return options

        self.patch(argparse.ArgumentParser, "parse_args", parsed)
        lines = [
            (page, line) for page in PAGES for line in COMMAND_LINE.findall(PAGES[page].read_text("utf-8"))
        ]
        self.assertGreater(len(lines), 20)
        for page, line in lines:
            complaint = io.StringIO()
            try:
                with contextlib.redirect_stderr(complaint):
                    main(shlex.split(line, comments=True))
            except SystemExit:
                self.fail(f"{page}: {line}: {complaint.getvalue()}")


class ArchitectureTests(SynchronousTestCase):
    def setUp(self):
        self.text = PAGES["architecture"].read_text(encoding="utf-8")

    def test_picture(self):
        """The picture of the rooms is that of the imports as they are."""
        self.assertTrue(
            PICTURE.read_text(encoding="utf-8") == picture(), f"{PICTURE} is an old one: python -m docs.rooms"
        )

    def test_rooms(self):
        """Every folder of the package is in the table of the rooms, and no other."""
        folders = {
            f"{path.relative_to(ROOT)}/" for path in {each.parent for each in MODULES.values()} - {ROOT}
        }
        table = self.text.partition("room  ")[2].partition("How a break")[0]
        named = set(re.findall(r"^`([\w/]+/)`", table, re.MULTILINE)) - {"presence/"}
        self.assertEqual(named, folders | {"master/www/"})

    def test_files(self):
        """Every file that the page names is there."""
        for name in re.findall(r"`([\w/]+/(?:\w+\.py)?)`", self.text):
            places = (HERE, ROOT, ROOT / "master")
            self.assertTrue(any((place / name).exists() for place in places), name)

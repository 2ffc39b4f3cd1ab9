import argparse
import contextlib
import io
import json
import os
import sqlite3
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.doctor import command, installation
from presence.worker import tacfile

MASTER_TAC = "from buildbot.master import BuildMaster\nconfigfile = 'master.cfg'\n"

MASTER_CFG = """
from buildbot.plugins import schedulers, util, worker
import presence

c = BuildmasterConfig = {{
    "buildbotNetUsageData": None,
    "workers": [worker.Worker("mac-mini", "s3cret"), worker.Worker("plain", "s3cret")],
    "protocols": {{"pb": {{"port": "tcp:0"}}}},
    "schedulers": [schedulers.ForceScheduler(name="force", builderNames=["b"])],
    "builders": [util.BuilderConfig(name="b", workernames=["plain"], factory=util.BuildFactory() {builder})],
    "www": {{"port": 8010}},
    "db_url": "sqlite:///state.sqlite",
}}
{more}
"""

ENABLED = 'presence.enable(c, onBreakDuring={"mac-*": ("07:00", "19:00")})\n'
RULES = """c["www"]["authz"] = util.Authz(
    allowRules=[util.AnyControlEndpointMatcher(role="admins")],
    roleMatchers=[util.RolesFromUsername(roles=["admins"], usernames=["ann"])],
)
"""

WORKER_TAC = """
from twisted.application import service
from buildbot_worker.bot import Worker
application = service.Application('buildbot-worker')
s = Worker('localhost', 9989, 'mac-mini', 's3cret', '.', 600)
s.setServiceParent(application)
"""


class DoctorTestCase(SynchronousTestCase):
    def directory(self, tac):
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        (directory / "buildbot.tac").write_text(tac)
        (directory / "twistd.pid").write_text(str(os.getpid()))
        return directory

    def master(self, more=ENABLED + RULES, builder=""):
        directory = self.directory(MASTER_TAC)
        (directory / "master.cfg").write_text(MASTER_CFG.format(more=more, builder=builder))
        return directory

    def doctor(self, directory, *arguments):
        """(exit status, all that it says)."""
        parser = argparse.ArgumentParser()
        command.addParser(parser.add_subparsers())
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            options = parser.parse_args(["doctor", str(directory), *arguments])
            status = options.run(options)
        return status, out.getvalue()


class MasterTests(DoctorTestCase):
    """In the directory of a master."""

    def setUp(self):
        # the process that runs is this one, and it is younger than the installation
        self.patch(installation, "_installed", lambda: 0.0)

    def test_well(self):
        """Where all is well every line says so, and the exit status, too."""
        status, said = self.doctor(self.master())
        self.assertEqual(status, 0, said)
        self.assertEqual([line for line in said.splitlines() if not line.startswith("ok ")], [])
        for part in (
            "presence 0",
            "buildbot ",
            "runs",
            "every worker has a presence (2)",
            "the page",
            "rules",
        ):
            self.assertIn(part, said)

    def assertProblem(self, directory, what, todo):
        status, said = self.doctor(directory)
        self.assertEqual(status, 1, said)
        lines = said.splitlines()
        (found,) = (
            number for number, line in enumerate(lines) if line.startswith("problem") and what in line
        )
        self.assertIn(todo, lines[found + 1])

    def test_json(self):
        """The same findings for programs, and the same exit status."""
        directory = self.master()
        status, out = self.doctor(directory, "--json")
        _, shown = self.doctor(directory)
        told = json.loads(out)
        self.assertEqual([each["what"] for each in told["findings"] if each["what"] not in shown], [])
        self.assertEqual(status, int(any(each["grade"] == "problem" for each in told["findings"])))
        self.assertEqual(told["left"], [])

    def test_noPresence(self):
        """Where no worker has a presence it says which line is missing."""
        self.assertProblem(self.master(RULES), "no worker has a presence", "presence.enable(c)")

    def test_everybodyMay(self):
        """Where no rule decides, everybody may: it says so."""
        self.assertProblem(self.master(ENABLED), "no rule decides", "AnyControlEndpointMatcher")

    def test_pattern(self):
        """A pattern that matches nobody is a mistake."""
        self.assertProblem(
            self.master(ENABLED.replace("mac-*", "mca-*") + RULES), "'mca-*' matches no worker", "correct"
        )

    def test_mistakes(self):
        """Mistakes in the configuration are listed."""
        self.assertProblem(self.master(ENABLED.replace("07:00", "7")), "'7'", "mend it")

    def test_hardlyMeant(self):
        """What is allowed and hardly meant is told, and so is a TZ that names no zone; the former is no problem."""
        breaks = ENABLED.replace("19:00", "18:00").replace("07:00", "00:00").replace('"18:00"', '"23:59"')
        status, said = self.doctor(self.master(breaks + RULES))
        self.assertEqual(status, 0, said)
        [line] = [each for each in said.splitlines() if "from 23:59 to 00:00 only" in each]
        self.assertTrue(line.startswith("note "), line)
        self.patch(installation, "hostWarnings", lambda: ["TZ is wrong"])
        self.assertProblem(self.master(), "TZ is wrong", "set TZ")

    def test_older(self):
        """A process that is older than the installation is to be restarted, once."""
        directory = self.master()
        self.patch(installation, "_installed", lambda: 4e9)
        self.assertProblem(directory, "before this presence was installed", "buildbot restart")

    def test_killed(self):
        """So is one that was killed."""
        directory = self.master()
        (directory / "twistd.pid").write_text("999999999")
        self.assertProblem(directory, "was killed", "buildbot start")

    def test_clock(self):
        """A clock that was set back is seen by the files."""
        directory = self.master()
        os.utime(directory / "master.cfg", (4e9, 4e9))
        self.assertProblem(directory, "it was set back", "NTP")

    def test_hooks(self):
        """A hook of the site is a note, and no problem."""
        status, said = self.doctor(self.master(builder=", nextWorker=lambda *_: None"))
        self.assertEqual(status, 0, said)
        self.assertIn("builder b has nextWorker of the site", said)

    def test_notAMaster(self):
        """Any other directory is refused."""
        status, said = self.doctor(Path(self.mktemp()))
        self.assertEqual(status, 2)
        self.assertIn("no buildbot.tac", said)


class LeftoverTests(DoctorTestCase):
    """What an earlier life has left behind."""

    def stored(self, directory, *workers):
        with contextlib.closing(sqlite3.connect(directory / "state.sqlite")) as db, db:
            db.execute("create table objects (id integer primary key, name text, class_name text)")
            db.execute("create table object_state (objectid integer, name text, value_json text)")
            db.execute("insert into objects values (1, 'www', 'buildbot.www.service.WWWService')")
            db.execute("insert into objects values (2, 'presence', 'presence.AdminHolds')")
            db.execute("insert into object_state values (1, 'session_secret', '1')")
            db.executemany("insert into object_state values (2, ?, '{}')", [(each,) for each in workers])

    def rows(self, directory):
        with contextlib.closing(sqlite3.connect(directory / "state.sqlite")) as db:
            return sorted(name for (name,) in db.execute("select name from object_state"))

    def test_gone(self):
        """Orders of a worker that is not there any more are removed with --clean, and not without; the others stay."""
        directory = self.master()
        self.stored(directory, "mac-mini", "gone")
        _, said = self.doctor(directory)
        self.assertIn("left     what was ordered of gone", said)
        self.assertNotIn("ordered of mac-mini", said)
        self.assertEqual(self.rows(directory), ["gone", "mac-mini", "session_secret"])
        _, said = self.doctor(directory, "--clean")
        self.assertIn("removed  what was ordered of gone", said)
        self.assertEqual(self.rows(directory), ["mac-mini", "session_secret"])
        self.assertNotIn("left ", self.doctor(directory)[1])

    def test_back(self):
        """On a master that has gone back to stock everything of it is removed, and nothing else."""
        directory = self.master(RULES)
        trail = [directory / name for name in ("presence-trail.jsonl", "presence-trail.jsonl.1")]
        for each in trail:
            each.touch()
        self.stored(directory, "mac-mini")
        (directory / "presence-master.json").write_text("{}")
        (directory / "twistd.pid").unlink()
        _, said = self.doctor(directory, "--clean")
        self.assertEqual(said.count("removed "), 5, said)
        self.assertEqual(self.rows(directory), ["session_secret"])
        self.assertFalse((directory / "presence-master.json").exists())
        self.assertNotIn("left ", self.doctor(directory)[1])
        self.assertFalse(any(each.exists() for each in trail))

    def test_fresh(self):
        """A master without a database has nothing."""
        self.assertNotIn("left ", self.doctor(self.master())[1])


class WorkerTests(DoctorTestCase):
    """In the directory of a worker."""

    def test_installed(self):
        """It says whether the owner's side is in buildbot.tac."""
        self.patch(installation, "_installed", lambda: 0.0)
        status, said = self.doctor(self.directory(WORKER_TAC))
        self.assertEqual(status, 0, said)
        self.assertIn("presence install", said)

    def test_unknown(self):
        """A buildbot.tac that is not understood is a problem, and what an owner said there is left alone."""
        directory = self.directory("print('hello')\n")
        (directory / "presence-owner.json").touch()
        status, said = self.doctor(directory, "--clean")
        self.assertEqual(status, 1, said)
        self.assertIn("problem  buildbot.tac", said)
        self.assertTrue((directory / "presence-owner.json").exists())

    def test_takenOut(self):
        """What was kept for an owner's side that was taken out is removed; while it is there, or runs still, nothing is."""
        directory = self.directory(tacfile.installed(WORKER_TAC.encode()).decode())
        kept = ("buildbot.tac.before-presence", "presence-owner.json", "presence-sessions.json")
        for name in (*kept, "presence-local.json"):
            (directory / name).touch()
        self.assertNotIn("removed", self.doctor(directory, "--clean")[1])
        (directory / "buildbot.tac").write_text(WORKER_TAC)
        # its process began before that
        self.assertNotIn("removed", self.doctor(directory, "--clean")[1])
        (directory / "presence-local.json").unlink()
        self.assertEqual(self.doctor(directory, "--clean")[1].count("removed "), len(kept))
        self.assertEqual({each.name for each in directory.iterdir()}, {"buildbot.tac", "twistd.pid"})

    def test_olderVersion(self):
        """What the owner said to an older version is not taken for the note of a master."""
        directory = self.directory(tacfile.installed(WORKER_TAC.encode()).decode())
        (directory / "twistd.pid").unlink()
        (directory / "presence.json").touch()
        self.assertNotIn("removed", self.doctor(directory, "--clean")[1])

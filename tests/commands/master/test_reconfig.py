import argparse
import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.zones import zoneFor
from presence.commands import ancestry
from presence.commands.master import command, reconfig, waiting
from presence.commands.master.client import MasterError
from presence.commands.master.reconfigtext import ReconfigText

#: 2026-11-23 06:00 UTC, a Monday.
NOW = 1795413600.0
HOUR = 3600


def build(buildid=12, builder="app", worker="mac", since=NOW - 12 * 60, remaining=180.0):
    return {
        "buildid": buildid,
        "number": buildid,
        "builder": builder,
        "worker": worker,
        "since": since,
        "remaining": remaining,
    }


def entity(state="waiting", waiting_for=(), last=None, number=1, **more):
    return {
        "masterid": 1,
        "state": state,
        "number": None if state == "idle" else number,
        "by": "ann",
        "since": NOW,
        "all": False,
        "deadline": None,
        "on_deadline": None,
        "held": [],
        "waiting_for": list(waiting_for),
        "last": last,
        **more,
    }


def ended(result, number=1, mistakes=(), by="ann"):
    return entity(
        "idle",
        last={"number": number, "result": result, "by": by, "at": NOW, "mistakes": list(mistakes)},
    )


class FakeClient:
    """A master: what it is ordered, and what it answers, one after the other; the last of it again and again."""

    answers = ()
    ordered = ()
    open = False

    def __init__(self, url, _credentials):
        type(self).url = url
        type(self).open = True

    def close(self):
        type(self).open = False

    def get(self, path):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [answer]

    def post(self, path, action, **params):
        type(self).ordered = (path, action, params)
        return self.get(path)[0]


class CommandTests(SynchronousTestCase):
    def setUp(self):
        self.slept = []
        self.patch(command, "MasterClient", FakeClient)
        self.patch(waiting.time, "sleep", self.slept.append)
        self.patch(reconfig.time, "time", lambda: NOW)
        self.patch(os, "environ", {"PRESENCE_URL": "http://farm.example/", "TZ": "UTC"})

    def run_(self, *arguments, answers=()):
        """(exit status, what it prints, errors included)."""
        FakeClient.answers = list(answers)
        parser = argparse.ArgumentParser(prog="presence")
        reconfig.addParser(parser.add_subparsers(required=True))
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            try:
                options = parser.parse_args(["reconfig", *arguments])
                status = options.run(options)
            except SystemExit as end:
                status = end.code
        self.assertFalse(FakeClient.open, "the connection is left open")
        return status, out.getvalue()

    def test_follows(self):
        """It shows what changes, until the end, also when the web server is away for a while."""
        waiting = entity(waiting_for=[build()])
        status, out = self.run_(
            answers=[
                {**waiting, "mistakes": []},
                waiting,
                MasterError("it is being restarted"),
                entity("reconfiguring"),
                ended("reconfigured"),
            ]
        )
        self.assertEqual(status, 0)
        self.assertEqual(
            [line.partition(" ")[2] for line in out.splitlines()],
            [
                "waiting for 1 build:",
                " app #12 on mac, running for 12 min, about 3 min to go",
                "Buildbot reconfigures",
                "the master is reconfigured",
            ],
        )

    def test_orders(self):
        """What is given on the command line is what is ordered; the deadline as an instant."""
        self.run_(
            "--all",
            "--deadline",
            "1h",
            "--on-deadline",
            "interrupt",
            answers=[{**ended("reconfigured"), "number": 1, "mistakes": []}],
        )
        self.assertEqual(
            FakeClient.ordered,
            ("reconfig", "reconfig", {"all": True, "deadline": NOW + HOUR, "on_deadline": "interrupt"}),
        )
        self.assertEqual(FakeClient.url, "http://farm.example/")

    def test_inside(self):
        """Ordered by a step of a build that is waited for, it ends as soon as that is, and says so; else it waits."""
        basedir = Path(self.mktemp()).absolute()
        basedir.mkdir()
        (basedir / "buildbot.tac").touch()
        lineage = [(77, "/tmp"), (76, "x" * 600), (75, str(basedir)), (1, "")]
        self.patch(ancestry, "lineage", lambda: lineage)
        answers = [
            {**entity(waiting_for=[build(8)]), "inside": [9, 12], "mistakes": []},
            entity(waiting_for=[build(8)]),
            entity(waiting_for=[build(8), build(12)]),
        ]
        status, out = self.run_(answers=answers)
        self.assertEqual(status, 0, out)
        self.assertIn("presence: this is part of app #12: it is done when that has ended", out)
        self.assertEqual(FakeClient.ordered[2]["ancestors"], ["77 /tmp", f"75 {basedir}", "1 "])
        # (where the system does not tell: by the directory)
        self.patch(ancestry, "lineage", list)
        self.patch(ancestry.Path, "cwd", lambda: basedir / "app" / "build")
        self.run_(answers=[{**ended("reconfigured"), "number": 1, "inside": [], "mistakes": []}])
        self.assertIn(f"0 {basedir}", FakeClient.ordered[2]["ancestors"])

    def test_time(self):
        """A deadline may be a time, as everywhere."""
        self.run_("--deadline", "07:00", answers=[{**ended("reconfigured"), "number": 1, "mistakes": []}])
        self.assertEqual(FakeClient.ordered[2]["deadline"], NOW + HOUR)

    def test_statuses(self):
        """The exit status says how it has ended."""
        for result, expected in (
            ("reconfigured", 0),
            ("cancelled", 4),
            ("deadline", 5),
            ("stopped", 1),
            ("partly", 1),
        ):
            answers = [{**ended(result), "number": 1, "mistakes": []}]
            self.assertEqual(self.run_(answers=answers)[0], expected)
        status, out = self.run_(
            answers=[{**ended("failed", mistakes=["no such worker"]), "number": 1, "mistakes": []}]
        )
        self.assertEqual(status, 3)
        self.assertIn("no such worker", out)

    def test_restarted(self):
        """A master that was killed and restarted meanwhile has nothing to tell of it."""
        answers = [{**entity(), "mistakes": []}, entity("idle")]
        status, out = self.run_(answers=answers)
        self.assertEqual(status, 1)
        self.assertIn("was restarted", out)

    def test_mistakes(self):
        """Mistakes are listed, one a line."""
        status, out = self.run_(answers=[{**entity("idle"), "mistakes": ["one", "two\x1b[2J"]}])
        self.assertEqual(status, 3)
        self.assertEqual(out.splitlines()[:2], ["presence: one", "presence: two\ufffd[2J"])

    def test_detach(self):
        """It does not wait where it shall not."""
        status, out = self.run_("--detach", answers=[{**entity(waiting_for=[build()]), "mistakes": []}])
        self.assertEqual((status, self.slept), (0, []))
        self.assertIn("waiting for 1 build", out)

    def test_json(self):
        """As JSON, one line each."""
        status, out = self.run_("--json", "--status", answers=[ended("cancelled")])
        self.assertEqual((status, json.loads(out)), (0, ended("cancelled")))

    def test_usage(self):
        """What makes no sense is refused before anybody is asked."""
        for arguments, said in (
            (("--on-deadline", "abort"), "give --deadline as well"),
            (("--cancel", "--deadline", "1h"), "for the reconfig itself"),
            (("--plan", "--cancel"), "not allowed with"),
            (("--deadline", "1"), "1m or 1h?"),
            (("--on-deadline", "stop"), "invalid choice"),
            (("dir", "--url", "http://farm.example/"), "not allowed with"),
        ):
            status, out = self.run_(*arguments)
            self.assertEqual(status, 2, out)
            self.assertIn(said, out)

    def test_directory(self):
        """The URL is what the master in a directory has noted; the errors say what would help."""
        directory = Path(self.mktemp())
        directory.mkdir()
        self.assertIn("is not a master's directory", self.run_(str(directory))[1])
        (directory / "buildbot.tac").touch()
        self.assertIn("does not run, or has no presences", self.run_(str(directory))[1])
        note = directory / "presence-master.json"
        for content, said in (
            ("nonsense", "cannot be read"),
            ("[]", "cannot be read"),
            ({"url": "http://127.0.0.1:1/", "pid": 2**22 + 1}, "does not run"),
            ({"url": None, "pid": os.getpid()}, "has no web server"),
        ):
            note.write_text(content if isinstance(content, str) else json.dumps(content))
            status, out = self.run_(str(directory))
            self.assertEqual(status, 2, out)
            self.assertIn(said, out)
        note.write_text(json.dumps({"url": "http://127.0.0.1:8099/", "pid": os.getpid()}))
        status, out = self.run_(str(directory), "--status", answers=[entity("idle")])
        self.assertEqual((status, FakeClient.url), (0, "http://127.0.0.1:8099/"), out)


class TextTests(SynchronousTestCase):
    text = ReconfigText(NOW, zoneFor("UTC"))

    def plan(self, *, held=(), waiting_for=(), mistakes=(), everything=False):
        return self.text.plan(
            {
                "all": everything,
                "held": list(held),
                "waiting_for": list(waiting_for),
                "mistakes": list(mistakes),
            }
        )

    def test_plan(self):
        """A plan in words: what is held and why, who is waited for, and how long that takes."""
        held = [
            {"builder": None, "worker": "mac", "why": "it is removed"},
            {"builder": "app", "worker": None, "why": "it is removed"},
            {"builder": "lib", "worker": "arm", "why": "it is taken away"},
        ]
        said = self.plan(held=held, waiting_for=[build(), build(13, "lib", "arm", NOW - 60, 600)])
        self.assertEqual(
            said.splitlines(),
            [
                "These would be held, everybody else would go on:",
                "  worker mac: it is removed",
                "  builder app: it is removed",
                "  builder lib on worker arm: it is taken away",
                "It would wait for:",
                "  app #12 on mac, running for 12 min, about 3 min to go",
                "  lib #13 on arm, running for 1 min, about 10 min to go",
                "That takes about 10 min.",
            ],
        )

    def test_many(self):
        """What is held for one reason is one line: the first of them by name, and all counted."""
        held = [{"builder": None, "worker": f"w{number}", "why": "it is removed"} for number in range(123)]
        self.assertEqual(
            self.plan(held=held).splitlines()[1],
            "  123 workers, w0, w1, w2, w3, w4 and 118 more: it is removed",
        )

    def test_planOfNothing(self):
        """Where nothing would be hurt, or nothing runs, it says that it would be at once."""
        self.assertEqual(self.plan(), "Nothing would be hurt: it would be reconfigured at once.")
        self.assertIn("Nothing runs there", self.plan(everything=True))
        self.assertIn("a mistake", self.plan(mistakes=["a mistake"]))
        self.assertIn("Nobody knows", self.plan(everything=True, waiting_for=[build(remaining=None)]))

    def test_progress(self):
        """Progress in words."""
        waiting = entity(waiting_for=[build(since=None)], deadline=NOW + HOUR, on_deadline="abort")
        self.assertEqual(
            self.text.progress(waiting),
            "06:00:00 waiting for 1 build, until 07:00 (then abort):\n  app #12 on mac",
        )
        self.assertIn("about to reconfigure", self.text.progress(entity()))
        self.assertIn("no reconfig waits", self.text.progress(entity("idle")))
        self.assertIn("(by bob)", self.text.progress(ended("cancelled", by="bob")))
        self.assertIn("a mistake", self.text.progress(ended("failed", mistakes=["a mistake"])))

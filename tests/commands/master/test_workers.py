import json

from presence.commands.terminal import table
from presence.text import plain
from tests.commands.master.admincase import HOUR, NOW, AdminTestCase, hold, worker


class ListTests(AdminTestCase):
    def test_workers(self):
        """`workers` shows the state of each, why, until when, how many builds run, and the next break."""
        self.master.workers["mac-mini"]["next_break"] = {"start": NOW + HOUR, "stop": None, "reason": None}
        self.assertEqual(
            self.done("workers"),
            [
                "WORKER    STATE          WHY                        UNTIL  RUNNING  NEXT BREAK",
                "mac-mini  available                                        1        07:00",
                "mac-pro   not accepting  on a break (office hours)  07:00  0",
                "plain     available                                        0",
            ],
        )

    def test_breaksThatSpare(self):
        """What partial breaks admit, what waits before a break, and when builds are interrupted stands among the reasons."""
        mini, pro = (self.master.workers[name] for name in ("mac-mini", "mac-pro"))
        reason = "a build may take 2 h, and is to be finished before the next break"
        mini["limits"] = [{"limit": "without bench-*", "until": NOW + HOUR}]
        mini["refused"] = [
            {"builder": "runtests", "reason": reason, "until": NOW + 3 * HOUR, "finish_by": NOW + HOUR},
            {"builder": "docs", "reason": reason, "until": None, "finish_by": NOW + HOUR},
        ]
        pro["interrupts_at"], pro["running"] = NOW + 900, 1
        lines = self.done("workers", "mac-*")
        self.assertIn(
            f"in a partial break: without bench-*, until 07:00; runtests: {reason} at 07:00, waits until 09:00; "
            f"docs: {reason} at 07:00",
            lines[1],
        )
        self.assertIn("on a break (office hours); what runs is interrupted at 06:15", lines[2])
        pro["running"] = 0
        self.assertNotIn("interrupted", self.done("workers", "mac-pro")[1])

    def test_readyButRefused(self):
        """A builder whose ready workers refuse it before a break says why, and until when."""
        builder = self.master.builders[0]
        builder["reason"], builder["back_at"] = "mac-mini: a build may take 2 h", NOW + HOUR
        line = next(each for each in self.done("builders") if builder["name"] in each)
        self.assertIn("a build may take 2 h", line)
        self.assertTrue(line.endswith("07:00"), line)

    def test_stopping(self):
        """While the master stops no worker and no builder is called available."""
        self.master.shutdown["state"] = "stopping"
        for command in ("workers", "builders"):
            lines = self.done(command)
            self.assertFalse([line for line in lines if "available" in line])
            self.assertTrue([line for line in lines if "stopping" in line])

    def test_state(self):
        """`--state` keeps those in this state."""
        for state, names in (
            ("available", ["mac-mini", "plain"]),
            ("away", ["mac-pro"]),
            ("NOT_ACCEPTING_NEW_BUILDS", ["mac-pro"]),
        ):
            lines = self.done("workers", "--state", state)
            self.assertEqual([line.split()[0] for line in lines[1:]], names)
        status, _, err = self.run_("workers", "--state", "busy")
        self.assertEqual(status, 2)
        self.assertIn("'busy' is not a state: write available or away", err)

    def test_selection(self):
        """Names, patterns and --builder choose; the latter two at once mean those that are both."""
        for arguments, names in (
            (["mac-mini"], ["mac-mini"]),
            (["mac-*"], ["mac-mini", "mac-pro"]),
            (["plain", "*-pro"], ["mac-pro", "plain"]),
            (["--builder", "mac only"], ["mac-pro"]),
            (["--builder", "*"], ["mac-mini", "mac-pro", "plain"]),
            (["--builder", "runtests", "p*"], ["plain"]),
        ):
            found = json.loads("\n".join(self.done("workers", "--json", *arguments)))
            self.assertEqual([each["name"] for each in found], names)

    def test_builderOnly(self):
        """`--builder-only` orders of builders, and of no worker; with workers it is a usage error."""
        (line,) = self.done("hold", "--builder-only", "runtests", "--reason", "key")
        self.assertEqual(line, "06:00:00 runtests: not accepting, held by ann (key)")
        self.assertEqual(self.master.posted(), [("1", "hold", {"reason": "key", "until": None})])
        (line,) = self.done("release", "--builder-only", "runt*")
        self.assertEqual(line, "06:00:00 runtests: available")
        for more in (["mac-mini"], ["--builder", "runtests"], ["--source", "x"]):
            status, _, err = self.run_("hold", "--builder-only", "runtests", *more)
            self.assertEqual(status, 2)
            self.assertIn("name no workers", err)
        self.assertIn("there is no builder x", self.run_("hold", "--builder-only", "x")[2])

    def test_source(self):
        """`--source` pushes a hold that ends, and withdraws it; without an end it is a usage error."""
        self.run_("hold", "mac-mini", "--source", "zabbix", "--reason", "load 63", "--for", "5m")
        pushed = self.master.posted()[-1]
        self.assertEqual(pushed[:2], ("1", "push"))
        self.assertEqual(pushed[2]["source"], "zabbix")
        self.assertAlmostEqual(pushed[2]["until"], NOW + 300, delta=1)
        self.run_("release", "mac-mini", "--source", "zabbix")
        self.assertEqual(self.master.posted()[-1], ("1", "withdraw", {"source": "zabbix"}))
        status, _, err = self.run_("hold", "mac-mini", "--source", "zabbix")
        self.assertEqual((status, len(self.master.posted())), (2, 2))
        self.assertIn("give --for or --until", err)

    def test_group(self):
        """The name of a group means its workers, also for an order; it is suggested like theirs."""
        for name in ("mac-mini", "plain"):
            self.master.workers[name]["groups"] = ["rack-2"]
        found = json.loads("\n".join(self.done("workers", "--json", "rack-2")))
        self.assertEqual([each["name"] for each in found], ["mac-mini", "plain"])
        status, _, err = self.run_("hold", "rack-2")
        self.assertEqual((status, self.master.posted()[-1][:2]), (0, ("1", "hold")))
        self.assertIn("plain is left out", err)
        self.assertIn("did you mean rack-2?", self.run_("hold", "rack2")[2])

    def test_nobody(self):
        """A name or a pattern of nobody is a mistake, and says who there is."""
        for arguments, said in (
            (["nobody"], "there is no worker nobody: there are mac-mini, mac-pro, plain"),
            (["mac-*", "x*"], "there is no worker x*"),
            (["mac-min"], "there is no worker mac-min: did you mean mac-mini?"),
            (["--builder", "x"], "there is no builder x: there are runtests, mac only"),
        ):
            status, out, err = self.run_("workers", *arguments)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(said, err)

    def test_json(self):
        """`--json` prints what the API says."""
        self.assertEqual(
            json.loads("\n".join(self.done("workers", "--json"))), list(self.master.workers.values())
        )
        self.assertEqual(json.loads("\n".join(self.done("builders", "--json"))), self.master.builders)

    def test_builders(self):
        """`builders` shows how many are ready of all, how many requests wait, and why none is ready."""
        self.assertEqual(
            self.done("builders"),
            [
                "BUILDER   STATE          READY   WAITING  WHY                  UNTIL",
                "runtests  available      2 of 3  0",
                "mac only  not accepting  0 of 3  4        mac-pro: on a break  07:00",
            ],
        )
        self.assertEqual(len(self.done("builders", "mac*")), 2)

    def test_terminal(self):
        """What people have written cannot command the terminal."""
        self.master.workers["mac-pro"]["holds"][0]["reason"] = "a\x1b]0;b\x07\u202ec"
        text = "\n".join(self.done("workers"))
        self.assertIn("(a\ufffd]0;b\ufffd\ufffdc)", text)

    def test_columns(self):
        """Columns are as wide as they need to be; one in which nothing is, is left out."""
        self.assertEqual(
            table(("A", "B", "C"), [("xxx", "", "y"), ("x", "", "yy")]), "A    C\nxxx  y\nx    yy"
        )
        self.assertEqual(table(("A", "B"), []), "A  B")
        self.assertEqual(plain("ä é 漢"), "ä é 漢")


class OrderTests(AdminTestCase):
    def test_hold(self):
        """`hold` holds all workers that are meant, with one order, and says what is so then of each."""
        lines = self.done("hold", "mac-*", "--reason", "disk", "--for", "2h")
        self.assertEqual(
            self.master.posted(),
            [
                (
                    "presences",
                    "hold",
                    {"workers": ["mac-mini", "mac-pro"], "reason": "disk", "until": NOW + 2 * HOUR},
                )
            ],
        )
        self.assertEqual(
            lines,
            [
                "06:00:00 mac-mini: not accepting, held by ann (disk), until 08:00",
                "06:00:00 mac-pro: not accepting, on a break (office hours), until 07:00; held by ann (disk), until 08:00",
            ],
        )

    def test_notConfirmed(self):
        """What another master has not confirmed is stored: that is said once, with a status of its own."""
        waits = {
            "heeded": False,
            "heeded_by": [],
            "not_confirmed": ["b"],
            "text": "stored; master b has not confirmed",
        }
        heeded = {"heeded": True, "heeded_by": ["a"], "not_confirmed": [], "text": None}
        self.master.acknowledged["mac-mini"] = {"order": waits}
        self.master.acknowledged["mac-pro"] = {"order": heeded}
        status, out, err = self.run_("hold", "mac-*")
        self.assertEqual((status, len(out.splitlines())), (4, 2))
        self.assertEqual(err, "presence: mac-mini: stored; master b has not confirmed\n")
        self.master.acknowledged["mac-pro"] = {"order": waits}
        status, _, err = self.run_("release", "mac-*")
        self.assertEqual((status, err.count("stored")), (4, 1))
        self.assertIn("mac-mini, mac-pro: stored", err)

    def test_withoutEnd(self):
        """Without --for and --until there is no end."""
        self.done("hold", "mac-mini")
        self.assertEqual(self.master.posted(), [("1", "hold", {"reason": None, "until": None})])

    def test_release(self):
        """`release` releases; what else holds the worker is shown."""
        self.done("hold", "mac-*")
        lines = self.done("release", "mac-*")
        self.assertEqual(lines[0], "06:00:00 mac-mini: available")
        self.assertIn("on a break (office hours)", lines[1])

    def test_builder(self):
        """--builder chooses the workers of a builder; stock workers are left out, and that is said."""
        status, out, err = self.run_("hold", "--builder", "runtests")
        self.assertEqual(status, 0)
        self.assertEqual(len(out.splitlines()), 2)
        self.assertEqual(err, "presence: plain is left out: it is one of Buildbot's own workers\n")

    def test_stockByName(self):
        """A stock worker that is named is refused by the master, in its words, and none of the others is held."""
        for names, said in (("plain",), "plain: "), (("plain", "mac-mini"), ""):
            status, out, err = self.run_("hold", *names)
            self.assertEqual((status, out), (1, ""))
            self.assertEqual(err, f"presence: {said}plain is one of Buildbot's own\n")
        self.assertEqual(self.master.workers["mac-mini"]["holds"], [])

    def test_nobodyIsLeft(self):
        """When all that a pattern means are left out nothing is ordered."""
        status, out, _ = self.run_("hold", "pl*n")
        self.assertEqual((status, out, self.master.posted()), (0, "", []))

    def test_nobodyIsMeant(self):
        """Who names nobody does not mean everybody."""
        for command in ("hold", "release"):
            status, _, err = self.run_(command)
            self.assertEqual(status, 2)
            self.assertIn("name the workers", err)
        self.assertEqual(self.master.posted(), [])

    def test_oneUnknown(self):
        """When one of the names is unknown none of the others is held."""
        status, _, _ = self.run_("hold", "mac-mini", "nobody")
        self.assertEqual(status, 2)
        self.assertEqual(self.master.posted(), [])

    def test_mistakes(self):
        """A reason that is too long, and a time that is none, are refused before the master is asked."""
        for arguments, said in (
            (["--reason", "x" * 513], "it has 513 characters, and at most 512"),
            (["--reason", "a\nb"], "write plain text on one line"),
            (["--for", "soon"], "not a duration"),
            (["--until", "soon"], "not a time"),
            (["--for", "1h", "--until", "18:00"], "not allowed with"),
        ):
            status, _, err = self.run_("hold", "mac-mini", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(said, err)
        self.assertEqual(self.master.requests, [])


class WatchTests(AdminTestCase):
    def stream(self, *events):
        lines = ["event: handshake\ndata: 4711\n\n"]
        for name, entity in events:
            data = {"key": ["presences", str(entity["workerid"]), name], "message": entity}
            lines.append(f"event: event\ndata: {json.dumps(data)}\n\n")
        self.master.stream = "".join(lines).encode()

    def test_watch(self):
        """`watch` prints a line for each change; when the master ends it, it says so."""
        self.stream(
            ("changed", worker("mac-mini", 1, holds=[hold(reason="disk", by="ann", until=NOW + 60)])),
            ("changed", worker("mac-mini", 1, running=2)),
            ("removed", worker("mac-pro", 2)),
        )
        status, out, err = self.run_("watch")
        self.assertEqual(
            out.splitlines(),
            [
                "following all workers",
                "06:00:00 mac-mini: not accepting, held by ann (disk), until 06:01",
                "06:00:00 mac-mini: available, 2 running",
                "06:00:00 mac-pro: available, removed from the configuration",
            ],
        )
        self.assertEqual(status, 1)
        self.assertIn("has ended the connection", err)

    def test_some(self):
        """It follows only those that are meant."""
        self.stream(("changed", worker("mac-mini", 1)), ("changed", worker("mac-pro", 2)))
        _, out, _ = self.run_("watch", "--builder", "mac only")
        self.assertEqual(out.splitlines(), ["following mac-pro", "06:00:00 mac-pro: available"])

    def test_json(self):
        """`--json` prints each entity on a line."""
        self.stream(("changed", worker("mac-mini", 1)))
        _, out, _ = self.run_("watch", "--json")
        self.assertEqual([json.loads(line)["name"] for line in out.splitlines()], ["mac-mini"])

import argparse
import contextlib
import io
import json
from pathlib import Path

from icalendar import Calendar
from twisted.trial.unittest import SynchronousTestCase

from presence.commands import breaks
from tests.missing import missing

MASTER_CFG = """
from buildbot.plugins import schedulers, util, worker
from presence.breaks.schedule import BreakSchedule

class Away(worker.Worker):
    def checkConfig(self, *args, onBreakDuring=None, **kwargs):
        super().checkConfig(*args, **kwargs)
        self.schedule = BreakSchedule.fromConfig(onBreakDuring, "Europe/Berlin")

BuildmasterConfig = {
    "buildbotNetUsageData": None,
    "workers": [
        Away("mac-mini", "s3cret", onBreakDuring=("19:00", "07:00")),
        Away("free", "s3cret"),
        worker.Worker("plain", "s3cret"),
    ],
    "protocols": {"pb": {"port": "tcp:0"}},
    "schedulers": [schedulers.ForceScheduler(name="force", builderNames=["b"])],
    "builders": [util.BuilderConfig(name="b", workernames=["plain"], factory=util.BuildFactory())],
}
"""


class BreaksCommandTests(SynchronousTestCase):
    def command(self, *argv):
        """Exit status, standard output and standard error of `presence breaks *argv`."""
        parser = argparse.ArgumentParser()
        breaks.addParser(parser.add_subparsers())
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            options = parser.parse_args(["breaks", *argv])
            status = options.run(options)
        return status, out.getvalue(), err.getvalue()

    def shown(self, *argv):
        status, out, err = self.command(*argv)
        self.assertEqual((status, err), (0, ""))
        return out.splitlines()

    def refused(self, *argv, status=2):
        """What the command says to standard error, and nothing else."""
        found, out, err = self.command(*argv)
        self.assertEqual((found, out), (status, ""))
        return err

    def master(self, config=MASTER_CFG, tac=""):
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "master.cfg").write_text(config)
        (folder / "buildbot.tac").write_text(tac)
        return folder

    def test_page(self):
        """A break a line: day, start, stop with its day, length; a change of the clocks in it says so."""
        self.assertEqual(
            self.shown("--break", "7PM-7AM", "--tz", "Europe/Berlin", "--from", "2026-10-24", "--days", "2"),
            [
                "Breaks in the 2 days from Sat 2026-10-24",
                "",
                "Europe/Berlin, on a break for 25 h of 49 h",
                "  Fri 2026-10-23  19:00 – 07:00 Sat                12 h",
                "  Sat 2026-10-24  19:00 – 07:00 Sun                13 h",
                "    Sun 2026-10-25  03:00   clocks go back by 1 h, CEST → CET: this break is 1 h longer",
                "  Sun 2026-10-25  19:00 – 07:00 Mon                12 h",
            ],
        )

    def test_changeOutsideABreak(self):
        """A change of the clocks between two breaks has its own line, also if it leaves one out."""
        self.assertEqual(
            self.shown(
                "--break", "02:30-03:15", "--tz", "Europe/Berlin", "--from", "2026-03-28", "--days", "3"
            )[3:],
            [
                "  Sat 2026-03-28  02:30 – 03:15                  45 min",
                "  Sun 2026-03-29  02:00   clocks go forward by 1 h, CET → CEST",
                "  Mon 2026-03-30  02:30 – 03:15                  45 min",
            ],
        )

    def test_severalBreaks(self):
        """Several breaks are shown as the one schedule that they make."""
        lines = self.shown(
            "--break",
            "12:00-13:00 FR",
            "--break",
            "13:00-14:00",
            "--tz",
            "UTC",
            "--from",
            "2026-11-26",
            "--days",
            "2",
        )
        self.assertEqual(
            lines[3:],
            [
                "  Thu 2026-11-26  13:00 – 14:00                     1 h",
                "  Fri 2026-11-27  12:00 – 14:00                     2 h",
            ],
        )

    def test_forms(self):
        """Blanks, AM and PM, days as in master.cfg, one break from a datetime to a datetime."""
        for text, expected in {
            "7 PM - 7 AM Mon": "Mon 2026-11-23  19:00 – 07:00 Tue                12 h",
            "7:30 p.m.-8 p.m. MO, SU": "Mon 2026-11-23  19:30 – 20:00                  30 min",
            "00:00-24:00 Mondays": "Mon 2026-11-23  00:00 – 24:00                    24 h",
            "23:00–24:00 MO": "Mon 2026-11-23  23:00 – 24:00                     1 h",
            "2026-11-23T10:00/2026-12-05T10:00:30": "Mon 2026-11-23  10:00 – 10:00:30 2026-12-05   288 h 30 s",
        }.items():
            lines = self.shown("--break", text, "--tz", "UTC", "--from", "2026-11-23", "--days", "1")
            self.assertEqual(lines[0], "Breaks in the day from Mon 2026-11-23")
            self.assertEqual(lines[3].strip(), expected)

    def test_rule(self):
        """A rule says the days of the one break."""
        lines = self.shown(
            "--break", "19:00-21:00", "--rule", "FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU", "--since", "2026-01-13",
            "--tz", "UTC", "--from", "2026-11-01", "--days", "90",
        )  # fmt: skip
        self.assertEqual([line.split("  ")[1] for line in lines[3:]], ["Tue 2026-11-10", "Tue 2027-01-12"])

    def test_noEnd(self):
        """A break without an end says so, whenever it began."""
        lines = self.shown("--break", "00:00-24:00", "--tz", "UTC", "--from", "2026-11-23")
        self.assertEqual(lines[3:], ["  no end within 400 days"])
        lines = self.shown("--break", "2026-11-24/2029-11-24", "--tz", "UTC", "--from", "2026-11-23")
        self.assertEqual(lines[3:], ["  Tue 2026-11-24  00:00 – no end within 400 days"])

    def test_now(self):
        """Without --from it begins now, in the zone of this host."""
        status, out, _ = self.command("--break", "2001-01-01/2001-01-02")
        [period, _, head, over] = out.splitlines()
        self.assertEqual(status, 0)
        self.assertRegex(period, "Breaks in the 7 days from ... 20[0-9-]{8}")
        self.assertIn("on a break for 0 min of 168 h", head)
        self.assertEqual(over, "  it is over since Tue 2001-01-02 00:00")

    def test_over(self):
        """A break that is over for good is told, with when it ended; also when that is long ago."""
        for argv, end in [
            (("--break", "2001-01-01/2001-01-02"), "2001-01-02 00:00"),
            (("--break", "19:00-07:00", "--rule", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20200101"), "2019-12-31 07:00"),
            (
                ("--break", "19:00-21:00", "--rule", "FREQ=DAILY;COUNT=2", "--since", "2024-02-28"),
                "2024-02-29 21:00",
            ),
        ]:
            status, out, err = self.command(*argv, "--tz", "UTC", "--from", "2026-11-23")
            self.assertEqual(status, 0)
            self.assertRegex(out.splitlines()[-1], f"it is over since ... {end}")
            self.assertRegex(err, f"warning: Break.* is over since {end}: take it out")

    def test_next(self):
        """Where nothing falls into the window the next break is shown, in full."""
        lines = self.shown(
            "--break",
            "19:00-21:00",
            "--rule",
            "FREQ=MONTHLY;BYDAY=2TU",
            "--tz",
            "UTC",
            "--from",
            "2026-11-20",
        )
        self.assertEqual(lines[3:], ["  next: Tue 2026-12-08  19:00 – 21:00                     2 h"])

    def test_severalDays(self):
        """A break over a weekend is a line, with the clocks that change in it."""
        lines = self.shown("--break", "FR 18:00 - MO 08:00", "--tz", "Europe/Berlin", "--from", "2026-10-24")
        self.assertEqual(
            lines[3:6],
            [
                "  Fri 2026-10-23  18:00 – 08:00 Mon                63 h",
                "    Sun 2026-10-25  03:00   clocks go back by 1 h, CEST → CET: this break is 1 h longer",
                "  Fri 2026-10-30  18:00 – 08:00 Mon                62 h",
            ],
        )

    def test_working(self):
        """The times of work are shown as the breaks between them."""
        lines = self.shown("--working", "19:00-07:00", "--tz", "UTC", "--from", "2026-11-23", "--days", "1")
        self.assertEqual(lines[3:], ["  Mon 2026-11-23  07:00 – 19:00                    12 h"])

    def test_partial(self):
        """A partial break says what may start in it, and is no time in which the worker is away."""
        config = MASTER_CFG.replace(
            'onBreakDuring=("19:00", "07:00")',
            'onBreakDuring=Break("8:00", "18:00", builds=2, only="quick-*", reason="office")',
        ).replace("import BreakSchedule", "import Break, BreakSchedule")
        lines = self.shown(str(self.master(config)), "--from", "2026-11-23", "--days", "1")
        self.assertEqual(
            lines[2:4],
            [
                "mac-mini, Europe/Berlin, on a break for 0 min of 24 h",
                "  Mon 2026-11-23  08:00 – 18:00                    10 h   at most 2 builds, only quick-*; office",
            ],
        )

    def test_sparing(self):
        """What a break does for builds and to them stands before its reason; a deadline on another day has its day."""
        lines = self.master_lines(
            'Break("19:00", "07:00", finishBefore=True, deadline="15m", reason="office")',
            'Break("23:00", "23:59", only="quick-*", finishBefore=True)',
            'Break("FR 22:00", "SA 12:00", deadline="3h")',
        )
        finish = "no build starts that would run into it"
        self.assertEqual(
            [line.split("   ")[-1] for line in lines],
            [
                # two have become one, whose first deadline that is
                f"{finish}; what runs is interrupted at 19:15; office",
                f"only quick-*; {finish}",
            ],
        )
        [line] = self.master_lines('Break("22:00", "12:00", "FR", deadline="3h")')
        self.assertTrue(line.endswith("what runs is interrupted on Sat 01:00"), line)

    def master_lines(self, *breaks):
        """What is shown of a worker with these breaks, of Friday and Saturday noon."""
        config = MASTER_CFG.replace(
            'onBreakDuring=("19:00", "07:00")', f"onBreakDuring=[{', '.join(breaks)}]"
        ).replace("import BreakSchedule", "import Break, BreakSchedule")
        lines = self.shown(str(self.master(config)), "--from", "2026-11-27T12:00", "--days", "1")
        return lines[3 : lines.index("", 3)]

    def test_warnings(self):
        """What is hardly meant is said to standard error, of each worker; the page is shown all the same."""
        config = MASTER_CFG.replace('("19:00", "07:00")', '("00:00", "23:59")')
        status, out, err = self.command(str(self.master(config)), "--from", "2026-11-23")
        self.assertEqual(status, 0)
        self.assertIn("on a break for", out)
        self.assertIn(
            "warning: mac-mini: between two breaks the worker is available from 23:59 to 00:00 only", err
        )

    def test_warnedOnce(self):
        """Of a worker of ours each is told once, and not as lines of code."""
        config = MASTER_CFG.replace(
            'Away("mac-mini", "s3cret", onBreakDuring=("19:00", "07:00"))',
            'worker.BuildSlave("mac-mini", "s3cret", onBreakDuring=("00:00", "23:59"), timezone="UTC")',
        )
        _, _, err = self.command(str(self.master(config)), "--from", "2026-11-23")
        self.assertEqual(err.count("23:59 to 00:00"), 1)
        self.assertNotIn("ConfigWarning", err)

    def test_calendar(self):
        """--ics writes a calendar with the breaks, without their reasons unless it is asked for them."""
        argv = ("--break", "2026-12-24T12:00/2026-12-27", "--tz", "Europe/Berlin", "--from", "2026-12-01")
        status, out, err = self.command(*argv, "--days", "30", "--ics")
        self.assertEqual((status, err), (0, ""))
        calendar = Calendar.from_ical(out)
        [event] = calendar.walk("VEVENT")
        self.assertEqual(event["DTSTART"].dt.isoformat(), "2026-12-24T11:00:00+00:00")
        self.assertEqual(event["DTEND"].dt.isoformat(), "2026-12-26T23:00:00+00:00")
        self.assertEqual(event["SUMMARY"], "worker: break")
        config = (
            MASTER_CFG.replace('("19:00", "07:00")', '("19:00", "07:00"), reason="x"')
            .replace(
                'onBreakDuring=("19:00", "07:00"), reason="x"',
                'onBreakDuring=Break("19:00", "07:00", reason="Ann, or Bob; büro")',
            )
            .replace("import BreakSchedule", "import Break, BreakSchedule")
        )
        folder = str(self.master(config))
        for more, summary in [((), "mac-mini: break"), (("--reasons",), "mac-mini: Ann, or Bob; büro")]:
            _, out, _ = self.command(folder, "--from", "2026-11-23", "--days", "1", "--ics", *more)
            events = Calendar.from_ical(out).walk("VEVENT")
            self.assertEqual({str(each["SUMMARY"]) for each in events}, {summary})

    def test_instant(self):
        """--from may be a moment, with an offset or in the zone that is shown."""
        for moment in ("2026-11-23T05:00", "2026-11-22T20:00Z"):
            lines = self.shown("--break", "19:00-07:00", "--tz", "Asia/Tokyo", "--from", moment)
            self.assertEqual(lines[0], "Breaks in the 7 days from Mon 2026-11-23 05:00")

    def test_misuse(self):
        """What cannot be is refused with exit status 2, and what would be right."""
        for argv, hint in [
            ((), '--break "19:00-07:00"'),
            (("--break", "19:00"), '"19:00-07:00"'),
            (("--break", "0 19 * * 1-5"), "cron"),
            (("--working", "19:00-07:00", "--break", "1:00-2:00"), "--working excludes"),
            (("--calendar", "no.ics"), "--calendar: file: 'no.ics' cannot be read"),
            (("--break", "25:00-07:00"), "start: '25:00'"),
            (("--break", "19:00-07:00 XX"), "days: 'XX'"),
            (("--break", "2026-11-23/x"), "do not go together"),
            (("--break", "19:00-07:00", "--tz", "ABC5"), "--tz: 'ABC5'"),
            (("--break", "19:00-07:00", "--from", "monday"), "--from: 'monday'"),
            (("--break", "19:00-07:00", "--from", "9999-12-31"), "1970 to 8999"),
            (("--break", "19:00-07:00", "--days", "0"), "--days: '0'"),
            (("--break", "19:00-07:00", "--days", "x"), "--days: 'x'"),
            (("--break", "19:00-07:00", "--rule", "FREQ=HOURLY"), "FREQ=HOURLY"),
            (("--break", "19:00-07:00", "--since", "2026-01-01"), "no rule"),
            (("--break", "1:00-2:00", "--break", "3:00-4:00", "--rule", "FREQ=DAILY"), "one --break"),
            (("--break", "19:00-07:00", "."), "exclude each other"),
            (("--rule", "FREQ=DAILY", "."), "exclude each other"),
            (("/no/such/master",), "not a directory"),
        ]:
            self.assertIn(hint, self.refused(*argv), argv)

    def test_master(self):
        """Every worker of a master is shown, in its zone; a stock worker has no breaks."""
        lines = self.shown(str(self.master()), "--from", "2026-11-23", "--days", "1")
        self.assertEqual(
            lines[1:],
            [
                "",
                "mac-mini, Europe/Berlin, on a break for 12 h of 24 h",
                "  Sun 2026-11-22  19:00 – 07:00 Mon                12 h",
                "  Mon 2026-11-23  19:00 – 07:00 Tue                12 h",
                "",
                "no breaks: free, plain",
            ],
        )

    def test_chosen(self):
        """Only the workers that are named are shown, by name or by pattern; an unknown one is a mistake."""
        master, start = str(self.master()), ("--from", "2026-11-23", "--days", "1")
        self.assertEqual(self.shown(master, "pl*", "free", *start)[1:], ["", "no breaks: free, plain"])
        self.assertIn("did you mean free?", self.refused(master, "fre"))

    def test_json(self):
        """The same for programs, in the fields of the REST API, however many breaks there are."""
        shown = ("--from", "2026-11-23", "--days", "400", "--json")
        (told,) = [json.loads("\n".join(self.shown(str(self.master()), "mac-mini", *shown)))]
        (worker,) = told["workers"]
        self.assertEqual((worker["name"], worker["zones"]), ("mac-mini", ["Europe/Berlin"]))
        self.assertEqual(len(worker["breaks"]), 401)
        first = {
            "start": 1795370400.0,
            "stop": 1795413600.0,
            "reason": None,
            "finish_before": False,
            "interrupts_at": None,
        }
        self.assertEqual(worker["breaks"][0], first)
        self.assertEqual(told["warnings"], [])

    def test_everyWorker(self):
        """Workers that have their breaks from `presence.enable()` are shown, too."""
        enable = (
            'presence.enable(BuildmasterConfig, onBreakDuring={"plain*": ("03:00", "04:00")}, timezone="UTC")'
        )
        lines = self.shown(
            str(self.master(f"{MASTER_CFG}\nimport presence\n{enable}\n")), "--from", "2026-11-23"
        )
        self.assertIn("plain, UTC, on a break", "\n".join(lines))

    def test_masterInAnotherZone(self):
        """--tz shows a master's breaks on the clock of another place."""
        lines = self.shown(str(self.master()), "--from", "2026-11-23", "--days", "1", "--tz", "Asia/Tokyo")
        self.assertEqual(lines[3], "  Mon 2026-11-23  03:00 – 15:00                    12 h")

    def test_configFileOfTheMaster(self):
        """buildbot.tac says which file the configuration is in."""
        folder = self.master(tac="configfile = 'other.cfg'")
        (folder / "master.cfg").rename(folder / "other.cfg")
        self.assertIn("no breaks: free, plain", self.shown(str(folder)))

    def test_configErrors(self):
        """Mistakes in the configuration are all told, with exit status 1."""
        folder = self.master(MASTER_CFG.replace('"builders"', '"builder"'))
        said = self.refused(str(folder), status=1)
        self.assertIn("Unknown BuildmasterConfig key builder", said)
        self.assertIn("no builders are configured", said)

    def test_brokenTac(self):
        """A buildbot.tac that fails is told, with exit status 1."""
        self.assertIn("boom", self.refused(str(self.master(tac="raise ValueError('boom')")), status=1))

    def test_noConfig(self):
        """A directory without a configuration is told, with exit status 1."""
        folder = Path(self.mktemp())
        folder.mkdir()
        self.assertIn("master.cfg", self.refused(str(folder), status=1))

    def test_noBuildbot(self):
        """Where Buildbot is missing, what needs it says so, and the rest works."""
        with missing("buildbot.config.errors"):
            self.assertIn("pip install", self.refused(str(self.master()), status=1))
            self.shown("--break", "19:00-07:00")

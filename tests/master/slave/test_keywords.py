import inspect
import warnings
from datetime import datetime, timezone
from pathlib import Path

from buildbot.config.errors import ConfigErrors, capture_config_errors
from buildbot.config.master import FileLoader
from buildbot.plugins import util
from buildbot.warnings import ConfigWarning
from buildbot.worker.base import Worker
from twisted.trial.unittest import SynchronousTestCase

from presence import Break
from presence.breaks import warnings as breakwarnings
from presence.breaks.schedule import BreakSchedule
from presence.master.buildslave import BuildSlave, PresenceMixin
from presence.master.slave import keywords
from tests.master.fakemaster import HOUR, MasterTestCase


class Mixed(PresenceMixin, Worker):
    """What an admin writes who wants another class of worker."""


class GoodTests(SynchronousTestCase):
    """What is right is taken as it is meant."""

    def test_asKeywords(self):
        """`name=` and `passwd=` may be keywords."""
        slave = BuildSlave(name="mac-mini", passwd="s3cret", onBreakDuring=("07:00", "19:00"), timezone="UTC")
        self.assertEqual((slave.name, slave.password), ("mac-mini", "s3cret"))
        self.assertEqual(slave.schedule, BreakSchedule.fromConfig(Break("07:00", "19:00", tz="UTC")))

    def test_positional(self):
        """Name and password may be positional, as in `Worker`; the breaks may follow."""
        slave = BuildSlave("mac-mini", "s3cret", ("07:00", "19:00"), "UTC")
        self.assertEqual((slave.name, slave.password), ("mac-mini", "s3cret"))
        self.assertEqual(slave.schedule, BreakSchedule.fromConfig(("07:00", "19:00"), "UTC"))

    def test_password(self):
        """`password=` is another name of `passwd=`, and compares equal to it."""
        one, other = BuildSlave("mac-mini", password="s3cret"), BuildSlave("mac-mini", passwd="s3cret")
        self.assertEqual(one.password, "s3cret")
        self.assertEqual(one._config_args, other._config_args)
        self.assertEqual(one._config_kwargs, other._config_kwargs)

    def test_secret(self):
        """The password may be a secret."""
        secret = util.Secret("mac-mini")
        self.assertIs(BuildSlave("mac-mini", secret).password, secret)

    def test_noBreaks(self):
        """Without breaks there are none."""
        self.assertEqual(BuildSlave("mac-mini", "s3cret").schedule, BreakSchedule.fromConfig(None))

    def test_mixin(self):
        """`PresenceMixin` gives the breaks, and the keyword `name=`, to any class."""
        worker = Mixed(name="mac-mini", password="s3cret", onBreakDuring=("07:00", "19:00"), timezone="UTC")
        self.assertEqual(worker.name, "mac-mini")
        self.assertEqual(worker.schedule, BreakSchedule.fromConfig(("07:00", "19:00"), "UTC"))


class WorkingTests(SynchronousTestCase):
    """`workingDuring=` is the opposite of `onBreakDuring=`, and what is hardly meant is a warning."""

    def test_workingDuring(self):
        """It makes the breaks between the times of work, and belongs to the configuration that is compared."""
        slave = BuildSlave("mac-mini", "s3cret", workingDuring=("19:00", "07:00"), timezone="UTC")
        self.assertEqual(slave.schedule, BreakSchedule.fromConfig(("07:00", "19:00"), "UTC"))
        self.assertEqual(slave._config_kwargs["workingDuring"], ("19:00", "07:00"))
        self.assertNotIn("workingDuring", BuildSlave("mac-mini", "s3cret")._config_kwargs)

    def test_mistake(self):
        """A mistake in it names the worker and what was given, and it excludes the other."""
        with capture_config_errors() as errors:
            BuildSlave("mac-mini", "s3cret", workingDuring=("25:00", "07:00"))
            BuildSlave("mac-mini", "s3cret", ("1:00", "2:00"), workingDuring=("3:00", "4:00"))
        first, second = errors.errors
        self.assertIn(
            "BuildSlave 'mac-mini': workingDuring=('25:00', '07:00'): workingDuring: start: '25:00'", first
        )
        self.assertIn("exclude each other", second)

    def warningsOf(self, *breaks, **keywords):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            BuildSlave("mac-mini", "s3cret", *breaks, **keywords)
        return [str(each.message) for each in caught if issubclass(each.category, ConfigWarning)]

    def test_warning(self):
        """What is allowed and hardly meant is a warning with the worker's name, in checkconfig as in the log."""
        [said] = self.warningsOf(("18:00", "08:00", "FR-MO"), timezone="UTC")
        self.assertIn("BuildSlave 'mac-mini': (", said)
        self.assertIn('Break("FR 18:00", "MO 08:00")', said)

    def test_manyWorkers(self):
        """Workers with the same breaks are all warned of, and what is wrong with these is looked for once."""
        looked = []
        keywords._warnings_of.cache_clear()
        self.addCleanup(keywords._warnings_of.cache_clear)
        self.patch(breakwarnings, "warningsOf", lambda schedule, now: looked.append(schedule) or ["odd"])
        self.patch(keywords, "_now", lambda: datetime(2026, 11, 24, 18, 7, tzinfo=timezone.utc))
        breaks = Break("07:01", "19:02", tz="Asia/Kolkata")
        self.assertEqual(self.warningsOf(breaks), ["BuildSlave 'mac-mini': odd"])
        self.assertEqual(self.warningsOf(breaks), ["BuildSlave 'mac-mini': odd"])
        self.assertEqual(looked, [BreakSchedule([breaks])])

    def test_zoneOfTheHost(self):
        """So is a zone of the host that is none, for breaks that go by it, and only for those."""
        self.patch(breakwarnings, "hostWarnings", lambda: ["TZ is wrong"])
        self.assertEqual(self.warningsOf(("07:00", "19:00")), ["BuildSlave 'mac-mini': TZ is wrong"])
        elsewhere = Break("07:00", "19:00", tz="Asia/Kolkata")
        self.assertEqual(self.warningsOf(("07:00", "19:00"), timezone="Asia/Kolkata"), [])
        self.assertEqual(self.warningsOf(elsewhere) + self.warningsOf(), [])


class MistakeTests(SynchronousTestCase):
    """Each mistake is a `config.error`, with the name of the worker, the value, and what would be right."""

    def errors(self, *args, **kwargs):
        with self.assertRaises(ConfigErrors) as caught, capture_config_errors(raise_on_error=True):
            BuildSlave(*args, **kwargs)
        return caught.exception.errors

    def assertError(self, parts, *args, **kwargs):
        errors = self.errors(*args, **kwargs)
        self.assertEqual(len(errors), 1, errors)
        for part in parts:
            self.assertIn(part, errors[0])

    def test_noName(self):
        """There must be a name."""
        self.assertError(["BuildSlave", 'name="'], passwd="s3cret")

    def test_badName(self):
        """It must be a string, and not an empty one."""
        self.assertError(["name=7", 'name="mac-mini"'], 7, "s3cret")
        self.assertError(["name=''", 'name="mac-mini"'], "", "s3cret")

    def test_noPassword(self):
        """There must be a password."""
        self.assertError(["'mac-mini'", "passwd="], "mac-mini")

    def test_twoPasswords(self):
        """There may be one only."""
        self.assertError(["'mac-mini'", "passwd=", "password="], "mac-mini", "a", password="b")

    def test_badPassword(self):
        """It must be a string or a secret. The value is not shown, it may be one."""
        errors = self.errors("mac-mini", 12345)
        self.assertIn("'mac-mini'", errors[0])
        self.assertIn("int", errors[0])
        self.assertNotIn("12345", errors[0])

    def test_unknownKeyword(self):
        """A keyword that is misspelled is named, and so is the right one."""
        self.assertError(
            ["'mac-mini'", "onBreakduring=", "onBreakDuring="], "mac-mini", "s", onBreakduring=("7PM", "8PM")
        )
        self.assertError(["'mac-mini'", "max_build=", "given 3", "max_builds="], "mac-mini", "s", max_build=3)
        self.assertError(["'mac-mini'", "xyzzy=", "max_builds", "onBreakDuring"], "mac-mini", "s", xyzzy=1)

    def test_badBreaks(self):
        """A break that is none is named with its value, and what is wrong with it."""
        for value in (
            "19:00",
            ("19:00",),
            ("19:00", "25:00"),
            ("7", "8PM"),
            ("07:00", "07:00"),
            7,
            [("07:00",)],
        ):
            self.assertError(
                ["'mac-mini'", "onBreakDuring=", repr(value)], "mac-mini", "s", onBreakDuring=value
            )

    def test_badTimezone(self):
        """So is a zone that nobody knows."""
        self.assertError(
            ["'mac-mini'", "Europe/Berlim", "Europe/Berlin"],
            "mac-mini",
            "s",
            onBreakDuring=("07:00", "19:00"),
            timezone="Europe/Berlim",
        )

    def test_badTimezoneWithoutBreaks(self):
        """A zone that nobody knows is a mistake also where no break needs it yet."""
        self.assertError(["'mac-mini'", "ABC5"], "mac-mini", "s", timezone="ABC5")

    def test_badValues(self):
        """What Buildbot would stumble over later is said now."""
        for keyword, value in {
            "max_builds": "2",
            "notify_on_missing": 7,
            "missing_timeout": "1h",
            "keepalive_interval": "1h",
            "properties": [],
            "defaultProperties": "x",
            "locks": "cpu",
            "machine_name": 7,
        }.items():
            self.assertError(["'mac-mini'", f"{keyword}={value!r}"], "mac-mini", "s", **{keyword: value})

    def test_theMixinToo(self):
        """A worker of another class reports its breaks in the same way, with its class and name."""
        with self.assertRaises(ConfigErrors) as caught, capture_config_errors(raise_on_error=True):
            Mixed("mac-mini", "s", onBreakDuring=("19:00", "25:00"))
        (error,) = caught.exception.errors
        self.assertIn("Mixed 'mac-mini'", error)
        self.assertIn("25:00", error)

    def test_severalAtOnce(self):
        """All mistakes of one worker are reported, not only the first."""
        errors = self.errors(
            "mac-mini", 7, onBreakDuring=[("19:00", "25:00"), ("7", "8PM")], max_build=1, locks="x"
        )
        for part in ("25:00", "'7'", "max_build=", "locks=", "passwd="):
            self.assertTrue(any(part in error for error in errors), (part, errors))
        self.assertTrue(all("'mac-mini'" in error for error in errors), errors)


MASTER_CFG = """
from buildbot.plugins import util
from presence.master.buildslave import BuildSlave
from buildbot.config import BuilderConfig
c = BuildmasterConfig = {{}}
c['workers'] = [{workers}]
c['builders'] = [BuilderConfig('runtests', workernames=['mac-mini', 'aarch64'], factory=util.BuildFactory())]
c['protocols'] = {{'null': {{}}}}
c['multiMaster'] = True
c['buildbotNetUsageData'] = None
c['db_url'] = 'sqlite://'
"""
GOOD = ("BuildSlave('mac-mini', 's', ('07:00', '19:00'), 'UTC')", "BuildSlave('aarch64', 's')")
BAD = ("BuildSlave('mac-mini', 's', ('07:00', '25:00'))", "BuildSlave('aarch64', 's', max_build=1)")


class MasterCfgTests(MasterTestCase):
    """What `buildbot checkconfig` says of a master.cfg, and what a master does that is running."""

    def writeConfig(self, workers):
        directory = Path(self.mktemp())
        directory.mkdir(parents=True)
        (directory / "master.cfg").write_text(MASTER_CFG.format(workers=", ".join(workers)))
        return FileLoader(str(directory), "master.cfg")

    def test_allMistakes(self):
        """All mistakes of all workers are in one list."""
        loader = self.writeConfig(BAD)
        self.startMaster([self.slave("x")])
        errors = self.assertRaises(ConfigErrors, loader.loadConfig).errors
        self.assertTrue(any("'mac-mini'" in error and "25:00" in error for error in errors), errors)
        self.assertTrue(any("'aarch64'" in error and "max_builds=" in error for error in errors), errors)
        self.assertEqual(len(errors), 2)

    def test_runningMaster(self):
        """A running master that is reconfigured with mistakes goes on as before."""
        self.setClock(8)
        options = {"onBreakDuring": ("07:00", "19:00"), "timezone": "UTC"}
        self.startMaster([self.slave("mac-mini", **options), self.slave("aarch64")])
        self.request()
        before = self.farm()
        good = self.master.config_loader
        self.master.config_loader = self.writeConfig(BAD)
        self.resultOf(self.master.doReconfig())
        self.master.config_loader = good
        after = self.farm()
        self.assertEqual(before, after)
        self.assertEqual(len(self.jobs), 1)
        self.assertEqual(self.presence().backAt, self.at(19))
        self.request()
        self.pass_(11 * HOUR)
        self.assertEqual(self.startedOn(), ["aarch64", "mac-mini"])

    def test_good(self):
        """A master.cfg without mistakes is loaded."""
        loader = self.writeConfig(GOOD)
        self.startMaster([self.slave("x")])
        self.assertEqual([worker.name for worker in loader.loadConfig().workers], ["mac-mini", "aarch64"])


VALUES = {
    "max_builds": 3,
    "notify_on_missing": ["me@example.org"],
    "missing_timeout": 7200,
    "properties": {"os": "mac"},
    "defaultProperties": {"arch": "arm"},
    "locks": [util.WorkerLock("cpu").access("counting")],
    "keepalive_interval": 60,
    "machine_name": None,
}


class KeywordTests(MasterTestCase):
    """Every keyword of Buildbot's `Worker` works in `BuildSlave`, and means the same."""

    def test_all(self):
        """With each keyword alone, configured and reconfigured, its attributes are those of a `Worker`."""
        keywords = set(inspect.signature(Worker.checkConfig).parameters) - {"self", "name", "password"}
        self.assertEqual(keywords, set(VALUES))
        for keyword, value in VALUES.items():
            ours = BuildSlave("mac-mini", "s3cret", **{keyword: value})
            stock = Worker("mac-mini", "s3cret", **{keyword: value})
            self.assertEqual(self.attributes(ours), self.attributes(stock), keyword)
        self.startMaster([self.slave("ours", **VALUES), self.stock("stock", **VALUES)], connect=False)
        self.assertEqual(self.attributes(self.worker("ours")), self.attributes(self.worker("stock")))
        self.assertEqual(self.worker("ours").max_builds, 3)
        changed = {"max_builds": 1, "properties": {"os": "linux"}, "missing_timeout": 60}
        self.reconfig([self.slave("ours", **changed), self.stock("stock", **changed)])
        self.assertEqual(self.attributes(self.worker("ours")), self.attributes(self.worker("stock")))
        self.assertEqual(self.worker("ours").max_builds, 1)

    def attributes(self, worker):
        names = ("max_builds", "notify_on_missing", "missing_timeout", "access", "machine_name", "password")
        found = {name: getattr(worker, name) for name in names}
        for name in ("properties", "defaultProperties"):
            properties = getattr(worker, name).asDict()
            properties.pop("workername", None)
            found[name] = properties
        return found

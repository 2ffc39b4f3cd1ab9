import itertools

from buildbot_worker.scripts.create_worker import _make_tac
from buildbot_worker.scripts.runner import CreateWorkerOptions
from twisted.trial.unittest import SynchronousTestCase

from presence.worker.tacfile import MARK, TacFileError, installed, uninstalled

#: Each line is an alternative to none of `buildbot-worker create-worker`.
FLAGS = (
    "--relocatable",
    "--no-logrotate",
    "--use-tls",
    "--protocol=msgpack_experimental_v7",
    "--connection-string=tcp:host=master:port=9989",
)

OURS = f"""\
{MARK}
from presence.worker.client import PresenceClient
PresenceClient(s).setServiceParent(application)
""".encode()


def stock(*flags):
    """The buildbot.tac that `buildbot-worker create-worker` writes."""
    config = CreateWorkerOptions()
    config.parseOptions([*flags, "basedir", "master:9989", "mac-mini", "s3cret"])
    return _make_tac(config).encode()


class InstalledTests(SynchronousTestCase):
    def test_everyOption(self):
        """Whatever create-worker was told, the lines follow those of the worker, and come out without a trace."""
        for number in range(len(FLAGS) + 1):
            for flags in itertools.combinations(FLAGS, number):
                source = stock(*flags)
                self.assertEqual(installed(source), source + OURS, flags)
                self.assertEqual(uninstalled(source + OURS), source, flags)

    def test_secondTime(self):
        """The second time nothing changes."""
        once = installed(stock())
        self.assertEqual(installed(once), once)

    def test_sensors(self):
        """Sensors are a line and an argument more; others take their place, and all of it comes out without a trace."""
        source = stock()
        one = installed(source, ["Used('15m')", "OnBattery()", "Used('1h', name='x')"])
        self.assertTrue(
            one.endswith(
                b"\nfrom presence.worker.sensors import OnBattery, Used\n"
                b"PresenceClient(s, sensors=[Used('15m'), OnBattery(), Used('1h', name='x')]).setServiceParent(application)\n"
            )
        )
        self.assertEqual(installed(one), one)
        other = installed(one, ["OnBattery()"])
        self.assertEqual(other, installed(installed(source), ["OnBattery()"]))
        self.assertNotIn(b"Used", other)
        for each in (one, other):
            self.assertEqual(uninstalled(each), source)

    def test_arguments(self):
        """Other arguments are put in, in one order, and each takes the place of its like only."""
        source = stock()
        one = installed(source, ["Used('15m')"], {"localPort": "8123"})
        two = installed(one, arguments={"owners": "['ann', '\\xe4']"})
        call = b"PresenceClient(s, sensors=[Used('15m')], owners=['ann', '\\xe4'], localPort=8123).set"
        self.assertIn(call, two)
        self.assertIn(b"\nfrom presence.worker.sensors import Used\n", two)
        three = installed(two, ["OnBattery()"], {"localPort": "9"})
        self.assertIn(call.replace(b"Used('15m')", b"OnBattery()").replace(b"8123", b"9"), three)
        self.assertIn(b"\nfrom presence.worker.sensors import OnBattery\n", three)
        for each in (one, two, three):
            self.assertEqual(uninstalled(each), source)

    def test_sensorsOfTheOwners(self):
        """Where the client has arguments of the owner's nothing is changed, and what would be right is said."""
        source = installed(stock()).replace(b"Client(s)", b"Client(s, onBreakDuring=None)")
        problem = self.assertRaises(TacFileError, installed, source, ["OnBattery()"])
        self.assertIn(
            "write there sensors=[OnBattery()], and in a line above from presence.worker.sensors import",
            str(problem),
        )

    def test_byHand(self):
        """A client that was put in by hand, with a name too, is left alone."""
        for line in (b"PresenceClient(s).setServiceParent(application)\n", b"client = PresenceClient(s)\n"):
            source = stock() + b"from presence.worker.client import PresenceClient\n" + line
            self.assertEqual(installed(source), source)
            self.assertRefused("install` has not put in the PresenceClient in line", source, uninstalled)

    def test_otherNames(self):
        """The worker and the application may have other names."""
        source = b"app = service.Application('buildbot-worker')\nw = bot.Worker(1)\nw.setServiceParent(app)\n# end\n"
        changed = OURS.replace(b"(s)", b"(w)").replace(b"application", b"app")
        self.assertEqual(installed(source), source[: -len("# end\n")] + changed + b"# end\n")

    def test_lineEnds(self):
        """The ends of lines are the file's, and the last line need not have one."""
        source = stock().replace(b"\n", b"\r\n")
        self.assertEqual(installed(source), source + OURS.replace(b"\n", b"\r\n"))
        self.assertEqual(uninstalled(installed(source)), source)
        self.assertEqual(installed(stock().rstrip()), stock() + OURS)

    def test_encoding(self):
        """A file in another encoding that says so is understood, and its bytes stay."""
        source = b"# -*- coding: latin-1 -*-\nwho = '\xe9'\n" + stock()
        self.assertEqual(uninstalled(installed(source)), source)

    def assertRefused(self, pattern, source, change=installed):
        self.assertRegex(str(self.assertRaises(TacFileError, change, source)), pattern)

    def test_refused(self):
        """What is not understood is refused, and it is said why."""
        source = stock()
        for pattern, other in (
            ("no `s = Worker", b""),
            ("no `s = Worker", b"x = 1\n"),
            ("is a master's", b"from buildbot.master import BuildMaster\nm = BuildMaster('.')\n"),
            (
                "several workers are in it .lines",
                source + b"t = Worker(1)\nt.setServiceParent(application)\n",
            ),
            ("line 2 is not Python", b"x = 1\nx =\n"),
            ("not text|not Python", b"\0"),
            ("not text|not Python", b"who = '\xe9'\n" + source),
            ("does not read `s = Worker", source.replace(b"s = Worker", b"if True:\n  s = Worker")),
            ("does not read `s = Worker", source.replace(b"s = Worker", b"s = t = Worker")),
            ("no line `s.setServiceParent", source.replace(b"s.setServiceParent(application)", b"")),
            ("share a line", source.replace(b"nt(application)\n", b"nt(application); x = (\n1)\n")),
        ):
            self.assertRefused(pattern, other)


class UninstalledTests(SynchronousTestCase):
    assertRefused = InstalledTests.assertRefused

    def test_nothingThere(self):
        """Where nothing was put in, nothing changes."""
        self.assertEqual(uninstalled(stock()), stock())

    def test_arguments(self):
        """The owner may have given the client a break, over several lines too; all of it comes out."""
        given = installed(stock()).replace(
            b"Client(s)", b"Client(\n    s, onBreakDuring=('07:00', '19:00'),\n)"
        )
        self.assertEqual(uninstalled(given + b"x = 1\n"), stock() + b"x = 1\n")

    def test_changed(self):
        """Lines that were changed in another way are left to an editor."""
        source = installed(stock())
        for pattern, other in (
            ("was changed", source.replace(b"PresenceClient(s).set", b"x = 1\nPresenceClient(s).set")),
            (
                "was changed",
                source.replace(b"from presence.worker.client", b"x = 1\nfrom presence.worker.client"),
            ),
            ("2 times", source + OURS),
            (
                "share a line",
                source.replace(b"(s).setServiceParent(application)", b"(s).setServiceParent(0); x = 1"),
            ),
        ):
            self.assertRefused(pattern, other, uninstalled)

"""Who has to know is told, once, by Buildbot's own reporters, and never too often."""

from types import SimpleNamespace

from buildbot.config import BuilderConfig
from buildbot.config.errors import capture_config_errors
from buildbot.config.master import MasterConfig
from buildbot.plugins import util
from buildbot.process.factory import BuildFactory
from buildbot.reporters.base import ReporterBase
from buildbot.reporters.bitbucketserver import BitbucketServerPRCommentPush
from buildbot.reporters.generators.build import BuildStatusGenerator
from buildbot.reporters.gerrit import GerritStatusPush
from buildbot.reporters.github import GitHubCommentPush, GitHubStatusPush
from buildbot.reporters.gitlab import GitLabStatusPush
from buildbot.reporters.http import HttpStatusPush
from buildbot.reporters.mail import MailNotifier
from buildbot.reporters.pushjet import PushjetNotifier
from buildbot.reporters.zulip import ZulipStatusPush
from buildbot.schedulers.forcesched import ForceScheduler
from buildbot.worker.base import Worker
from twisted.internet.defer import fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakSchedule
from presence.master.reporters.formatter import PresenceMessageFormatter
from presence.master.reporters.generator import PresenceGenerator
from presence.master.reporters.outbox import DAY
from presence.master.service import PresenceService
from tests.master.apicase import ApiTestCase, user
from tests.master.fakemaster import HOUR, MINUTE

LUNCH = Break("07:00", "08:00", tz="UTC", reason="lunch")


class Mailbox(ReporterBase):
    """A reporter that keeps what it is to send, as `MailNotifier` takes it."""

    name = "mailbox"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.sent = []

    def sendMessage(self, reports):
        self.sent += reports
        return succeed(None)


class NoticesTests(ApiTestCase):
    def config(self, controllers, builders=None, *, generators=(), service=None, **more):
        more["services"] = [PresenceService(**(service or {})), Mailbox(generators=list(generators))]
        return super().config(controllers, builders, **more)

    def farm(self, *workers, connect=True, **wanted):
        self.wanted = [PresenceGenerator(**wanted)] if wanted else []
        workers = workers or (self.slave("mac-mini", owners=["ann@example.org", "ann"]),)
        self.startMaster(workers, generators=self.wanted, connect=connect)

    @property
    def reporter(self):
        return self.master.service_manager.namedServices["mailbox"]

    def told(self):
        """[(recipients, the first line)] of what was sent since the last time."""
        sent, self.reporter.sent = self.reporter.sent, []
        return [(each["users"], each["subject"]) for each in sent]

    def order(self, action, name="mac-mini", **params):
        return self.post(f"presences/{name}", action, user("bob"), **params)

    def test_awayLongerThan(self):
        """A worker that is held for so long is told of, to its owners; and again when it has lasted twice as long."""
        self.farm(awayLongerThan="1h")
        self.order("hold", reason="disk")
        self.pass_(50 * MINUTE)
        self.assertEqual(self.told(), [])
        self.pass_(12 * MINUTE)
        self.assertEqual(
            self.told(), [(["ann@example.org"], "mac-mini has been held by bob (disk) for 1 h 1 min")]
        )
        self.pass_(50 * MINUTE)
        self.assertEqual(self.told(), [])
        self.pass_(10 * MINUTE)
        self.assertEqual(len(self.told()), 1)

    def test_breaksAreExpected(self):
        """Nobody is told of a break."""
        self.farm(self.slave("mac-mini", onBreakDuring=LUNCH), awayLongerThan="30m", backLate=True)
        self.passUntil(self.at(8.5))
        self.assertEqual(self.told(), [])

    def test_endsWithin(self):
        """A hold that is about to end is told of, once; one that was short from the beginning is not."""
        self.farm(endsWithin="30m", to="admin@example.org", owners=False)
        self.order("hold", until=self.at(8))
        self.passUntil(self.at(7.4))
        self.assertEqual(self.told(), [])
        self.passUntil(self.at(7.6))
        self.assertEqual(
            self.told(), [(["admin@example.org"], "mac-mini is held by bob, and that is about to end")]
        )
        self.order("hold", until=self.at(7.8))
        self.passUntil(self.at(8))
        self.assertEqual(self.told(), [])

    def test_early(self):
        """Who is back early, or released early, is told of."""
        self.farm(backEarly=True)
        self.presence().hold("worker", "rendering", "owner", until=self.at(9))
        self.presence().release("worker")
        self.order("hold", until=self.at(9))
        self.order("release")
        self.pass_(1)
        self.assertEqual(
            [text for _, text in self.told()], ["mac-mini is back early", "mac-mini is released early"]
        )

    def test_late(self):
        """Who was to be back, and is not, is told of."""
        self.farm(backLate=True)
        self.presence().hold("worker", "rendering", "owner", until=self.at(7))
        self.disconnect("mac-mini")
        self.passUntil(self.at(7.2))
        self.assertEqual(self.told(), [])
        self.passUntil(self.at(7.4))
        self.assertEqual([text for _, text in self.told()], ["mac-mini was to be back, and is not connected"])

    def test_starving(self):
        """A builder with requests and without a ready worker is told of, to whom the reporter sends to; and when it has one again."""
        self.farm(starvingAfter="10m")
        self.order("hold")
        self.request()
        self.pass_(8 * MINUTE)
        self.assertEqual(self.told(), [])
        self.pass_(4 * MINUTE)
        ((to, text),) = self.told()
        self.assertEqual(to, [])
        self.assertTrue(text.startswith("runtests: 1 requests wait, and none of its workers"), text)
        self.order("release")
        self.pass_(2 * MINUTE)
        self.assertEqual([text for _, text in self.told()], ["runtests: no request waits any more"])

    def test_drains(self):
        """A drain is told of when it is done, and when it is past its deadline."""
        self.farm(drains=True)
        self.request()
        self.order("drain")
        self.finishAll()
        self.pass_(1)
        self.assertEqual(
            [text for _, text in self.told()], ["mac-mini is drained: nothing runs on it any more"]
        )

    def test_overdue(self):
        """A drain that is past its deadline while something runs is told of, and then when it is done."""
        self.farm(drains=True)
        self.request()
        self.patch(self.assembly._requeue, "send", lambda *_: None)  # the build cannot be interrupted
        self.order("drain", deadline=self.at(6.5))
        self.passUntil(self.at(6.49))
        self.assertEqual(self.told(), [])
        self.passUntil(self.at(6.53))
        self.assertEqual(
            [text for _, text in self.told()],
            ["mac-mini is past the deadline of its drain, and a build still runs"],
        )
        self.finishAll()
        self.assertEqual(
            [text for _, text in self.told()],
            ["mac-mini is drained, after its deadline: nothing runs on it any more"],
        )

    def test_reconfig(self):
        """A reconfiguration that waits for so long is told of, once."""
        self.farm(reconfigLongerThan="2h", to="admin@example.org")
        waits = SimpleNamespace(number=7, since=self.reactor.seconds(), by="ann")
        self.assembly.telling._notices._reconfig = lambda: waits
        self.pass_(1.9 * HOUR)
        self.assertEqual(self.told(), [])
        self.pass_(HOUR)
        self.assertEqual(
            self.told(),
            [
                (
                    ["admin@example.org"],
                    "the reconfiguration that ann has ordered still waits for builds to end",
                )
            ],
        )

    def test_breaksLeft(self):
        """A schedule that runs out is told of; one that goes on is not."""
        twice = [
            Break("2026-11-24T07:00", "2026-11-24T08:00", tz="UTC"),
            Break("2026-11-25T07:00", "2026-11-25T08:00", tz="UTC"),
        ]
        self.farm(self.slave("mac-mini"), self.slave("aarch64", onBreakDuring=LUNCH), breaksLeft=3)
        # (not with the configuration: by the real clock, at which one is warned there, they are over)
        self.worker("mac-mini")._follow_schedule(BreakSchedule.fromConfig(twice))
        self.assembly.telling._notices._schedules = 0
        self.pass_(MINUTE)
        self.assertEqual(
            [text for _, text in self.told()], ["the schedule of mac-mini runs out: 2 breaks are left"]
        )

    def test_restart(self):
        """What was told is not told again after a reconfig, nor after a restart."""
        self.farm(awayLongerThan="1h")
        self.order("hold")
        self.pass_(1.5 * HOUR)
        self.assertEqual(len(self.told()), 1)
        self.reconfig([self.slave("mac-mini", owners=["ann@example.org", "ann"])], generators=self.wanted)
        self.pass_(5 * MINUTE)
        notices = self.assembly.telling._notices
        self.assertEqual(self.told(), [])
        fresh = type(notices)(self.roster, readyOf=lambda _: 0, reconfig=lambda: None)
        self.resultOf(fresh.start({each.number: each.terms for each in self.wanted}))
        self.addCleanup(fresh.stop)
        self.pass_(5 * MINUTE)
        self.assertEqual(self.told(), [])

    def test_flapping(self):
        """Workers that flap for an hour cost each owner so many messages, and the rest comes in one the next day."""
        workers = [self.slave(f"mac-{number}", owners=["ann@example.org"]) for number in range(3)]
        self.farm(*workers, backEarly=True, mostADay=5)
        for minute in range(60):
            for number in range(3):
                presence = self.presence(f"mac-{number}")
                presence.hold("worker", "away", "owner", until=self.reactor.seconds() + DAY)
                presence.release("worker")
            self.passUntil(self.at(7 + minute / 60))
        self.assertEqual(len(self.told()), 5)
        self.pass_(DAY)
        ((to, subject),) = self.told()
        self.assertEqual((to, "notices about workers" in subject), (["ann@example.org"], True))

    def test_database(self):
        """A database that does not answer is said once, and what can be told without it is told later."""
        self.farm(starvingAfter="10m", awayLongerThan="1h")
        self.order("hold")
        do = self.master.db.pool.do
        self.master.db.pool.do = lambda *_: fail(RuntimeError("gone"))
        self.pass_(1.2 * HOUR)
        self.master.db.pool.do = do
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.pass_(2 * MINUTE)
        self.assertEqual(len(self.told()), 1)

    def test_off(self):
        """Without a generator nothing is remembered; it comes and goes by a reconfig."""
        self.farm()
        self.assertIs(self.assembly.telling._notices, None)
        self.assertEqual(self.assembly.telling.orderListeners, [])
        self.reconfig([self.slave("mac-mini")], generators=[PresenceGenerator(drains=True)])
        self.assertIsNot(self.assembly.telling._notices, None)
        self.reconfig([self.slave("mac-mini")])
        self.assertIs(self.assembly.telling._notices, None)


class GeneratorTests(SynchronousTestCase):
    def mistakes(self, **keywords):
        with capture_config_errors() as errors:
            HttpStatusPush("http://x.example", generators=[PresenceGenerator(**keywords)])
        return errors.errors

    def test_mistakes(self):
        """Each mistake in its arguments is a mistake in the configuration, which says what would be right."""
        self.assertEqual(self.mistakes(awayLongerThan="3d", digest="8:00", to=["ann@example.org"]), [])
        (nothing,) = self.mistakes()
        self.assertIn("it tells nothing", nothing)
        found = "\n".join(
            self.mistakes(
                awayLonger="3d",
                awayLongerThan="three days",
                endsWithin=-1,
                drains="yes",
                to=["ann"],
                workers=7,
                digest="25:00",
                mostADay=0,
                breaksLeft=True,
            )
        )
        for text in (
            "there is no argument awayLonger=",
            "'three days' is not a duration",
            "endsWithin=-1: give a duration",
            "give True or False",
            "'ann' is not an e-mail address",
            "workers=7: give a string",
            "'25:00'",
            "mostADay=0: give a whole number",
            "breaksLeft=True",
        ):
            self.assertIn(text, found)

    def wholeMistakes(self, *services):
        with capture_config_errors() as errors:
            MasterConfig.loadFromDict(
                {
                    "workers": [Worker("w", "pw")],
                    "builders": [BuilderConfig("b", workernames=["w"], factory=BuildFactory())],
                    "schedulers": [ForceScheduler("force", ["b"])],
                    "protocols": {"null": {}},
                    "services": list(services),
                },
                "master.cfg",
            )
        return errors.errors

    def test_takers(self):
        """In a reporter that sends what becomes of builds it is a mistake in the configuration, which says who takes it; in those that
        send what they are given it is none.
        """
        told = [PresenceGenerator(drains=True)]
        taking = [
            MailNotifier("me@example.org", generators=told),
            HttpStatusPush("http://x.example", generators=told),
            PushjetNotifier("secret", generators=told),
            Mailbox(generators=told),
        ]
        self.assertEqual(self.wholeMistakes(*taking), [])
        for reporter in (
            GitHubStatusPush("token", generators=told),
            GitHubCommentPush("token", generators=told),
            GitLabStatusPush("token", generators=[BuildStatusGenerator(), *told]),
            BitbucketServerPRCommentPush("http://x.example", "user", "password", generators=told),
            GerritStatusPush("server", "user", generators=told),
        ):
            (mistake,) = self.wholeMistakes(reporter)
            kind = type(reporter).__name__
            self.assertIn(f"{kind} sends what becomes of builds and nothing else", mistake)
            self.assertIn("Give it to a MailNotifier, an HttpStatusPush", mistake)

    def test_zulip(self):
        """Buildbot's reporter for Zulip takes no generators at all, and says so when master.cfg is read."""
        with self.assertRaisesRegex(TypeError, "generators"):
            ZulipStatusPush("http://x.example", "token", generators=[PresenceGenerator(drains=True)])

    def test_equal(self):
        """Two that tell the same are equal, so that a reconfig leaves the reporter alone; others are not."""
        self.assertEqual(PresenceGenerator(drains=True), PresenceGenerator(drains=True))
        self.assertNotEqual(
            PresenceGenerator(drains=True), PresenceGenerator(drains=True, to="a@example.org")
        )
        self.assertIs(util.PresenceGenerator, PresenceGenerator)

    def test_formats(self):
        """The text is plain, HTML (in which nothing is what it pretends to be) or data, by templates of Jinja2's."""

        class Config:
            title, buildbotURL = "Farm", "https://farm.example/"

        class Master:
            config = Config

        notice = {
            "kind": "drains",
            "text": "<b>mac</b> is drained",
            "workers": ["mac"],
            "since": 60,
            "until": None,
            "url": "u",
            "builder": None,
        }
        message = {"notices": [notice], "left_out": 2, "digest": True, "recipients": []}
        texts = {
            kind: self.successResultOf(
                PresenceMessageFormatter(template_type=kind).formatNotices(Master, message)
            )
            for kind in ("plain", "html", "json", "chat")
        }
        self.assertIn("* <b>mac</b> is drained, since 1970-01-01", texts["plain"]["body"])
        self.assertIn("https://farm.example/#/presence", texts["plain"]["body"])
        self.assertEqual(texts["plain"]["subject"], "<b>mac</b> is drained")
        self.assertIn("&lt;b&gt;mac&lt;/b&gt;", texts["html"]["body"])
        self.assertEqual(texts["json"]["body"]["notices"], [notice])
        self.assertIn("* &lt;b&gt;mac&lt;/b&gt; is drained", texts["chat"]["body"]["text"])
        shout = {**message, "notices": [{**notice, "text": "held by ann@example.org (<!channel> @all)"}]}
        chat = self.successResultOf(
            PresenceMessageFormatter(template_type="chat").formatNotices(Master, shout)
        )
        self.assertEqual(list(chat["body"]), ["text"])
        self.assertIn("&lt;!channel&gt; @\N{ZERO WIDTH SPACE}all", chat["body"]["text"])
        own = PresenceMessageFormatter(template="{{ notices[0].kind }}", subject="{{ left_out }}")
        made = self.successResultOf(own.formatNotices(Master, message))
        self.assertEqual((made["body"], made["subject"]), ("drains", "2"))
        with capture_config_errors() as errors:
            PresenceMessageFormatter(template_type="rtf")
        self.assertIn("plain, html, json", errors.errors[0])

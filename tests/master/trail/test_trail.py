"""What happens on a master is a line in its trail: who ordered what of whom, and what the machines have done by themselves."""

import stat

from buildbot.plugins import util
from twisted.internet.defer import fail

from presence.breaks.schedule import Break
from presence.master.quiesce.reconfiguration import Outcome
from presence.master.trail.limit import FORBIDDEN, OTHERS, WINDOW
from tests.master.apicase import user
from tests.master.fakemaster import HOUR
from tests.master.trail.trailcase import TrailTestCase


class TrailTests(TrailTestCase):
    def farm(self, **more):
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")], **more)
        self.assertEqual([each for each in self.entries() if each["what"] != "offline"], [])
        self.file.unlink(missing_ok=True)

    def order(self, name, action, who="ann", **params):
        return self.post(f"presences/{name}", action, user(who), **params)

    def test_order(self):
        """An order is one entry: when, what, of whom, by whom, why, until when, and what has come of it."""
        self.farm()
        at, until = self.reactor.seconds(), self.at(9)
        self.order("mac-mini", "hold", reason="disk", until=until)
        (entry,) = self.entries()
        self.assertEqual(
            entry,
            {
                "at": at,
                "kind": "order",
                "what": "hold",
                "workers": ["mac-mini"],
                "by": "ann",
                "reason": "disk",
                "until": until,
                "outcome": "done",
            },
        )
        self.passUntil(until)
        self.assertEqual(self.texts(), ["hold by ann (disk)", "no longer held by an admin (disk)"])

    def test_release(self):
        """A hold that an order ends is told once."""
        self.farm()
        self.order("mac-mini", "hold")
        self.order("mac-mini", "release", "bob")
        self.assertEqual(self.texts(), ["hold by ann", "release by bob"])

    def test_many(self):
        """An order for several workers is one entry, which is about each of them."""
        self.farm()
        self.post("presences", "hold", user("ann"), workers=["mac-mini", "aarch64"])
        (entry,) = self.entries()
        self.assertEqual(entry["workers"], ["mac-mini", "aarch64"])
        for path in ("presences/aarch64/trail", "trail?workers__contains=mac-mini"):
            self.assertEqual(self.texts(path), ["hold by ann"])
        self.assertEqual(self.texts("trail?workers__contains=mac"), [])

    def test_refused(self):
        """What cannot be followed is told with the reason, and what makes no sense at all likewise."""
        self.farm()
        self.order("mac-mini", "work", until=self.at(9))
        self.order("mac-mini", "hold", until=self.at(1))
        (no_breaks, past) = self.texts()
        self.assertTrue(no_breaks.startswith("work by ann: refused: mac-mini has no breaks"), no_breaks)
        self.assertTrue(past.startswith("hold by ann: refused: until"), past)

    def test_unknown(self):
        """What is mistyped is not told: no worker is ordered anything, and no order is given."""
        self.farm()
        self.order("mac-mimi", "hold")
        self.order("mac-mini", "held")
        self.assertEqual(self.entries(), [])

    def test_failed(self):
        """What could not be stored has failed; what the database has said is not told."""
        self.farm()
        self.patch(self.assembly.storedOrders, "follow", lambda *_: fail(RuntimeError("password=s3cret")))
        self.order("mac-mini", "hold")
        self.flushLoggedErrors(RuntimeError)
        self.assertEqual(self.texts(), ["hold by ann: failed: the log of the master says why"])

    def test_forbidden(self):
        """Who may not order something is told, without what he has written."""
        self.farm(
            authz=util.Authz(
                allowRules=[util.AnyControlEndpointMatcher(role="admins")],
                roleMatchers=[util.RolesFromUsername(roles=["admins"], usernames=["ann"])],
            )
        )
        self.order("mac-mini", "hold", "mallory", reason="an advertisement")
        self.post("presences", "hold", workers=["mac-mini", "aarch64"])
        self.post("reconfig", "reconfig", user("mallory"))
        self.assertEqual(
            self.texts(),
            ["hold by mallory: not allowed", "hold: not allowed", "reconfig by mallory: not allowed"],
        )
        self.assertNotIn("advertisement", self.file.read_text())

    def test_forbiddenAllTheTime(self):
        """A script that is refused all the time fills no disk: some are told, and in the end how many there were."""
        self.farm(authz=util.Authz(allowRules=[util.AnyControlEndpointMatcher(role="admins")]))
        for _ in range(FORBIDDEN + 10):
            self.order("mac-mini", "hold", "mallory")
        self.pass_(WINDOW)
        found = self.entries()
        self.assertEqual(len(found), FORBIDDEN + 1)
        self.assertEqual(found[-1]["left_out"], 9)

    def test_masters(self):
        """What is ordered of the master is told, and how a reconfiguration has ended; a plan is not."""
        self.farm()
        self.post("reconfig", "plan", user("ann"))
        self.post("shutdown", "cancel", user("ann"))
        self.assertEqual([each["what"] for each in self.entries()], ["cancel-stop"])

    def test_holds(self):
        """Breaks, the owner's words, sensors and Buildbot's own pauses are told as they begin, change and end."""
        self.startMaster(
            [self.slave("mac-mini", onBreakDuring=Break("07:00", "08:00", tz="UTC", reason="lunch"))]
        )
        self.file.unlink(missing_ok=True)
        self.passUntil(self.at(8))
        presence = self.presence()
        presence.hold("worker", "rendering", "owner")
        presence.hold("worker", "rendering more", "owner")
        presence.release("worker")
        presence.hold("worker", "somebody types", "sensor")
        self.worker("mac-mini").pause("update")
        self.pass_(1)
        self.assertEqual(
            self.texts(),
            [
                "on a break (lunch)",
                "no longer on a break (lunch)",
                "held by its owner (rendering)",
                "now held by its owner (rendering more)",
                "no longer held by its owner (rendering more)",
                "away by itself (somebody types)",
                "paused (update)",
            ],
        )

    def test_drain(self):
        """A drain is told, and that nothing runs any more."""
        self.farm()
        self.request()
        (name,) = self.startedOn()
        self.order(name, "drain", reason="kernel")
        self.assertEqual(self.texts(), ["drain by ann (kernel)"])
        self.finishAll()
        self.assertEqual(self.texts(), ["drain by ann (kernel)", "drained by ann (kernel)"])
        self.file.unlink()
        (idle,) = {"mac-mini", "aarch64"} - {name}
        self.order(idle, "drain")
        self.assertEqual(self.texts(), ["drain by ann", "drained by ann"])

    def test_drainGivenUp(self):
        """A drain that is given up at its deadline is told."""
        self.farm()
        self.request()
        (name,) = self.startedOn()
        self.order(name, "drain", deadline=self.at(7), on_deadline="release")
        self.passUntil(self.at(7.1))
        self.assertEqual(self.texts()[-1], "not drained at the deadline, and released by ann")

    def test_flapping(self):
        """A worker that flaps for an hour is told now and then, and with its last word."""
        self.farm()
        presence = self.presence()
        for _ in range(120):
            presence.hold("worker", "away", "owner")
            presence.release("worker")
            self.pass_(HOUR / 120)
        self.pass_(WINDOW)
        found = self.entries()
        self.assertLessEqual(len(found), (OTHERS + 1) * (HOUR / WINDOW + 1))
        self.assertEqual(found[-1]["kind"], "end")

    def test_private(self):
        """The file is for the master's account alone."""
        self.farm()
        self.order("mac-mini", "hold")
        self.entries()
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)

    def test_off(self):
        """Without `trail=` there is no file, and nothing is remembered; whoever asks is told so."""
        self.startMaster([self.slave("mac-mini")], service={})
        self.order("mac-mini", "hold")
        self.assertEqual(self.entries(), [])
        answer = self.get("trail")
        self.assertEqual(answer.status, 404)
        self.assertIn("PresenceService(trail=True)", answer.json["error"])
        self.assertEqual(self.getAll("presences/mac-mini/trail"), [])
        self.assertEqual(self.assembly.telling.orderListeners, [])

    def test_turned(self):
        """It is turned on and off by a reconfig; what was written stays."""
        self.startMaster([self.slave("mac-mini")], service={})
        self.reconfig([self.slave("mac-mini")], service={"trail": "2M"})
        self.order("mac-mini", "hold")
        self.assertEqual(self.texts(), ["hold by ann"])
        before = self.file.read_bytes()
        self.reconfig([self.slave("mac-mini")], service={})
        self.order("mac-mini", "release")
        self.pass_(1)
        self.assertEqual(self.file.read_bytes(), before)

    def test_fields(self):
        """What the API tells has the fields and types that it says; the newest comes first; limits and times are followed."""
        from presence.master.trail.resource import TrailEntry  # noqa: PLC0415

        self.farm()
        for hour in (7, 8, 9):
            self.passUntil(self.at(hour))
            self.order("mac-mini", "hold", reason=f"at {hour}")
        self.pass_(1)
        found = self.getAll("trail")
        for each in found:
            self.assertEntity(each, TrailEntry)
        self.assertEqual([each["reason"] for each in found], ["at 9", "at 8", "at 7"])
        self.assertEqual(self.texts("trail?limit=1"), ["hold by ann (at 9)"])
        self.assertEqual(
            self.texts(f"trail?at__ge={self.at(8):.0f}"), ["hold by ann (at 8)", "hold by ann (at 9)"]
        )
        self.assertEqual(self.texts("trail?reason=at%207"), ["hold by ann (at 7)"])
        self.assertEqual(self.texts("trail?order=number&limit=1"), ["hold by ann (at 7)"])

    def test_events(self):
        """Each entry is an event, for whoever follows."""
        self.farm()
        heard = []
        self.resultOf(
            self.master.mq.startConsuming(lambda *event: heard.append(event), ("trail", None, None))
        )
        self.order("mac-mini", "hold")
        self.pass_(1)
        ((key, entity),) = heard
        self.assertEqual((key[2], entity["text"], key[1]), ("new", "hold by ann", str(entity["number"])))

    def test_unreadable(self):
        """A line that is damaged is left out; a trail that cannot be read is said to be so."""
        self.farm()
        self.order("mac-mini", "hold")
        self.entries()
        with self.file.open("ab") as file:
            file.write(b'{"number": 1, "at": \n[]\n\xff\xff\n{}\n')
        self.assertEqual(self.texts(), ["hold by ann"])
        self.file.unlink()
        self.file.mkdir()
        answer = self.get("trail")
        self.assertIn("the trail cannot be read", answer.json["error"])
        self.file.rmdir()

    def test_unwritable(self):
        """A trail that cannot be written keeps no order and no build from anything; that is said once, and later it is written."""
        self.farm()
        self.file.mkdir()
        self.order("mac-mini", "hold", reason="one")
        self.pass_(HOUR)
        self.assertEqual(self.sources(), ["admin"])
        self.order("mac-mini", "release")
        self.request()
        self.assertEqual(len(self.startedOn()), 1)
        self.file.rmdir()
        self.pass_(60)
        self.assertEqual(self.texts(), ["hold by ann (one)", "release by ann"])

    def test_pushed(self):
        """A hold that something renews all the time is told when it begins and ends, and what it was refused."""
        self.farm()
        for minute in range(3):
            self.passUntil(self.at(7 + minute / 60))
            self.order(
                "mac-mini",
                "push",
                "zabbix",
                source="load",
                reason="load 63",
                until=self.at(7.1 + minute / 60),
            )
        self.order("mac-mini", "withdraw", "mallory", source="load")
        self.passUntil(self.at(7.3))
        begun, refused, ended = self.texts()
        self.assertEqual(refused.partition(": the hold")[0], "withdraw by mallory: refused")
        self.assertTrue(begun.endswith("(load 63)") and ended.endswith("(load 63)"), (begun, ended))

    def test_reconfig(self):
        """How a reconfiguration has ended is told, once."""
        self.farm()
        self.assembly.reconfigurations.last = Outcome(
            1, "failed", "ann", self.at(7), ("a mistake", "another")
        )
        for _ in range(2):
            self.assembly._reconfig_changed()
        (text,) = self.texts()
        self.assertEqual(text, "not reconfigured: there is a mistake in the configuration by ann: a mistake")

    def test_builders(self):
        """A builder that is held itself is told, and that it is over."""
        self.farm()
        self.post("builders/runtests/presence", "hold", user("ann"), reason="compiler", until=self.at(7))
        self.passUntil(self.at(7.1))
        self.post("builders/runtests/presence", "hold", user("ann"))
        self.post("builders/runtests/presence", "release", user("bob"))
        self.assertEqual(
            self.texts(),
            [
                "hold of the builder by ann (compiler)",
                "no longer held by an admin (compiler)",
                "hold of the builder by ann",
                "release of the builder by bob",
            ],
        )
        self.assertEqual({tuple(each["builders"]) for each in self.getAll("trail")}, {("runtests",)})

    def test_hanging(self):
        """Where the file hangs, so many wait for what they read, and the others are told so at once."""
        self.farm()
        reading = self.assembly.telling._trail._reading
        reading.waiting = 20
        self.assertIn("its file hangs", self.get("trail").json["error"])

    def test_connections(self):
        """A worker that goes and comes is told in the words for it."""
        self.farm()
        self.disconnect("mac-mini")
        self.connect("mac-mini")
        self.assertEqual(self.texts(), ["not connected", "connected"])

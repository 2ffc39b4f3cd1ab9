"""Holds that are pushed, by what measures something."""

from pathlib import Path

from tests.master.apicase import INVALID_PARAMS, INVALID_REQUEST, ApiTestCase, user
from tests.master.fakemaster import HOUR, MINUTE

ZABBIX = user("zabbix")


class PushedTests(ApiTestCase):
    def setUp(self):
        super().setUp()
        self.database = Path(self.mktemp()).resolve()
        self.start()

    def start(self):
        workers = [self.slave("mac-mini"), self.slave("aarch64")]
        self.startMaster(workers, db_url=f"sqlite:///{self.database}")

    def push(self, who=ZABBIX, source="zabbix", minutes=5, **params):
        until = self.reactor.seconds() + minutes * MINUTE
        return self.post("presences/mac-mini", "push", who, source=source, until=until, **params)

    def test_push(self):
        """It holds under the name of its source, is renewed, and is gone when nobody renews it."""
        (held,) = self.push(reason="load 63").result["holds"]
        since = self.reactor.seconds()
        self.assertEqual(
            held,
            {
                "source": "condition",
                "reason": "load 63",
                "by": "zabbix",
                "since": since,
                "until": since + 5 * MINUTE,
            },
        )
        self.pass_(4 * MINUTE)
        (held,) = self.push(reason="load 70").result["holds"]
        self.assertEqual((held["reason"], held["since"]), ("load 70", since))
        self.pass_(5 * MINUTE - 1)
        self.assertEqual(self.sources(), ["condition"])
        self.pass_(1)
        self.assertEqual(self.sources(), [])

    def test_several(self):
        """Sources and admins hold side by side, and each ends its own."""
        self.post("presences/mac-mini", "hold", user("ann"), reason="disk")
        self.push(source="load")
        self.push(source="disk")
        self.assertEqual(self.sources(), ["admin", "condition", "condition"])
        self.post("presences/mac-mini", "release", user("ann"))
        self.post("presences/mac-mini", "withdraw", ZABBIX, source="load")
        self.assertEqual([(each.source, each.by) for each in self.presence().holds], [("condition", "disk")])
        self.post("presences/mac-mini", "withdraw", ZABBIX, source="load")
        self.assertEqual(self.sources(), ["condition"])

    def test_others(self):
        """Another user neither renews nor ends it, and is told when it ends."""
        self.push()
        for answer in (
            self.push(user("eve")),
            self.post("presences/mac-mini", "withdraw", user("eve"), source="zabbix"),
        ):
            _, code, text = answer.error
            self.assertEqual(code, INVALID_REQUEST)
            self.assertIn(
                "was pushed by zabbix, who alone renews and ends it: it ends by itself in 5 min", text
            )
        # and what is ordered of several is ordered of none
        names = ["aarch64", "mac-mini"]
        until = self.reactor.seconds() + MINUTE
        answer = self.post("presences", "push", user("eve"), workers=names, source="zabbix", until=until)
        self.assertIn("nothing was ordered", answer.error[2])
        self.assertEqual((self.sources("aarch64"), self.sources()), ([], ["condition"]))
        self.pass_(HOUR)
        self.assertEqual(self.push(user("eve")).status, 200)

    def test_restart(self):
        """It survives a restart of the master, with its end."""
        self.push(reason="load 63")
        before = self.presence().holds
        self.stopMaster()
        self.reactor.rightNow += MINUTE
        self.start()
        self.assertEqual(self.presence().holds, before)
        self.pass_(4 * MINUTE)
        self.assertEqual(self.sources(), [])
        self.stopMaster()
        self.start()
        self.assertEqual(self.sources(), [])

    def test_mistakes(self):
        """Each mistake says what would be right, and changes nothing."""
        now = self.reactor.seconds()
        for params, said in (
            (
                {"source": "zabbix"},
                "push needs until: when the hold ends unless it is pushed again, in seconds",
            ),
            ({"source": "zabbix", "until": None}, "until: it may not be null"),
            ({"until": now + 1}, "push needs source: the name of what measures, such as zabbix"),
            ({"until": now + 1, "source": "a b"}, "source: 'a b' is not a name: give 1 to 64 letters"),
        ):
            _, code, text = self.post("presences/mac-mini", "push", **params).error
            self.assertEqual(code, INVALID_PARAMS)
            self.assertIn(said, text)
        self.assertIn("at most 1 d at a time", self.push(minutes=24 * 60 + 1).error[2])
        self.assertEqual(self.sources(), [])

    def test_nothingRemains(self):
        """Of sources that come and go nothing is remembered."""
        for number in range(30):
            self.push(source=f"s{number}", minutes=1)
            self.pass_(2 * MINUTE)
        self.assertEqual(len(self.worker("mac-mini").adminRecord.pushed), 1)
        self.assertEqual(len(self.presence()._ended), 1)

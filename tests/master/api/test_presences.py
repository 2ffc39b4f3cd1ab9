from presence.breaks import forecast
from presence.breaks.schedule import Break, BreakSchedule
from presence.calendar import zones
from presence.master.api import presences
from presence.master.api.registration import registerResources
from tests.master.apicase import ApiTestCase

WORKING_HOURS = Break("07:00", "19:00", tz="UTC", reason="office hours")


class WorkerTests(ApiTestCase):
    """What is told of a worker."""

    def test_paths(self):
        """A worker is found by its id and by its name, under presences and under workers."""
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")])
        workerid = self.workerid("aarch64")
        for path in (
            f"presences/{workerid}",
            "presences/aarch64",
            f"workers/{workerid}/presence",
            "workers/aarch64/presence",
        ):
            entity = self.getOne(path)
            self.assertEntity(entity)
            self.assertEqual((entity["workerid"], entity["name"]), (workerid, "aarch64"))

    def test_available(self):
        """A worker that nothing holds is AVAILABLE, connected and idle, and says for whom it works."""
        self.startMaster([self.slave("mac-mini")], {"a": ["mac-mini"], "b": ["mac-mini"]})
        builders = sorted(self.resultOf(self.master.data.updates.findBuilderId(name)) for name in "ab")
        self.assertEqual(
            self.getOne("presences/mac-mini"),
            {
                "workerid": self.workerid(),
                "name": "mac-mini",
                "state": "AVAILABLE",
                "holds": [],
                "connected": True,
                "busy": False,
                "running": 0,
                "back_at": None,
                "next_break": None,
                "breaks": [],
                "partial_breaks": [],
                "limits": [],
                "refused": [],
                "blocked": [],
                "interrupts_at": None,
                "work_until": None,
                "builders": builders,
                "groups": [],
                "zones": [],
                "holdable": True,
                "drain": None,
                "masterid": None,
                "stale_since": None,
            },
        )

    def test_holds(self):
        """All holds are told, in the order of their sources, with reason, by, since and until."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS)])
        self.passUntil(self.at(8))
        self.presence().hold("admin", reason="disk", by="ann", until=self.at(20))
        entity = self.getOne("presences/mac-mini")
        self.assertEntity(entity)
        self.assertEqual(entity["state"], "NOT_ACCEPTING_NEW_BUILDS")
        self.assertEqual(
            entity["holds"],
            [
                {
                    "source": "break",
                    "reason": "office hours",
                    "by": None,
                    "since": self.at(7),
                    "until": self.at(19),
                },
                {"source": "admin", "reason": "disk", "by": "ann", "since": self.at(8), "until": self.at(20)},
            ],
        )
        self.assertEqual(entity["back_at"], self.at(20))

    def test_breaks(self):
        """The breaks are those of eight days from today's midnight; the next one begins after now."""
        self.patchZone("UTC")
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS)])
        entity = self.getOne("presences/mac-mini")
        self.assertEntity(entity)
        expected = [
            {
                "start": self.at(7 + 24 * day),
                "stop": self.at(19 + 24 * day),
                "reason": "office hours",
                "finish_before": False,
                "interrupts_at": None,
            }
            for day in range(9)
        ]
        self.assertEqual(entity["breaks"], expected[:8])
        self.assertEqual(entity["next_break"], expected[0])
        self.passUntil(self.at(7))
        self.assertEqual(self.getOne("presences/mac-mini")["next_break"], expected[1])
        self.passUntil(self.at(24))
        entity = self.getOne("presences/mac-mini")
        self.assertEqual(entity["breaks"], expected[1:])
        self.assertEqual(entity["next_break"], expected[1])

    def patchZone(self, name):
        for module in (forecast, zones):
            self.patch(module, "localZone", lambda: name)

    def test_zones(self):
        """The zones are told in which the breaks are written, each once; the master's where none is named."""
        self.patchZone("America/New_York")
        tokyo = [Break(*each, tz="Asia/Tokyo") for each in (("07:00", "08:00"), ("09:00", "10:00"))]
        self.startMaster(
            [
                self.slave("mac-mini", onBreakDuring=[*tokyo, Break("11:00", "12:00", tz="UTC")]),
                self.slave("aarch64", onBreakDuring=("07:00", "19:00")),
                self.slave("vm-7", timezone="Asia/Tokyo"),
            ]
        )
        found = {each["name"]: each["zones"] for each in self.getAll("presences")}
        self.assertEqual(
            found, {"mac-mini": ["Asia/Tokyo", "UTC"], "aarch64": ["America/New_York"], "vm-7": []}
        )
        self.assertEntity(self.getOne("presences/mac-mini"))
        (tokyo,) = self.getAll("presences?zones__contains=Asia/Tokyo")
        self.assertEqual(tokyo["name"], "mac-mini")

    def test_localMidnight(self):
        """The days begin at the midnight of this host, whatever its zone, and on days of 23 hours too."""
        self.patchZone("Asia/Tokyo")
        self.startMaster([self.slave("mac-mini", onBreakDuring=Break("00:00", "00:30", tz="Asia/Tokyo"))])
        starts = [each["start"] for each in self.getOne("presences/mac-mini")["breaks"]]
        # Monday 06:00 UTC is Monday 15:00 in Tokyo, whose Monday began on Sunday at 15:00 UTC
        self.assertEqual(starts, [self.at(-9 + 24 * day) for day in range(8)])

    def test_endless(self):
        """A break without an end in sight has the stop null."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=[Break("00:00", "24:00", tz="UTC")])])
        entity = self.getOne("presences/mac-mini")
        self.assertEntity(entity)
        self.assertIsNone(entity["breaks"][0]["stop"])
        self.assertIsNone(entity["next_break"])

    def test_running(self):
        """A build makes a worker busy; a stock worker is counted too."""
        self.startMaster([self.slave("mac-mini"), self.stock("plain")], {"a": ["mac-mini"], "b": ["plain"]})
        for name, builder in (("mac-mini", "a"), ("plain", "b")):
            self.request(builder)
            entity = self.getOne(f"presences/{name}")
            self.assertEqual((entity["busy"], entity["running"]), (True, 1))
            self.finishAll()
            entity = self.getOne(f"presences/{name}")
            self.assertEqual((entity["busy"], entity["running"]), (False, 0))

    def test_stock(self):
        """A stock worker is told too: paused, it has the hold pause; it has no breaks."""
        self.startMaster([self.slave("mac-mini"), self.stock("plain")])
        self.worker("plain").pause("disk")
        self.pass_(1)
        entity = self.getOne("presences/plain")
        self.assertEntity(entity)
        self.assertEqual([(each["source"], each["reason"]) for each in entity["holds"]], [("pause", "disk")])
        self.assertFalse(entity["holdable"])

    def test_unknown(self):
        """An unknown worker is not found."""
        self.startMaster([self.slave("mac-mini")])
        for path in (
            "presences/999",
            "presences/nobody",
            "workers/999/presence",
            "presences/-1",
            f"presences/{10**30}",
        ):
            self.assertEqual(self.get(path).status, 404, path)

    def test_offline(self):
        """A worker that is not connected says so, by a hold and by `connected`."""
        self.startMaster([self.slave("mac-mini")], connect=False)
        entity = self.getOne("presences/mac-mini")
        self.assertFalse(entity["connected"])
        self.assertEqual([each["source"] for each in entity["holds"]], ["offline"])


class CollectionTests(ApiTestCase):
    """Collections are filtered, ordered and paged as Buildbot's own."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave(name) for name in ("c", "a", "b")])
        self.presence("b").hold("admin", reason="disk", until=self.at(9))
        self.pass_(1)

    def names(self, path):
        return [each["name"] for each in self.getAll(path)]

    def test_all(self):
        """All workers are there, by name, with their number; each is as it is by itself."""
        answer = self.get("presences")
        self.assertEqual([each["name"] for each in answer.json["presences"]], ["a", "b", "c"])
        self.assertEqual(answer.json["meta"], {"total": 3})
        self.assertEqual(answer.json["presences"][1], self.getOne("presences/b"))

    def test_filters(self):
        """Fields can be filtered by; what is null compares with nothing."""
        for query, expected in (
            ("state=AVAILABLE", ["a", "c"]),
            ("state__ne=AVAILABLE", ["b"]),
            ("name=a&name=b", ["a", "b"]),
            ("name__contains=b", ["b"]),
            ("busy=false", ["a", "b", "c"]),
            ("busy=true", []),
            (f"back_at__lt={self.at(10)}", ["b"]),
            (f"back_at__gt={self.at(10)}", []),
            (f"back_at__ge={self.at(9)}", ["b"]),
            (f"back_at={self.at(9)}", ["b"]),
            ("builders__contains=1", ["a", "b", "c"]),
            ("builders__contains=7", []),
        ):
            self.assertEqual(self.names(f"presences?{query}"), expected, query)

    def test_order(self):
        """They can be ordered by every field that has an order; null comes first."""
        self.assertEqual(self.names("presences?order=-name"), ["c", "b", "a"])
        self.assertEqual(self.names("presences?order=back_at&order=name"), ["a", "c", "b"])

    def test_page(self):
        """They can be paged, and the total is told."""
        answer = self.get("presences?order=name&offset=1&limit=1")
        self.assertEqual([each["name"] for each in answer.json["presences"]], ["b"])
        self.assertEqual(answer.json["meta"], {"total": 3})

    def test_fields(self):
        """Only the fields that are asked for are told."""
        self.assertEqual(self.getAll("presences?field=name&name=a"), [{"name": "a"}])
        self.assertEqual(self.getOne("presences/a?field=state"), {"state": "AVAILABLE"})

    def test_breaksOnDemand(self):
        """Breaks are worked out only for who asks for them, and only of those who have any."""
        self.patch(
            self.assembly.roster.enrolled("b"), "schedule", BreakSchedule([Break("1:00", "2:00", tz="UTC")])
        )
        calls = []
        forecast = self.assembly.entities._forecast
        days = forecast.days
        self.patch(type(forecast), "days", lambda self, *args: calls.append(args) or days(*args))
        self.getAll("presences?field=name")
        self.assertEqual(calls, [])
        self.getAll("presences")
        self.assertEqual(len(calls), 1)

    def test_mistakes(self):
        """What makes no sense is refused with 400 and a text that says what would."""
        for query, said in (
            ("order=holds", "cannot order by 'holds': order by one of back_at, busy"),
            ("order=-next_break", "cannot order by 'next_break'"),
            ("limit=-1", "invalid limit -1: it is 0 or more"),
            ("offset=-1", "invalid offset"),
            ("limit=x", "invalid limit"),
            ("running__contains=1", "cannot filter by 'running__contains': use running, running__ne"),
            ("builders=1", "cannot filter by 'builders__eq': use builders__contains"),
            ("holds__contains=x", "invalid filter value"),
            ("back_at=soon", "invalid filter value"),
            ("nobody=1", "unrecognized query parameter"),
        ):
            answer = self.get(f"presences?{query}")
            self.assertEqual(answer.status, 400, (query, answer.json))
            self.assertIn(said, answer.json["error"])

    def test_spec(self):
        """The specification of the API, which is made when it is first asked for, has our resources."""
        paths = {each["path"] for each in self.getAll("application.spec")}
        self.assertLessEqual({"presences", "presences/n:workerid", "builders/n:builderid/presence"}, paths)
        self.assertIn({"name": "presences"}, self.master.data.rootLinks)

    def test_registeredOnce(self):
        """Registering resources that are there already changes nothing."""
        before = len(self.master.data.rootLinks)
        types = registerResources(self.master, presences)
        self.assertEqual(sorted(types), ["builderpresence", "presence"])
        self.assertIs(types["presence"], self.master.data.rtypes.presence)
        self.assertEqual(len(self.master.data.rootLinks), before)


class BuilderTests(ApiTestCase):
    """What is told of a builder."""

    def start(self):
        self.startMaster(
            [self.slave("a"), self.slave("b"), self.stock("plain")],
            {"two": ["a", "b"], "one": ["a"], "my builder": ["plain"]},
        )

    def builderid(self, name):
        return self.resultOf(self.master.data.updates.findBuilderId(name))

    def test_paths(self):
        """A builder is found by its id and by its name, whatever that is."""
        self.start()
        for path in (
            f"builders/{self.builderid('my builder')}/presence",
            f"builderpresences/{self.builderid('my builder')}",
            "builders/my%20builder/presence",
        ):
            entity = self.getOne(path)
            self.assertEntity(entity, presences.BuilderPresence)
            self.assertEqual(entity["name"], "my builder")
        for path in ("builders/999/presence", "builders/nobody/presence", f"builderpresences/{10**30}"):
            self.assertEqual(self.get(path).status, 404)

    def test_ready(self):
        """It says how many of its workers are ready, and of how many; then there is no reason."""
        self.start()
        self.presence("b").hold("worker")
        self.assertEqual(
            self.getOne("builders/two/presence"),
            {
                "builderid": self.builderid("two"),
                "name": "two",
                "state": "AVAILABLE",
                "ready": 1,
                "total": 2,
                "waiting": 0,
                "reason": None,
                "back_at": None,
                "hold": None,
            },
        )

    def test_noneReady(self):
        """When none is ready it says why, and until when: that of the first to be back."""
        self.start()
        self.presence("b").hold("worker", reason="rendering", until=self.at(9))
        self.presence("a").hold("admin", until=self.at(12))
        entity = self.getOne("builders/two/presence")
        self.assertEntity(entity, presences.BuilderPresence)
        self.assertEqual(entity["ready"], 0)
        self.assertEqual(entity["state"], "NOT_ACCEPTING_NEW_BUILDS")
        self.assertEqual(entity["reason"], "b: held by its owner (rendering); a: held by an admin")
        self.assertEqual(entity["back_at"], self.at(9))

    def test_manyHeld(self):
        """Of many workers only three are named in the reason."""
        names = [f"w{number}" for number in range(9)]
        self.startMaster([self.slave(name) for name in names], connect=False)
        self.assertEqual(
            self.getOne("builders/runtests/presence")["reason"],
            "w0: not connected; w1: not connected; w2: not connected; and 6 more",
        )

    def test_waiting(self):
        """It says how many requests wait; those that are built do not."""
        self.start()
        self.presence("a").hold("admin")
        self.request("one")
        self.request("one")
        self.assertEqual(self.getOne("builders/one/presence")["waiting"], 2)
        self.assertEqual(self.getOne("builders/two/presence")["waiting"], 0)
        self.presence("a").release("admin")
        self.pass_(1)
        self.assertEqual(self.getOne("builders/one/presence")["waiting"], 1)
        self.finishAll()

    def test_collection(self):
        """All builders are a collection that can be filtered and ordered."""
        self.start()
        self.presence("a").hold("admin")
        self.pass_(1)
        self.assertEqual(
            [each["name"] for each in self.getAll("builderpresences")], ["my builder", "one", "two"]
        )
        self.assertEqual([each["name"] for each in self.getAll("builderpresences?ready=0")], ["one"])
        reason = self.getAll("builderpresences?ready=0")[0]["reason"]
        for query in (f"reason={reason}", f"reason__contains={reason[:4]}"):
            self.assertEqual(
                [each["name"] for each in self.getAll(f"builderpresences?{query}")], ["one"], query
            )
        self.assertEqual(
            [each["name"] for each in self.getAll("builderpresences?order=-total&limit=1")], ["two"]
        )

"""An order for many workers: one request, one transaction, and all of them or none."""

from buildbot.plugins import util
from sqlalchemy import event
from twisted.internet.defer import fail

from presence.breaks.schedule import Break
from presence.master.api import events
from presence.master.holding import drains, storedorders
from presence.master.holding.recordtable import RecordTable
from presence.master.stored.rows import Rows
from tests.master.apicase import INVALID_PARAMS, METHOD_NOT_FOUND, ApiTestCase, user

ANN, ME = user("ann"), user("me@example.org")
NAMES = [f"mac-{number}" for number in range(24)]


class ManyTests(ApiTestCase):
    def setUp(self):
        super().setUp()
        # more than are done in one turn of the reactor
        self.patch(storedorders, "_AT_ONCE", 10)
        self.patch(events, "SLICE", 10)
        office = Break("07:00", "19:00", tz="UTC")
        self.startMaster(
            [
                *(self.slave(name, onBreakDuring=office) for name in NAMES),
                self.slave("arm"),
                self.stock("plain"),
            ],
            connect=False,
        )

    def order(self, action="hold", names=NAMES, who=ANN, **params):
        return self.post("presences", action, who, workers=names, **params)

    def held(self):
        return [name for name in (*NAMES, "arm") if "admin" in self.sources(name)]

    def stored(self):
        """What is stored, by name."""
        table = RecordTable(self.master)
        found = {name: self.resultOf(table.read(name)) for name in (*NAMES, "arm")}
        return {name: record for name, record in found.items() if record.hold or record.workUntil}

    def test_all(self):
        """All are held alike, and stored before the answer, which has their presences in the order of the names."""
        answer = self.order(reason="disks", until=self.at(9)).result
        self.assertEqual([each["name"] for each in answer["presences"]], NAMES)
        for name, entity in zip(NAMES, answer["presences"], strict=True):
            hold = self.presence(name).heldBy("admin")
            self.assertEqual((hold.reason, hold.by, hold.until), ("disks", "ann", self.at(9)))
            self.assertEqual(entity["holds"][-1]["reason"], "disks")
            self.assertEqual(entity.pop("order")["heeded_by"], [self.master.name])
            self.assertEntity(entity)
        self.assertEqual(self.held(), NAMES)
        self.assertEqual(
            {name: record.hold for name, record in self.stored().items()},
            {name: self.presence(name).heldBy("admin") for name in NAMES},
        )
        self.order("release", NAMES[:12])
        self.assertEqual(self.held(), NAMES[12:])
        self.order("work", until=self.at(8)).result  # noqa: B018 (it fails when it is an error)
        self.assertEqual({each.workUntil for each in self.stored().values()}, {self.at(8)})
        self.assertEqual(self.held(), NAMES[12:])

    def test_statements(self):
        """However many they are: one SELECT, one UPDATE, one INSERT at most, and one commit."""
        statements, commits = [], []
        engine = self.master.db.pool.engine
        self.order(names=NAMES[:16])

        def executed(_connection, _cursor, statement, *_):
            statements.append(statement.split()[0])

        def committed(_connection):
            commits.append(None)

        event.listen(engine, "before_cursor_execute", executed)
        event.listen(engine, "commit", committed)
        self.order(reason="more")
        event.remove(engine, "before_cursor_execute", executed)
        event.remove(engine, "commit", committed)
        self.assertEqual(sorted(statements), ["INSERT", "SELECT", "UPDATE"])
        self.assertEqual(len(commits), 1)

    def test_isOne(self):
        """What the order for many stores of a worker is what an order for it alone does, whatever was before."""
        table = RecordTable(self.master)
        for action, params in (
            ("hold", {"reason": "disk"}),
            ("work", {"until": self.at(9)}),
            ("drain", {"deadline": self.at(9), "group": "g"}),
            ("release", {}),
        ):
            # (the clock of the test stands still meanwhile, but for the moments in which an answer is waited for)
            self.order(action, NAMES[:3], **params)
            first, *others = (self.resultOf(table.read(name)) for name in NAMES[:3])
            self.assertEqual(others, [first, first])
            self.post(f"presences/{NAMES[3]}", action, ANN, **params)
            alone = self.resultOf(table.read(NAMES[3]))
            self.assertEqual(
                (alone.drain, alone.workUntil, alone.workBy), (first.drain, first.workUntil, first.workBy)
            )
            self.assertEqual(_untimed(alone.hold), _untimed(first.hold))

    def refused(self, status, answer, *said):
        self.assertEqual(answer.status, status, answer.json)
        text = answer.error[2]
        for each in said:
            self.assertIn(each, text)
        self.assertEqual(self.held(), [])

    def test_none(self):
        """When one of them cannot be ordered that, nothing is stored or done of any, and the answer says which one."""
        self.refused(404, self.order(names=[*NAMES, "nobody"]), "no worker 'nobody'", "nothing was ordered")
        self.refused(404, self.order(names=[*NAMES, "7"]), "no worker '7'")
        self.refused(
            400, self.order(names=[*NAMES, "plain"]), "plain is one of Buildbot's own", "nothing was"
        )
        self.refused(400, self.order("work", [*NAMES, "arm"], until=self.at(9)), "arm has no breaks")
        self.refused(400, self.order(reason=7), "is not text")
        self.refused(501, self.order("Hold"), "there is no action 'Hold'")
        for names in (None, [], "mac-1", {"mac-1": 1}, [7], [None], ["mac-1", ["mac-2"]]):
            answer = self.order(names=names)
            self.refused(400, answer, "hold needs workers, a list of names")
            self.assertEqual(answer.error[1], INVALID_PARAMS)
        for path in ("builderpresences", "presences/mac-1"):
            answer = self.post(path, "hold", ANN, workers=NAMES)
            self.assertIn(answer.error[1], (INVALID_PARAMS, METHOD_NOT_FOUND))
            self.assertEqual(self.held(), [])
        self.assertEqual(self.stored(), {})

    def test_twice(self):
        """A worker that is named twice is ordered that once."""
        answer = self.order(names=["mac-1", "mac-0", "mac-1"]).result
        self.assertEqual([each["name"] for each in answer["presences"]], ["mac-1", "mac-0"])

    def test_notStored(self):
        """When the database fails nothing is done of any."""
        self.patch(RecordTable, "change", lambda *_: fail(RuntimeError("disk full")))
        self.refused(500, self.order())
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_partlyWritten(self):
        """When the database fails in the middle, what was written until then is not there afterwards."""
        self.order(names=NAMES[:12], reason="before")
        before = self.stored()
        write = Rows.write

        def half(rows, connection, values, known):
            # those that are there, and not the others
            write(rows, connection, {name: values[name] for name in NAMES[:12]}, known)
            raise RuntimeError("disk full")

        self.patch(Rows, "write", half)
        self.assertEqual(self.order(reason="after").status, 500)
        self.flushLoggedErrors(RuntimeError)
        self.assertEqual(self.stored(), before)
        self.assertEqual({self.presence(name).heldBy("admin").reason for name in self.held()}, {"before"})

    def test_drainedTogether(self):
        """A drain of many in one group looks at each of them when another one is held, and not at each pair of them."""
        for name in NAMES:
            self.presence(name).release("offline")
        looks = []
        group = drains._group
        self.patch(drains, "_group", lambda entry: looks.append(None) or group(entry))
        self.order("drain", group="g")
        self.pass_(1)
        self.assertEqual(self.held(), NAMES)
        self.assertLess(len(looks), 10 * len(NAMES) ** 2)

    def test_announced(self):
        """Each of them is announced as changed, within a second."""
        self.order()
        self.pass_(1)
        self.assertEqual({each["name"] for each in self.changes()}, set(NAMES))


def _untimed(hold):
    return hold and (hold.reason, hold.by, hold.until)


class WhoMayTests(ApiTestCase):
    """An order for many may be given by whoever may give it for each of them, by the rules of the site."""

    def setUp(self):
        super().setUp()
        rules = [
            util.PresenceEndpointMatcher(role="owner", actions=["hold"], defaultDeny=False),
            util.PresenceEndpointMatcher(role="mac admins", worker="mac-*"),
            util.AnyControlEndpointMatcher(role="admins"),
        ]
        roles = [
            util.RolesFromWorkerOwner(role="owner"),
            util.RolesFromUsername(roles=["mac admins"], usernames=["ann", "mia"]),
            util.RolesFromUsername(roles=["admins"], usernames=["ann"]),
        ]
        self.startMaster(
            [
                self.slave("mac-1", owners=["me@example.org"]),
                self.slave("mac-2", owners=["me@example.org"]),
                self.slave("arm", owners=["eve@example.org"]),
            ],
            authz=util.Authz(allowRules=rules, roleMatchers=roles),
        )

    def test_each(self):
        """Whoever it is, whatever it is, and of which of them: the answer is that of all of them alone."""
        for who in (user("ann"), user("mia"), ME, user("eve@example.org"), {"anonymous": True}):
            for action in ("hold", "release"):
                alone = {
                    name: self.post(f"presences/{name}", action, who).status
                    for name in ("mac-1", "mac-2", "arm")
                }
                for names in (["mac-1"], ["mac-1", "mac-2"], ["mac-1", "arm"], ["arm", "mac-2", "mac-1"]):
                    before = {name: self.presence(name).holds for name in alone}
                    answer = self.post("presences", action, who, workers=names)
                    refusing = [name for name in names if alone[name] != 200]
                    self.assertEqual(answer.status, 403 if refusing else 200, (who, action, names))
                    if refusing:
                        self.assertIn(f"{refusing[0]}: you need to have role", answer.error[2])
                        self.assertEqual({name: self.presence(name).holds for name in alone}, before)

    def test_noNames(self):
        """A request that names nobody, or in another way, gets past no rule, and does nothing."""
        for names in (None, [], "mac-1", [1], [["mac-1"]]):
            self.assertEqual(self.post("presences", "hold", ME, workers=names).status, 403)
        for path in ("presences/", "presences//"):
            self.assertNotEqual(self.post(path, "hold", ME, workers=["arm"]).status, 200)
        # an id is not a name: no rule knows it by that
        number = str(self.workerid("arm"))
        self.assertEqual(self.post("presences", "hold", ME, workers=[number]).status, 404)
        self.assertEqual(self.sources("arm"), [])

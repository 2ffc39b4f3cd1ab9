from icalendar import Calendar

from presence.breaks.schedule import Break
from tests.master.apicase import ApiTestCase
from tests.master.breaks.sparingsimulation import record


class PartialBreaksTests(ApiTestCase):
    """What is told of partial breaks."""

    def startFarm(self):
        office = Break("08:00", "18:00", tz="UTC", without="bench-*", reason="office")
        self.startMaster(
            [
                self.slave(
                    "mac-mini",
                    onBreakDuring=[office, Break("12:00", "13:00", tz="UTC", reason="Ann's lunch")],
                )
            ],
            {"bench-a": ["mac-mini"], "quick-a": ["mac-mini"]},
        )

    def test_coming(self):
        """Those of the coming days are a list of their own, with what may start; the breaks are those that were before."""
        self.startFarm()
        entity = self.getOne("presences/mac-mini")
        self.assertEqual(len(entity["breaks"]), 8)
        first = entity["partial_breaks"][0]
        self.assertEqual(
            first,
            {
                "start": self.at(8),
                "stop": self.at(18),
                "reason": "office",
                "limit": "without bench-*",
                "finish_before": False,
                "interrupts_at": None,
            },
        )
        self.assertEqual(entity["limits"], [])
        self.assertEntity(entity)

    def test_between(self):
        """The breaks of other days are told when they are asked for, also those of days that are past; not of whole years."""
        self.startFarm()
        for day in (20, -3):
            first = int(self.at(0)) + day * 86400
            entity = self.getOne(f"presences/between/{first}/{first + 2 * 86400}")
            lunches = [(first + (24 * each + 12) * 3600, first + (24 * each + 13) * 3600) for each in (0, 1)]
            self.assertEqual([(each["start"], each["stop"]) for each in entity["breaks"]], lunches)
            self.assertEqual(
                [each["start"] for each in entity["partial_breaks"]],
                [first + (24 * each + 8) * 3600 for each in (0, 1)],
            )
            self.assertEntity(entity)
        now = int(self.at(0))
        for first, last in ((now, now), (now, now + 63 * 86400), (1, 2), (2**70, 2**70 + 1)):
            answer = self.get(f"presences/between/{first}/{last}")
            self.assertEqual(answer.status, 400)
            self.assertIn("at most 62 days, within 400", answer.json["error"])

    def test_now(self):
        """When one begins the worker stays AVAILABLE, and its limits are told, in an event, too."""
        self.startFarm()
        self.events.clear()
        self.passUntil(self.at(8) + 1)
        [entity] = self.changes()
        self.assertEqual(entity["state"], "AVAILABLE")
        self.assertEqual(entity["limits"], [{"limit": "without bench-*", "until": self.at(18)}])
        self.assertEntity(entity)

    def test_buildersHear(self):
        """When a partial break begins or ends the builders that it refuses are told, in events."""
        self.startFarm()
        for hour, ready in ((8, 0), (12, 0), (13, 0), (18, 1)):
            self.events.clear()
            self.passUntil(self.at(hour) + 1)
            told = {each["name"]: each["ready"] for each in self.changes("builderpresences")}
            self.assertEqual(told.get("bench-a", 0), ready)
        self.assertEqual(self.getOne("builders/bench-a/presence")["reason"], None)

    def test_builders(self):
        """A builder that is refused has no worker that is ready, and knows why and until when; another one has."""
        self.startFarm()
        self.passUntil(self.at(8) + 1)
        found = {each["name"]: each for each in self.getAll("builderpresences")}
        self.assertEqual((found["quick-a"]["ready"], found["quick-a"]["reason"]), (1, None))
        bench = found["bench-a"]
        self.assertEqual(
            (bench["state"], bench["ready"], bench["back_at"]), ("NOT_ACCEPTING_NEW_BUILDS", 0, self.at(18))
        )
        self.assertEqual(bench["reason"], "mac-mini: in a partial break: without bench-*")


class SparingTests(ApiTestCase):
    """What is told of breaks that spare builds, and of those that interrupt them."""

    def startFarm(self, **more):
        away = Break("12:00", "14:00", tz="UTC", reason="lunch", **more)
        self.startMaster([self.slave("mac-mini", onBreakDuring=away)])

    def test_finishBefore(self):
        """A break says so; and what waits before it is told by its worker and its builder, with when it may start, in events."""
        self.startFarm(finishBefore=True)
        record(self, [("runtests", "mac-mini", self.at(1), self.at(2))])
        entity = self.getOne("presences/mac-mini")
        self.assertEqual(entity["next_break"]["finish_before"], True)
        self.assertEqual((entity["breaks"][0]["finish_before"], entity["refused"]), (True, []))
        self.passUntil(self.at(11.5))
        self.events.clear()
        self.request()
        self.pass_(1)
        events = [(key[0], message) for key, message in self.events]
        [told] = [each for kind, each in events if kind == "presences" and each["refused"]]
        reason = "a build may take 1 h, and is to be finished before the next break"
        self.assertEqual(
            told["refused"],
            [{"builder": "runtests", "reason": reason, "until": self.at(14), "finish_by": self.at(12)}],
        )
        self.assertEqual((told["state"], told["holds"]), ("AVAILABLE", []))
        self.assertEntity(told)
        builder = self.getAll("builderpresences")[0]
        self.assertEqual((builder["state"], builder["ready"]), ("AVAILABLE", 1))
        self.assertEqual((builder["reason"], builder["back_at"]), (f"mac-mini: {reason}", self.at(14)))
        heard = [each["reason"] for kind, each in events if kind == "builderpresences"]
        self.assertEqual(heard[-1:], [builder["reason"]])
        self.passUntil(self.at(14) + 2)
        entity = self.getOne("presences/mac-mini")
        self.assertEqual((entity["refused"], entity["running"]), ([], 1))

    def test_deadline(self):
        """When what runs is interrupted is told beforehand, and as long as it is still to come."""
        self.startFarm(deadline="15m")
        entity = self.getOne("presences/mac-mini")
        due = self.at(12.25)
        self.assertEqual((entity["interrupts_at"], entity["next_break"]["interrupts_at"]), (None, due))
        self.request()
        self.passUntil(self.at(12) + 1)
        entity = self.getOne("presences/mac-mini")
        self.assertEqual((entity["interrupts_at"], entity["running"]), (due, 1))
        self.events.clear()
        self.passUntil(due + 2)
        self.assertEqual({each["interrupts_at"] for each in self.changes()}, {None})
        self.assertEqual(self.getOne("presences/mac-mini")["running"], 0)


class CalendarTests(ApiTestCase):
    """The breaks of a worker as a calendar that a phone subscribes to."""

    def calendar(self, path):
        endpoint, kwargs = self.master.data.getEndpoint(tuple(path.split("/")))
        return self.successResultOf(endpoint.get(None, kwargs))

    def test_calendar(self):
        """It has the breaks of the coming weeks, and their reasons only where it was asked for them."""
        PartialBreaksTests.startFarm(self)
        for path in ("presences/mac-mini/calendar.ics", f"presences/{self.workerid()}/calendar.ics"):
            found = self.calendar(path)
            self.assertEqual((found["mime-type"], found["filename"]), ("text/calendar", "mac-mini.ics"))
            events = Calendar.from_ical(found["raw"]).walk("VEVENT")
            self.assertEqual(
                {str(each["SUMMARY"]) for each in events}, {"mac-mini: break", "mac-mini: without bench-*"}
            )
            self.assertGreater(len(events), 200)
        found = self.calendar("presences/mac-mini/calendar-with-reasons.ics")
        self.assertIn("Ann's lunch", found["raw"])

    def test_rest(self):
        """The web server sends it as a calendar, and nothing of a worker that is not there or not ours."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=("7:00", "8:00")), self.stock("plain")])
        status, text = self.renderText("presences/mac-mini/calendar.ics")
        self.assertEqual((status, text.split(b"\r\n")[0]), (200, b"BEGIN:VCALENDAR"))
        self.assertIsNone(self.calendar("presences/plain/calendar.ics"))
        self.assertIsNone(self.calendar("presences/nobody/calendar.ics"))

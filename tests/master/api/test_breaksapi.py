from icalendar import Calendar

from presence.breaks.schedule import Break
from tests.master.apicase import ApiTestCase


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
            {"start": self.at(8), "stop": self.at(18), "reason": "office", "limit": "without bench-*"},
        )
        self.assertEqual(entity["limits"], [])
        self.assertEntity(entity)

    def test_now(self):
        """When one begins the worker stays AVAILABLE, and its limits are told, in an event, too."""
        self.startFarm()
        self.events.clear()
        self.passUntil(self.at(8) + 1)
        [entity] = self.changes()
        self.assertEqual(entity["state"], "AVAILABLE")
        self.assertEqual(entity["limits"], [{"limit": "without bench-*", "until": self.at(18)}])
        self.assertEntity(entity)

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

"""Breaks at the ends of the calendar, in a master that runs."""

from tests.each import each
from tests.master.fakemaster import HOUR, MasterTestCase

ZONES = {"utc": "UTC", "tokyo": "Asia/Tokyo", "newyork": "America/New_York"}

# and who is away on a Monday from 06:00 to 09:00 UTC
BREAKS = {
    "toTheLast": (("2026-11-22T00:00", "9999-12-31T23:59:59"), True),
    "all": (("0001-01-01T00:00", "9999-12-31T23:59:59"), True),
    "last": (("9999-12-31T23:00", "9999-12-31T23:59:59"), False),
    "first": (("0001-01-01T00:00", "0001-01-01T01:00"), False),
}


@each(BREAKS, "A break from the year 1, or to the year 9999 ({}), does no harm in any zone.")
class EndsOfTimeTests(MasterTestCase):
    def check(self, name):
        span, away = BREAKS[name]
        self.startMaster([self.slave(key, onBreakDuring=span, timezone=zone) for key, zone in ZONES.items()])
        for _ in range(3):
            self.pass_(HOUR)
            self.assertEqual(
                {key: self.sources(key) for key in ZONES}, dict.fromkeys(ZONES, ["break"] * away)
            )
        self.assertEqual(len(self.resultOf(self.master.data.get(("presences",)))), len(ZONES))
        self.jump(HOUR)
        # some of them are over, of which whoever wrote them is told
        self.flushWarnings()

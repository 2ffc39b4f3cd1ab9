"""Breaks against an oracle that knows no offsets: it looks at the clock on the wall, minute by minute."""

from datetime import date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakSchedule
from tests.searches.cases import examples

UTC = timezone.utc
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TABLE = 6  # days before and after a change of the clocks that the oracle looks at
SEEN = 3  # days before and after it in which the answers are compared

# (zone, day on which its clocks change, what is remarkable about it). All of them are past: what a country will do to its
# clocks next year changes with each release of tzdata.
CHANGES = [
    ("Europe/Berlin", "2025-03-30"),
    ("Europe/Berlin", "2025-10-26"),
    ("Europe/Dublin", "2025-03-30"),  # its winter time is the exception: negative DST
    ("Europe/Dublin", "2025-10-26"),
    ("Europe/Moscow", "2014-10-26"),  # back for good
    ("Europe/Istanbul", "2016-03-27"),
    ("Atlantic/Azores", "2025-03-30"),  # midnight left out
    ("Atlantic/Azores", "2025-10-26"),
    ("America/New_York", "2025-03-09"),
    ("America/New_York", "2025-11-02"),
    ("America/St_Johns", "2006-04-02"),  # a minute after midnight
    ("America/St_Johns", "2006-10-29"),  # … back to the day before
    ("America/Havana", "2025-03-09"),
    ("America/Havana", "2025-11-02"),
    ("America/Sao_Paulo", "2018-02-18"),  # midnight repeated
    ("America/Sao_Paulo", "2018-11-04"),  # midnight left out
    ("America/Caracas", "2016-05-01"),  # half an hour for good
    ("America/Boa_Vista", "2000-10-08"),  # forward, and back a week later
    ("America/Boa_Vista", "2000-10-15"),
    ("America/Santiago", "2025-09-07"),
    ("America/Nuuk", "2024-03-30"),
    ("Africa/Cairo", "2025-04-25"),  # midnight left out
    ("Africa/Cairo", "2025-10-31"),
    ("Africa/Casablanca", "2025-02-23"),  # Ramadan
    ("Africa/Casablanca", "2025-04-06"),
    ("Asia/Beirut", "2025-03-30"),  # midnight left out
    ("Asia/Beirut", "2025-10-26"),
    ("Asia/Gaza", "2025-04-12"),
    ("Asia/Tehran", "2022-03-22"),
    ("Asia/Pyongyang", "2018-05-05"),  # half an hour before midnight
    ("Asia/Kathmandu", "2025-03-30"),  # no change, +05:45
    ("Australia/Lord_Howe", "2025-04-06"),  # half an hour
    ("Australia/Lord_Howe", "2025-10-05"),
    ("Antarctica/Troll", "2025-03-30"),  # two hours
    ("Antarctica/Troll", "2025-10-26"),
    ("Pacific/Chatham", "2025-09-28"),  # at 02:45
    ("Pacific/Apia", "2011-12-30"),  # a whole day left out
    ("Pacific/Fakaofo", "2011-12-30"),
    ("Pacific/Kwajalein", "1993-08-21"),
    ("UTC", "2025-03-30"),
]


class Wall:
    """What the clock on a wall shows in each minute around a change of the clocks.

    Minutes count from `origin`. A time on the wall is a naive datetime.
    """

    def __init__(self, zone, day, table=TABLE, seen=SEEN):
        self.zone = zone
        self.table, self.seen = table, seen
        self.day = date.fromisoformat(day)
        self.origin = datetime.fromisoformat(day).replace(tzinfo=UTC) - table * DAY
        tzinfo = ZoneInfo(zone)
        shown = [
            (self.origin + minute * MINUTE).astimezone(tzinfo).replace(tzinfo=None, fold=0)
            for minute in range(2 * table * 24 * 60)
        ]
        self.first, self.last, self.jumps = {}, {}, []
        for minute, wall in enumerate(shown):
            self.first.setdefault(wall, minute)
            self.last[wall] = minute
            if minute and wall > shown[minute - 1] + MINUTE:
                self.jumps.append((shown[minute - 1] + MINUTE, wall))

    def onceShown(self, wall):
        """`wall` itself, or moved forward by the gap if no clock ever showed it."""
        for left_out, shown in self.jumps:
            if left_out <= wall < shown:
                return wall + (shown - left_out)
        return wall

    def span(self, day, start, stop, nights=None):
        """The minutes from the first one that shows `start` of `day` to the last one that shows `stop`."""
        midnight = datetime(day.year, day.month, day.day)
        if nights is None:
            nights = 0 if stop > start else 1
        end = midnight + timedelta(days=nights, minutes=stop)
        return (
            self.first[self.onceShown(midnight + timedelta(minutes=start))],
            self.last[self.onceShown(end)],
        )

    def minutes(self, breaks):
        """For each minute in which the answers are compared, whether it lies in a break."""
        busy = bytearray(2 * self.table * 24 * 60)
        for start, stop, starts_on, *nights in breaks:
            for offset in range(-self.table + 1, self.table - 2 - max(nights, default=0)):
                day = self.day + offset * DAY
                if starts_on(day):
                    begin, end = self.span(day, start, stop, *nights)
                    if begin < end:
                        busy[begin:end] = b"\1" * (end - begin)
        return bytes(busy[(self.table - self.seen) * 24 * 60 : (self.table + self.seen) * 24 * 60])

    def asked(self, schedule):
        """The same as the schedule has it, by `between`."""
        table, seen = self.table, self.seen
        start, stop = self.origin + (table - seen) * DAY, self.origin + (table + seen) * DAY
        busy = bytearray(2 * seen * 24 * 60)
        for interval in schedule.between(start, stop):
            begin = max(0, (interval.start - start) // MINUTE)
            end = len(busy) if interval.stop is None else min(len(busy), (interval.stop - start) // MINUTE)
            busy[begin:end] = b"\1" * (end - begin)
        return bytes(busy)


@cache
def wallOf(change):
    return Wall(*change)


def clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


# Times near those at which clocks change are the interesting ones.
times = st.one_of(
    st.sampled_from([0, 15, 30, 60, 90, 105, 120, 150, 165, 180, 195, 23 * 60, 23 * 60 + 30]),
    st.integers(0, 24 * 60 - 1),
)
CODES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@st.composite
def startDays(draw, anchor):  # noqa: PLR0911 (one for each kind)
    """Days on which a break starts: as arguments for Break, and as a test of a date, found without dateutil."""
    kind = draw(st.sampled_from(["every", "days", "days", "nth", "last", "monthday", "interval", "weeks"]))
    if kind == "every":
        return {}, lambda day: True
    if kind == "days":
        days = draw(st.sets(st.integers(0, 6), min_size=1))
        return {"days": sorted(days)}, lambda day: day.weekday() in days
    near = anchor + draw(st.integers(-3, 3)) * DAY
    code = CODES[near.weekday()]
    if kind == "nth":
        nth = (near.day - 1) // 7 + 1
        return {
            "rule": f"FREQ=MONTHLY;BYDAY={nth}{code}"
        }, lambda day: day.weekday() == near.weekday() and (day.day - 1) // 7 + 1 == nth
    if kind == "last":
        return {
            "rule": f"FREQ=MONTHLY;BYDAY=-1{code}"
        }, lambda day: day.weekday() == near.weekday() and (day + 7 * DAY).month != day.month
    if kind == "monthday":
        return {"rule": f"FREQ=MONTHLY;BYMONTHDAY={near.day}"}, lambda day: day.day == near.day
    interval = draw(st.integers(2, 5))
    since = near - draw(st.integers(0, 3000)) * DAY
    if kind == "interval":
        return {
            "rule": f"FREQ=DAILY;INTERVAL={interval}",
            "since": since,
        }, lambda day: day >= since and (day - since).days % interval == 0
    monday = since - since.weekday() * DAY
    return (
        {"rule": f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={code},SU", "since": since},
        lambda day: (
            day >= since and day.weekday() in {near.weekday(), 6} and (day - monday).days // 7 % interval == 0
        ),
    )


@st.composite
def breaks(draw, wall):
    """A Break, and what the oracle takes for it."""
    start = draw(times)
    stop = draw(times.filter(lambda minutes: minutes != start))
    arguments, starts_on = draw(startDays(wall.day))
    skip = draw(st.sets(st.integers(-4, 4), max_size=2))
    skipped = {wall.day + offset * DAY for offset in skip}
    written = Break(clock(start), clock(stop), skip=skipped, tz=wall.zone, **arguments)
    return written, (start, stop, lambda day: starts_on(day) and day not in skipped)


@st.composite
def cases(draw):
    wall = wallOf(draw(st.sampled_from(CHANGES)))
    drawn = draw(st.lists(breaks(wall), min_size=1, max_size=3))
    return wall, BreakSchedule([each for each, _ in drawn]), [told for _, told in drawn]


class OracleTests(SynchronousTestCase):
    @given(cases())
    @examples(2, search=125)
    def test_everyMinute(self, case):
        """A schedule has the minutes which the clock on the wall says."""
        wall, schedule, told = case
        self.assertEqual(wall.asked(schedule), wall.minutes(told), (wall.zone, wall.day, schedule))

    @given(cases(), st.lists(st.integers(0, 2 * SEEN * 24 * 60 - 1), min_size=4, max_size=4))
    @examples(2, search=125)
    def test_atAndNextChange(self, case, minutes):
        """`at` and `nextChange` say of single instants what the minutes say."""
        wall, schedule, told = case
        busy = wall.minutes(told)
        origin = wall.origin + (TABLE - SEEN) * DAY
        for minute in minutes:
            instant = origin + minute * MINUTE
            interval = schedule.at(instant)
            self.assertEqual(interval is not None, bool(busy[minute]), (instant, schedule))
            change = schedule.nextChange(instant)
            expected = busy.find(not busy[minute], minute)
            if expected >= 0:
                self.assertEqual(change, origin + expected * MINUTE, (instant, schedule))
                if interval is not None:
                    self.assertEqual(interval.stop, change)
            elif change is not None:
                self.assertGreaterEqual(change, origin + len(busy) * MINUTE)
            began = busy.rfind(not busy[minute], 0, minute) + 1
            if interval is not None and began:
                self.assertEqual(interval.start, origin + began * MINUTE)

    def test_changesAreChanges(self):
        """The oracle looks where clocks change, in all places but two."""
        calm = set()
        for zone, day in CHANGES:
            middle = datetime.fromisoformat(day).replace(tzinfo=UTC)
            hours = (middle + timedelta(hours=hour) for hour in range(-SEEN * 24, SEEN * 24))
            if len({hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours}) == 1:
                calm.add(zone)
        self.assertEqual(calm, {"UTC", "Asia/Kathmandu"})
        self.assertGreaterEqual(len({zone for zone, _ in CHANGES}), 20)


# Of these a table of weeks is made, which takes a moment.
LONG_CHANGES = [CHANGES[place] for place in (0, 1, 6, 14, 26, 32, 36)]
LONG_TABLE, LONG_SEEN = 42, 10


@cache
def longWallOf(change):
    return Wall(*change, LONG_TABLE, LONG_SEEN)


@st.composite
def severalDays(draw, wall):
    """A Break from a day to another one, and what the oracle takes for it."""
    start, stop = draw(times), draw(times)
    first, last = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    nights = (last - first) % 7
    if nights == 0 and stop <= start:
        nights = 7
    moments = [f"{CODES[first]} {clock(start)}", f"{CODES[last]} {clock(stop)}"]
    kind = draw(st.sampled_from(["weekly", "weekly", "interval", "nth"]))
    if kind == "weekly" and not (nights == 7 and stop == start):
        return Break(*moments, tz=wall.zone), (start, stop, lambda day: day.weekday() == first, nights)
    if kind == "nth":
        number = draw(st.integers(1, 4))
        rule = f"FREQ=MONTHLY;BYDAY={number}{CODES[first]}"
        return Break(*moments, rule=rule, tz=wall.zone), (
            start,
            stop,
            lambda day: day.weekday() == first and (day.day - 1) // 7 + 1 == number,
            nights,
        )
    since = wall.day - draw(st.integers(0, 400)) * DAY
    interval, weeks = draw(st.integers(2, 4)), draw(st.integers(0, 2))
    later = f" +{weeks}w" if weeks else ""
    rule = f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={CODES[first]}"
    monday = since - since.weekday() * DAY
    return Break(moments[0], moments[1] + later, rule=rule, since=since, tz=wall.zone), (
        start,
        stop,
        lambda day: day >= since and day.weekday() == first and (day - monday).days // 7 % interval == 0,
        nights + 7 * weeks,
    )


@st.composite
def longCases(draw):
    wall = longWallOf(draw(st.sampled_from(LONG_CHANGES)))
    drawn = draw(st.lists(severalDays(wall), min_size=1, max_size=2))
    drawn += draw(st.lists(breaks(wall), max_size=1))
    return wall, [each for each, _ in drawn], [told for _, told in drawn]


class SeveralDaysTests(SynchronousTestCase):
    @given(longCases(), st.lists(st.integers(0, 2 * LONG_SEEN * 24 * 60 - 1), min_size=3, max_size=3))
    @examples(1, search=250)
    def test_everyMinute(self, case, minutes):
        """A break over several days, or weeks, has the minutes which the clock on the wall says, however it is asked."""
        wall, written, told = case
        schedule = BreakSchedule(written)
        busy = wall.minutes(told)
        self.assertEqual(wall.asked(schedule), busy, (wall.zone, wall.day, schedule))
        origin = wall.origin + (LONG_TABLE - LONG_SEEN) * DAY
        for minute in minutes:
            instant = origin + minute * MINUTE
            self.assertEqual(schedule.at(instant) is not None, bool(busy[minute]), (instant, schedule))
            expected = busy.find(not busy[minute], minute)
            if expected >= 0:
                self.assertEqual(
                    schedule.nextChange(instant), origin + expected * MINUTE, (instant, schedule)
                )

    @given(longCases())
    @examples(1, search=250)
    def test_repr(self, case):
        """What is written can be pasted back, and means the same."""
        for each in case[1]:
            self.assertEqual(eval(repr(each)), each)

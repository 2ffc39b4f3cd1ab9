"""Calendar files of any events, and calendars that are written and read again."""

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.ics.reader import CalendarFile
from presence.breaks.ics.writer import calendarText, entriesOf
from presence.breaks.schedule import Break, BreakSchedule
from tests.breaks.breakcase import BERLIN, schedule
from tests.breaks.test_calendars import calendar
from tests.searches.cases import examples

UTC = timezone.utc
DAY = timedelta(days=1)


@st.composite
def events(draw):
    """The lines of an event, and the spans that it has in 2026: pairs of datetimes in UTC."""
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=draw(st.integers(0, 24 * 330)))
    length = timedelta(hours=draw(st.sampled_from([1, 5, 30, 200])))
    lines = [f"DTSTART:{first:%Y%m%dT%H%M%SZ}", f"DTEND:{first + length:%Y%m%dT%H%M%SZ}"]
    starts = [first]
    if draw(st.booleans()):
        step, count = draw(st.sampled_from([1, 3, 7, 14])), draw(st.integers(2, 10))
        lines.append(f"RRULE:FREQ=DAILY;INTERVAL={step};COUNT={count}")
        starts = [first + number * step * DAY for number in range(count)]
        for gone in draw(st.sets(st.integers(1, count - 1), max_size=3)):
            lines.append(f"EXDATE:{starts[gone]:%Y%m%dT%H%M%SZ}")
            starts[gone] = None
    if draw(st.integers(0, 5)) == 0:
        lines.append(draw(st.sampled_from(["STATUS:CANCELLED", "TRANSP:TRANSPARENT"])))
        starts = []
    return "\n".join(lines), [(start, start + length) for start in starts if start is not None]


class CalendarTests(SynchronousTestCase):
    @given(st.lists(events(), min_size=1, max_size=5), st.integers(0, 360 * 24), st.integers(1, 40 * 24))
    @examples(4, search=300)
    def test_everyHour(self, drawn, first, hours):
        """In each hour it is a break exactly when an event says so."""
        breaks = BreakSchedule(
            [Break.fromCalendar(CalendarFile("x", calendar(*(text for text, _ in drawn))), tz="UTC")]
        )
        spans = [span for _, found in drawn for span in found]
        begin = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=first)
        end = begin + timedelta(hours=hours)
        intervals = breaks.between(begin, end)
        for hour in range(hours):
            instant = begin + timedelta(hours=hour)
            expected = any(start <= instant < stop for start, stop in spans)
            self.assertEqual(any(each.start <= instant < each.stop for each in intervals), expected, instant)
        self.assertEqual(breaks.at(begin) is not None, any(start <= begin < stop for start, stop in spans))

    @given(
        st.lists(
            st.sampled_from(
                [
                    ("19:00", "07:00", "MO-FR"),
                    Break("FR 18:00", "MO 08:00", reason="office; 3rd floor, left étage " + "x" * 80),
                    Break("12:00", "13:00", builds=2, without="bench-*"),
                    ("2026-03-10T10:00", "2026-06-01T10:00"),
                ]
            ),
            min_size=1,
            max_size=3,
        ),
        st.integers(0, 300),
    )
    @examples(2, search=150)
    def test_written(self, breaks, day):
        """What is written as a calendar and read again is what the schedule says; no line is too long for other programs."""
        made = schedule(*breaks, timezone=BERLIN)
        first = datetime(2026, 1, 1, tzinfo=UTC) + day * DAY
        last = first + 20 * DAY
        text = calendarText("x", entriesOf("mac-mini", made, first, last, reasons=True), first, last)
        self.assertTrue(all(len(line.encode()) <= 75 for line in text.split("\r\n")))
        # its events are shown as free; here somebody takes them for busy
        busy = text.replace("TRANSP:TRANSPARENT\r\n", "").encode()
        again = BreakSchedule([Break.fromCalendar(CalendarFile("x", busy), tz="UTC")])
        full = BreakSchedule([Break(*each) if isinstance(each, tuple) else each for each in breaks], BERLIN)
        both = sorted((each.start, each.stop) for each in full.allBetween(first, last))
        merged = []
        for start, stop in both:
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(stop, merged[-1][1])
            else:
                merged.append([start, stop])
        self.assertEqual([[each.start, each.stop] for each in again.between(first, last)], merged)

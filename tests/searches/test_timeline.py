"""Many breaks against few: what is kept day by day says the same as what is worked out for each question."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks import coverage
from presence.breaks.coverage import Coverage
from presence.breaks.schedule import Break
from tests.breaks.test_timeline import clock
from tests.searches.cases import examples

DAY = timedelta(days=1)
BEGIN = datetime(2026, 3, 20, tzinfo=timezone.utc)  # and the clocks change on 29 March in Europe


minutes = st.integers(0, 24 * 60 - 1)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Pacific/Chatham", "Pacific/Kiritimati"])
reasons = st.sampled_from([None, "lunch", "benchmarks", "backup"])
days = st.sampled_from([None, "MO-FR", "SA,SU", "FR-MO"])
skips = st.lists(st.integers(0, 30).map(lambda day: (BEGIN + day * DAY).date()), max_size=3)
rules = st.sampled_from(
    [
        "FREQ=MONTHLY;BYDAY=2TU",
        "FREQ=WEEKLY;BYDAY=MO,WE",
        "FREQ=DAILY;UNTIL=20260401",
        "FREQ=DAILY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    ]
)


@st.composite
def recurring(draw):
    start, length = draw(minutes), draw(st.integers(1, 24 * 60 - 1))
    more = draw(
        st.one_of(
            st.fixed_dictionaries({"days": days, "skip": skips}),
            st.fixed_dictionaries({"rule": rules, "skip": skips}),
        )
    )
    stop = clock((start + length) % (24 * 60))
    return Break(clock(start), stop, tz=draw(zones), reason=draw(reasons), **more)


@st.composite
def once(draw):
    start = BEGIN + timedelta(minutes=draw(st.integers(-60 * 24 * 60, 60 * 24 * 60)))
    length = draw(st.one_of(st.integers(1, 3000), st.integers(1, 900_000)))
    return Break(start, start + timedelta(minutes=length), reason=draw(reasons))


@st.composite
def long(draw):
    first, last = draw(st.permutations(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]))[:2]
    start, stop = clock(draw(minutes)), clock(draw(minutes))
    return Break(f"{first} {start}", f"{last} {stop}", tz=draw(zones), reason=draw(reasons))


breaks = st.lists(st.one_of(recurring(), once(), long()), min_size=1, max_size=7)


# mostly soon after the one before, sometimes far away
steps = st.lists(st.one_of(st.integers(0, 2000), st.integers(-900_000, 900_000)), min_size=1, max_size=8)


def shown(intervals):
    """What is compared. Of a break without a beginning or an end in sight there is more to see the farther one looks."""
    return [
        replace(each, reasons=())
        if each is not None
        and (each.stop is None or (each.start.month, each.start.day, each.start.hour) == (1, 1, 0))
        else each
        for each in intervals
    ]


class AgreementTests(SynchronousTestCase):
    def coverages(self, found):
        """Of the same breaks: one that works out, one that keeps."""
        parts = [each.occurrences() for each in found], [each.reason for each in found]
        few = Coverage(*parts)
        self.patch(coverage, "_FEW", -1)
        many = Coverage(*parts)
        self.patch(coverage, "_FEW", 16)
        self.assertIsNone(few._sources)
        self.assertIsNotNone(many._sources)
        return few, many

    @examples(1, search=600)
    @given(breaks, steps)
    def test_agree(self, found, minutes):
        """Whatever is asked, in whatever order, the answers are the same."""
        few, many = self.coverages(found)
        instant = BEGIN
        for step in minutes:
            instant += timedelta(minutes=step)
            self.assertEqual(*(shown([each.at(instant)]) for each in (many, few)))
            self.assertEqual(many.nextChange(instant), few.nextChange(instant))
            end = instant + 8 * DAY
            self.assertEqual(*(shown(each.between(instant, end)) for each in (many, few)))

    @examples(1, search=200)
    @given(breaks, steps)
    def test_alike(self, found, minutes):
        """What was asked before changes no answer."""
        _, asked = self.coverages(found)
        instant = BEGIN
        for step in minutes:
            instant += timedelta(minutes=step)
            _, fresh = self.coverages(found)
            self.assertEqual(asked.at(instant), fresh.at(instant))
            end = instant + 8 * DAY
            self.assertEqual(asked.between(instant, end), fresh.between(instant, end))

    @examples(1, search=100)
    @given(breaks, st.integers(0, 20))
    def test_followed(self, found, minutes):
        """Who follows the changes, one after the other, comes to the same ones."""
        few, many = self.coverages(found)
        one = other = BEGIN + timedelta(minutes=minutes)
        for _ in range(40):
            one, other = few.nextChange(one), many.nextChange(other)
            self.assertEqual(one, other)
            if one is None:
                break
            self.assertEqual(*(shown([each.at(one)]) for each in (many, few)))

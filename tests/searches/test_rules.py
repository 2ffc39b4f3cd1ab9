"""Rules against an oracle that asks every day whether it has what the rule says."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.breaks.test_rules import dates, parse
from tests.searches.cases import examples
from tests.searches.ruleoracle import CODES, RuleOracle

numbers = st.lists(
    st.sampled_from([1, 2, 5, 13, 28, 29, 31, -1, -2, -7]), min_size=1, max_size=3, unique=True
)
codes = st.lists(
    st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=3, unique=True
)
months = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True)


@st.composite
def rules(draw):
    """An RRULE that RFC 5545 allows, without COUNT and UNTIL."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = {"FREQ": frequency, "WKST": draw(st.sampled_from(["MO", "SU", "WE"]))}
    if draw(st.booleans()):
        parts["INTERVAL"] = str(draw(st.integers(1, 9)))
    if draw(st.booleans()):
        parts["BYMONTH"] = joined(draw(months))
    if frequency in {"MONTHLY", "YEARLY"} and draw(st.booleans()):
        parts["BYDAY"] = joined(f"{draw(st.sampled_from([1, 2, -1, 4]))}{code}" for code in draw(codes))
    elif draw(st.booleans()):
        parts["BYDAY"] = joined(draw(codes))
    elif frequency != "WEEKLY" and draw(st.booleans()):
        parts["BYMONTHDAY"] = joined(draw(numbers))
    elif frequency == "YEARLY" and draw(st.booleans()):
        parts[draw(st.sampled_from(["BYYEARDAY", "BYWEEKNO"]))] = joined(draw(numbers))
    if parts.keys() & {"BYDAY", "BYMONTHDAY", "BYWEEKNO"} and draw(st.booleans()):
        parts["BYSETPOS"] = draw(st.sampled_from(["1", "-1", "2", "1,-1"]))
    return parts


def joined(items):
    return ",".join(map(str, items))


def text(parts):
    return ";".join(f"{name}={value}" for name, value in parts.items())


anchors = st.dates(date(1995, 1, 1), date(2030, 12, 31))


class OracleTests(SynchronousTestCase):
    @given(rules(), anchors, st.integers(0, 25))
    @examples(6, search=400)
    def test_everyYear(self, parts, since, later):
        """In any year a rule yields the days which have what it says."""
        year = since.year + later
        try:
            found = dates(text(parts), year, since)
        except ValueError:
            found = []  # never yields
        oracle = RuleOracle(parts, since)
        self.assertEqual(found, oracle.days(date(year, 1, 1), date(year, 12, 31)), (parts, since))

    @given(rules(), anchors, st.integers(1, 12))
    @examples(2, search=150)
    def test_count(self, parts, since, count):
        """COUNT ends with the day that is the last of so many."""
        try:
            [counted] = parse(f"{text(parts)};COUNT={count}", since).recurrences
        except ValueError:
            return  # never yields
        years = 12
        expected = RuleOracle(parts, since).days(since, since + timedelta(days=365 * years))[:count]
        if len(expected) == count:
            self.assertEqual(date.fromordinal(counted.lastDay), expected[-1])
        elif counted.lastDay is not None:
            self.assertGreater(date.fromordinal(counted.lastDay), since + timedelta(days=365 * years))

    @given(
        st.sampled_from([1, 2, 9, 51, 52, 53, -1, -2, -52, -53]),
        st.sampled_from(CODES),
        st.integers(1990, 2045),
        st.one_of(st.none(), st.sampled_from(CODES)),
    )
    @examples(1, search=400)
    def test_weeksAroundNewYear(self, number, weekStart, year, code):
        """The weeks at the turn of a year have the days that they should, for every start of the week."""
        parts = {"FREQ": "YEARLY", "BYWEEKNO": str(number), "WKST": weekStart}
        if code is not None:
            parts["BYDAY"] = code
        found = dates(text(parts), year)
        oracle = RuleOracle(parts, date(1900, 1, 1))
        self.assertEqual(found, oracle.days(date(year, 1, 1), date(year, 12, 31)))


class CycleTests(SynchronousTestCase):
    def test_count(self):
        """The last day of a rule with a high COUNT is found by the cycle of the calendar, as if by counting."""
        for count, last in ((1, 2024), (2, 2028), (98, 2424), (99, 2428), (1900, 9856)):
            [rule] = parse(
                f"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT={count}", date(2024, 2, 29)
            ).recurrences
            self.assertEqual(rule.lastDay, date(last, 2, 29).toordinal())

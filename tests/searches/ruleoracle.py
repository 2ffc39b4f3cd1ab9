"""An oracle for recurrence rules: it asks every day of a period whether it has what the rule says.

It knows nothing but `datetime.date`, and shares no code with `presence`, nor with dateutil, which is wrong about weeks.
"""

import calendar
from datetime import date, timedelta

DAY = timedelta(days=1)
CODES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


class RuleOracle:
    """A rule as a dictionary of its parts, and the day from which it counts."""

    def __init__(self, parts, since):
        self.parts = parts
        self.since = since
        self.frequency = parts["FREQ"]
        self.weekStart = CODES.index(parts.get("WKST", "MO"))

    def numbers(self, name):
        return [int(each) for each in self.parts[name].split(",")] if name in self.parts else None

    def week(self, day):
        """The first day of the week of `day`."""
        while day.weekday() != self.weekStart:
            day -= DAY
        return day

    def weekYear(self, day):
        """The year to which the week of `day` belongs: that in which the middle of it lies."""
        return (self.week(day) + 3 * DAY).year

    def weekNumber(self, day):
        """The number of the week of `day`, from the beginning and from the end of its year."""
        middle = self.week(day) + 3 * DAY
        before = after = 0
        while (middle - (before + 1) * 7 * DAY).year == middle.year:
            before += 1
        while (middle + (after + 1) * 7 * DAY).year == middle.year:
            after += 1
        return before + 1, -after - 1

    def period(self, day):
        """The number of the period in which `day` lies: equal numbers, one period."""
        if self.frequency == "DAILY":
            return day.toordinal()
        if self.frequency == "WEEKLY":
            return self.week(day).toordinal() // 7
        if self.frequency == "MONTHLY":
            return day.year * 12 + day.month
        return self.weekYear(day) if "BYWEEKNO" in self.parts else day.year

    def inPhase(self, day):
        # the years are counted from that of `since`, whatever its week is
        first = self.since.year if self.frequency == "YEARLY" else self.period(self.since)
        return (self.period(day) - first) % int(self.parts.get("INTERVAL", 1)) == 0

    def has(self, day):
        """Whether `day` has all that the parts say, BYSETPOS and the interval aside."""
        last = calendar.monthrange(day.year, day.month)[1]
        days = 365 + calendar.isleap(day.year)
        place = (day - date(day.year, 1, 1)).days + 1
        asked = [
            ("BYMONTH", {day.month}),
            ("BYMONTHDAY", {day.day, day.day - last - 1}),
            ("BYYEARDAY", {place, place - days - 1}),
            ("BYWEEKNO", set(self.weekNumber(day)) if "BYWEEKNO" in self.parts else set()),
        ]
        if any(name in self.parts and not found & set(self.numbers(name)) for name, found in asked):
            return False
        if "BYDAY" in self.parts:
            return any(self.isDay(each, day) for each in self.parts["BYDAY"].split(","))
        if any(name in self.parts for name in ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")):
            return True
        return self.isLikeSince(day)

    def isDay(self, text, day):
        number, code = text[:-2], text[-2:]
        if day.weekday() != CODES.index(code):
            return False
        if not number:
            return True
        in_month = self.frequency == "MONTHLY" or "BYMONTH" in self.parts
        same = [
            date.fromordinal(each)
            for each in range(date(day.year, 1, 1).toordinal(), date(day.year, 12, 31).toordinal() + 1)
            if each % 7 == day.toordinal() % 7
        ]
        if in_month:
            same = [each for each in same if each.month == day.month]
        at = int(number)
        place = at - 1 if at > 0 else at
        return -len(same) <= place < len(same) and same[place] == day

    def isLikeSince(self, day):
        since = self.since
        if self.frequency == "WEEKLY":
            return day.weekday() == since.weekday()
        if self.frequency == "MONTHLY":
            return day.day == since.day
        if self.frequency == "YEARLY":
            return day.day == since.day and ("BYMONTH" in self.parts or day.month == since.month)
        return True

    def days(self, first, last):
        """The days from `first` to `last` on which the rule yields."""
        periods = {}
        day = first - 380 * DAY
        while day <= last + 380 * DAY:
            if self.inPhase(day) and self.has(day):
                periods.setdefault(self.period(day), []).append(day)
            day += DAY
        chosen = []
        for days in periods.values():
            positions = self.numbers("BYSETPOS")
            chosen += (
                days
                if positions is None
                else sorted(
                    {
                        days[at - 1 if at > 0 else at]
                        for at in positions
                        if -len(days) <= (at - 1 if at > 0 else at) < len(days)
                    }
                )
            )
        return [day for day in chosen if first <= day <= last and day >= self.since]

"""Breaks that spare builds, or admit some, against an oracle that goes hour by hour."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.forecast import fitsFrom, freeFor
from presence.breaks.partial import Limit
from presence.breaks.schedule import Break, BreakSchedule
from tests.breaks.breakcase import utc
from tests.searches.cases import examples

HOUR = timedelta(hours=1)


class PartialTests(SynchronousTestCase):
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 23),
                st.integers(1, 12),
                st.sampled_from([None, 1, 2]),
                st.sampled_from([(), ("a",)]),
                st.booleans(),
            ),
            min_size=1,
            max_size=5,
        ),
        st.integers(0, 47),
    )
    @examples(6, search=600)
    def test_oracle(self, written, hour):
        """At any hour those limits hold whose breaks are, and builds have to end with the next that says so."""
        breaks, told = [], []
        for start, length, builds, only, finish in written:
            finishes = finish and builds is None
            stop = (start + length) % 24
            breaks.append(
                Break(
                    f"{start}:00",
                    f"{stop}:00",
                    builds=builds,
                    only=only or None,
                    finishBefore=finishes,
                    tz="UTC",
                )
            )
            told.append((start, length, Limit(builds, only), finishes))
        made = BreakSchedule(breaks)
        instant = utc("2026-11-23") + hour * HOUR

        def during(at, start, length):
            return (at - start) % 24 < length

        partial = {
            limit for start, length, limit, _ in told if limit != Limit() and during(hour, start, length)
        }
        self.assertEqual({each.limit for each in made.partialAt(instant)}, partial)
        full = any(during(hour, start, length) for start, length, limit, _ in told if limit == Limit())
        self.assertEqual(made.at(instant) is not None, full)
        for builder in ("a", "b"):
            ends = [
                (start, length)
                for start, length, limit, finishes in told
                if finishes and not (limit.only and builder in limit.only)
            ]
            expected = next(
                (at for at in range(hour, hour + 25) if any(during(at, *each) for each in ends)), None
            )
            self.assertEqual(
                made.finishBy(instant, builder),
                None if expected is None else utc("2026-11-23") + expected * HOUR,
            )

            free = [
                at
                for at in range(hour, hour + 49)
                if not any(
                    during(at, start, length)
                    for start, length, limit, _ in told
                    if limit == Limit() or (limit.only and builder not in limit.only)
                )
            ]
            seconds = instant.timestamp()
            for hours in (1, 3, 9):
                fitting = [
                    at
                    for at in free
                    if not any(during(each, *end) for each in range(at, at + hours) for end in ends)
                ]
                for found, hour_of in (
                    (freeFor(made, builder, seconds), free),
                    (fitsFrom(made, builder, seconds, hours * 3600), fitting),
                ):
                    self.assertEqual(
                        None if found is None else (found - seconds) / 3600 + hour, next(iter(hour_of), None)
                    )

"""Long lists of breaks: how long they take to be loaded, and what a question costs then."""

import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta, timezone

from benchmarks import report
from benchmarks.meters import after
from presence.breaks.schedule import Break, BreakSchedule

TITLE = "Long lists of breaks"

NOW = datetime(2026, 11, 24, 18, tzinfo=timezone.utc)

# Every 7 h 13 min for a year is asked what a timer asks.
_STEP, _QUESTIONS = timedelta(hours=7, minutes=13), 1200
_A_MONTH = 100

# Two of a kind are measured at the same time, for as long: what slows down the machine then slows down both.
PAIRED = True
_BREAKS_IN_ALL = 6000


def _clock(minutes):
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _once(number, hours):
    start = NOW + timedelta(hours=hours * number)
    return Break(start, start + timedelta(hours=hours / 2))


def _hour(number, **more):
    return Break(_clock(67 * number), _clock(67 * number + 60), **more)


KINDS = {
    "an hour on a weekday": lambda number: _hour(number, days=[number % 7]),
    "once, two hours apart": lambda number: _once(number, 2),
    "once, all on one day": lambda number: _once(number, 0.01),
    "each another rule": lambda number: _hour(
        number,
        rule=f"FREQ=DAILY;INTERVAL={number % 400 + 2}",
        since=NOW.date() - timedelta(days=number % 900),
    ),
    "each another rule, once a year": lambda number: _hour(
        number, rule=f"FREQ=YEARLY;BYMONTH={number % 3 + 5};BYMONTHDAY={number % 28 + 1}"
    ),
    "rules, a thousand a day, which leave no time open": lambda number: _hour(
        number, rule="FREQ=DAILY;INTERVAL=2", since=NOW.date() - timedelta(days=number % 900)
    ),
    "all day, each another reason": lambda number: Break("00:00", "24:00", reason=f"reason {number}"),
    "an hour, each another day to skip": lambda number: _hour(
        number, skip=NOW.date() + timedelta(days=number % 300)
    ),
}

# The years in which the events of a file begin, and how many of them recur.
_YEARS, _RECURRING = (2025, 2026, 2027), 40
CALENDAR = "events of a calendar file, one in forty of which recurs; a thread works out the years beforehand"


def _calendar(events):
    """A schedule that is made of a file with so many events."""
    with tempfile.NamedTemporaryFile(suffix=".ics") as file:
        file.write(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//presence//EN\r\n")
        for number in range(events):
            day = datetime(_YEARS[number % 3], 1, 1) + timedelta(hours=67 * number % 8700)  # noqa: DTZ001
            lines = [
                "BEGIN:VEVENT",
                f"UID:{number}@example.org",
                f"DTSTART;TZID=Europe/Berlin:{day:%Y%m%dT%H%M%S}",
                "DURATION:PT1H",
                *(["RRULE:FREQ=WEEKLY;BYDAY=MO,WE"] if number % _RECURRING == 0 else []),
                "END:VEVENT",
                "",
            ]
            file.write("\r\n".join(lines).encode())
        file.write(b"END:VCALENDAR\r\n")
        file.flush()
        return BreakSchedule([Break.fromCalendar(file.name, tz="Europe/Berlin")])


def plan(*, quick):
    """The runs."""
    for kind in (*tuple(KINDS)[: 2 if quick else None], CALENDAR):
        for breaks in (200,) if quick else (1000, 2000):
            yield {"kind": kind, "breaks": breaks, "rounds": 1 if quick else _BREAKS_IN_ALL // breaks}


async def measure(reactor, *, kind, breaks, rounds):
    """One run. Times are those of the processor, which other processes do not lengthen; of some times the least, of each in a process
    that has loaded nothing before.
    """
    # (what is measured is over at once, and who runs it waits for the reactor)
    await after(reactor, 0)
    results = [_forked(kind, breaks) for _ in range(rounds)]
    return {name: min(each[name] for each in results) for name in results[0]}


def _forked(kind, breaks):
    """What a process measures that is forked from this one."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as process:
        return process.submit(_measured, kind, breaks).result()


def _measured(kind, breaks):
    begun = time.process_time()
    if kind == CALENDAR:
        schedule = _calendar(breaks)
    else:
        listed = [KINDS[kind](number) for number in range(breaks)]
        schedule = BreakSchedule.fromConfig(listed, "Europe/Berlin")
    _ask(schedule, NOW)
    loading = time.process_time() - begun
    costs = []
    for number in range(_QUESTIONS):
        if kind == CALENDAR and number % _A_MONTH == 0:
            # as `CalendarFiles` does, in a thread
            schedule.prepareCalendars(NOW + number * _STEP)
        begun = time.process_time()
        _ask(schedule, NOW + number * _STEP)
        costs.append(time.process_time() - begun)
    return {"load": loading, "mean": sum(costs) / len(costs), "worst": max(costs)}


def _ask(schedule, instant):
    if schedule.at(instant) is None:
        schedule.nextChange(instant)


def tables(results):
    """The table."""
    rows = [
        (
            f"{each['breaks']}, {each['kind']}",
            report.seconds(each["load"]),
            f"{1e3 * each['mean']:.3f}",
            f"{1e3 * each['worst']:.2f}",
        )
        for each in results
    ]
    return report.table(
        TITLE, ("breaks", "loading and the first question, s", "a question, ms", "at most ms"), rows
    )

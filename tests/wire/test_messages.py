import json
import math
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.forecast import ANNOUNCED, ComingBreak
from presence.calendar.instants import LATEST
from presence.model.states import Hold, PresenceState
from presence.text import MAX_REASON
from presence.wire.messages import (
    AVAILABLE,
    MAX_ERROR,
    MAX_ITEMS,
    Announcement,
    Refusal,
    RunningBuild,
    Stop,
    View,
    cutHold,
)
from presence.wire.reading import (
    MAX_KEYS,
    MessageError,
    UnknownVersionError,
    readAnnouncement,
    readAnswer,
    readStop,
)

NOW = 1_800_000_000.0
AWAY = Announcement(
    PresenceState.NOT_ACCEPTING_NEW_BUILDS, "rendering", "owner", NOW - 60, NOW + 3600, NOW + 7200
)
HOLD = Hold("worker", "rendering", "owner", NOW - 60, NOW + 3600)
BREAK = ComingBreak(NOW + 10, NOW + 20, "benchmarks")
VIEW = View(
    PresenceState.NOT_ACCEPTING_NEW_BUILDS,
    (HOLD, Hold("admin", None, None, NOW, None)),
    BREAK,
    (BREAK, ComingBreak(NOW + 30, None, None)),
    1,
    (RunningBuild("runtests", NOW - 5),),
    True,
    NOW + 99,
)


def away(**changed):
    """The message that says AWAY, with these fields changed."""
    return {**AWAY.toDict(NOW), **changed}


class RoundTripTests(SynchronousTestCase):
    """What one side writes the other one reads, over any wire that carries JSON."""

    def wire(self, message):
        return json.loads(json.dumps(message.toDict(NOW), allow_nan=False))

    def test_announcement(self):
        """An announcement arrives as it was sent."""
        for announcement in (
            AWAY,
            AVAILABLE,
            replace(AVAILABLE, breaks=VIEW.breaks),
            replace(AWAY, sendBack=True),
        ):
            self.assertEqual(readAnnouncement(self.wire(announcement), NOW), announcement)

    def test_older(self):
        """Of a worker's side that announces no breaks none are known; of one that announces many the first ones are heeded."""
        message = AWAY.toDict(NOW)
        del message["breaks"]
        self.assertEqual(readAnnouncement(message, NOW), AWAY)
        many = replace(AWAY, breaks=(BREAK,) * MAX_ITEMS)
        self.assertEqual(readAnnouncement(self.wire(many), NOW).breaks, (BREAK,) * ANNOUNCED)

    def test_fields(self):
        """A message has the keys that the page of the protocol has, in the casing of all JSON, and no others."""
        breaks = {"start", "stop", "reason"}
        said = replace(AWAY, breaks=(ComingBreak(NOW + 10, NOW + 20, None, True, NOW + 15),))
        message, view = Stop(said, None).toDict(NOW), VIEW.toDict(NOW)
        self.assertEqual(
            set(message),
            {
                *("version", "now", "state", "reason", "by", "since", "until", "work_until"),
                *("breaks", "deadline", "send_back"),
            },
        )
        self.assertEqual(
            set(view),
            {
                *("version", "now", "state", "holds", "next_break", "breaks", "running", "builds"),
                *("stopping", "sends_back"),
            },
        )
        for each in (*message["breaks"], *view["breaks"], view["next_break"]):
            self.assertEqual(set(each), breaks)
        self.assertEqual(set(view["holds"][0]), {"source", "reason", "by", "since", "until"})
        self.assertEqual(set(view["builds"][0]), {"builder", "since"})

    def test_stop(self):
        """A stop arrives as it was sent, with a deadline and without."""
        for stop in (Stop(AWAY, NOW + 5), Stop(AWAY, None)):
            self.assertEqual(readStop(self.wire(stop), NOW), stop)

    def test_view(self):
        """A view arrives as it was sent."""
        self.assertEqual(readAnswer(self.wire(VIEW), NOW), VIEW)

    def test_refusal(self):
        """A refusal arrives as it was sent, cut off where it is too long."""
        self.assertEqual(readAnswer(self.wire(Refusal("no")), NOW), Refusal("no"))
        self.assertEqual(readAnswer(self.wire(Refusal("x" * 9999)), NOW), Refusal("x" * MAX_ERROR))

    def test_tuples(self):
        """PB may make tuples of lists: they are lists."""
        view = VIEW.toDict(NOW)
        self.assertEqual(readAnswer({**view, "holds": tuple(view["holds"])}, NOW), VIEW)


class RefusalTests(SynchronousTestCase):
    """What is not right is refused with a text that names it."""

    def assertRefused(self, pattern, value, read=readAnnouncement):
        error = self.assertRaises(MessageError, read, value, NOW)
        self.assertRegex(str(error), pattern)
        self.assertLess(len(str(error)), 400)

    def test_noDictionary(self):
        """Only a dictionary is a message."""
        for value in (None, 1, "away", [], b"", object(), [AWAY.toDict(NOW)]):
            self.assertRefused("is not a message: a dictionary is", value)

    def test_version(self):
        """There is version 1, written as a whole number. Another one is told from garbage."""
        for version in (None, True, "1", 1.0, [1]):
            self.assertRefused("^version .*: 1 is right", away(version=version))
        for version in (0, 2, -1, 10**40):
            self.assertRefused("^version .* is not known here: version 1 is spoken", away(version=version))
            self.assertRaises(UnknownVersionError, readAnnouncement, away(version=version), NOW)

    def test_versionFirst(self):
        """Nothing else is looked at in a message of another version."""
        self.assertRefused("^version", away(version=2, state=5, reason=object()))

    def test_state(self):
        """There are two states, and no others."""
        for state in (None, 1, "available", "", "SLEEPING", ["AVAILABLE"], PresenceState.AVAILABLE):
            self.assertRefused(
                "^state .* is not known: AVAILABLE and NOT_ACCEPTING_NEW_BUILDS are", away(state=state)
            )

    def test_missing(self):
        """The version and the state are required, all else may be missing."""
        for key in ("version", "state"):
            message = away()
            del message[key]
            self.assertRefused(key, message)
        self.assertEqual(readAnnouncement({"version": 1, "state": "AVAILABLE"}, NOW), AVAILABLE)

    def test_reason(self):
        """A reason is one line of text of at most 512 characters."""
        self.assertEqual(readAnnouncement(away(reason="ü" * MAX_REASON), NOW).reason, "ü" * MAX_REASON)
        self.assertRefused("reason: it has 513 characters, and at most 512", away(reason="x" * 513))
        for reason in (1, b"x", ["x"]):
            self.assertRefused("^reason: .* is not text", away(reason=reason))
        for reason in ("a\nb", "\x00", "\x7f", "\x9b", "\ud800", "\u2028"):
            self.assertRefused("^reason: it contains .*: write plain text on one line", away(reason=reason))

    def test_instants(self):
        """An instant is a finite number between 1970 and the year 9999."""
        for name in ("since", "until", "work_until", "now"):
            for value in (math.nan, math.inf, -math.inf, -1, LATEST + 1, 10**400, True, "noon", [], 1e300):
                self.assertRefused(f"^{name} .* is not an instant", away(**{name: value}))

    def test_future(self):
        """What is to end has not ended yet."""
        for name in ("until", "work_until"):
            for value in (NOW, NOW - 1, 0):
                self.assertRefused(f"^{name} .* is past", away(**{name: value}))

    def test_stopIsAway(self):
        """A worker that is to stop accepts no builds."""
        self.assertRefused("^state", {**AVAILABLE.toDict(NOW), "deadline": None}, readStop)
        self.assertRefused("^deadline .* is past", {**away(), "deadline": NOW}, readStop)

    def test_unknownKeys(self):
        """Unknown keys are ignored, whatever they hold, and are not looked into."""

        class Mine:
            def __getattribute__(self, name):
                raise AssertionError(name)

        deep = []
        for _ in range(5000):
            deep = [deep]
        self.assertEqual(readAnnouncement(away(mine=deep, yours=Mine()), NOW), AWAY)
        while deep:  # one by one: freeing it at once would go as deep
            deep = deep[0]

    def test_size(self):
        """A message with more keys than any version will have is refused."""
        self.assertRefused("keys, and at most", {str(number): 1 for number in range(MAX_KEYS + 1)})

    def test_foreignObjects(self):
        """No code of an object that has arrived is run to say what is wrong with it."""

        class Mine(dict):
            def __repr__(self):
                raise AssertionError

        self.assertRefused("Mine", away(state=Mine()))

    def test_view(self):
        """A view with something wrong in it is refused, and it is said where."""
        view = VIEW.toDict(NOW)
        hold = view["holds"][0]
        for pattern, changed in (
            ("^holds .* is not a list", {"holds": None}),
            ("^holds has", {"holds": [hold] * (MAX_ITEMS + 1)}),
            ("^holds: .* a dictionary is", {"holds": [1]}),
            ("since is missing", {"holds": [{**hold, "since": None}]}),
            ("^running", {"running": -1}),
            ("^running", {"running": 1.5}),
            ("^running", {"running": True}),
            ("start is missing", {"breaks": [{"stop": NOW}]}),
            ("^next_break: ", {"next_break": 7}),
            ("^builder", {"builds": [{"since": NOW}]}),
            ("^stopping: ", {"stopping": True}),
        ):
            self.assertRefused(pattern, {**view, **changed}, readAnswer)

    def test_newSource(self):
        """A hold by a source that a later master may have is left out."""
        view = VIEW.toDict(NOW)
        mars = {**view["holds"][0], "source": "mars"}
        self.assertEqual(readAnswer({**view, "holds": [mars, *view["holds"]]}, NOW), VIEW)


class ClockTests(SynchronousTestCase):
    """Clocks of two machines differ."""

    def read(self, sent, arrived=NOW):
        return readAnnouncement(AWAY.toDict(sent), arrived)

    def test_sameClock(self):
        """Less than a second is the time that a message takes: instants are as they were said."""
        self.assertEqual(self.read(NOW - 0.9), AWAY)

    def test_behind(self):
        """A sender whose clock is an hour behind is away for as long as it says."""
        early = NOW - 3600
        message = Announcement(AWAY.state, None, None, early - 60, early + 10, early + 20).toDict(early)
        announcement = readAnnouncement(message, NOW)
        self.assertEqual(
            (announcement.since, announcement.until, announcement.workUntil), (NOW - 60, NOW + 10, NOW + 20)
        )

    def test_ahead(self):
        """A sender whose clock is an hour ahead likewise."""
        late = NOW + 3600
        message = Announcement(AWAY.state, None, None, late - 60, late + 10, None).toDict(late)
        self.assertEqual(readAnnouncement(message, NOW).until, NOW + 10)

    def test_endedOnTheWay(self):
        """What was to come when it was sent is right, also if it has ended when it arrives."""
        message = Announcement(AWAY.state, None, None, NOW - 60, NOW - 0.1, None).toDict(NOW - 0.5)
        self.assertEqual(readAnnouncement(message, NOW).until, NOW - 0.1)

    def test_view(self):
        """The instants in a view are translated, those inside its lists too."""
        view = readAnswer(VIEW.toDict(NOW), NOW + 100)
        self.assertEqual(view.holds[0].until, HOLD.until + 100)
        self.assertEqual(view.breaks[0].start, BREAK.start + 100)
        self.assertEqual(view.deadline, VIEW.deadline + 100)

    def test_endOfTime(self):
        """A translation does not leave the calendar."""
        message = Announcement(AWAY.state, None, None, 0.0, LATEST, None).toDict(NOW)
        announcement = readAnnouncement(message, NOW + 100)
        self.assertEqual((announcement.since, announcement.until), (100.0, LATEST))


class CutTests(SynchronousTestCase):
    def test_cutHold(self):
        """A hold with a reason of any length is fit for a view."""
        hold = cutHold(Hold("pause", "x\n" * 999, None, NOW, None))
        view = View(PresenceState.NOT_ACCEPTING_NEW_BUILDS, (hold,), None, (), 0, (), False, None)
        self.assertEqual(readAnswer(view.toDict(NOW), NOW), view)

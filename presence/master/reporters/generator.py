"""`util.PresenceGenerator`: notices of presence for Buildbot's reporters, such as `MailNotifier` and `HttpStatusPush`."""

from __future__ import annotations

import hashlib
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

from buildbot import config
from buildbot.interfaces import IReportGenerator
from buildbot.util import ComparableMixin
from twisted.internet.defer import inlineCallbacks
from zope.interface import implementer

from presence.calendar.durations import duration
from presence.calendar.timeofday import timeOfDay
from presence.master.reporters.formatter import PresenceMessageFormatter
from presence.master.reporters.notice import NoticeTerms
from presence.master.wholeconfig import followWholeConfigs

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

#: What our events are called on Buildbot's message queue.
EVENTS = "presencenotices"

_ADDRESS = re.compile(r"[^\s<>(),;:@]+@[^\s<>(),;:@]+")

_DURATIONS = ("awayLongerThan", "endsWithin", "starvingAfter", "reconfigLongerThan")
_FLAGS = ("backEarly", "backLate", "drains", "absent", "owners")
_LISTS = ("workers", "builders", "to")

# Buildbot's reporters that read the builds of a report, and fail where it is of none.
_OF_BUILDS = frozenset(
    {
        *("BitbucketServerCoreAPIStatusPush", "BitbucketServerPRCommentPush", "BitbucketServerStatusPush"),
        *("BitbucketStatusPush", "GerritStatusPush", "GerritVerifyStatusPush", "GitHubStatusPush"),
        *("GitLabStatusPush", "ZulipStatusPush"),
    }
)

# More mails than this a day nobody means.
_MOST = 1000


@implementer(IReportGenerator)
class PresenceGenerator(ComparableMixin):
    """Tells what is asked for, each thing once.

    `awayLongerThan` (as all durations ``"3d"``, ``"2h"``, or seconds): a worker that has not accepted builds for so long, other than for a
    break; told again when it has lasted twice as long, four times, and so on. `endsWithin`: a hold that is about to end. `backEarly`,
    `backLate`: a worker whose hold ended before it said, or that is still away 15 minutes after. `starvingAfter`: a builder that has had
    requests and no ready worker for so long; and when it has one again. `drains`: a drain that is done, or past its deadline.
    `reconfigLongerThan`: a reconfiguration that waits. `breaksLeft`: a schedule that runs out, with fewer breaks left. `absent`:
    a worker that has been taken out of the reckoning, and that is back (`PresenceService(absentAfter=)`).

    `workers` and `builders` are names or patterns of those that it is about. With `owners` what is about a worker goes to its owners
    (`owners=` and `notify_on_missing=`, as far as they are addresses), and to the addresses in `to`; else to whom the reporter sends to.
    `digest` is a time of day: then it is all told once a day. No person gets more than `mostADay` messages a day: the rest comes in the
    first one of the next day.
    """

    #: by this it is found among the generators of reporters
    presenceNotices = True

    compare_attrs: ClassVar[list[str]] = ["terms", "formatter"]

    def __init__(self, *, message_formatter: Any = None, **keywords: Any) -> None:
        self._mistakes: list[str] = []
        self.terms = self._read(keywords)
        self.formatter = PresenceMessageFormatter() if message_formatter is None else message_formatter

    @property
    def number(self) -> str:
        """What tells its events from those of others: the same for those that tell the same."""
        return hashlib.sha256(repr(self.terms).encode()).hexdigest()[:12]

    @property
    def wanted_event_keys(self) -> list[tuple[str, str | None, str]]:
        """The events that it makes reports of."""
        return [(EVENTS, self.number, "new")]

    def check(self) -> None:
        """Tell what is wrong with the arguments: each is a `config.error`."""
        for each in self._mistakes:
            config.error(f"PresenceGenerator: {each}")
        # only the whole of a configuration tells whose it is
        followWholeConfigs()

    def checkReporter(self, reporter: Any) -> None:
        """Tell it when `reporter`, which has this generator, cannot send what it makes: that is a `config.error`."""
        kinds = {each.__name__ for each in type(reporter).__mro__ if each.__module__.startswith("buildbot.")}
        if kinds & _OF_BUILDS:
            config.error(
                f"{type(reporter).__name__} sends what becomes of builds and nothing else: it takes no PresenceGenerator. Give it to "
                "a MailNotifier, an HttpStatusPush (of which chats have webhooks), a PushoverNotifier or a PushjetNotifier"
            )

    def generate_name(self) -> str:
        """A name for the reporter that has it, if it has none."""
        return f"{type(self).__name__}_{self.number}"

    @inlineCallbacks
    def generate(
        self, master: Any, _reporter: Any, _key: Any, message: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, dict[str, Any]]:
        """The report of an event."""
        told = yield self.formatter.formatNotices(master, message)
        body, recipients = told["body"], message["recipients"]
        return {
            "body": body.encode() if isinstance(body, str) else body,
            "subject": told["subject"],
            "type": told["type"],
            "results": None,
            "builds": None,
            "buildset": None,
            "users": recipients,
            "patches": None,
            "logs": None,
            # to whom it is sent is said by `users` where this is not None
            "worker": "presence" if recipients else None,
        }

    # --- what was written

    def _read(self, keywords: dict[str, Any]) -> NoticeTerms:
        known = {*_DURATIONS, *_FLAGS, *_LISTS, "breaksLeft", "digest", "mostADay"}
        values: dict[str, Any] = {}
        for name, value in keywords.items():
            if name not in known:
                self._mistakes.append(f"there is no argument {name}=: there are {', '.join(sorted(known))}")
            elif value is not None:
                try:
                    values[name] = self._value(name, value)
                except ValueError as problem:
                    self._mistakes.append(f"{name}={value!r}: {problem}")
        terms = NoticeTerms(**values)
        if terms.wantsNothing and not self._mistakes:
            self._mistakes.append(
                f"it tells nothing: give one of {', '.join((*_DURATIONS, 'backEarly', 'backLate', 'drains', 'breaksLeft', 'absent'))}, "
                'as in awayLongerThan="3d"'
            )
        return terms

    def _value(self, name: str, value: Any) -> Any:
        if name in _DURATIONS:
            return _seconds(value)
        if name in _FLAGS:
            if not isinstance(value, bool):
                raise ValueError("give True or False")
            return value
        if name in _LISTS:
            return _listed(name, value)
        if name == "digest":
            return timeOfDay(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MOST:
            raise ValueError(f"give a whole number from 1 to {_MOST}")
        return value


def isMeant(patterns: tuple[str, ...] | None, name: str) -> bool:
    """Whether `name` is one of these, or matches one; None is everybody."""
    return patterns is None or any(fnmatchcase(name, each) for each in patterns)


def isAddress(text: str) -> bool:
    """Whether a mail can be sent there."""
    return _ADDRESS.fullmatch(text) is not None


def _listed(name: str, value: Any) -> tuple[str, ...]:
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple, set, frozenset)) or not all(
        isinstance(each, str) for each in listed
    ):
        raise ValueError("give a string, or a list of them")
    if name == "to":
        for each in listed:
            if not isAddress(each):
                raise ValueError(f'{each!r} is not an e-mail address, such as "me@example.org"')
    return tuple(sorted(listed) if isinstance(listed, (set, frozenset)) else listed)


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        return float(duration(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise ValueError('give a duration such as "3d" or "2h", or seconds')
    return float(value)

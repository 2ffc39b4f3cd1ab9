"""The words for what waits: why a request of Buildbot's does not start, until when, and what could be done.

A reason is made where it is known, on the master, as a text without instants; whoever shows it adds these, on a clock of
its own, with the words from here. The pages do so in `waiting.js`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.calendar.durations import durationText
from presence.words.holds import SINCE, UNTIL, atText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What follows on a reason the end of which is estimated.
MORE = ", for about {more} more"

#: Between the clauses of a sentence.
AND = "; "

#: What the sentence begins with, by the state of the request; a builder for which nobody waits has none.
BEGINNINGS = {
    "waiting": "Waits: {why}",
    "building": "It is being built.",
    "complete": "It is complete.",
    "none": "A request would wait: {why}",
    "free": "A request would start at once.",
}

#: How it ends, when it is known when the request may start: at an instant, and in about so long.
AT, ABOUT, UNKNOWN = (
    "It may start {at}.",
    "It may start in about {more}.",
    "When it may start is not known.",
)
#: It may start now.
NOW = "It may start at any moment."

# --- about one worker

FREE = "free for it"
CONNECTING = "about to be attached to the builder"
BUSY = "busy with {build}"
FULL = "busy with {builds}, at most {most} at once"
LOCKED = "waits for the lock {lock}"
LOCKED_BY = "waits for the lock {lock}, which {owners} {has}"
REFUSES = "its class, {kind}, lets no build start now"
REFUSED = "canStartBuild of master.cfg said no"
INCOMPATIBLE = "it is started for builds of another kind"
LOCKS_TAKEN = "the locks that it needs for this request are taken"

# --- about all workers

STOPPING = "the master is stopping"
STOPPING_BY = "the master is stopping, as {by} has ordered"
STARTS_NOTHING = "the master starts no builds"
NO_ANSWER = "{function} of master.cfg has not answered, and until then nothing starts on this master"
LEFT_OUT = "prioritizeBuilders of master.cfg left this builder out"
NO_WORKER_CHOSEN = "nextWorker of master.cfg chose none of the workers that are free"
NO_REQUEST_CHOSEN = "nextBuild of master.cfg chose none of the requests"
OTHER_CHOSEN = "nextBuild of master.cfg chose request {request} first"
FAILED = "{function} of master.cfg failed: {problem}"
AHEAD = ("1 request of the builder is ahead of it", "{count} requests of the builder are ahead of it")
NO_WORKERS = "the builder has no workers"
HELD = "the builder is {held}"
#: What it means that a builder is held, and not its workers.
BUILDER_ONLY = "no build of it starts, wherever"
NOT_HERE = "this master does not have the builder"

#: What a worker is, in a count of many, by the kind of its first reason. (That of a hold is its source, and has its words.)
KINDS = {
    "free": "free",
    "connecting": "about to be attached",
    "busy": "busy",
    "lock": "waiting for a lock",
    "partial": "in a partial break",
    "sparing": "soon on a break",
    "held": "held",
    "function": "refused by master.cfg",
    "class": "not accepting",
}

#: What could be done, by the source of a hold or the kind of a reason.
HINTS = {
    "offline": "start the worker on its machine",
    "admin": "presence release {worker}",
    "pause": "unpause it on Buildbot's page of the worker",
    "graceful": "restart the worker on its machine",
    "reconfig": "presence reconfig --cancel",
    "master": "presence stop-master --cancel",
    "held": "presence release --builder-only {builder}",
    "workers": "give the builder workers in master.cfg",
}

#: What the workers do that are not named.
OTHERS = "of the others {counts}"


def reasonText(reason: Mapping[str, Any], now: float, moment: Callable[[float], str]) -> str:
    """A reason of the API with its instants: "busy with runtests #12, for about 12 min more".

    `now` is in seconds since the epoch, and `moment` says an instant.
    """
    parts = [reason["text"]]
    since, until = reason["since"], reason["until"]
    if since is not None:
        parts.append(SINCE.replace("{since}", moment(since)))
    if until is not None and reason["estimated"]:
        parts.append(MORE.replace("{more}", durationText(max(0.0, until - now))))
    elif until is not None:
        parts.append(UNTIL.replace("{until}", moment(until)))
    return "".join(parts)


def startText(entity: Mapping[str, Any], now: float, moment: Callable[[float], str]) -> str:
    """When a request, or one of a builder, may start: a sentence."""
    at = entity["earliest"]
    if at is None:
        return UNKNOWN
    if at <= now:
        return NOW
    if entity["estimated"]:
        return ABOUT.replace("{more}", durationText(at - now))
    return AT.replace("{at}", atText(moment(at)))


def whyText(entity: Mapping[str, Any], now: float, moment: Callable[[float], str]) -> str:
    """Why a request (of the API's `requestpresences`) waits, and when it may start: what is said of it everywhere."""
    beginning = BEGINNINGS[entity["state"]]
    if "{why}" not in beginning:
        return beginning
    why = AND.join(reasonText(each, now, moment) for each in entity["summary"])
    # each text is put in once: it comes from people, who may write braces
    return f"{beginning.replace('{why}', f'{why}.')} {startText(entity, now, moment)}"

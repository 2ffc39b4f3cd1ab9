"""What must be true of a farm that has come to rest: every request was built, and just once; and nobody is held.

Buildbot writes that a build has ended, and that its request is complete, one after the other. Where it was killed in between,
or its database was, it builds the request once more: that is its own, and no contradiction. So it is that a build ends as
EXCEPTION, and is not built again, when its database is gone while it runs.
"""

import time
from collections import Counter
from contextlib import suppress

from tests.integration.processes import waitFor
from tests.torture.account import SETTLES
from tests.torture.farm import WORKERS

#: How long nothing of the queue may be built when everything is released, in seconds.
_AFTERWARDS = 180.0

#: How long a question to the master is asked again: after a restart of the database the first statement of each of its
#: connections fails.
_AGAIN = 60.0

#: How long before the end of a build or after it a crash may be that has made Buildbot forget the end, in seconds.
_FORGOTTEN = 10.0

#: How long after its start a build may still run, in seconds, on a machine that is very busy.
_RUNS = 60.0

#: How long a worker may be held by what was planned before, in seconds: a break of its own ends within 35.
_BREAKS = 60.0

_FIELDS = {
    "builders": ("builderid", "name"),
    "builds": ("buildid", "buildrequestid", "results", "complete", "workerid"),
    "buildrequests": ("buildrequestid", "results", "complete", "claimed", "builderid"),
}


def unbuilt(farm, acknowledged, crashes):
    """Wait until nothing waits any more: what is wrong then, in words. `acknowledged` are the numbers of requests, and
    `crashes` says when the master or its database was killed.
    """
    left, since = None, time.monotonic()
    while time.monotonic() < since + _AFTERWARDS:
        now = len(_all(farm, "buildrequests", complete="false"))
        if not now:
            break
        if now != left:
            left, since = now, time.monotonic()
        time.sleep(1.0)
    requests = {each["buildrequestid"]: each for each in _all(farm, "buildrequests")}
    builds = _all(farm, "builds")
    forgotten, broken = forgettable(farm.notes(), crashes), breakable(farm.notes(), crashes)
    successes = [each for each in builds if each["results"] == 0]
    built = Counter(each["buildrequestid"] for each in successes)
    kept = Counter(each["buildrequestid"] for each in successes if each["buildid"] not in forgotten)
    builders = {each["builderid"]: each["name"] for each in _all(farm, "builders")}
    found = [f"request {each} was acknowledged and is not there" for each in acknowledged - set(requests)]
    for number, request in requests.items():
        who = f"request {number} of {builders[request['builderid']]}"
        # one whose parent was interrupted is cancelled with it
        cancelled = request["results"] == 6 and builders[request["builderid"]] == "child"
        if not request["complete"]:
            tries = [each for each in builds if each["buildrequestid"] == number]
            found.append(f"{who} is not built, and nothing was for {_AFTERWARDS:.0f} s: {request}, {tries}")
        elif request["results"] == 4 and number in broken:  # (EXCEPTION)
            continue
        elif not cancelled and (not built[number] or kept[number] > 1):
            found.append(f"{who} was built {built[number]} times, with results {request['results']}")
    return found


def forgettable(notes, crashes):
    """The ids of the builds that ended as there was a crash."""
    return {
        each["build"]
        for each in notes
        if each["what"] == "end" and any(abs(each["at"] - crash) <= _FORGOTTEN for crash in crashes)
    }


def breakable(notes, crashes):
    """The numbers of the requests of which a build ran as there was a crash."""
    return {
        each["request"]
        for each in notes
        if each["what"] == "start" and any(0 <= crash - each["at"] <= _RUNS for crash in crashes)
    }


def held(farm):
    """Who is held still, in words. A break that was planned before ends by itself, and is waited for."""
    end = time.monotonic() + _BREAKS
    while True:
        holds = {name: ask(farm, f"presences/{name}")["presences"][0]["holds"] for name in WORKERS}
        if not endsByItself(holds, farm.wall) or time.monotonic() > end:
            return [f"{name} is still held: {each}" for name, each in holds.items() if each]
        time.sleep(1.0)


def endsByItself(holds, wall):
    """Whether one of them has an end that is to come at this time of the master's clock, or has only just come."""
    return any(wall < (hold["until"] or 0.0) + SETTLES for each in holds.values() for hold in each)


def ask(farm, path):
    """The answer of the API, which may need some tries. AssertionError when there is none in time."""
    answers = []

    def answered():
        with suppress(AssertionError, OSError):
            answers.append(farm.get(path))
        return answers

    waitFor(f"the master answers {path}", answered, _AGAIN)
    return answers[0]


def _all(farm, resource, **filters):
    """All of a resource, in pages that Buildbot answers whole."""
    found = []
    query = "&".join(
        [
            *(f"field={each}" for each in _FIELDS[resource]),
            *(f"{key}={value}" for key, value in filters.items()),
            # without one a database may answer each page in another order
            f"order={_FIELDS[resource][0]}",
        ]
    )
    while True:
        page = ask(farm, f"{resource}?{query}&limit=100&offset={len(found)}")[resource]
        found += page
        if len(page) < 100:
            return found

"""`presence drain`: no new builds, what runs is finished; and to wait until nothing runs any more."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from presence.commands.ancestry import ancestors, partOf
from presence.commands.exits import DONE, FAILED, NOT_TOLD
from presence.commands.master.client import MasterError
from presence.commands.master.command import (
    ORDER_EXITS,
    addCommand,
    addForce,
    addJson,
    addSelection,
    forced,
    ordered,
    orderInside,
    reasonOption,
    tellOrdered,
)
from presence.commands.master.settled import NOT_CONFIRMED, UNSEEN, Doubts, presencesOf
from presence.commands.master.text import DRAINING
from presence.commands.master.waiting import WhoRuns, mayRestart, waitUntil
from presence.commands.options import addDeadline, checkDeadline
from presence.commands.terminal import complain
from presence.orders.floor import REFUSED
from presence.orders.workers import ON_DEADLINE

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Collection, Sequence

    from presence.commands.master.client import MasterClient

# The exit status when somebody has ended the drain before nothing ran any more, or its deadline has.
_GIVEN_UP = 3

# How often what a floor has refused is ordered again, in seconds.
_AGAIN = 5.0


def addParser(subparsers: Any) -> None:
    """Add the command to the command line."""
    drain = addCommand(
        subparsers,
        "drain",
        _drain,
        "let workers accept no more builds, but finish what runs and what that waits for; `presence release` ends it",
        exits=f"{ORDER_EXITS}; 3 given up: they were released, or their deadline has come",
    )
    addSelection(drain)
    drain.add_argument("--reason", type=reasonOption, help="why, for everybody who wonders")
    then = (
        "what happens then: what still runs is interrupted and built again elsewhere (the default), or the workers are "
        "released"
    )
    addDeadline(drain, "how long what runs may go on", (ON_DEADLINE, then))
    addForce(drain)
    addJson(drain, lines=True)
    drain.add_argument(
        "--queue",
        action="store_true",
        help="where too few workers would be ready (keepReady): drain those that may be, and the others when others are back",
    )
    drain.add_argument("--wait", action="store_true", help="wait until nothing runs on them any more")


def _drain(options: Namespace, client: MasterClient) -> int:
    checkDeadline(options)
    workers = ordered(options, client, "drain")
    # what runs on one of them may wait for a build that another one has to do; and by its name this drain is known from others
    group = f"drain {secrets.token_hex(4)}"
    params = {
        "reason": options.reason,
        "deadline": options.deadline,
        "on_deadline": options.on_deadline,
        "group": group,
        **forced(options),
        **(ancestors() if options.wait else {}),
    }
    if options.queue:
        status, inside = _queue(options, workers, client, params)
    else:
        status, inside = orderInside(options, workers, client, "drain", **params)
    # what is stored is heeded before the next build starts, and the end is the same
    if status not in {DONE, NOT_TOLD} or not options.wait:
        return status
    waiting = _Waiting(client, [each["name"] for each in workers], group, quiet=options.json)
    waiting.inside = inside
    if status == NOT_TOLD:
        # one that is not confirmed is not shown before it is
        waiting.unseen = NOT_CONFIRMED
    try:
        return waiting.wait()
    except KeyboardInterrupt:
        complain("the drain goes on; `presence release` ends it", 0)
        raise


def _queue(
    options: Namespace, workers: list[dict[str, Any]], client: MasterClient, params: dict[str, Any]
) -> tuple[int, frozenset[int]]:
    """Drain each of these workers as soon as the floor lets that be; the exit status, and the builds from inside of which it is ordered."""
    left, status, told = list(workers), DONE, False
    inside: frozenset[int] = frozenset()
    while left:
        for each in tuple(left):
            try:
                after = client.post(f"presences/{each['workerid']}", "drain", **params)
            except MasterError as problem:  # noqa: PERF203 (each waits for itself)
                if REFUSED not in str(problem):
                    return complain(f"{each['name']}: {problem}", FAILED), inside
                if not told:
                    complain(f"{each['name']} waits: {problem}", 0)
                    told = True
            else:
                left.remove(each)
                inside = frozenset(after.get("inside", ()))
                status = max(status, tellOrdered(options, [after]))
        if left:
            time.sleep(_AGAIN)
    return status, inside


class _Waiting:
    """Waits until nothing runs on the workers of these `names`, which are drained as `group`, but builds from `inside` of which that was
    ordered: they wait for this. What runs is said, unless it is to be `quiet`.
    """

    def __init__(self, client: MasterClient, names: Sequence[str], group: str, *, quiet: bool) -> None:
        self._client = client
        self._names = names
        self._group = group
        self._quiet = quiet
        self._who = WhoRuns()
        self._seen: set[str] = set()
        self._doubts = Doubts()
        self.inside: frozenset[int] = frozenset()
        #: for how long the master may not know of the drain that it has taken, in seconds
        self.unseen = UNSEEN

    def wait(self) -> int:
        """The exit status."""
        return waitUntil(self._ask, self._silent)

    def _ask(self) -> int | None:
        states = _states(self._client, self._names, self._group)
        for name in self._names:
            if states.get(name) is not None:
                self._seen.add(name)
                self._doubts.end(name)
            elif not self._doubts.lasts(name, UNSEEN if name in self._seen else self.unseen):
                states[name] = DRAINING
        busy = {name for name, state in states.items() if state == DRAINING}
        if not busy:
            return _ended(states, quiet=self._quiet)
        if self._quiet and not self.inside:
            return None
        builds = [each for each in self._client.get("runningbuilds") if each["worker"] in self._names]
        itself = [each for each in builds if each["buildid"] in self.inside]
        if itself and len(itself) == len(builds) and busy <= {each["worker"] for each in itself}:
            return complain(f"nothing else runs there any more: {partOf(itself)}", DONE)
        if not self._quiet:
            self._who.tell(builds)
        return None

    def _silent(self, problem: MasterError, seconds: float) -> None:
        if not mayRestart(self._client, problem, seconds):
            raise problem
        self._doubts.clear()


def _states(client: MasterClient, names: Collection[str], group: str) -> dict[str, str | None]:
    """The state of each drain; None where there is none, or another one, and those that are not in the configuration are missing."""
    drains = {each["name"]: each["drain"] or {} for each in presencesOf(client, names, ["name", "drain"])}
    return {
        name: drains[name]["state"] if drains[name].get("group") == group else None
        for name in names
        if name in drains
    }


def _ended(states: dict[str, str | None], *, quiet: bool) -> int:
    released = sorted(name for name, state in states.items() if state is None)
    if not released:
        if quiet:
            return DONE
        print("nothing runs there any more", flush=True)
        return DONE
    return complain(
        f"not drained: they were released, or their deadline has come: {', '.join(released)}", _GIVEN_UP
    )

"""`presence drain`: no new builds, what runs is finished; and to wait until nothing runs any more."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from presence.commands.exits import DONE, FAILED, NOT_TOLD
from presence.commands.master.client import MasterError, NoAnswerError
from presence.commands.master.command import (
    ORDER_EXITS,
    addCommand,
    addForce,
    addJson,
    addSelection,
    forced,
    order,
    ordered,
    reasonOption,
    tellOrdered,
)
from presence.commands.master.text import DRAINING
from presence.commands.master.waiting import WhoRuns, waitUntil
from presence.commands.options import addDeadline, checkDeadline
from presence.commands.terminal import complain
from presence.orders.floor import REFUSED
from presence.orders.workers import ON_DEADLINE

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Sequence

    from presence.commands.master.client import MasterClient

# The exit status when somebody has ended the drain before nothing ran any more, or its deadline has.
_GIVEN_UP = 3

# How often what a floor has refused is ordered again, in seconds.
_AGAIN = 5.0

# For how long the master may not know of the drain that it has taken, in seconds: of another master's worker it hears in a moment. And
# the same where the other one has not confirmed it.
_UNSEEN, _NOT_CONFIRMED = 5.0, 120.0

# For how long the master may not answer, in seconds: it may be restarting, and the drain survives that.
_PATIENCE = 600.0


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
    }
    if options.queue:
        status = _queue(options, workers, client, params)
    else:
        status = order(options, workers, client, "drain", **params)
    # what is stored is heeded before the next build starts, and the end is the same
    if status not in {DONE, NOT_TOLD} or not options.wait:
        return status
    try:
        # one that is not confirmed is not shown before it is
        unseen = _NOT_CONFIRMED if status == NOT_TOLD else _UNSEEN
        return _wait(client, [each["name"] for each in workers], group, unseen, quiet=options.json)
    except KeyboardInterrupt:
        complain("the drain goes on; `presence release` ends it", 0)
        raise


def _queue(
    options: Namespace, workers: list[dict[str, Any]], client: MasterClient, params: dict[str, Any]
) -> int:
    """Drain each of these workers as soon as the floor lets that be; the exit status."""
    left, status, told = list(workers), DONE, False
    while left:
        for each in tuple(left):
            try:
                after = client.post(f"presences/{each['workerid']}", "drain", **params)
            except MasterError as problem:  # noqa: PERF203 (each waits for itself)
                if REFUSED not in str(problem):
                    return complain(f"{each['name']}: {problem}", FAILED)
                if not told:
                    complain(f"{each['name']} waits: {problem}", 0)
                    told = True
            else:
                left.remove(each)
                status = max(status, tellOrdered(options, [after]))
        if left:
            time.sleep(_AGAIN)
    return status


def _wait(client: MasterClient, names: Sequence[str], group: str, unseen: float, *, quiet: bool) -> int:
    """Wait until nothing runs on these workers, which are drained as `group`; the exit status. What runs is said, unless it is to be
    `quiet`. For `unseen` seconds the master may not know of the drain.
    """
    who = WhoRuns()
    seen: set[str] = set()
    began = time.monotonic()

    def ask() -> int | None:
        states = _states(client, names, group)
        seen.update(name for name, state in states.items() if state is not None)
        if time.monotonic() - began < unseen:
            states.update(dict.fromkeys(states.keys() - seen, DRAINING))
        if DRAINING not in states.values():
            return _ended(states, quiet=quiet)
        if quiet:
            return None
        who.tell([each for each in client.get("runningbuilds") if each["worker"] in names])
        return None

    def silent(problem: MasterError, seconds: float) -> None:
        if seconds > _PATIENCE or not isinstance(problem, NoAnswerError):
            raise problem
        if not seconds:
            complain(f"{problem}; trying again", 0)
        # a master that has been restarted does not know the session
        client.close()

    return waitUntil(ask, silent)


def _states(client: MasterClient, names: Iterable[str], group: str) -> dict[str, str | None]:
    """The state of each drain; None where there is none, or another one, and those that are not in the configuration are missing."""
    drains = {each["name"]: each["drain"] or {} for each in client.get("presences", field=["name", "drain"])}
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

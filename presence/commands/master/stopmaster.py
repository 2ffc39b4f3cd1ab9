"""`presence stop-master`: stop a master when nothing runs, over its REST API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from presence.commands.ancestry import ancestors, partOf
from presence.commands.exits import DONE
from presence.commands.master.client import NoAnswerError, NotThereError
from presence.commands.master.command import (
    EXITS,
    addCommand,
    addJson,
    addOther,
    adminText,
    otherPath,
    reasonOption,
)
from presence.commands.master.waiting import WhoRuns, waitUntil
from presence.commands.options import UsageError, addDeadline, checkDeadline
from presence.commands.terminal import complain
from presence.orders.shutdown import ON_DEADLINE
from presence.words.holds import atText

if TYPE_CHECKING:
    from argparse import Namespace

    from presence.commands.master.client import MasterClient, MasterError

# The exit status when it goes on: somebody has cancelled it, or the deadline has.
_GOES_ON = 3

_SHUTDOWN = "shutdown"

# How long a master does not answer before it has stopped, in seconds. (A connection may just have been lost.)
_SILENCE = 5.0


def addParser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = addCommand(
        subparsers,
        "stop-master",
        _stop,
        "stop a master when nothing runs; what waits is built when it is started again",
        positional=True,
        exits=f"{EXITS}; 3 the master goes on: somebody has cancelled it, or its deadline has",
    )
    addOther(parser)
    parser.add_argument("--reason", type=reasonOption, help="why, for everybody who wonders")
    then = (
        "what happens then: the master goes on as before (the default), or what still runs is interrupted, and built "
        "again when the master is started"
    )
    addDeadline(parser, "how long to wait", (ON_DEADLINE, then))
    parser.add_argument("--detach", action="store_true", help="do not wait until it has stopped")
    parser.add_argument("--cancel", action="store_true", help="do not stop it, whoever has ordered it")
    addJson(parser, lines=True)


def _stop(options: Namespace, client: MasterClient) -> int:
    checkDeadline(options)
    path = f"{otherPath(options, client)}{_SHUTDOWN}"
    if options.cancel:
        if options.deadline is not None or options.reason is not None:
            raise UsageError("--cancel needs no --deadline and no --reason")
        entity = client.post(path, "cancel")
        print(json.dumps(entity) if options.json else "the master goes on")
        return DONE
    entity = client.post(
        path,
        "stop",
        reason=options.reason,
        deadline=options.deadline,
        on_deadline=options.on_deadline,
        **({} if options.detach else ancestors()),
    )
    until = adminText().moment(entity["deadline"])
    then = f"; {atText(until)} it {_AT[entity['on_deadline']]}" if until else ""
    print(json.dumps(entity) if options.json else f"the master stops when nothing runs{then}", flush=True)
    if options.detach:
        return DONE
    try:
        return _wait(client, path, frozenset(entity.get("inside", ())), quiet=options.json)
    except KeyboardInterrupt:
        complain("the master stops all the same; `presence stop-master --cancel` ends that", 0)
        raise


_AT = {"abort": "goes on as before", "interrupt": "interrupts what does"}


def _runs(client: MasterClient, masterid: int) -> bool:
    return any(each["active"] for each in client.get("masters") if each["masterid"] == masterid)


def _wait(client: MasterClient, path: str, inside: frozenset[int], *, quiet: bool) -> int:
    """Wait until the master of this path has stopped, or one of the builds runs from `inside` of which that was ordered: it waits for them; the
    exit status. `quiet`: as JSON, and nothing of whom it waits for.
    """
    tell = (lambda _builds: None) if quiet else WhoRuns().tell

    def stopped() -> int:
        print('{"stopped": true}' if quiet else "the master has stopped", flush=True)
        return DONE

    def ask() -> int | None:
        (entity,) = client.get(path)
        if entity["state"] != "stopping":
            return complain(
                "the master goes on: it was cancelled, or its deadline has come, or it was started again",
                _GOES_ON,
            )
        # (another master's are not waited for)
        builds = [each for each in client.get("runningbuilds") if each["masterid"] == entity["masterid"]]
        itself = [each for each in builds if each["buildid"] in inside]
        if itself:
            return complain(f"{partOf(itself)}: the master stops when that has ended", DONE)
        tell(builds)
        return None

    def silent(problem: MasterError, seconds: float) -> int | None:
        if isinstance(problem, NotThereError) and path != _SHUTDOWN:
            # the one that is asked about another one says that it does not run, or has not answered
            if _runs(client, int(path.split("/")[1])):
                return None
            return stopped()
        if not isinstance(problem, NoAnswerError):
            raise problem
        if seconds < _SILENCE:
            return None
        return stopped()

    return waitUntil(ask, silent)

"""`presence reconfig`: reconfigure a master when nothing runs that it would hurt, over its REST API."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from presence.calendar.zones import localZone, zoneFor
from presence.commands.ancestry import ancestors, partOf
from presence.commands.exits import DONE, FAILED, INTERRUPTED, USAGE
from presence.commands.master.client import MasterError
from presence.commands.master.command import addMaster, addOther, clientFor, otherPath
from presence.commands.master.credentials import CredentialsError
from presence.commands.master.reconfigtext import ReconfigText
from presence.commands.master.waiting import waitUntil
from presence.commands.options import UsageError, addDeadline, checkDeadline
from presence.commands.terminal import complain
from presence.orders.reconfig import ON_DEADLINE
from presence.wire.masternote import NoMasterError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Container

    from presence.commands.master.client import MasterClient

# The exit statuses beside the common ones: master.cfg has mistakes; somebody has cancelled it; the deadline came first.
_MISTAKES, _CANCELLED, _DEADLINE = 3, 4, 5

_STATUS = {"reconfigured": DONE, "failed": _MISTAKES, "cancelled": _CANCELLED, "deadline": _DEADLINE}

# For how long the master may not answer, in seconds: a reload may restart its web server.
_PATIENCE = 30.0

_DESCRIPTION = """\
Load and check the master's new configuration, hold only those builds that it would hurt, wait until such as run have
ended, reconfigure, and go on. What running builds wait for is still built. Where nothing would be hurt it is done at once.
The exit status is 0 when it is done, 3 when master.cfg has mistakes (nothing was held), 4 when it was cancelled, 5 when the
deadline came first and nothing was changed, 1 when the master refused or does not answer, and 2 for a usage error. Ctrl-C ends the watching, not the waiting.
Ordered by a step of a build that it has to wait for, it does not wait for the end: it is done when that build has ended.
"""


def addParser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "reconfig", help="reconfigure a master without losing a build", description=_DESCRIPTION
    )
    addMaster(parser, positional=True)
    addOther(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="say what would be held and why, and do nothing")
    what.add_argument("--cancel", action="store_true", help="give up the one that waits")
    what.add_argument("--status", action="store_true", help="say how the one that waits is getting on")
    what.add_argument("--detach", action="store_true", help="do not wait for the end of it")
    parser.add_argument("--all", action="store_true", help="hold everything, not only what would be hurt")
    then = "; ".join(f"{each}: {what}" for each, what in ON_DEADLINE.items()) + "; by default abort"
    addDeadline(parser, "how long to wait", (ON_DEADLINE, then))
    parser.add_argument("--json", action="store_true", help="print what the API says, one line each")
    parser.set_defaults(run=run)


def run(options: Namespace) -> int:
    """Run `presence reconfig`."""
    try:
        _check(options)
        with closing(clientFor(options)) as client:
            return _Command(options, client).run()
    except (NoMasterError, UsageError) as problem:
        return complain(problem, USAGE)
    except (MasterError, CredentialsError) as problem:
        return complain(problem, FAILED)


def _check(options: Namespace) -> None:
    checkDeadline(options)
    if (options.plan or options.cancel or options.status) and options.deadline is not None:
        raise UsageError("--deadline is for the reconfig itself, not for --plan, --cancel and --status")


class _Command:
    """One call of `presence reconfig`."""

    def __init__(self, options: Namespace, client: MasterClient) -> None:
        self._options = options
        self._client = client
        self._path = f"{otherPath(options, client)}reconfig"

    def run(self) -> int:
        """Do what the options say; the exit status."""
        if self._options.cancel:
            self._show(self._post("cancel"))
            return DONE
        if self._options.status:
            self._show(self._get())
            return DONE
        if self._options.plan:
            plan = self._post("plan", all=self._options.all)
            print(json.dumps(plan) if self._options.json else _text().plan(plan))
            return _MISTAKES if plan["mistakes"] else DONE
        return self._reconfig()

    def _reconfig(self) -> int:
        options = self._options
        answer = self._post(
            "reconfig",
            all=options.all,
            deadline=options.deadline,
            on_deadline=options.on_deadline,
            **ancestors(),
        )
        if answer["mistakes"]:
            for mistake in answer["mistakes"]:
                complain(mistake, _MISTAKES)
            return complain("master.cfg has mistakes: nothing has changed", _MISTAKES)
        if options.detach:
            self._show(answer)
            return DONE
        try:
            return self._follow(answer["number"], answer.get("inside", ()))
        except KeyboardInterrupt:
            return complain("it goes on waiting: presence reconfig --cancel ends that", INTERRUPTED)

    def _follow(self, number: int, inside: Container[int]) -> int:
        """Show how it goes until it has ended, or waits for builds from `inside` of which it was ordered: they wait for this."""
        shown: tuple[Any, ...] | None = None

        def ask() -> int | None:
            nonlocal shown
            entity = self._get()
            last = entity["last"]
            if last is not None and last["number"] >= number:
                self._show(entity)
                # a later one has the newer file
                return _STATUS.get(last["result"], FAILED)
            if entity["state"] == "idle":
                return complain("the master was restarted meanwhile: it has read its master.cfg", FAILED)
            itself = [each for each in entity["waiting_for"] if each["buildid"] in inside]
            if itself:
                self._show(entity)
                return complain(f"{partOf(itself)}: it is done when that has ended", DONE)
            news = _text().news(entity)
            if news != shown:
                shown = news
                self._show(entity)
            return None

        def silent(problem: MasterError, seconds: float) -> None:
            if seconds > _PATIENCE:
                raise problem

        return waitUntil(ask, silent)

    def _get(self) -> dict[str, Any]:
        (entity,) = self._client.get(self._path)
        return entity

    def _post(self, action: str, **params: Any) -> dict[str, Any]:
        return self._client.post(self._path, action, **params)

    def _show(self, entity: dict[str, Any]) -> None:
        print(json.dumps(entity) if self._options.json else _text().progress(entity), flush=True)


def _text() -> ReconfigText:
    return ReconfigText(time.time(), zoneFor(localZone()))

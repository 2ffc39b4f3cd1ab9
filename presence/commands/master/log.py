"""`presence log`: what has happened on a master, of its trail, over its REST API."""

from __future__ import annotations

import json
import time
from contextlib import closing
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from presence.commands.exits import DONE
from presence.commands.master.client import MasterError, NotThereError
from presence.commands.master.command import addCommand, addJson, adminText, clientFor, matching
from presence.commands.options import UsageError, durationOption
from presence.text import plain

if TYPE_CHECKING:
    from argparse import Namespace

    from presence.commands.master.client import MasterClient

# How many entries are shown, unless somebody says how far back; how many the master tells at most; and how many workers are
# named in one line.
_FEW, _MOST, _NAMED = 50, 5000, 3


def addParser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = addCommand(
        subparsers,
        "log",
        _log,
        "say what has happened: who ordered what, which breaks there were, who was away",
    )
    parser.add_argument(
        "workers", nargs="*", metavar="WORKER", help="only of these: a name, or a pattern such as 'mac-*'"
    )
    parser.add_argument(
        "--since",
        type=durationOption,
        metavar="DURATION",
        help=f"of so long: 2d, 8h; by default the last {_FEW} entries",
    )
    parser.add_argument("--follow", action="store_true", help="go on with what happens, until Ctrl-C")
    addJson(parser, lines=True)


def _log(options: Namespace, client: MasterClient) -> int:
    if not options.follow:
        for each in _past(options, client):
            _print(each, options)
        return DONE
    newest = 0

    def begun() -> None:
        # by a connection of its own: nothing is missed in between
        nonlocal newest
        with closing(clientFor(options)) as other:
            for each in _past(options, other):
                _print(each, options)
                newest = max(newest, each["number"])

    for _, entry in client.events("trail/*/*", begun):
        if entry["number"] > newest and _is_about(entry, options.workers):
            _print(entry, options)
    raise MasterError(f"{client.url} has ended the connection")


def _past(options: Namespace, client: MasterClient) -> list[dict[str, Any]]:
    """The entries that the command line asks for, the oldest first."""
    filters = {"limit": [str(_MOST if options.workers or options.since else _FEW)]}
    if options.since is not None:
        filters["at__ge"] = [str(int(time.time() - options.since))]
    try:
        found = client.get("trail", **filters)
    except NotThereError:
        raise UsageError(
            "this master keeps no trail: give PresenceService(), or presence.enable(), in its master.cfg trail=True"
        ) from None
    found = [each for each in found if _is_about(each, options.workers)]
    if options.workers and not found:
        # nothing has happened to it, or there is no such worker
        matching(options.workers, client.get("presences"), "worker")
    return list(reversed(found if options.since else found[:_FEW]))


def _is_about(entry: dict[str, Any], patterns: list[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for name in _names(entry) for pattern in patterns)


def _names(entry: dict[str, Any]) -> list[str]:
    """The workers and builders that it is about."""
    return [*entry["workers"], *entry.get("builders", ())]


def _print(entry: dict[str, Any], options: Namespace) -> None:
    if options.json:
        print(json.dumps(entry), flush=True)
        return
    text = adminText()
    names = _names(entry)
    who = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    until = f", until {text.moment(entry['until'])}" if entry["until"] and entry["kind"] != "end" else ""
    print(plain(f"{text.stamp(entry['at'])}  {who or 'master'}: {entry['text']}{until}"), flush=True)

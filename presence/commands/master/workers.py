"""`presence workers`, `hold`, `release`, `builders`, `watch`: the admin's commands, over the master's REST API."""

from __future__ import annotations

import fnmatch
import json
import os
import sys
import time
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.calendar.zones import localZone, zoneFor
from presence.commands.master.client import MasterClient, MasterError
from presence.commands.master.credentials import (
    Credentials,
    CredentialsError,
    askCredentials,
    findCredentials,
)
from presence.commands.master.text import AVAILABLE, AdminText, plain
from presence.commands.options import addUntil, untilOf
from presence.text import readReason

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

# The exit statuses: done; the master has refused, or does not answer; the command line makes no sense.
DONE, FAILED, USAGE = 0, 1, 2

_STATES = {
    "available": AVAILABLE,
    "away": "NOT_ACCEPTING_NEW_BUILDS",
    "not_accepting_new_builds": "NOT_ACCEPTING_NEW_BUILDS",
}


class UsageError(Exception):
    """The command line makes no sense; nothing was done."""


def addParser(subparsers: Any) -> None:
    """Add the commands to the command line."""
    workers = addCommand(
        subparsers, "workers", _workers, "list the workers of a master, and why they do not build"
    )
    addSelection(workers)
    workers.add_argument(
        "--state", type=_state, metavar="STATE", help="only those that are available, or away"
    )
    workers.add_argument("--json", action="store_true", help="print what the API says")

    hold = addCommand(subparsers, "hold", _hold, "let workers accept no more builds; what runs is finished")
    addSelection(hold)
    hold.add_argument("--reason", type=reasonOption, help="why, for everybody who wonders")
    addUntil(hold)

    addSelection(addCommand(subparsers, "release", _release, "end what `presence hold` has begun"))

    builders = addCommand(
        subparsers,
        "builders",
        _builders,
        "list the builders of a master, and how many workers are ready for each",
    )
    builders.add_argument(
        "builders", nargs="*", metavar="BUILDER", help="a name, or a pattern such as 'win*'"
    )
    builders.add_argument("--json", action="store_true", help="print what the API says")

    watch = addCommand(subparsers, "watch", _watch, "follow the changes, one line each, until Ctrl-C")
    addSelection(watch)
    watch.add_argument("--json", action="store_true", help="print what the API says, one line each")


def addCommand(subparsers: Any, name: str, command: Callable[..., int], text: str) -> ArgumentParser:
    """Add a command that asks a master: `command(options, client)` is its exit status."""
    parser: ArgumentParser = subparsers.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}."
    )
    parser.add_argument(
        "--url",
        default=os.environ.get("PRESENCE_URL", "http://localhost:8010/"),
        help="where the web UI of the master is; by default $PRESENCE_URL, or else http://localhost:8010/",
    )
    parser.add_argument(
        "--netrc",
        type=Path,
        metavar="FILE",
        help="a file like ~/.netrc (the default), which only you can read, with a line for the master's host: "
        "machine HOST login USER password PASSWORD. PRESENCE_USER and PRESENCE_PASSWORD in the environment "
        "come before it.",
    )
    parser.set_defaults(run=runCommand, command=command)
    return parser


def addSelection(parser: ArgumentParser) -> None:
    """Let the command be told which workers it is about."""
    parser.add_argument("workers", nargs="*", metavar="WORKER", help="a name, or a pattern such as 'mac-*'")
    parser.add_argument(
        "--builder", metavar="NAME", help="the workers of this builder, or of those that match a pattern"
    )


def runCommand(options: Namespace) -> int:
    """Run the command of `options` with a client for the master; the exit status."""
    try:
        client = MasterClient(options.url, _Credentials(options.netrc))
        return int(options.command(options, client))
    except UsageError as problem:
        print(f"presence: {problem}", file=sys.stderr)
        return USAGE
    except (MasterError, CredentialsError) as problem:
        print(f"presence: {plain(str(problem))}", file=sys.stderr)
        return FAILED


class _Credentials:
    """The credentials from wherever they are, asked for once."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def __call__(self, host: str, *, ask: bool) -> Credentials | None:
        return findCredentials(host, self._file) or (askCredentials(host) if ask else None)


def _workers(options: Namespace, client: MasterClient) -> int:
    found = [each for each in selected(options, client) if options.state in (None, each["state"])]
    print(json.dumps(found, indent=2) if options.json else adminText().workers(found))
    return DONE


def _builders(options: Namespace, client: MasterClient) -> int:
    found = _matching(options.builders, client.get("builderpresences"), "builder")
    print(json.dumps(found, indent=2) if options.json else adminText().builders(found))
    return DONE


def _hold(options: Namespace, client: MasterClient) -> int:
    workers = ordered(options, client, "hold")
    return orderEach(workers, client, "hold", reason=options.reason, until=untilOf(options))


def _release(options: Namespace, client: MasterClient) -> int:
    return orderEach(ordered(options, client, "release"), client, "release")


def ordered(options: Namespace, client: MasterClient, action: str) -> list[dict[str, Any]]:
    """The workers of which the command line orders something: all are looked up before the first is told."""
    if not options.workers and options.builder is None:
        raise UsageError(
            f"name the workers, as in `presence {action} mac-mini`, '*' for all of them, or --builder NAME"
        )
    named = frozenset(options.workers)
    found = []
    for worker in selected(options, client):
        if worker["holdable"] or worker["name"] in named:
            found.append(worker)
        else:
            # a pattern, or a builder, means those of which it can be meant
            print(
                f"presence: {plain(worker['name'])} is left out: it is one of Buildbot's own workers",
                file=sys.stderr,
            )
    return found


def orderEach(workers: list[dict[str, Any]], client: MasterClient, action: str, **params: Any) -> int:
    """Order something of each of these workers, and print what became of it; the exit status."""
    status = DONE
    for worker in workers:
        name = worker["name"]
        try:
            after = client.post(f"presences/{worker['workerid']}", action, **params)
        except MasterError as problem:
            print(f"presence: {plain(name)}: {plain(str(problem))}", file=sys.stderr)
            status = FAILED
        else:
            print(adminText().change(after))
    return status


def _watch(options: Namespace, client: MasterClient) -> int:
    names = frozenset(each["name"] for each in selected(options, client))
    everybody = not options.workers and options.builder is None

    def begun() -> None:
        if not options.json:
            print(
                f"following {'all workers' if everybody else ', '.join(map(plain, sorted(names)))}",
                flush=True,
            )

    for key, worker in client.events("presences/*/*", begun):
        if everybody or worker["name"] in names:
            if options.json:
                print(json.dumps(worker), flush=True)
            elif key[-1] == "removed":
                print(f"{adminText().change(worker)}, removed from the configuration", flush=True)
            else:
                print(adminText().change(worker), flush=True)
    raise MasterError(f"{options.url} has ended the connection")


def selected(options: Namespace, client: MasterClient) -> list[dict[str, Any]]:
    """The workers that the command line means; all of them when it names none."""
    filters = {}
    if options.builder is not None:
        builders = _matching([options.builder], client.get("builderpresences"), "builder")
        filters["builders__contains"] = [str(each["builderid"]) for each in builders]
    return _matching(options.workers, client.get("presences", **filters), "worker")


def _matching(patterns: list[str], entities: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    """Those with a name that is, or matches, one of `patterns`. A pattern for nobody is a mistake."""
    if not patterns:
        return entities
    names = [each["name"] for each in entities]
    meant: set[str] = set()
    for pattern in patterns:
        found = [name for name in names if name == pattern] or fnmatch.filter(names, pattern)
        if not found:
            known = ", ".join(map(plain, names[:10])) or "none"
            more = " and others" if len(names) > 10 else ""  # noqa: PLR2004 (as above)
            raise UsageError(f"there is no {what} {pattern}: there are {known}{more}")
        meant.update(found)
    return [each for each in entities if each["name"] in meant]


def adminText() -> AdminText:
    """The texts of this moment."""
    return AdminText(time.time(), zoneFor(localZone()))


def _state(text: str) -> str:
    try:
        return _STATES[text.lower()]
    except KeyError:
        raise ArgumentTypeError(f"{text!r} is no state: write available or away") from None


def reasonOption(text: str) -> str | None:
    """A reason."""
    try:
        return readReason(text)
    except ValueError as problem:
        raise ArgumentTypeError(str(problem)) from None

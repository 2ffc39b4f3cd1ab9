"""What the admin's commands have in common: how they are told the master and the workers, and how they order."""

from __future__ import annotations

import fnmatch
import json
import os
from argparse import ArgumentTypeError
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.commands.exits import DONE, FAILED, NOT_TOLD, USAGE
from presence.commands.master.client import MasterClient, MasterError, NoAnswerError
from presence.commands.master.credentials import (
    Bearer,
    Credentials,
    CredentialsError,
    askCredentials,
    findCredentials,
)
from presence.commands.master.text import AdminText
from presence.commands.options import UsageError
from presence.commands.terminal import complain
from presence.orders.workers import WORKERS
from presence.text import plain, readReason, suggestion
from presence.wire.masternote import NoMasterError, urlOf

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

#: Where a master's web UI is, when nobody says.
DEFAULT_URL = "http://localhost:8010/"

#: What is added when a master does not answer that nobody waits for.
NO_ANSWER = ". Is it running? Another one is named with --url, or by its directory"


# How many names are listed where one is unknown.
_LISTED = 10

#: What the exit statuses of all commands that ask a master mean; some have more.
EXITS = "exit status: 0 done; 1 the master has refused something, or does not answer; 2 usage error, nothing was done"

#: The same of commands that order something of workers, where there may be several masters.
ORDER_EXITS = f"{EXITS}; 4 stored, and a master that has the worker has not confirmed it"


def addCommand(
    subparsers: Any,
    name: str,
    command: Callable[..., int],
    text: str,
    *,
    positional: bool = False,
    exits: str = EXITS,
) -> ArgumentParser:
    """Add a command that asks a master: `command(options, client)` is its exit status, and `exits` says what that means.

    The master's directory is an argument, where it is `positional`, and else an option.
    """
    parser: ArgumentParser = subparsers.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=exits
    )
    addMaster(parser, positional=positional)
    parser.set_defaults(run=runCommand, command=command)
    return parser


def addMaster(parser: ArgumentParser, *, positional: bool) -> None:
    """Let the command be told which master it is about: see `clientFor()`."""
    where = parser.add_mutually_exclusive_group()
    text = "the master's directory, on this machine; who can read what it has left there for its operator needs no login"
    if positional:
        where.add_argument("masterdir", nargs="?", type=Path, metavar="MASTERDIR", help=text)
    else:
        where.add_argument("--master", dest="masterdir", type=Path, metavar="MASTERDIR", help=text)
    where.add_argument(
        "--url",
        help="where the web UI of the master is; by default $PRESENCE_URL, or else http://localhost:8010/",
    )
    parser.add_argument(
        "--netrc",
        type=Path,
        metavar="FILE",
        help="a file like ~/.netrc (the default), which only you can read, with a line for the master's host: "
        "machine HOST login USER password PASSWORD. PRESENCE_USER and PRESENCE_PASSWORD in the environment, or "
        "PRESENCE_TOKEN, come before it.",
    )


def addOther(parser: ArgumentParser) -> None:
    """Let the command be about another master of the farm than the one that it asks: see `otherPath()`."""
    parser.add_argument(
        "--of",
        metavar="MASTER",
        help="it is about another master of the farm, which is asked by this one: its number, or its name or a pattern for that, as in "
        "Buildbot's list of masters",
    )


def otherPath(options: Namespace, client: MasterClient) -> str:
    """With what the paths about the master begin that the command line means; a name that is not one master's is a mistake."""
    if options.of is None:
        return ""
    masters = client.get("masters")
    numbers = [each for each in masters if options.of == str(each["masterid"])]
    found = numbers or matching([options.of], masters, "master")
    if len(found) > 1:
        names = ", ".join(plain(each["name"]) for each in found)
        raise UsageError(f"--of {options.of} may be any of {names}")
    return f"masters/{found[0]['masterid']}/"


def clientFor(options: Namespace) -> MasterClient:
    """A client for the master that the command line names. Raises `NoMasterError` and `MasterError`."""
    url = options.url
    if options.masterdir is not None:
        url = urlOf(options.masterdir)
    return MasterClient(
        url or os.environ.get("PRESENCE_URL", DEFAULT_URL),
        CommandCredentials(options.netrc, options.masterdir),
    )


def addSelection(parser: ArgumentParser) -> None:
    """Let the command be told which workers it is about."""
    parser.add_argument(
        "workers",
        nargs="*",
        metavar="WORKER",
        help="a name, a pattern such as 'mac-*', or a group of the master's: its name means all workers of it",
    )
    parser.add_argument(
        "--builder", metavar="NAME", help="the workers of this builder, or of those that match a pattern"
    )


def runCommand(options: Namespace) -> int:
    """Run the command of `options` with a client for the master; the exit status."""
    try:
        with closing(clientFor(options)) as client:
            return int(options.command(options, client))
    except (NoMasterError, UsageError) as problem:
        return complain(problem, USAGE)
    except NoAnswerError as problem:
        return complain(f"{problem}{NO_ANSWER}", FAILED)
    except (MasterError, CredentialsError) as problem:
        return complain(problem, FAILED)


class CommandCredentials:
    """The credentials from wherever they are, asked for once."""

    def __init__(self, file: Path | None, masterdir: Path | None) -> None:
        self._file = file
        self._masterdir = masterdir

    def __call__(self, host: str, *, ask: bool) -> Credentials | Bearer | None:
        """See `CredentialsSource`."""
        return findCredentials(host, self._file, self._masterdir) or (askCredentials(host) if ask else None)


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
            # a pattern, a group or a builder means those of which it can be meant
            complain(f"{worker['name']} is left out: it is one of Buildbot's own workers", DONE)
    return found


def addJson(parser: ArgumentParser, *, lines: bool = False) -> None:
    """Let the command print JSON: a document, or one for each line."""
    text = "print what the API says"
    parser.add_argument("--json", action="store_true", help=f"{text}, one line each" if lines else text)


def addForce(parser: ArgumentParser) -> None:
    """Let the command be told to order it also where too few workers would be ready."""
    parser.add_argument(
        "--force",
        action="store_true",
        help="also where fewer workers would be ready than the master is to keep (keepReady)",
    )


def forced(options: Namespace) -> dict[str, bool]:
    """What that adds to an order: nothing where it was not said, which an older master understands."""
    return {"force": True} if options.force else {}


def order(
    options: Namespace, workers: list[dict[str, Any]], client: MasterClient, action: str, **params: Any
) -> int:
    """Order something of all of these workers, or of none; print what became of it, as JSON if the command was told to; the
    exit status.
    """
    return orderInside(options, workers, client, action, **params)[0]


def orderInside(
    options: Namespace, workers: list[dict[str, Any]], client: MasterClient, action: str, **params: Any
) -> tuple[int, frozenset[int]]:
    """The same; the exit status, and the ids of the builds from inside of which it was ordered, where the order says from where."""
    if not workers:
        return DONE, frozenset()
    try:
        if len(workers) == 1:
            answer = client.post(f"presences/{workers[0]['workerid']}", action, **params)
            after = [answer]
        else:
            names = [each["name"] for each in workers]
            answer = client.post("presences", action, **{WORKERS: names}, **params)
            after = answer["presences"]
    except MasterError as problem:
        text = f"{workers[0]['name']}: {problem}" if len(workers) == 1 else problem
        return complain(text, FAILED), frozenset()
    return tellOrdered(options, after), frozenset(answer.get("inside", ()))


def tellOrdered(options: Namespace, after: list[dict[str, Any]]) -> int:
    """Print what became of workers of which something was ordered; the exit status."""
    for each in after:
        print(json.dumps(each) if options.json else adminText().change(each), flush=True)
    return _acknowledged(after)


def _acknowledged(after: list[dict[str, Any]]) -> int:
    """Say which of these orders, that are stored, are not heeded yet, and at which masters; the exit status."""
    waiting: dict[str, list[str]] = {}
    for each in after:
        # (a master that is older than this command does not say it)
        text = each.get("order", {}).get("text")
        if text is not None:
            waiting.setdefault(text, []).append(each["name"])
    for text, names in waiting.items():
        complain(f"{', '.join(names)}: {text}", NOT_TOLD)
    return NOT_TOLD if waiting else DONE


def selected(options: Namespace, client: MasterClient) -> list[dict[str, Any]]:
    """The workers that the command line means; all of them when it names none."""
    filters = {}
    if options.builder is not None:
        builders = matching([options.builder], client.get("builderpresences"), "builder")
        filters["builders__contains"] = [str(each["builderid"]) for each in builders]
    return matching(options.workers, client.get("presences", **filters), "worker")


def matching(patterns: list[str], entities: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    """Those with a name that is, or matches, one of `patterns`, or that are in a group of that name. A pattern for nobody is
    a mistake.
    """
    if not patterns:
        return entities
    names = [each["name"] for each in entities]
    groups: dict[str, list[str]] = {}
    for each in entities:
        # (builders have none, and neither have workers of an older master)
        for group in each.get("groups", ()):
            groups.setdefault(group, []).append(each["name"])
    meant: set[str] = set()
    for pattern in patterns:
        found = (
            [name for name in names if name == pattern]
            or groups.get(pattern)
            or fnmatch.filter(names, pattern)
        )
        if not found:
            raise UsageError(f"there is no {what} {pattern}{_others(pattern, [*names, *groups])}")
        meant.update(found)
    return [each for each in entities if each["name"] in meant]


def _others(name: str, names: list[str]) -> str:
    """How the error about an unknown name goes on: with the one that was probably meant, or with the first of them."""
    near = suggestion(name, names)
    if near.endswith("?") or len(names) <= _LISTED:
        return plain(near)
    return f": there are {', '.join(map(plain, names[:_LISTED]))} and others"


def adminText() -> AdminText:
    """The texts of this moment."""
    return AdminText.here()


def reasonOption(text: str) -> str | None:
    """A reason."""
    try:
        return readReason(text)
    except ValueError as problem:
        raise ArgumentTypeError(str(problem)) from None

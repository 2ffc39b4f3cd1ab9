"""`presence status`, `away`, `back`, `work`, `stop`, `open`: the owner's commands, in the worker's directory."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from presence.calendar.zones import localZone, zoneFor
from presence.commands import exits
from presence.commands.options import addDeadline, addUntil, untilOf
from presence.commands.owner.client import (
    LocalClient,
    LocalError,
    NotStartedError,
    addAll,
    addBasedir,
    basedirsOf,
)
from presence.commands.owner.text import OwnerText
from presence.commands.terminal import complain

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable
    from pathlib import Path

_EXITS = """\
exit status: 0 done; 1 failed; 2 usage error; 3 the worker is not running; 4 done and kept here, but
the master does not know it yet; 5 refused, nothing has changed; 6 somebody said something else while it waited.
"""


def addParser(subparsers: Any) -> None:
    """Add the commands to the command line."""
    _command(subparsers, "status", _status, "say what this machine's worker does, and why")

    away = _command(subparsers, "away", _away, "accept no more builds on this machine; what runs is finished")
    away.add_argument("--reason", metavar="TEXT", help="why, for everybody who wonders")
    addUntil(away)
    away.add_argument("--wait", action="store_true", help="return when nothing runs any more")

    _command(subparsers, "back", _back, "end what `presence away` or `presence stop` has begun")

    work = _command(subparsers, "work", _work, "accept builds in spite of breaks and sensors, for a while")
    addUntil(work)
    work.add_argument("--end", action="store_true", help="no longer: the breaks count again")

    stop = _command(subparsers, "stop", _stop, "accept no more builds, and end the worker when nothing runs")
    addDeadline(
        stop, "when to end it in any case; what still runs is interrupted, and Buildbot builds it again"
    )
    stop.add_argument("--no-wait", dest="wait", action="store_false", help="return at once")

    page = _command(
        subparsers, "open", _open, "open the page of this machine's worker in a browser", one=True
    )
    page.add_argument(
        "--window",
        action="store_true",
        help="as a window of its own, where a browser can (Chromium and its kin)",
    )
    page.add_argument(
        "--no-browser", action="store_true", help="print the address of the page, and the code that opens it"
    )


def _command(
    subparsers: Any, name: str, command: Callable[..., Callable[[], int]], text: str, *, one: bool = False
) -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=_EXITS
    )
    if one:
        addBasedir(parser)
        parser.set_defaults(all=False, json=False)
    else:
        addAll(parser)
        parser.add_argument("--json", action="store_true", help="print it for programs; see docs/owner.rst")
    parser.set_defaults(run=_run, command=command)
    return parser


def _run(options: Namespace) -> int:
    """Order it of every worker, and then wait for each: no worker waits for another."""
    try:
        basedirs = basedirsOf(options)
    except LocalError as problem:
        return _problem(options, problem)
    rests = [_begin(options, basedir) for basedir in basedirs]
    statuses = [_finish(options, rest) for rest in rests]
    return next((status for status in statuses if status), exits.DONE)


def _begin(options: Namespace, basedir: Path) -> Callable[[], int]:
    """Order it of this one; what is left to do."""
    try:
        try:
            return options.command(options, LocalClient(basedir))  # type: ignore[no-any-return]
        except NotStartedError as problem:
            # what is said before the start is kept for it
            if options.command in (_away, _back, _work):
                return partial(_keep, options, basedir, problem)
            raise
    except LocalError as problem:
        return partial(_problem, options, problem)


def _finish(options: Namespace, rest: Callable[[], int]) -> int:
    try:
        return rest()
    except LocalError as problem:
        return _problem(options, problem)


def _problem(options: Namespace, problem: LocalError) -> int:
    if options.json:
        print(json.dumps({"error": str(problem)}))
    return complain(problem, problem.status)


def _keep(options: Namespace, basedir: Path, problem: NotStartedError) -> int:
    """Say it to a worker that does not run: it takes it up when it starts."""
    from presence.commands.owner.before import keep  # noqa: PLC0415 (few say it then)

    until = None if options.command is _back else untilOf(options)
    if options.command is _work:
        _check_work(options, until)
    print(keep(options, basedir, options.command.__name__.strip("_"), until, problem))
    return exits.NOT_TOLD


def _status(options: Namespace, client: LocalClient) -> Callable[[], int]:
    status = client.status()

    def shown() -> int:
        print(json.dumps(status, indent=2) if options.json else _text(status).status())
        return exits.DONE

    return shown


def _away(options: Namespace, client: LocalClient) -> Callable[[], int]:
    status = _say(client, "away", reason=options.reason, until=untilOf(options))
    return partial(_wait_away if options.wait else _outcome, options, status, client)


def _wait_away(options: Namespace, status: dict[str, Any], client: LocalClient) -> int:
    if not options.json:
        print(_text(status).outcome(), flush=True)
    last = _wait(client, _is_away)
    if last is None:
        complain("the worker has ended, so that nothing runs; it will be away again", 0)
        return exits.NOT_RUNNING
    if not _is_away(last):
        complain("it is no longer away: somebody said back, or its time was over", 0)
        return exits.OVERTAKEN
    if not options.json:
        print("Nothing runs any more.")
    return _outcome(options, last)


def _back(options: Namespace, client: LocalClient) -> Callable[[], int]:
    return partial(_said_back, options, _say(client, "back"))


def _said_back(options: Namespace, status: dict[str, Any]) -> int:
    done = _outcome(options, status)
    if not options.json and any(hold["source"] == "sensor" for hold in status["holds"]):
        print("That is the machine's own word: `presence work --for 2h` overrules it.", file=sys.stderr)
    return done


def _work(options: Namespace, client: LocalClient) -> Callable[[], int]:
    until = untilOf(options)
    _check_work(options, until)
    return partial(_said_work, options, _say(client, "work", until=until))


def _check_work(options: Namespace, until: float | None) -> None:
    if (until is None) is not options.end:
        raise LocalError(exits.USAGE, "say how long (--for 8h, --until 18:00), or --end")


def _said_work(options: Namespace, status: dict[str, Any]) -> int:
    done = _outcome(options, status)
    if not (options.json or options.end) and _is_away(status):
        print("You are still away: `presence back` ends that.", file=sys.stderr)
    return done


def _stop(options: Namespace, client: LocalClient) -> Callable[[], int]:
    status = _say(client, "stop", deadline=options.deadline)
    return partial(_wait_stop if options.wait else _outcome, options, status, client)


def _wait_stop(options: Namespace, status: dict[str, Any], client: LocalClient) -> int:
    if not options.json:
        print(_text(status).outcome(), flush=True)
    last = _wait(client, _is_stopping, idle=False)
    if last is not None:
        complain("the stop was cancelled: somebody said back", 0)
        return exits.OVERTAKEN
    if not client.waitUntilEnded():
        print(
            "presence: the worker listens no more, but its process has not ended: see twistd.log",
            file=sys.stderr,
        )
        return exits.FAILED
    print(json.dumps({"stopped": True}) if options.json else "The worker has stopped.")
    return exits.DONE


def _open(options: Namespace, client: LocalClient) -> Callable[[], int]:
    from presence.commands.owner.page import openPage  # noqa: PLC0415 (this command alone needs it)

    return partial(openPage, client, browser=not options.no_browser, window=options.window)


def _say(client: LocalClient, order: str, **arguments: Any) -> dict[str, Any]:
    """Order it; the status after it."""
    return client.say(order, **{name: value for name, value in arguments.items() if value is not None})


def _outcome(options: Namespace, status: dict[str, Any], _: object = None) -> int:
    """Print what is so now; the exit status."""
    print(json.dumps(status, indent=2) if options.json else _text(status).outcome())
    if status["told"]:
        return exits.DONE
    return complain(_text(status).notTold(), exits.NOT_TOLD)


def _wait(
    client: LocalClient, inForce: Callable[[dict[str, Any]], bool], *, idle: bool = True
) -> dict[str, Any] | None:
    """The first status in which nothing runs any more (not with `idle=False`), or which is no longer what was
    asked for; None when the worker has ended. Says what is waited for.
    """
    said = None
    try:
        for status in client.statuses():
            if not inForce(status) or (idle and _is_idle(status)):
                return status
            text = _text(status).waiting()
            if text != said:
                print(text, file=sys.stderr, flush=True)
                said = text
    except KeyboardInterrupt:
        print("\npresence: it stays so, and nobody waits here; `presence back` ends it", file=sys.stderr)
        raise
    return None


def _is_idle(status: dict[str, Any]) -> bool:
    # the master may be about to start a build, as long as it has not heard
    master = status["master"]
    unheard = master["connected"] and master["knows_presence"] is not False and not status["told"]
    return not status["running"] and not unheard


def _is_away(status: dict[str, Any]) -> bool:
    return any(hold["source"] == "worker" for hold in status["holds"])


def _is_stopping(status: dict[str, Any]) -> bool:
    return status["stopping"] is not None


def _text(status: dict[str, Any]) -> OwnerText:
    return OwnerText(status, zoneFor(localZone()))

"""`presence roll`: drain, run a command, wait, release; and the next one."""

from __future__ import annotations

import json
import os
import time
from argparse import ArgumentTypeError
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.commands.exits import DONE, FAILED, USAGE
from presence.commands.master.command import (
    EXITS,
    addCommand,
    addSelection,
    adminText,
    ordered,
    reasonOption,
)
from presence.commands.master.waiting import mayRestart, waitUntil
from presence.commands.options import UsageError, durationOption
from presence.commands.rolling.rolling import Rolling
from presence.commands.rolling.state import FAILED as STEP_FAILED
from presence.commands.rolling.state import SKIPPED, Roll, StateFile, Step
from presence.commands.terminal import complain
from presence.files import Lock
from presence.text import plain

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from presence.commands.master.client import MasterClient, MasterError

# One of them has failed: it is held, and nothing else is begun.
_STOPPED = 3

# How often the master is asked, and the commands are looked at, in seconds.
_INTERVAL = 0.5


def addParser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = addCommand(
        subparsers,
        "roll",
        _roll,
        "update machines one after the other: drain, run a command, wait until the worker is back and well, release, the next",
        exits=f"{EXITS}; {_STOPPED} stopped: one has failed and is held, and --resume goes on",
    )
    addSelection(parser)
    parser.add_argument(
        "--at-most", type=_count, default=1, metavar="N", help="so many at a time (the default: 1)"
    )
    parser.add_argument("--reason", type=reasonOption, help="why, for everybody who wonders")
    parser.add_argument(
        "--deadline",
        type=durationOption,
        metavar="DURATION",
        help="how long what runs on one may go on; then it is interrupted, and built again elsewhere",
    )
    parser.add_argument(
        "--back-within",
        type=durationOption,
        default=3600,
        metavar="DURATION",
        help="how long one may be away (1h)",
    )
    parser.add_argument(
        "--settle",
        type=durationOption,
        default=10,
        metavar="DURATION",
        help="how long it has to be well (10s)",
    )
    parser.add_argument(
        "--reboots", action="store_true", help="it is well only when its connection has been lost before"
    )
    parser.add_argument(
        "--check",
        metavar="BUILDER",
        help="a builder of that worker alone, as in smoke-{worker}, that has to succeed on it before it counts as done",
    )
    parser.add_argument(
        "--ok",
        type=_status,
        action="append",
        metavar="STATUS",
        help="an exit status of the command that is good, beside 0",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="where it is kept how far it is (~/.local/state/presence/roll.json)",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the roll of that file")
    parser.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="WORKER",
        help="with --resume: leave out one that has failed, which stays held",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print each line as JSON: at, in seconds since the epoch, and text",
    )
    parser.epilog = (
        f"{parser.epilog}\n\nAfter -- comes the command, in which {{worker}} is the name of the worker."
    )
    parser.set_defaults(remote=None)
    _split_at_dashes(parser)


def _split_at_dashes(parser: ArgumentParser) -> None:
    """Let what stands after the first ``--`` be the command, and nothing that is parsed."""
    parse: Any = parser.parse_known_args

    def parse_known_args(args: Any = None, namespace: Any = None) -> Any:
        arguments = list(args or ())
        remote = None
        if "--" in arguments:
            place = arguments.index("--")
            arguments, remote = arguments[:place], arguments[place + 1 :]
        options, more = parse(arguments, namespace)
        options.remote = remote
        return options, more

    parser.parse_known_args = parse_known_args  # type: ignore[method-assign]


def _roll(options: Namespace, client: MasterClient) -> int:
    file = StateFile(options.state or _default())
    with suppress(OSError):
        file.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(file.path.parent)
    try:
        if not lock.acquire():
            return complain(
                f"another roll runs, with a file in {file.path.parent}: give --state in another directory",
                USAGE,
            )
        roll = _resumed(options, file) if options.resume else _new(options, client, file)
        say = _say_json if options.json else _say
        rolling = Rolling(roll, file, client, say)
        if options.resume:
            rolling.resume()
        else:
            file.save(roll)
        try:
            return _run(rolling, file, client, say)
        finally:
            rolling.end()
    except OSError as problem:
        return complain(f"{file.path}: {problem.strerror or problem}", FAILED)
    finally:
        lock.release()


def _new(options: Namespace, client: MasterClient, file: StateFile) -> Roll:
    if options.skip:
        raise UsageError("--skip goes with --resume")
    if not options.remote:
        raise UsageError(
            "say what to run after --, as in `presence roll 'mac-*' -- ssh {worker} sudo reboot`"
        )
    if file.exists():
        raise UsageError(
            f"there is a roll that has not ended, in {file.path}: go on with --resume, give another --state, or remove the file"
        )
    names = [each["name"] for each in ordered(options, client, "roll")]
    if not names:
        raise UsageError("none of these workers can be held")
    bare = next((each for each in names if each.startswith("-") and "{worker}" in options.remote), None)
    if bare is not None:
        raise UsageError(f"the name {plain(bare)} would be an option of the command: leave it out")
    return Roll(
        command=options.remote,
        workers=[Step(name) for name in names],
        atMost=options.at_most,
        reason=options.reason,
        deadline=options.deadline,
        backWithin=options.back_within,
        settle=options.settle,
        check=options.check,
        reboots=options.reboots,
        ok=[0, *(options.ok or ())],
    )


def _resumed(options: Namespace, file: StateFile) -> Roll:
    if options.workers or options.remote or options.builder is not None:
        raise UsageError("--resume goes on with what was asked for: name no workers and no command")
    if not file.exists():
        raise UsageError(f"there is no roll to go on with: no file {file.path}")
    try:
        roll = file.load()
    except ValueError as problem:
        raise UsageError(str(problem)) from None
    for name in options.skip:
        found = [each for each in roll.workers if each.name == name and each.state == STEP_FAILED]
        if not found:
            failed = ", ".join(each.name for each in roll.failed) or "none"
            raise UsageError(f"{plain(name)} has not failed: failed is {failed}")
        found[0].state = SKIPPED
    return roll


def _run(rolling: Rolling, file: StateFile, client: MasterClient, say: Callable[[str], None]) -> int:
    def ask() -> int | None:
        while rolling.step():
            if not rolling.moved:
                return None
        if not rolling.roll.failed:
            file.remove()
            say(f"all {len(rolling.roll.workers)} are done")
            return DONE
        failed = ", ".join(f"{each.name} ({each.problem})" for each in rolling.roll.failed)
        left = len(rolling.roll.workers) - rolling.roll.ended
        return complain(
            f"stopped, {left} of {len(rolling.roll.workers)} are not done: {failed}. `presence roll --resume` tries again, with "
            "--skip WORKER without that one",
            _STOPPED,
        )

    def silent(problem: MasterError, seconds: float) -> None:
        if not mayRestart(client, problem, seconds):
            complain(f"it is kept in {file.path} how far it is: `presence roll --resume` goes on", 0)
            raise problem
        rolling.masterSilent()

    try:
        return waitUntil(ask, silent, _INTERVAL)
    except KeyboardInterrupt:
        complain(
            "what is drained stays so: `presence roll --resume` goes on, `presence release` gives it up", 0
        )
        raise


def _say(text: str) -> None:
    print(plain(f"{adminText().clock()} {text}"), flush=True)


def _say_json(text: str) -> None:
    print(json.dumps({"at": time.time(), "text": plain(text)}), flush=True)


def _default() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "presence" / "roll.json"


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not int(text[:6]):
        raise ArgumentTypeError(f"{text!r} is not a number of workers: write 1 or more")
    return int(text[:6])


def _status(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text[:4]) > 255:  # noqa: PLR2004 (an exit status)
        raise ArgumentTypeError(f"{text!r} is not an exit status: write 0 to 255")
    return int(text[:4])

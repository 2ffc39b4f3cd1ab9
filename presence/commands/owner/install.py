"""`presence install`, `uninstall` and `create-worker`: the owner's side of presence, in a worker's directory."""

from __future__ import annotations

import argparse
import os
import secrets
import stat
import sys
from contextlib import suppress
from errno import ELOOP
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any

from presence.commands.exits import DONE, REFUSED, USAGE
from presence.commands.owner.environment import lacking
from presence.commands.owner.sensoroptions import addSensors, sensorsOf
from presence.commands.owner.supervised import addSupervisor, supervise
from presence.commands.terminal import complain
from presence.files import Directory
from presence.worker.tacfile import COPY, MARK, TacFileError, installed, uninstalled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Longer than any tac file, in bytes.
_MAX_SIZE = 1 << 20

# Ports below are root's. The port of a page is one that systems do not give to connections by themselves.
_FIRST_PORT = 1024
_DIGITS = 5
_FIRST_OF_OURS = 20000
_OURS = 10000
_TRIES = 100

_INSTALL = """\
Put two lines into the buildbot.tac of a worker that `buildbot-worker create-worker` made, so that the owner of the
machine can say "away" and "back". The file of before is kept as buildbot.tac.before-presence. It does nothing when the
lines are there already, and refuses a file that it does not understand. With sensors they take the place of those that it has
put in before.
"""

_CREATE = """\
Make a worker with `buildbot-worker create-worker`, which gets all the arguments, and put the two lines of
`presence install` into its buildbot.tac.
"""


_EXITS = "exit status: 0 done, or it was so already; 2 usage error; 5 refused, with the reason: nothing has changed"


def addParser(subparsers: Any) -> None:
    """Add the commands."""
    for name, run, help_, description in (
        ("install", install, "let this machine's owner say away and back", _INSTALL),
        (
            "uninstall",
            uninstall,
            "take out what install has put in",
            "Take out what `presence install` has put in.",
        ),
    ):
        parser = subparsers.add_parser(name, help=help_, description=description, epilog=_EXITS)
        parser.add_argument(
            "basedir",
            metavar="BASEDIR",
            nargs="?",
            default=".",
            help="the worker's directory (default: this one)",
        )
        if name == "install":
            addSensors(parser, prefix="What lets the machine know by itself that its owner needs it. ")
            _add_return(parser)
            _add_notice(parser)
            _add_owners(parser)
            addSupervisor(parser)
        parser.set_defaults(run=run)
    parser = subparsers.add_parser(
        "create-worker",
        help="make a worker whose owner can say away and back",
        description=_CREATE,
        add_help=False,
        prefix_chars="\0",  # every option is buildbot-worker's
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    parser.set_defaults(run=create)


def install(options: argparse.Namespace) -> int:
    """Run `presence install`."""
    try:
        sensors = [str(each) for each in sensorsOf(options)]
    except ValueError as problem:
        return complain(problem, USAGE)
    arguments, wrong = _arguments(options)
    if wrong:
        return complain(wrong, USAGE)
    return _install(options.basedir, sensors, arguments) or supervise(options)


def _add_return(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what becomes of the build that runs then", "See docs/sensors.rst.")
    group.add_argument(
        "--on-return",
        metavar="WHAT",
        help="finish it (the default), nice: with the lowest priority, suspend it until you have gone, or sendback: let it be "
        "built elsewhere",
    )
    group.add_argument(
        "--return-limit",
        metavar="DURATION",
        help="send it back after so long: with suspend 1h by default, with sendback 5m",
    )


def _add_notice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--notify",
        action="store_true",
        help="show a notice on the desktop when a build starts while somebody uses the machine, with “away for an hour” as its button "
        "(Linux, and what else has D-Bus)",
    )


def _add_owners(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("who may, and where", "See docs/owner.rst.")
    group.add_argument(
        "--owner",
        metavar="ACCOUNT",
        action="append",
        default=[],
        help="let this account of the machine in, or every one of a @GROUP, besides the worker's own; may be given several "
        "times (Linux)",
    )
    group.add_argument(
        "--port",
        metavar="PORT",
        help="give the page an address that stays: this port of 127.0.0.1, or `auto`: one that is free now",
    )


def _arguments(options: argparse.Namespace) -> tuple[dict[str, str], str]:
    """The arguments for `PresenceClient`, as they are written; and what is wrong with those that were given, or ""."""
    arguments = {"notify": "True"} if options.notify else {}
    if options.on_return is not None:
        from presence.worker.returning.policy import checkPolicy  # noqa: PLC0415 (it needs Twisted)

        try:
            checkPolicy(options.on_return, options.return_limit)
        except ValueError as problem:
            return {}, str(problem)
        arguments["onReturn"] = ascii(options.on_return)
    if options.return_limit is not None:
        if options.on_return is None:
            return {}, "--return-limit belongs to --on-return: give that as well"
        arguments["returnLimit"] = ascii(options.return_limit)
    if options.owner:
        unknown = [each for each in options.owner if not _is_known(each)]
        if unknown:
            return {}, f"{unknown[0]!r} is neither an account of this machine nor a @group"
        arguments["owners"] = f"[{', '.join(map(ascii, options.owner))}]"
    if options.port is not None:
        text = _free_port() if options.port == "auto" else options.port
        if text is None:
            return {}, "--port auto: none was found that is free: name one"
        if not (
            text.isascii()
            and text.isdecimal()
            and len(text) <= _DIGITS
            and _FIRST_PORT <= int(text) < 1 << 16
        ):
            return {}, f"--port {options.port}: give a number from {_FIRST_PORT} to 65535, or auto"
        arguments["localPort"] = str(int(text))
    return arguments, ""


def _is_known(owner: str) -> bool:
    try:
        from grp import getgrnam  # noqa: PLC0415 (Unix alone has them)
        from pwd import getpwnam  # noqa: PLC0415

        if owner.startswith("@"):
            getgrnam(owner[1:])
        else:
            getpwnam(owner)
    except (ImportError, KeyError, ValueError):
        return False
    return True


def _free_port() -> str | None:
    """A port that is free, and not one of those that the system gives to whoever asks for any; None where none is found."""
    for _ in range(_TRIES):
        with suppress(OSError), socket() as tried:
            port = _FIRST_OF_OURS + secrets.randbelow(_OURS)
            tried.bind(("127.0.0.1", port))
            return str(port)
    return None


def uninstall(options: argparse.Namespace) -> int:
    """Run `presence uninstall`."""
    return _edit(
        options.basedir, uninstalled, "the presence is taken out", "no presence is installed", keep=False
    )


def create(options: argparse.Namespace) -> int:
    """Run `presence create-worker`."""
    if find_spec("buildbot_worker") is None:
        return _refuse("buildbot-worker is not installed here: pip install 'buildbot-presence[worker]'")
    from buildbot_worker.scripts.create_worker import createWorker  # noqa: PLC0415 (an extra of the worker's side)
    from buildbot_worker.scripts.runner import CreateWorkerOptions  # noqa: PLC0415
    from twisted.python.usage import UsageError  # noqa: PLC0415

    config = CreateWorkerOptions()
    try:
        config.parseOptions(options.arguments)
    except UsageError as problem:
        sys.stderr.write(f"presence create-worker: {problem}\n\n{config}\n")
        return USAGE
    # (it changes when the tac file is relocatable)
    basedir = config["basedir"]
    status = createWorker(config)
    return int(status) or _install(basedir)


def _install(basedir: str, sensors: Sequence[str] = (), arguments: Mapping[str, str] | None = None) -> int:
    why = lacking(Path(basedir)) if Path(basedir, "buildbot.tac").exists() else None
    if why is not None:
        # with our lines in its buildbot.tac it would not start any more
        return _refuse(f"{why}, and then this once more. buildbot.tac is as it was")
    done = f"the presence is installed; the file of before is buildbot.tac{COPY}"
    change = partial(installed, sensors=sensors, arguments=arguments)
    status = _edit(basedir, change, done, "the presence is installed already", keep=True)
    if status == DONE and arguments:
        if "localPort" in arguments:
            print(f"The page is http://127.0.0.1:{arguments['localPort']}/ from then on.")
        if "owners" in arguments and not Path(basedir).stat().st_mode & stat.S_IXOTH:
            print(
                f"Other accounts cannot get there: chmod o+x {basedir} (what is in it stays as private as it is)"
            )
    return status


def _edit(basedir: str, change: Callable[[bytes], bytes], done: str, nothing: str, *, keep: bool) -> int:
    folder = Path(basedir)
    tac = folder / "buildbot.tac"
    try:
        tac = _target(folder, tac)
        with Directory(tac.parent) as directory:
            return _edit_in(directory, tac, change, (done, nothing), folder, keep=keep)
    except (FileNotFoundError, NotADirectoryError):
        return _refuse(
            f"{folder} is not a worker's directory: no buildbot.tac is in it. Name one that `buildbot-worker "
            "create-worker` made, or make one with `presence create-worker`"
        )
    except OSError as problem:
        return _refuse(f"{tac} cannot be read: {problem.strerror}")


def _target(folder: Path, tac: Path) -> Path:
    """The file to be changed: where the tac file is a link it stays one, if it is one of ours.

    Whoever owns the directory could let a link of his lead root to any file.
    """
    if tac.is_symlink() and hasattr(os, "geteuid") and tac.lstat().st_uid not in {os.geteuid(), 0}:
        raise OSError(
            ELOOP,
            f"it is a link of another account; run this as that account, or name the directory "
            f"of {tac.resolve()}",
            str(tac),
        )
    return tac.resolve() if tac.is_symlink() else folder.resolve() / tac.name


def _edit_in(
    directory: Directory,
    tac: Path,
    change: Callable[[bytes], bytes],
    said: tuple[str, str],
    folder: Path,
    *,
    keep: bool,
) -> int:
    done, nothing = said
    before, like = directory.read(tac.name, _MAX_SIZE)
    if len(before) == _MAX_SIZE:
        return _refuse(f"{tac} is left as it is: it is longer than any buildbot.tac")
    try:
        after = change(before)
    except TacFileError as problem:
        return _refuse(f"{tac} is left as it is: {problem}")
    if after == before:
        print(f"{tac}: {nothing}")
        return DONE
    # a password is in it, and in the copy: they keep mode and owner
    owner = (like.st_uid, like.st_gid) if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    try:
        # with the mark in it, it is not that of before
        if keep and MARK.encode() not in before:
            directory.write(tac.name + COPY, before, mode=like.st_mode, owner=owner, lasting=True)
        directory.write(tac.name, after, mode=like.st_mode, owner=owner, lasting=True)
    except OSError as problem:
        return _refuse(f"{tac.parent} cannot be written: {problem.strerror}; buildbot.tac is as it was")
    print(f"{tac}: {done}")
    if (folder / "twistd.pid").exists():
        print(f"It counts from the worker's next start: buildbot-worker restart {folder}")
    return DONE


def _refuse(why: str) -> int:
    return complain(why, REFUSED)

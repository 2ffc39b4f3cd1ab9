"""`presence install`, `uninstall` and `create-worker`: the owner's side of presence, in a worker's directory."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.commands.exits import REFUSED, USAGE
from presence.worker.tacfile import TacFileError, installed, uninstalled

if TYPE_CHECKING:
    from collections.abc import Callable

#: What is appended to the name of the copy that is kept of `buildbot.tac`.
COPY = ".before-presence"

_INSTALL = """\
Put two lines into the buildbot.tac of a worker that `buildbot-worker create-worker` made, so that the owner of the
machine can say "away" and "back". The file of before is kept as buildbot.tac.before-presence. It does nothing when the
lines are there already, and refuses a file that it does not understand.
"""

_CREATE = """\
Make a worker with `buildbot-worker create-worker`, which gets all the arguments, and put the two lines of
`presence install` into its buildbot.tac.
"""


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
        parser = subparsers.add_parser(name, help=help_, description=description)
        parser.add_argument(
            "basedir",
            metavar="BASEDIR",
            nargs="?",
            default=".",
            help="the worker's directory (default: this one)",
        )
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
    return _install(options.basedir)


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


def _install(basedir: str) -> int:
    done = f"the presence is installed; the file of before is buildbot.tac{COPY}"
    return _edit(basedir, installed, done, "the presence is installed already", keep=True)


def _edit(basedir: str, change: Callable[[bytes], bytes], done: str, nothing: str, *, keep: bool) -> int:
    directory = Path(basedir)
    # a link stays one: what it points to is replaced
    tac = (directory / "buildbot.tac").resolve()
    try:
        before = tac.read_bytes()
    except FileNotFoundError:
        return _refuse(
            f"{directory} is no worker's directory: no buildbot.tac is in it. Name one that `buildbot-worker "
            "create-worker` made, or make one with `presence create-worker`"
        )
    except OSError as problem:
        return _refuse(f"{tac} cannot be read: {problem.strerror}")
    try:
        after = change(before)
    except TacFileError as problem:
        return _refuse(f"{tac} is left as it is: {problem}")
    if after == before:
        print(f"{tac}: {nothing}")
        return 0
    try:
        if keep:
            _replace(tac.with_name(tac.name + COPY), before, tac)
        _replace(tac, after, tac)
    except OSError as problem:
        return _refuse(f"{problem.filename} cannot be written: {problem.strerror}; buildbot.tac is as it was")
    print(f"{tac}: {done}")
    if (directory / "twistd.pid").exists():
        print(f"It counts from the worker's next start: buildbot-worker restart {directory}")
    return 0


def _replace(path: Path, content: bytes, like: Path) -> None:
    """Write `path` in one piece, with the mode and the owner of `like`: a password is in it."""
    fresh = path.with_name(path.name + ".new-presence")
    fresh.unlink(missing_ok=True)  # of a process that was killed
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    shutil.copymode(like, fresh)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = like.stat()
        os.chown(fresh, owner.st_uid, owner.st_gid)
    fresh.replace(path)


def _refuse(why: str) -> int:
    sys.stderr.write(f"presence: {why}\n")
    return REFUSED

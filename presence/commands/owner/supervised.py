"""`presence install --systemd` and `--launchd`: the file for the supervisor of the machine, written and explained."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from presence import files
from presence.commands.exits import DONE, FAILED, REFUSED, USAGE
from presence.commands.options import durationOption
from presence.commands.owner.desktop import writeEntry
from presence.commands.owner.environment import workersPython
from presence.commands.owner.services import MARK, Service
from presence.commands.terminal import complain

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

# How long a worker may take by default to finish what runs when the machine goes down, in seconds. (A user's services have
# two minutes altogether, by default, and launchd's less.)
_OF_MACHINE, _OF_USER = 600, 80

_SYSTEM, _USER = "system", "user"
_READABLE = 0o644
_MAX_SIZE = 64 * 1024


def addSupervisor(parser: ArgumentParser) -> None:
    """Let the command be told what is to start the worker."""
    group = parser.add_argument_group(
        "what starts it, and lets it finish at a shutdown", "See docs/owner.rst."
    )
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--systemd",
        choices=(_SYSTEM, _USER),
        help="write a unit: of the machine (as root), or of your account",
    )
    which.add_argument(
        "--launchd", choices=(_SYSTEM, _USER), help="write a property list for macOS, likewise"
    )
    group.add_argument(
        "--desktop", action="store_true", help="put the page into the menu of your desktop (freedesktop.org)"
    )
    group.add_argument(
        "--drain",
        metavar="DURATION",
        type=durationOption,
        help="how long it may take at a shutdown to finish what runs: by default 10m for --systemd system, else 80s",
    )


def supervise(options: Namespace) -> int:
    """Write the files that are wanted; the exit status."""
    status = writeEntry(Path(options.basedir)) if options.desktop else DONE
    return status or _supervise(options)


def _supervise(options: Namespace) -> int:
    which = options.systemd or options.launchd
    if which is None:
        return DONE if options.drain is None else complain("--drain belongs to --systemd or --launchd", USAGE)
    basedir = Path(options.basedir).resolve()
    try:
        account = None if which == _USER else _account(basedir)
        longest = _OF_MACHINE if options.systemd and account is not None else _OF_USER
        # (that of the worker: this command may be in an environment of its own)
        programs = (workersPython(basedir) or Path(sys.executable)).parent
        service = Service(basedir, programs, options.drain or longest, account)
        content = service.unit().encode() if options.systemd else service.plist()
    except ValueError as problem:
        return complain(problem, REFUSED)
    path = _path(service.name, systemd=bool(options.systemd), ofMachine=account is not None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if _is_anothers(path):
            return complain(
                f"{path} is there already, and presence has not written it: move it away first", REFUSED
            )
        files.write(path, content, mode=_READABLE)
    except OSError as problem:
        return complain(f"{path} cannot be written: {problem.strerror}", FAILED)
    print(f"{path} is written.")
    if options.systemd:
        user = "" if account is not None else "--user "
        print(
            f"Stop the worker where it runs already, and: systemctl {user}daemon-reload && systemctl {user}enable --now {service.name}"
        )
        if account is None:
            print("To run when you are not logged in: loginctl enable-linger")
    else:
        domain = "system" if account is not None else f"gui/{os.getuid()}"
        print(f"Stop the worker where it runs already, and: launchctl bootstrap {domain} {path}")
    return DONE


def _account(basedir: Path) -> str:
    """Whose the directory is. `ValueError` for root's: no build should run so."""
    try:
        from pwd import getpwuid  # noqa: PLC0415 (Unix alone has it)

        owner = basedir.stat().st_uid
        name = getpwuid(owner).pw_name
    except (ImportError, KeyError, OSError) as problem:
        raise ValueError(f"whose {basedir} is cannot be said: {problem}") from None
    if owner == 0:
        raise ValueError(
            f"{basedir} is root's, and builds should not run as root: chown it to an account of its own"
        )
    return name


def _path(name: str, *, systemd: bool, ofMachine: bool) -> Path:
    if systemd:
        own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        return (Path("/etc/systemd/system") if ofMachine else own / "systemd/user") / f"{name}.service"
    return (
        Path("/Library/LaunchDaemons") if ofMachine else Path.home() / "Library/LaunchAgents"
    ) / f"{name}.plist"


def _is_anothers(path: Path) -> bool:
    try:
        return MARK.removeprefix("# ").encode() not in files.read(path, _MAX_SIZE)
    except FileNotFoundError:
        return False

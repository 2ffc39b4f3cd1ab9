"""`presence`: the command line. Each command group is a module with `addParser`; this one puts them together."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The commands, in the order in which `presence --help` lists them: the module of each, and its line there. The modules
#: are named by strings so that only that of the command which is run is imported: the rest would take a second.
COMMANDS = {
    "demo": ("demo", "start a Buildbot master and two workers with breaks of some seconds, and watch"),
    "breaks": (
        "breaks",
        "show the breaks that are coming, of a master's workers or as written on the command line",
    ),
    "workers": ("master.workers", "list the workers of a master, and why they do not build"),
    "hold": ("master.workers", "let workers accept no more builds; what runs is finished"),
    "release": ("master.workers", "end what `presence hold` has begun"),
    "builders": ("master.workers", "list the builders of a master, and how many workers are ready for each"),
    "why": ("master.why", "say why requests wait, and when they may start; of a builder, why one would"),
    "log": ("master.log", "say what has happened: who ordered what, which breaks there were, who was away"),
    "watch": ("master.workers", "follow the changes, one line each, until Ctrl-C"),
    "drain": (
        "master.drain",
        "let workers accept no more builds, but finish what runs and what that waits for; `presence release` ends it",
    ),
    "roll": (
        "rolling.command",
        "update machines one after the other: drain, run a command, wait until the worker is back and well, release, the next",
    ),
    "reconfig": ("master.reconfig", "reconfigure a master without losing a build"),
    "stop-master": (
        "master.stopmaster",
        "stop a master when nothing runs; what waits is built when it is started again",
    ),
    "token": ("master.token", "let scripts order without a login: tokens with a user, orders and an end"),
    "status": ("owner.orders", "say what this machine's worker does, and why"),
    "away": ("owner.orders", "accept no more builds on this machine; what runs is finished"),
    "back": ("owner.orders", "end what `presence away` or `presence stop` has begun"),
    "work": ("owner.orders", "accept builds in spite of breaks and sensors, for a while"),
    "stop": ("owner.orders", "accept no more builds, and end the worker when nothing runs"),
    "sensors": ("owner.sensors", "say what this machine's sensors see; --try one that is not on yet"),
    "open": ("owner.orders", "open the page of this machine's worker in a browser"),
    "install": ("owner.install", "let this machine's owner say away and back"),
    "uninstall": ("owner.install", "take out what install has put in"),
    "create-worker": ("owner.install", "make a worker whose owner can say away and back"),
    "doctor": ("doctor.command", "look whether an installation is well, and say what to do where it is not"),
    "completion": ("completion", "print what a shell needs to complete these commands"),
}


# What `presence --version` tells of, as far as it is installed.
_PACKAGES = {"buildbot-presence": "presence", "buildbot": "Buildbot", "buildbot-worker": "buildbot-worker"}


class _Version(argparse.Action):
    """Says what is installed, and ends. Nothing is looked up before somebody asks."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(
            option_strings, dest, nargs=0, help="say which version this is, and of which Buildbot"
        )

    def __call__(self, *_: object) -> None:
        """Say it."""
        from contextlib import suppress  # noqa: PLC0415 (they take their time)
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        said = []
        for name, called in _PACKAGES.items():
            with suppress(PackageNotFoundError):
                said.append(f"{called} {version(name)}")
        print(", ".join(said) or "presence, which is not installed as a package")
        sys.exit(0)


def _unknown(command: str) -> int:
    """Say that there is no such command, and which one may be meant; the exit status."""
    from presence.text import suggestion  # noqa: PLC0415 (nearly every command is known)

    print(
        f"presence: there is no command {ascii(command)[1:-1]}{suggestion(command, COMMANDS)}",
        file=sys.stderr,
    )
    return 2


def _empty() -> tuple[argparse.ArgumentParser, Any]:
    parser = argparse.ArgumentParser(
        prog="presence",
        description="A presence for every Buildbot worker: available, or not accepting new builds.",
    )
    parser.add_argument("--version", action=_Version)
    return parser, parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def makeParser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser for `command` and those that share its module; without a known one, for the list of all."""
    parser, subparsers = _empty()
    if command in COMMANDS:
        import_module(f"presence.commands.{COMMANDS[command][0]}").addParser(subparsers)
    else:
        for name, (_, text) in COMMANDS.items():
            subparsers.add_parser(name, help=text)
    return parser


def makeWholeParser() -> argparse.ArgumentParser:
    """The parser with all commands and all that they take: for the manual page, and for completion."""
    parser, subparsers = _empty()
    for module in dict.fromkeys(module for module, _ in COMMANDS.values()):
        import_module(f"presence.commands.{module}").addParser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (by default that of the process) names; the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments and not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        return _unknown(arguments[0])
    options = makeParser(arguments[0] if arguments else None).parse_args(arguments)
    try:
        return int(options.run(options))
    except BrokenPipeError:
        # whoever reads the output has seen enough, as in `presence breaks … | head`
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

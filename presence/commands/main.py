"""`presence`: the command line. Each command group is a module with `addParser`; this one puts them together."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The modules of the command groups, in the order in which `presence --help` lists them.
GROUPS = (
    "demo",
    "breaks",
    "master.workers",
    "master.drain",
    "master.reconfig",
    "master.stopmaster",
    "owner.orders",
    "owner.install",
)


def makeParser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="presence",
        description="A presence for every Buildbot worker: available, or not accepting new builds.",
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in GROUPS:
        import_module(f"presence.commands.{group}").addParser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (by default that of the process) names; the exit status."""
    options = makeParser().parse_args(argv)
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

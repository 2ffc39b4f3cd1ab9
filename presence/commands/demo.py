"""`presence demo`: see it work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import Namespace


def addParser(subparsers: Any) -> None:
    """Add `demo` to the command line."""
    parser = subparsers.add_parser(
        "demo",
        help="start a Buildbot master and two workers with breaks of some seconds, and watch",
        description="Start a Buildbot master and two workers, in a temporary directory and on this machine only, "
        "with breaks of some seconds; request builds, and tell what happens. It ends by itself, and leaves no "
        "process and no file behind. The exit status is 1 when a build started in a break or a request was lost.",
    )
    parser.add_argument("--forever", action="store_true", help="go on until Ctrl-C")
    parser.add_argument(
        "--masters",
        action="store_true",
        help="show several masters of one farm instead: two that build, one that only serves the UI, and what happens when "
        "one is killed (it needs PostgreSQL and Crossbar)",
    )
    parser.set_defaults(run=run)


def run(options: Namespace) -> int:
    """Run the demo; the exit status."""
    if options.masters:
        from presence.demo import masters  # noqa: PLC0415 (likewise)

        return masters.run()
    from presence.demo import run as demo  # noqa: PLC0415 (the other commands need neither Twisted nor processes)

    return demo.run(forever=options.forever)

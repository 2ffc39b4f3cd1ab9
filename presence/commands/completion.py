"""`presence completion bash`: what a shell needs to complete this command line. It is made from the parsers."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from presence.commands.exits import DONE, FAILED
from presence.commands.options import Paragraphs

if TYPE_CHECKING:
    from argparse import Namespace

_SHELLS = ("bash", "zsh", "tcsh")

_EXAMPLES = """\
  for bash:  presence completion bash > ~/.local/share/bash-completion/completions/presence
  for zsh:   presence completion zsh > a directory of $fpath/_presence

exit status: 0 printed; 1 shtab is missing; 2 usage error
"""


def addParser(subparsers: Any) -> None:
    """`presence completion SHELL`."""
    parser = subparsers.add_parser(
        "completion",
        help="print what a shell needs to complete these commands",
        epilog=_EXAMPLES,
        formatter_class=Paragraphs,
    )
    parser.add_argument("shell", choices=_SHELLS)
    parser.set_defaults(run=_run)


def _run(options: Namespace) -> int:
    try:
        import shtab  # noqa: PLC0415 (an extra: nobody else needs it)
    except ImportError:
        print("presence completion needs shtab: pip install 'buildbot-presence[completion]'", file=sys.stderr)
        return FAILED
    # by name: the module of the whole command line knows this one
    parser = import_module("presence.commands.main").makeWholeParser()
    print(shtab.complete(parser, shell=options.shell))
    return DONE

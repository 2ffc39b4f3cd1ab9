"""`presence doctor [DIRECTORY]`: what is installed, what runs, what fights, what was left; and for each what to do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.commands.doctor import installation, leftovers, masterchecks, workerchecks
from presence.commands.doctor.finding import Finding, Grade, note
from presence.commands.exits import DONE, FAILED, USAGE
from presence.commands.options import Paragraphs
from presence.wire.masternote import livesIn

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from presence.commands.doctor.leftovers import Leftover

_DESCRIPTION = """\
Look at the installation in the directory of a master or of a worker (by default this one): what is installed where,
whether the running process is older than that, the page, the rules, hooks of the site, the clock and the zone, and what
was left behind by an earlier life. Each finding says what to do. Nothing is changed without --clean.

exit status: 0 nothing is wrong, 1 there is a problem, 2 usage error
"""


def addParser(subparsers: Any) -> None:
    """`presence doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="look whether an installation is well, and say what to do where it is not",
        description=_DESCRIPTION,
        formatter_class=Paragraphs,
    )
    parser.add_argument("directory", nargs="?", default=".", metavar="MASTERDIR|WORKERDIR")
    parser.add_argument("--clean", action="store_true", help="remove what was left behind by an earlier life")
    parser.add_argument(
        "--json", action="store_true", help="print all findings, and what was left, as one document"
    )
    parser.set_defaults(run=_run)


def _run(options: Namespace) -> int:
    directory = Path(options.directory).absolute()
    if not (directory / "buildbot.tac").exists():
        print(
            f"presence doctor: {directory} is neither a master's nor a worker's directory: no buildbot.tac is in it",
            file=sys.stderr,
        )
        return USAGE
    worst = DONE
    left: list[Leftover] = []
    found = []
    for finding in _master(directory, left) if livesIn(directory) == "master" else _worker(directory, left):
        if options.json:
            found.append({"grade": finding.grade.value, "what": finding.what, "todo": finding.todo})
        else:
            _show(finding)
        if finding.grade is Grade.PROBLEM:
            worst = FAILED
    if options.clean:
        for each in left:
            each.remove()
    if options.json:
        told = [{"what": each.what, "removed": bool(options.clean)} for each in left]
        print(json.dumps({"findings": found, "left": told}, indent=2))
    else:
        _show_left(directory, left, removed=options.clean)
    return worst


def _show(finding: Finding) -> None:
    print(f"{finding.grade.value:<8} {finding.what}")
    if finding.todo is not None:
        print(f"{'':<8} -> {finding.todo}")


def _master(directory: Path, left: list[Leftover]) -> Iterator[Finding]:
    yield from installation.versions("buildbot", "twisted")
    yield from installation.process(directory, "master", f"buildbot restart {directory}")
    yield from installation.clock(directory)
    try:
        config, found = masterchecks.readConfig(directory)
    except ImportError:
        yield note(
            "master.cfg cannot be read without Buildbot", "run this with the presence beside the master"
        )
        return
    yield from found
    if config is not None:
        yield from masterchecks.check(config)
        used = masterchecks.isUsed(config)
        left += leftovers.rows(directory, config, used=used)
        if not used:
            left += leftovers.tokens(directory)
            left += leftovers.trail(directory)
    left += leftovers.ofMaster(directory)


def _worker(directory: Path, left: list[Leftover]) -> Iterator[Finding]:
    yield from installation.versions("buildbot-worker", "twisted")
    yield from installation.process(directory, "worker", f"buildbot-worker restart {directory}")
    yield from installation.clock(directory)
    yield from workerchecks.check(directory)
    left += leftovers.ofWorker(directory, installed=workerchecks.isInstalled(directory))


def _show_left(directory: Path, left: list[Leftover], *, removed: bool) -> None:
    for each in left:
        print(f"{'removed' if removed else 'left':<8} {each.what}")
    if left and not removed:
        print(f"{'':<8} -> it does no harm; remove it with: presence doctor {directory} --clean")

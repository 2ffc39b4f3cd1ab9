"""What a supervisor of the machine needs to start the worker, and to let it finish when the machine goes down: as text.

systemd and launchd end a service at a shutdown. By `presence stop --deadline` the worker accepts no builds from then on,
finishes what runs, and at the deadline ends: what is interrupted so is built again, and no request is lost.
"""

from __future__ import annotations

import plistlib
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: The first line, by which a file is known to be ours.
MARK = "# Written by `presence install`"

# How much longer than the drain a supervisor waits, in seconds: for the process to end.
_MARGIN = 30

_UNIT = """\
{mark} for the worker in {folder}.
[Unit]
Description=Buildbot worker {name}
Wants=network-online.target
After=network-online.target

[Service]
Type=simple
{user}WorkingDirectory={directory}
ExecStart={start}
ExecStop=-{stop}
TimeoutStopSec={patience}
KillMode=mixed
Restart=on-failure
RestartSec=10

[Install]
WantedBy={target}
"""


def plainName(basedir: Path) -> str:
    """What a worker is called in the names of files: like its directory, as far as that is plain."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", basedir.name).strip("-.") or "worker"


def checkPrintable(where: str, *paths: Path) -> None:
    """Raise `ValueError` for a path that cannot be written in `where`, the name of a kind of files."""
    for each in paths:
        if not str(each).isprintable():
            raise ValueError(f"{str(each)!r} cannot be written in {where}: give it another name")


@dataclass(frozen=True)
class Service:
    """A worker in `basedir`, which `drain` seconds are left to when the machine goes down. `account` runs it, None: whose service it is.

    `programs` is the folder of `buildbot-worker` and `presence`.
    """

    basedir: Path
    programs: Path
    drain: int
    account: str | None = None

    @property
    def name(self) -> str:
        """What it is called among the services."""
        return f"buildbot-worker-{plainName(self.basedir)}"

    @property
    def _start(self) -> list[str]:
        return [str(self.programs / "buildbot-worker"), "start", "--nodaemon", str(self.basedir)]

    @property
    def _stop(self) -> list[str]:
        program = str(self.programs / "presence")
        return [program, "stop", "--deadline", f"{self.drain}s", "--basedir", str(self.basedir)]

    def unit(self) -> str:
        """The unit of systemd: of the machine where there is an `account`, else of a user. `ValueError` for what cannot be written in one."""
        checkPrintable("a unit of systemd", self.basedir, self.programs)
        return _UNIT.format(
            mark=MARK,
            folder=self.basedir,
            name=_specifiers(self.basedir.name),
            user="" if self.account is None else f"User={_specifiers(self.account)}\n",
            directory=_specifiers(str(self.basedir)),
            start=_command(self._start),
            stop=_command(self._stop),
            patience=self.drain + _MARGIN,
            target="default.target" if self.account is None else "multi-user.target",
        )

    def plist(self) -> bytes:
        """The property list of launchd, which knows no command to stop with: a shell hears of the end, and lets the worker finish."""
        start, stop = (shlex.join(each) for each in (self._start, self._stop))
        script = f"trap {shlex.quote(stop)} TERM; {start} & wait $!; wait $!"
        content = {
            "Label": self.name,
            "ProgramArguments": ["/bin/sh", "-c", script],
            "WorkingDirectory": str(self.basedir),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ExitTimeOut": self.drain + _MARGIN,
        }
        if self.account is not None:
            content["UserName"] = self.account
        text: bytes = plistlib.dumps(content)
        head, end, rest = text.partition(b"\n")
        return head + end + f"<!-- {MARK.removeprefix('# ')} -->\n".encode() + rest


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _command(words: list[str]) -> str:
    """A command line as systemd reads it: each word quoted, and nothing in it looked up."""
    return " ".join(map(_word, words))


def _word(word: str) -> str:
    escaped = _specifiers(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return escaped if re.fullmatch(r"[\w./:@=+,%-]+", escaped) else f'"{escaped}"'

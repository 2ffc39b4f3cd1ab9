"""What an earlier life has left behind, and how it is removed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from presence.wire.localaddress import FILENAME as ADDRESS
from presence.wire.localaddress import OPEN_FILENAME as TICKET
from presence.wire.localaddress import SOCKET
from presence.wire.masternote import NOTE, OLD_NOTE
from presence.wire.operatorfile import FILENAME as OPERATOR
from presence.wire.processes import isAlive, pidIn
from presence.wire.tokens import FILENAME as TOKENS
from presence.worker.tacfile import COPY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Leftover:
    """Something that is of no use any more; `remove()` removes it."""

    what: str
    remove: Callable[[], object]


def rows(masterdir: Path, config: Any, *, used: bool) -> Iterator[Leftover]:
    """Rows of the master's database: what was ordered of workers that are not there any more; of all of them when presence is
    not `used` any more.
    """
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    from presence.master.holding import leftovers as stored  # noqa: PLC0415 (who asks has a Buildbot)

    def remove(workers: list[str] | None) -> None:
        with stored.databaseOf(str(masterdir), config) as connection:
            stored.removeLeftovers(connection, workers)

    known = {each.name for each in config.workers} if used else set()
    # the database may be a secret, which only the master can read; and there may be none yet
    with suppress(ValueError, OperationalError), stored.databaseOf(str(masterdir), config) as connection:
        for each in stored.findLeftovers(connection):
            if each.worker not in known:
                what = f"what was ordered of {each.worker}, in the master's database"
                yield Leftover(what, partial(remove, [each.worker]))
        if not used and stored.hasName(connection):
            what = "what is of presence in the table `objects` of the master's database"
            yield Leftover(what, partial(remove, None))


def ofMaster(masterdir: Path) -> Iterator[Leftover]:
    """Files that say where a master listens that does not run."""
    return _ofProcess(masterdir, NOTE, OLD_NOTE, OPERATOR)


def ofWorker(workerdir: Path, *, installed: bool) -> Iterator[Leftover]:
    """The same of a worker; and what its owner's side has kept, when that is not `installed` any more.

    It would count again if it were installed again: somebody would be away who has long been back.
    """
    # what was taken out counts until the worker's next start
    if not installed and not ((workerdir / ADDRESS).exists() and _runs(workerdir)):
        from presence.worker.local.sessions import FILENAME as SESSIONS  # noqa: PLC0415 (it may lack what a worker has)
        from presence.worker.store import FILENAME as WISH  # noqa: PLC0415

        for name, what in (
            (WISH, "what the owner said last"),
            (SESSIONS, "the browsers that were let in"),
            (TICKET, "which let a browser in"),
            (SOCKET, "at which owners were let in"),
            (f"buildbot.tac{COPY}", "buildbot.tac before the owner's side was installed"),
        ):
            path = workerdir / name
            if path.exists():
                yield Leftover(f"{path}, {what}", path.unlink)
    yield from _ofProcess(workerdir, ADDRESS)


def tokens(masterdir: Path) -> Iterator[Leftover]:
    """The tokens of a master that has no presence any more."""
    path = masterdir / TOKENS
    if path.exists():
        yield Leftover(f"{path}, the tokens with which scripts ordered", path.unlink)


def trail(masterdir: Path) -> Iterator[Leftover]:
    """The trail of a master that has no presence any more."""
    from presence.master.trail.store import FILENAME as TRAIL  # noqa: PLC0415 (who asks has a Buildbot)

    for path in sorted(masterdir.glob(f"{TRAIL}*")):
        yield Leftover(f"{path}, the trail of who ordered what", path.unlink)


def _ofProcess(directory: Path, *names: str) -> Iterator[Leftover]:
    for name in names:
        path = directory / name
        if path.exists() and not _runs(directory):
            yield Leftover(f"{path}, of a process that does not run", path.unlink)


def _runs(directory: Path) -> bool:
    pid = pidIn(directory)
    return pid is not None and isAlive(pid)

"""What an earlier life has left behind, and how it is removed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from presence.wire.localaddress import FILENAME as ADDRESS
from presence.wire.masternote import NOTE, OLD_NOTE
from presence.wire.processes import isAlive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PREFIX = "presence."


@dataclass(frozen=True)
class Leftover:
    """Something that is of no use any more; `remove()` removes it."""

    what: str
    remove: Callable[[], object]


def rows(masterdir: Path, config: Any, *, used: bool) -> Iterator[Leftover]:
    """Rows of the master's database: what was ordered of workers that are not there any more; of all of them when presence is
    not `used` any more.
    """
    import sqlalchemy as sa  # noqa: PLC0415 (who asks has a Buildbot)
    from buildbot.db import enginestrategy  # noqa: PLC0415

    db = config.db
    url = getattr(db, "db_url", None) or db["db_url"]
    if not isinstance(url, str):
        return  # a secret, which only the master can read
    engine = enginestrategy.create_engine(url, basedir=str(masterdir))
    known = {each.name for each in config.workers} if used else set()
    objects = sa.table("objects", sa.column("id"), sa.column("class_name"))
    states = sa.table("object_state", sa.column("objectid"), sa.column("name"))
    ours = sa.select(objects.c.id).where(objects.c.class_name.startswith(_PREFIX))
    with suppress(sa.exc.OperationalError), engine.connect() as connection:
        found = connection.execute(
            sa.select(states.c.objectid, states.c.name).where(states.c.objectid.in_(ours))
        ).fetchall()
        for objectid, name in found:
            if name in known:
                continue

            def remove(objectid: int = objectid, name: str = name) -> None:
                with engine.begin() as writing:
                    writing.execute(
                        sa.delete(states).where(states.c.objectid == objectid, states.c.name == name)
                    )

            yield Leftover(f"what was ordered of {name}, in the master's database", remove)
        if not known:
            for (objectid,) in connection.execute(ours).fetchall():

                def removeObject(objectid: int = objectid) -> None:
                    with engine.begin() as writing:
                        writing.execute(sa.delete(objects).where(objects.c.id == objectid))

                yield Leftover(
                    "the name of presence in the table `objects` of the master's database", removeObject
                )


def notes(directory: Path, *names: str) -> Iterator[Leftover]:
    """Files that say where something listens that does not run."""
    for name in names or (NOTE, OLD_NOTE, ADDRESS):
        path = directory / name
        if path.exists() and not _runs(directory):
            yield Leftover(f"{path}, of a process that does not run", path.unlink)


def _runs(directory: Path) -> bool:
    with suppress(OSError, ValueError):
        return isAlive(int((directory / "twistd.pid").read_text().strip()))
    return False

"""What is left in Buildbot's database of what admins have ordered, on a farm that has gone back to stock workers.

A hold that is stored comes back when the farm adopts presence again. This is for a command line, beside a master that
does not run, or does not know of presences: it blocks, and needs no reactor.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from buildbot.config.master import FileLoader
from buildbot.db.enginestrategy import create_engine
from buildbot.db.model import Model
from buildbot.scripts.base import getConfigFileFromTac

import presence
from presence.master.stored.objects import NAME, WORKERS
from presence.orders.record import AdminRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True)
class Leftover:
    """What is stored of the worker `worker`: the `record`, or None if it cannot be read."""

    worker: str
    record: AdminRecord | None

    @property
    def holds(self) -> bool:
        """Whether the worker would be held, or its breaks suspended, if presence were adopted again. What cannot be read
        holds.
        """
        return self.record is None or self.record != AdminRecord()


@contextmanager
def databaseOf(basedir: str, config: Any = None) -> Iterator[Any]:
    """A connection (SQLAlchemy's, in a transaction) to the database of the master in `basedir`, as its master.cfg says:
    `config` is what has been read from that, if it has.

    Raises `ValueError` when that says it in a way that only a running master understands, and what executing it raises.
    """
    if config is None:
        config = FileLoader(basedir, getConfigFileFromTac(basedir)).loadConfig()
    # (a dictionary before Buildbot 4.3)
    url = config.db["db_url"] if isinstance(config.db, dict) else config.db.db_url
    if not isinstance(url, str):
        raise ValueError(  # noqa: TRY004 (it is a mistake in a value)
            f"{basedir}: the database is given as {url!r}, which only a running master can work out: give a string"
        )
    engine = create_engine(url, basedir=basedir)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def findLeftovers(connection: Any) -> list[Leftover]:
    """What is stored, by worker. `connection` is SQLAlchemy's, to a database of Buildbot's."""
    rows = connection.execute(
        sa.select(Model.object_state.c.name, Model.object_state.c.value_json)
        .where(Model.object_state.c.objectid.in_(_objects()))
        .order_by(Model.object_state.c.name)
    )
    return [Leftover(row.name, _read(row.value_json)) for row in rows]


def removeLeftovers(connection: Any, workers: Iterable[str] | None = None) -> int:
    """Remove what is stored of these workers: of how many it was. A master that runs must not know of presences.

    Without `workers` everything is removed, what was ordered of builders, too, and the names under which it is stored.
    """
    query = sa.delete(Model.object_state).where(Model.object_state.c.objectid.in_(_objects()))
    if workers is not None:
        query = query.where(Model.object_state.c.name.in_(list(workers)))
    removed: int = connection.execute(query).rowcount
    if workers is None:
        # beside them there is what concerns builders, and the whole farm
        ours = sa.select(Model.objects.c.id).where(_named())
        connection.execute(sa.delete(Model.object_state).where(Model.object_state.c.objectid.in_(ours)))
        connection.execute(sa.delete(Model.objects).where(_named()))
    return removed


def hasName(connection: Any) -> bool:
    """Whether there is a name under which something is, or was, stored."""
    return connection.execute(sa.select(Model.objects.c.id).where(_named())).first() is not None


def _named() -> Any:
    """What we have a name for, and what Buildbot has: it stores one for each service, and each worker, of our classes."""
    objects = Model.objects.c
    return sa.or_(objects.name == NAME, objects.class_name.startswith(f"{presence.__name__}."))


def _objects() -> Any:
    """The id of what we have stored of workers."""
    objects = Model.objects.c
    return sa.select(objects.id).where(objects.name == NAME, objects.class_name == WORKERS[1])


def _read(value: str) -> AdminRecord | None:
    try:
        return AdminRecord.fromDict(json.loads(value))
    except (TypeError, ValueError):
        return None

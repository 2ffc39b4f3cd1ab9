"""Where each master stores what it knows of its own workers, for all masters of the farm: a row of Buildbot's table of states for
each worker, which is written whole.

Of each worker one master tells: the one to which it is connected. That is decided here, in the transaction that writes: a row
has a *claim*, which a master to which the worker connects raises, and only the master that has claimed it last writes it.

With each transaction goes the mark of the master (`presence.master.farm.seen.unheard`).
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks

from presence.master.farm.seen.unheard import TOLD, marksOf
from presence.master.holding.recordtable import FARM

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Mapping, Sequence

    from twisted.internet.defer import Deferred

    from presence.master.farm.seen.unheard import Mark


# The rows of Buildbot's table of states that are ours; a dot keeps them from those of anybody's class.
OBJECT = ("presence", "presence.Snapshots")

# How many names are in one statement: databases have a bound for parameters.
_AT_ONCE = 500

# How often it is tried to store the first rows of workers, while other masters store them at the same time.
_ATTEMPTS = 3

# The fields of an entity without which it is none.
_NEEDED = (
    "workerid",
    "name",
    "state",
    "holds",
    "connected",
    "back_at",
    "builders",
    "breaks",
    "partial_breaks",
)

#: A master that has not told Buildbot's database for so long (seconds) that it lives does not; it does so every minute.
EXPIRED = 180.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A worker as the master `masterid` knew it at the instant `at` (seconds since the epoch, by that one's clock).

    `entity` is what the API says of it, and `unusable` says which builders (ids, as text) would not start on it though it is
    ready, and why: [text, until].
    """

    name: str
    masterid: int
    claim: int
    version: int
    at: float
    entity: dict[str, Any]
    unusable: dict[str, list[Any]]

    @property
    def order(self) -> tuple[int, int]:
        """Of two snapshots of a worker the one with the greater one is the newer."""
        return self.claim, self.version

    def toDict(self) -> dict[str, Any]:
        """What is stored and sent."""
        return {
            "name": self.name,
            "masterid": self.masterid,
            "claim": self.claim,
            "version": self.version,
            "at": self.at,
            "entity": self.entity,
            "unusable": self.unusable,
        }

    @classmethod
    def fromDict(cls, value: Any) -> Snapshot:
        """The snapshot. Raises `ValueError` for what is none, as from another version of this package."""
        try:
            found = cls(**{name: value[name] for name in cls.__slots__})
            # (what is needed to say anything of it)
            dict(found.unusable)
            _ = [found.entity[name] for name in _NEEDED]
        except (TypeError, KeyError) as problem:
            raise ValueError(f"not a snapshot: {problem}") from None
        return found


class Stored(NamedTuple):
    """All that is stored: the snapshots by name; of the masters, by their ids, the marks, which are not newer than those, and the
    names; and the ids of those that live as far as the database knows.
    """

    snapshots: dict[str, Snapshot]
    marks: dict[int, Mark]
    masters: dict[int, str]
    alive: frozenset[int]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a master would store of a worker. With `claims` it takes the worker over from whoever has told of it so far."""

    entity: dict[str, Any]
    unusable: dict[str, list[Any]]
    claims: bool


class SnapshotTable:
    """The rows, of `master`'s database; `boot` is another one after each start."""

    def __init__(self, master: Any, boot: str) -> None:
        self._master = master
        self._boot = boot
        self._objectid: int | None = None
        self._farmid: int | None = None
        # that of the last transaction
        self._number = 0

    @property
    def mark(self) -> Mark:
        """That of the last transaction of this master."""
        return self._boot, self._number

    @inlineCallbacks
    def read(self) -> Generator[Deferred[Any], Any, Stored]:
        """All that is stored, in three statements."""
        objectid = yield self._object_id()
        farmid = yield self._farm_id()
        table, masters = self._master.db.model.object_state, self._master.db.model.masters
        since = self._master.reactor.seconds() - EXPIRED

        def thd(connection: Any) -> Stored:
            told = connection.execute(
                sa.select(table.c.name, table.c.value_json).where(
                    table.c.objectid == farmid, table.c.name.startswith(TOLD, autoescape=True)
                )
            )
            marks = marksOf({row.name: json.loads(row.value_json) for row in told.fetchall()})
            rows = connection.execute(sa.select(table.c.value_json).where(table.c.objectid == objectid))
            found = {each.name: each for each in _readable(row.value_json for row in rows)}
            query = sa.select(masters.c.id, masters.c.name, masters.c.active, masters.c.last_active)
            known = connection.execute(query).fetchall()
            alive = frozenset(row.id for row in known if row.active and row.last_active >= since)
            return Stored(found, marks, {row.id: row.name for row in known}, alive)

        return (yield self._master.db.pool.do(thd))

    @inlineCallbacks
    def write(self, offers: Mapping[str, Offer]) -> Generator[Deferred[Any], Any, dict[str, Snapshot]]:
        """Store what is offered, in one transaction; what is stored of each of these workers then. That is another master's
        where that one has claimed it.
        """
        objectid = yield self._object_id()
        yield self._farm_id()
        self._number += 1
        found: dict[str, Snapshot] = yield self._master.db.pool.do(self._write, objectid, offers)
        return found

    @inlineCallbacks
    def remove(self, names: Collection[str]) -> Generator[Deferred[Any], Any, None]:
        """Forget these workers, as far as this master tells of them."""
        objectid = yield self._object_id()
        yield self._farm_id()
        self._number += 1

        def thd(connection: Any) -> None:
            ours = [
                name
                for name, each in self._stored(connection, objectid, sorted(names)).items()
                if each.masterid == self._master.masterid
            ]
            table = self._master.db.model.object_state
            for some in _chunks(ours):
                connection.execute(
                    sa.delete(table).where(table.c.objectid == objectid, table.c.name.in_(some))
                )
            self._put_mark(connection)
            connection.commit()

        yield self._master.db.pool.do(thd)

    @inlineCallbacks
    def _object_id(self) -> Generator[Deferred[Any], Any, int]:
        if self._objectid is None:
            self._objectid = yield self._master.db.state.getObjectId(*OBJECT)
        return self._objectid

    @inlineCallbacks
    def _farm_id(self) -> Generator[Deferred[Any], Any, int]:
        if self._farmid is None:
            self._farmid = yield self._master.db.state.getObjectId(*FARM)
        return self._farmid

    # --- in a thread of the database's

    def _write(self, connection: Any, objectid: int, offers: Mapping[str, Offer]) -> dict[str, Snapshot]:
        for attempt in range(1, _ATTEMPTS + 1):
            before = self._stored(connection, objectid, sorted(offers))
            found = {name: self._after(name, before.get(name), offer) for name, offer in offers.items()}
            try:
                self._put(connection, objectid, before, found)
                if any(each is not before.get(name) for name, each in found.items()):
                    self._put_mark(connection)
                connection.commit()
            except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
                # another master has stored the first row of one of them
                connection.rollback()
                if attempt == _ATTEMPTS:
                    raise
            else:
                return found
        raise AssertionError("it has returned, or raised")

    def _after(self, name: str, before: Snapshot | None, offer: Offer) -> Snapshot:
        masterid, now = self._master.masterid, self._master.reactor.seconds()
        if before is None:
            return Snapshot(name, masterid, 1, 1, now, offer.entity, offer.unusable)
        if before.masterid == masterid:
            version = before.version + 1
            return Snapshot(name, masterid, before.claim, version, now, offer.entity, offer.unusable)
        if offer.claims:
            return Snapshot(name, masterid, before.claim + 1, 1, now, offer.entity, offer.unusable)
        return before

    def _stored(self, connection: Any, objectid: int, names: Sequence[str]) -> dict[str, Snapshot]:
        table = self._master.db.model.object_state
        found = {}
        for some in _chunks(names):
            rows = connection.execute(
                sa.select(table.c.value_json)
                .where(table.c.objectid == objectid, table.c.name.in_(some))
                # in one order everywhere, so that no two masters wait for each other
                .order_by(table.c.name)
                .with_for_update()
            )
            found.update({each.name: each for each in _readable(row.value_json for row in rows.fetchall())})
        return found

    def _put_mark(self, connection: Any) -> None:
        table = self._master.db.model.object_state
        row = {"objectid": self._farmid, "name": f"{TOLD}{self._master.masterid}"}
        value = json.dumps(self.mark)
        stored = connection.execute(
            sa.update(table)
            .where(table.c.objectid == row["objectid"], table.c.name == row["name"])
            .values(value_json=value)
        )
        if not stored.rowcount:
            connection.execute(sa.insert(table), [{**row, "value_json": value}])

    def _put(
        self, connection: Any, objectid: int, before: Mapping[str, Snapshot], found: Mapping[str, Snapshot]
    ) -> None:
        table = self._master.db.model.object_state
        values = {
            name: json.dumps(each.toDict()) for name, each in found.items() if each is not before.get(name)
        }
        update = (
            sa.update(table)
            .where(table.c.objectid == objectid, table.c.name == sa.bindparam("worker"))
            .values(value_json=sa.bindparam("snapshot"))
        )
        known = [
            {"worker": name, "snapshot": value} for name, value in sorted(values.items()) if name in before
        ]
        if known:
            connection.execute(update, known)
        new = [
            {"objectid": objectid, "name": name, "value_json": value}
            for name, value in values.items()
            if name not in before
        ]
        if new:
            # (one that cannot be read is in the way)
            for some in _chunks([name for name in values if name not in before]):
                connection.execute(
                    sa.delete(table).where(table.c.objectid == objectid, table.c.name.in_(some))
                )
            connection.execute(sa.insert(table), new)


def _readable(values: Iterator[str]) -> Iterator[Snapshot]:
    for value in values:
        # of another version, or broken: its master writes it again
        with suppress(ValueError):
            yield Snapshot.fromDict(json.loads(value))


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), _AT_ONCE):
        yield names[first : first + _AT_ONCE]

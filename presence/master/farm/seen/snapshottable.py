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

from presence.master.farm.connections import lives
from presence.master.farm.seen.unheard import TOLD, marksOf
from presence.master.stored.objects import FARM, SNAPSHOTS
from presence.master.stored.rows import StoredObject, inTransaction

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Mapping

    from twisted.internet.defer import Deferred

    from presence.master.farm.seen.unheard import Mark
    from presence.master.stored.rows import Rows


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
        self._snapshots = StoredObject(master, SNAPSHOTS)
        self._farm = StoredObject(master, FARM)
        # that of the last transaction
        self._number = 0

    @property
    def mark(self) -> Mark:
        """That of the last transaction of this master."""
        return self._boot, self._number

    @inlineCallbacks
    def read(self) -> Generator[Deferred[Any], Any, Stored]:
        """All that is stored, in three statements."""
        rows, farm = (yield self._snapshots.rows()), (yield self._farm.rows())
        masters, now = self._master.db.model.masters, self._master.reactor.seconds()

        def thd(connection: Any) -> Stored:
            told = farm.find(connection, farm.table.c.name.startswith(TOLD, autoescape=True))
            marks = marksOf({name: json.loads(value) for name, value in told.items()})
            found = _readable(rows.find(connection).values())
            query = sa.select(masters.c.id, masters.c.name, masters.c.active, masters.c.last_active)
            known = connection.execute(query).fetchall()
            alive = frozenset(row.id for row in known if lives(row, now))
            return Stored(found, marks, {row.id: row.name for row in known}, alive)

        return (yield self._master.db.pool.do(thd))

    @inlineCallbacks
    def write(self, offers: Mapping[str, Offer]) -> Generator[Deferred[Any], Any, dict[str, Snapshot]]:
        """Store what is offered, in one transaction; what is stored of each of these workers then. That is another master's
        where that one has claimed it.
        """
        rows, farm = (yield self._snapshots.rows()), (yield self._farm.rows())
        self._number += 1
        found: dict[str, Snapshot] = yield self._master.db.pool.do(self._write, rows, farm, offers)
        return found

    @inlineCallbacks
    def remove(self, names: Collection[str]) -> Generator[Deferred[Any], Any, None]:
        """Forget these workers, as far as this master tells of them."""
        rows, farm = (yield self._snapshots.rows()), (yield self._farm.rows())
        self._number += 1

        def thd(connection: Any) -> None:
            stored = _readable(rows.read(connection, names, lock=True).values())
            ours = [name for name, each in stored.items() if each.masterid == self._master.masterid]
            rows.remove(connection, ours)
            self._put_mark(connection, farm)
            connection.commit()

        yield self._master.db.pool.do(thd)

    # --- in a thread of the database's

    def _write(
        self, connection: Any, rows: Rows, farm: Rows, offers: Mapping[str, Offer]
    ) -> dict[str, Snapshot]:
        def work() -> dict[str, Snapshot]:
            stored = rows.read(connection, offers, lock=True)
            before = _readable(stored.values())
            found = {name: self._after(name, before.get(name), offer) for name, offer in offers.items()}
            new = {name: each for name, each in found.items() if each is not before.get(name)}
            rows.write(connection, {name: json.dumps(each.toDict()) for name, each in new.items()}, stored)
            if new:
                self._put_mark(connection, farm)
            return found

        return inTransaction(connection, work)

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

    def _put_mark(self, connection: Any, farm: Rows) -> None:
        farm.put(connection, f"{TOLD}{self._master.masterid}", json.dumps(self.mark))


def _readable(values: Iterable[str]) -> dict[str, Snapshot]:
    found = {}
    for value in values:
        # of another version, or broken: its master writes it again
        with suppress(ValueError):
            snapshot = Snapshot.fromDict(json.loads(value))
            found[snapshot.name] = snapshot
    return found

"""Where it is stored what admins have ordered: one row of Buildbot's table of states for each worker, written whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.model.states import Hold
from presence.orders.reading import OrderRefused
from presence.orders.record import UNREADABLE, AdminRecord

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from twisted.internet.defer import Deferred

_log = Logger()

# The rows of Buildbot's table of states that are ours. They are not made of names in this source, which may
# change; and a dot keeps them from those of anybody's class.
OBJECT = ("presence", "presence.AdminHolds")
#: Likewise of builders, by their ids.
BUILDERS = ("presence", "presence.BuilderHolds")

# That of what concerns all masters of a farm, and the name of its row with the number of the last order.
FARM = ("presence", "presence.Farm")
REVISION = "revision"

# How often it is tried to store the first values of workers, while other masters store them at the same time.
_ATTEMPTS = 3

# How many names are in one SELECT: databases have a bound for parameters.
_AT_ONCE = 500

_UNREADABLE = "what was stored of an admin's hold cannot be read: release it, or hold it again"


class Changed(NamedTuple):
    """What is stored of a worker now, and whether that is another record than before."""

    record: AdminRecord
    isNew: bool


class Decision(Protocol):
    """Decides, from what is stored of workers, whether an order may be followed."""

    @property
    def names(self) -> Iterable[str]:
        """Of which workers it has to be known what is stored."""

    def check(self, records: Mapping[str, AdminRecord]) -> None:
        """Raise `OrderRefused` if it may not."""


#: Looks, in the transaction of an order and before anything is locked, whether it can be followed; it is called with the connection
#: and by what the rows of the whole farm are known, and raises `OrderRefused` if it cannot.
Check = Callable[[Any, int], None]


class RecordTable:
    """The rows, of `master`'s database; `kind` is under which name and class they are stored there.

    Where several masters share that, the orders of all of them are counted, each in its own transaction: who has seen the
    number of one sees what was stored by those before it.
    """

    def __init__(self, master: Any, kind: tuple[str, str] = OBJECT) -> None:
        self._master = master
        self._kind = kind
        self._objectid: int | None = None
        self._farmid: int | None = None

    @inlineCallbacks
    def read(self, name: str) -> Generator[Deferred[Any], Any, AdminRecord]:
        """What is stored of the worker `name`; what cannot be read holds it, and says so."""
        state = self._master.db.state
        try:
            value = yield state.getState((yield self.objectId()), name, None)
            return AdminRecord() if value is None else AdminRecord.fromDict(value)
        except (TypeError, ValueError):
            _log.failure("the stored state of worker {name} is not readable", name=name)
            return self._unreadable()

    @inlineCallbacks
    def readWith(
        self, name: str, other: RecordTable, row: str | None
    ) -> Generator[Deferred[Any], Any, tuple[AdminRecord, AdminRecord]]:
        """What is stored of `name`, and of `row` of another table (None: of nothing), in one statement; what cannot be read holds."""
        keys = [((yield self.objectId()), name)]
        if row is not None:
            keys.append(((yield other.objectId()), row))
        columns = self._master.db.model.object_state.c
        query = sa.select(columns.objectid, columns.name, columns.value_json).where(
            sa.or_(*(sa.and_(columns.objectid == objectid, columns.name == each) for objectid, each in keys))
        )

        def thd(connection: Any) -> list[AdminRecord]:
            rows = connection.execute(query).fetchall()
            found = {(each.objectid, each.name): self._record(each.name, each.value_json) for each in rows}
            return [found.get(key, AdminRecord()) for key in keys]

        first, *rest = yield self._master.db.pool.do(thd)
        return first, rest[0] if rest else AdminRecord()

    @inlineCallbacks
    def readMany(self, names: Iterable[str]) -> Generator[Deferred[Any], Any, dict[str, AdminRecord]]:
        """What is stored of each of these workers, all as it was at one moment as far as one SELECT goes."""
        objectid = yield self.objectId()
        wanted = sorted(names)
        found: dict[str, AdminRecord] = yield self._master.db.pool.do(self._stored, objectid, wanted)
        return {name: found.get(name, AdminRecord()) for name in wanted}

    @inlineCallbacks
    def drainedIn(self, groups: Iterable[str]) -> Generator[Deferred[Any], Any, dict[str, frozenset[str]]]:
        """The names of all workers that are drained in these groups, by group."""
        table, objectid = self._master.db.model.object_state, (yield self.objectId())
        found: dict[str, set[str]] = {group: set() for group in groups}
        # as it is written there; the records that are found are read
        texts = [table.c.value_json.contains(json.dumps(group), autoescape=True) for group in found]
        query = sa.select(table.c.name, table.c.value_json).where(
            table.c.objectid == objectid, sa.or_(*texts)
        )

        def thd(connection: Any) -> None:
            for row in connection.execute(query).fetchall():
                drain = self._record(row.name, row.value_json).drain
                if drain is not None and drain.group in found:
                    found[drain.group].add(row.name)

        yield self._master.db.pool.do(thd)
        return {group: frozenset(names) for group, names in found.items()}

    @inlineCallbacks
    def farmState(self, name: str) -> Generator[Deferred[Any], Any, Any]:
        """The value `name` of what is stored of the whole farm; None where there is none."""
        value = yield self._master.db.state.getState((yield self.farmId()), name, None)
        return value

    @inlineCallbacks
    def setFarmState(self, name: str, value: object) -> Generator[Deferred[Any], Any, None]:
        """Store a value of the whole farm, which only one master stores."""
        yield self._master.db.state.setState((yield self.farmId()), name, value)

    @inlineCallbacks
    def farmStates(self, *prefixes: str) -> Generator[Deferred[Any], Any, dict[str, Any]]:
        """All values of the whole farm whose names begin with one of these, by name."""
        table, farmid = self._master.db.model.object_state, (yield self.farmId())
        query = sa.select(table.c.name, table.c.value_json).where(
            table.c.objectid == farmid,
            sa.or_(*(table.c.name.startswith(each, autoescape=True) for each in prefixes)),
        )

        def thd(connection: Any) -> dict[str, Any]:
            return {row.name: json.loads(row.value_json) for row in connection.execute(query).fetchall()}

        found: dict[str, Any] = yield self._master.db.pool.do(thd)
        return found

    @inlineCallbacks
    def readAll(self) -> Generator[Deferred[Any], Any, dict[str, AdminRecord]]:
        """What is stored, by name; what cannot be read holds, and says so."""
        objectid = yield self.objectId()
        table = self._master.db.model.object_state

        def thd(connection: Any) -> dict[str, AdminRecord]:
            rows = connection.execute(
                sa.select(table.c.name, table.c.value_json).where(table.c.objectid == objectid)
            )
            return {row.name: self._record(row.name, row.value_json) for row in rows.fetchall()}

        found: dict[str, AdminRecord] = yield self._master.db.pool.do(thd)
        return found

    @inlineCallbacks
    def change(
        self,
        names: Sequence[str],
        after: Callable[[AdminRecord], AdminRecord],
        decision: Decision | None = None,
        check: Check | None = None,
    ) -> Generator[Deferred[Any], Any, dict[str, Changed]]:
        """Store `after()` of what is stored of each of these workers, in one transaction: all of them, or none.

        It is called in a thread, once or more often, and so are `decision` and, of several masters, `check`, in the same transaction, before. When one of
        them raises `OrderRefused` nothing is stored, and the Deferred fails with that.
        """
        objectid = yield self.objectId()
        farmid = (yield self.farmId()) if self._master.config.multiMaster else None
        found = yield self._master.db.pool.do(
            self._change, objectid, sorted(names), after, farmid=farmid, decision=decision, check=check
        )
        if isinstance(found, OrderRefused):
            raise found
        return dict(found)

    @inlineCallbacks
    def objectId(self) -> Generator[Deferred[Any], Any, int]:
        """By what our rows are known."""
        if self._objectid is None:
            self._objectid = yield self._master.db.state.getObjectId(*self._kind)
        return self._objectid

    @inlineCallbacks
    def farmId(self) -> Generator[Deferred[Any], Any, int]:
        """By what the rows of the whole farm are known."""
        if self._farmid is None:
            self._farmid = yield self._master.db.state.getObjectId(*FARM)
        return self._farmid

    # --- in a thread of the database's

    def _change(
        self,
        connection: Any,
        objectid: int,
        names: list[str],
        after: Callable[[AdminRecord], AdminRecord],
        *,
        farmid: int | None,
        decision: Decision | None,
        check: Check | None,
    ) -> dict[str, Changed] | OrderRefused:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if check is not None and farmid is not None:
                    check(connection, farmid)
                number = None if farmid is None else self._last_order(connection, farmid)
                # (in one order, or two masters would wait for each other)
                wanted = sorted({*names, *(decision.names if decision is not None else ())})
                before = self._stored(connection, objectid, wanted, lock=True)
                if decision is not None:
                    decision.check(before)
                found = {name: _changed(before.get(name, AdminRecord()), after, number) for name in names}
                self._write(connection, objectid, before, found)
                if number is not None and any(each.isNew for each in found.values()):
                    self._count(connection, farmid, number + 1)
                connection.commit()
            except OrderRefused as refusal:  # noqa: PERF203
                # (returned, for Buildbot writes into its log what is raised in a thread of its database)
                connection.rollback()
                return refusal
            except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
                # another master has stored the first value of one of them
                connection.rollback()
                if attempt == _ATTEMPTS:
                    raise
            else:
                return found
        raise AssertionError("it has returned, or raised")

    def _last_order(self, connection: Any, farmid: int) -> int:
        """The number of the last order, which stays the last one until this transaction has ended."""
        table = self._master.db.model.object_state
        query = sa.select(table.c.value_json).where(table.c.objectid == farmid, table.c.name == REVISION)
        stored = connection.execute(query.with_for_update()).scalar()
        if stored is None:
            connection.execute(
                sa.insert(table), [{"objectid": farmid, "name": REVISION, "value_json": json.dumps(0)}]
            )
            return 0
        return int(json.loads(stored))

    def _count(self, connection: Any, farmid: int | None, number: int) -> None:
        table = self._master.db.model.object_state
        connection.execute(
            sa.update(table)
            .where(table.c.objectid == farmid, table.c.name == REVISION)
            .values(value_json=json.dumps(number))
        )

    def _stored(
        self, connection: Any, objectid: int, names: list[str], *, lock: bool = False
    ) -> dict[str, AdminRecord]:
        table = self._master.db.model.object_state
        found = {}
        for first in range(0, len(names), _AT_ONCE):
            query = sa.select(table.c.name, table.c.value_json).where(
                table.c.objectid == objectid, table.c.name.in_(names[first : first + _AT_ONCE])
            )
            # two masters may be ordered something of one worker: none undoes half of what the other does
            rows = connection.execute(query.with_for_update() if lock else query)
            found.update({row.name: self._record(row.name, row.value_json) for row in rows.fetchall()})
        return found

    def _write(
        self, connection: Any, objectid: int, before: dict[str, AdminRecord], found: dict[str, Changed]
    ) -> None:
        table = self._master.db.model.object_state
        values = {
            name: json.dumps(changed.record.toDict()) for name, changed in found.items() if changed.isNew
        }
        update = (
            sa.update(table)
            .where(table.c.objectid == objectid, table.c.name == sa.bindparam("worker"))
            .values(value_json=sa.bindparam("record"))
        )
        known = [{"worker": name, "record": value} for name, value in values.items() if name in before]
        if known:
            connection.execute(update, known)
        new = [
            {"objectid": objectid, "name": name, "value_json": value}
            for name, value in values.items()
            if name not in before
        ]
        if new:
            connection.execute(sa.insert(table), new)

    def _record(self, name: str, value: str) -> AdminRecord:
        try:
            return AdminRecord.fromDict(json.loads(value))
        except (TypeError, ValueError):
            _log.failure("the stored state of {name} is not readable", name=name)
            return self._unreadable()

    def _unreadable(self) -> AdminRecord:
        # somebody wanted something of this worker; to let it build could be just what he did not want
        return AdminRecord(
            Hold("admin", _UNREADABLE, None, self._master.reactor.seconds(), None), revision=UNREADABLE
        )


def _changed(
    known: AdminRecord, after: Callable[[AdminRecord], AdminRecord], last_order: int | None
) -> Changed:
    record = after(known)
    if record == known:
        return Changed(record, isNew=False)
    # (of one that could not be read it is not known)
    revision = max(known.revision, 0) if last_order is None else last_order + 1
    return Changed(replace(record, revision=revision), isNew=True)

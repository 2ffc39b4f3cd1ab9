"""Where it is stored what admins have ordered: one row of Buildbot's table of states for each worker, written whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.stored.objects import FARM, WORKERS
from presence.master.stored.rows import Rows, StoredObject, inTransaction, readKeys
from presence.model.states import Hold
from presence.orders.record import UNREADABLE, AdminRecord
from presence.orders.refusals import OrderRefused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from twisted.internet.defer import Deferred

_log = Logger()

# The name of the row of the whole farm with the number of the last order.
REVISION = "revision"

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
#: and the rows of the whole farm, and raises `OrderRefused` if it cannot.
Check = Callable[[Any, Rows], None]


class RecordTable:
    """The rows, of `master`'s database; `kind` is under which name they are stored there.

    Where several masters share that, the orders of all of them are counted, each in its own transaction: who has seen the
    number of one sees what was stored by those before it.
    """

    def __init__(self, master: Any, kind: tuple[str, str] = WORKERS) -> None:
        self._master = master
        self._records = StoredObject(master, kind)
        self._farm = StoredObject(master, FARM)
        #: by what our rows are known, and those of the whole farm
        self.objectId, self.farmId = self._records.objectId, self._farm.objectId

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
        keys = [((yield self._records.rows()), name)]
        if row is not None:
            keys.append(((yield other._records.rows()), row))

        def thd(connection: Any) -> list[AdminRecord]:
            found = readKeys(connection, keys)
            return [
                AdminRecord() if value is None else self._record(each, value)
                for (_, each), value in zip(keys, found, strict=True)
            ]

        first, *rest = yield self._master.db.pool.do(thd)
        return first, rest[0] if rest else AdminRecord()

    @inlineCallbacks
    def readMany(self, names: Iterable[str]) -> Generator[Deferred[Any], Any, dict[str, AdminRecord]]:
        """What is stored of each of these workers, all as it was at one moment as far as one SELECT goes."""
        rows, wanted = (yield self._records.rows()), sorted(names)
        found = yield self._master.db.pool.do(
            lambda connection: self._read_all(rows.read(connection, wanted))
        )
        return {name: found.get(name, AdminRecord()) for name in wanted}

    @inlineCallbacks
    def drainedIn(self, groups: Iterable[str]) -> Generator[Deferred[Any], Any, dict[str, frozenset[str]]]:
        """The names of all workers that are drained in these groups, by group."""
        rows = yield self._records.rows()
        found: dict[str, set[str]] = {group: set() for group in groups}
        # as it is written there; the records that are found are read
        value = rows.table.c.value_json
        texts = sa.or_(*(value.contains(json.dumps(group), autoescape=True) for group in found))
        records = yield self._master.db.pool.do(
            lambda connection: self._read_all(rows.find(connection, texts))
        )
        for name, record in records.items():
            if record.drain is not None and record.drain.group in found:
                found[record.drain.group].add(name)
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
        rows = yield self._farm.rows()
        begins = sa.or_(*(rows.table.c.name.startswith(each, autoescape=True) for each in prefixes))
        values = yield self._master.db.pool.do(rows.find, begins)
        return {name: json.loads(value) for name, value in values.items()}

    @inlineCallbacks
    def readAll(self) -> Generator[Deferred[Any], Any, dict[str, AdminRecord]]:
        """What is stored, by name; what cannot be read holds, and says so."""
        rows = yield self._records.rows()
        found: dict[str, AdminRecord] = yield self._master.db.pool.do(
            lambda connection: self._read_all(rows.find(connection))
        )
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
        rows = yield self._records.rows()
        farm = (yield self._farm.rows()) if self._master.config.multiMaster else None
        found = yield self._master.db.pool.do(
            self._change, rows, sorted(names), after, farm=farm, decision=decision, check=check
        )
        if isinstance(found, OrderRefused):
            raise found
        return dict(found)

    # --- in a thread of the database's

    def _change(
        self,
        connection: Any,
        rows: Rows,
        names: list[str],
        after: Callable[[AdminRecord], AdminRecord],
        *,
        farm: Rows | None,
        decision: Decision | None,
        check: Check | None,
    ) -> dict[str, Changed] | OrderRefused:
        def work() -> dict[str, Changed]:
            if check is not None and farm is not None:
                check(connection, farm)
            number = None if farm is None else self._last_order(connection, farm)
            wanted = {*names, *(decision.names if decision is not None else ())}
            # two masters may be ordered something of one worker: none undoes half of what the other does
            before = self._read_all(rows.read(connection, wanted, lock=True))
            if decision is not None:
                decision.check(before)
            found = {name: _changed(before.get(name, AdminRecord()), after, number) for name in names}
            new = {name: json.dumps(each.record.toDict()) for name, each in found.items() if each.isNew}
            rows.write(connection, new, before)
            if farm is not None and number is not None and new:
                farm.write(connection, {REVISION: json.dumps(number + 1)}, {REVISION})
            return found

        try:
            return inTransaction(connection, work)
        except OrderRefused as refusal:
            # (returned, for Buildbot writes into its log what is raised in a thread of its database)
            connection.rollback()
            return refusal

    def _last_order(self, connection: Any, farm: Rows) -> int:
        """The number of the last order, which stays the last one until this transaction has ended."""
        stored = farm.read(connection, [REVISION], lock=True)
        if not stored:
            farm.write(connection, {REVISION: json.dumps(0)}, ())
            return 0
        return int(json.loads(stored[REVISION]))

    # --- what is read

    def _read_all(self, values: Mapping[str, str]) -> dict[str, AdminRecord]:
        return {name: self._record(name, value) for name, value in values.items()}

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

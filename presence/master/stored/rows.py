"""What this package stores in Buildbot's table of states: rows of one object, each with a name and a value, and how many of them
are read and written in one transaction, beside other masters that do the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence

    from twisted.internet.defer import Deferred

_T = TypeVar("_T")

# How many values are changed with one statement.
_WRITTEN = 100

# How often it is tried to store the first values of names, while other masters store them at the same time.
_ATTEMPTS = 3


class Rows:
    """The rows of the object `objectid` in `table`. For a thread of the database's: `connection` is SQLAlchemy's, and the values
    are the text that is stored.
    """

    def __init__(self, table: Any, objectid: int) -> None:
        self.table = table
        self.objectid = objectid

    def read(self, connection: Any, names: Iterable[str], *, lock: bool = False) -> dict[str, str]:
        """The values of those of these names that have one. With `lock` nobody else reads them so until the transaction has ended."""
        found: dict[str, str] = {}
        for some in pieces(sorted(names)):
            query = self._query(self.table.c.name.in_(some))
            if lock:
                # in one order everywhere, so that no two masters wait for each other
                query = query.order_by(self.table.c.name).with_for_update()
            found.update(self._values(connection, query))
        return found

    def find(self, connection: Any, *conditions: Any) -> dict[str, str]:
        """The values of all names of which these `conditions` are true."""
        return self._values(connection, self._query(*conditions))

    def write(self, connection: Any, values: Mapping[str, str], known: Collection[str]) -> None:
        """Store these values; there is one already of the names that are `known`, as was just read for update."""
        name_column = self.table.c.name
        # (one by one, a database elsewhere would be waited for as often)
        for some in pieces([name for name in sorted(values) if name in known], _WRITTEN):
            value = sa.case({name: values[name] for name in some}, value=name_column)
            update = sa.update(self.table).where(
                self.table.c.objectid == self.objectid, name_column.in_(some)
            )
            connection.execute(update.values(value_json=value))
        new = [
            {"objectid": self.objectid, "name": name, "value_json": value}
            for name, value in sorted(values.items())
            if name not in known
        ]
        if new:
            connection.execute(sa.insert(self.table), new)

    def put(self, connection: Any, name: str, value: str) -> None:
        """Store a value, whether there is one or not."""
        known = sa.update(self.table).where(self.table.c.objectid == self.objectid, self.table.c.name == name)
        if not connection.execute(known.values(value_json=value)).rowcount:
            self.write(connection, {name: value}, ())

    def remove(self, connection: Any, names: Iterable[str]) -> None:
        """Let there be no value of these names."""
        for some in pieces(sorted(names)):
            connection.execute(
                sa.delete(self.table).where(
                    self.table.c.objectid == self.objectid, self.table.c.name.in_(some)
                )
            )

    def _query(self, *conditions: Any) -> Any:
        return sa.select(self.table.c.name, self.table.c.value_json).where(
            self.table.c.objectid == self.objectid, *conditions
        )

    def _values(self, connection: Any, query: Any) -> dict[str, str]:
        return {row.name: row.value_json for row in connection.execute(query).fetchall()}


class StoredObject:
    """An object under which there are rows of ours, in `master`'s database; `kind` is its name and class there."""

    def __init__(self, master: Any, kind: tuple[str, str]) -> None:
        self._master = master
        self._kind = kind
        self._objectid: int | None = None

    @inlineCallbacks
    def objectId(self) -> Generator[Deferred[Any], Any, int]:
        """By what its rows are known."""
        if self._objectid is None:
            self._objectid = yield self._master.db.state.getObjectId(*self._kind)
        return self._objectid

    @inlineCallbacks
    def rows(self) -> Generator[Deferred[Any], Any, Rows]:
        """Its rows, for a thread of the database's."""
        return Rows(self._master.db.model.object_state, (yield self.objectId()))


def readKeys(connection: Any, keys: Sequence[tuple[Rows, str]]) -> list[str | None]:
    """The value of each of these rows, which may be of several objects, in one statement; None of one that is not there."""
    columns = keys[0][0].table.c
    wanted = [(rows.objectid, name) for rows, name in keys]
    query = sa.select(columns.objectid, columns.name, columns.value_json).where(
        sa.or_(*(sa.and_(columns.objectid == objectid, columns.name == name) for objectid, name in wanted))
    )
    found = {(row.objectid, row.name): row.value_json for row in connection.execute(query).fetchall()}
    return [found.get(key) for key in wanted]


def inTransaction(connection: Any, work: Callable[[], _T]) -> _T:
    """What `work()` gives, which reads and writes rows, committed. It is called again when another master has stored the first
    value of one of its names meanwhile.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            done = work()
            connection.commit()
        except (sa.exc.IntegrityError, sa.exc.ProgrammingError):  # noqa: PERF203
            connection.rollback()
            if attempt == _ATTEMPTS:
                raise
        else:
            return done
    raise AssertionError("it has returned, or raised")


def pieces(values: Sequence[_T], number: int = 500) -> Iterator[Sequence[_T]]:
    """Those that are asked for in one statement: databases have a bound for parameters."""
    for first in range(0, len(values), number):
        yield values[first : first + number]

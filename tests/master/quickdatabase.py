"""Buildbot's database as SQLite has it, made once in each test process.

To make its tables, and to compile its statements anew for each engine, takes a third of the time of a test on the fake
master. Here the tables are copied, and all engines of a kind share the statements that have been compiled. A database in a file is not
written through to the disk: no test lets the machine crash.
"""

import sqlite3

import sqlalchemy as sa
from buildbot.db import enginestrategy
from buildbot.db.model import Model
from twisted.internet.defer import inlineCallbacks

IN_MEMORY = "sqlite://"

_create_engine = enginestrategy.create_engine
_upgrade = Model.upgrade

# of the first engine in memory, and of the first with a file: its dialect, which is a part of the key of each statement, and its statements
_shared = {}
# what the first database was when it had its tables
_tables = sqlite3.connect(":memory:", check_same_thread=False)


def create_engine(url, **keywords):
    engine = _create_engine(url, **keywords)
    if engine.dialect.name == "sqlite":
        kind = url == IN_MEMORY
        if kind not in _shared:
            engine._compiled_cache.capacity = 10_000
            _shared[kind] = engine.dialect, engine._compiled_cache
        engine.dialect, engine._compiled_cache = _shared[kind]
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
    return engine


@inlineCallbacks
def upgrade(model):
    pool = model.db.pool
    if pool.engine.dialect.name != "sqlite":
        yield _upgrade(model)
    elif not _hasTables(_tables):
        yield _upgrade(model)
        yield pool.do(lambda connection: _raw(connection).backup(_tables))
    else:
        yield pool.do(lambda connection: _hasTables(_raw(connection)) or _tables.backup(_raw(connection)))


def _hasTables(raw):
    return bool(raw.execute("select count(*) from sqlite_master").fetchone()[0])


def _raw(connection):
    return connection.connection.dbapi_connection


def use(case):
    """For the time of this test."""
    case.patch(enginestrategy, "create_engine", create_engine)
    case.patch(Model, "upgrade", upgrade)

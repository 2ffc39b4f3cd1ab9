"""Buildbot's database in memory, made once in each test process.

To make its tables, and to compile its statements anew for each engine, takes a third of the time of a test on the fake
master. Here the tables are copied, and all engines share the statements that have been compiled.
"""

import sqlite3

from buildbot.db import enginestrategy
from buildbot.db.model import Model

IN_MEMORY = "sqlite://"

_create_engine = enginestrategy.create_engine
_upgrade = Model.upgrade

# of the first engine: its dialect, which is a part of the key of each statement, and its statements
_shared = []
# what the first database was when it had its tables
_tables = sqlite3.connect(":memory:", check_same_thread=False)


def create_engine(url, **keywords):
    engine = _create_engine(url, **keywords)
    if url == IN_MEMORY:
        if not _shared:
            engine._compiled_cache.capacity = 10_000
            _shared.extend((engine.dialect, engine._compiled_cache))
        engine.dialect, engine._compiled_cache = _shared
    return engine


def upgrade(model):
    if str(model.db.pool.engine.url) != IN_MEMORY:
        return _upgrade(model)
    if _tables.execute("select count(*) from sqlite_master").fetchone()[0]:
        return model.db.pool.do(lambda connection: _tables.backup(_raw(connection)))
    return _upgrade(model).addCallback(
        lambda _: model.db.pool.do(lambda connection: _raw(connection).backup(_tables))
    )


def _raw(connection):
    return connection.connection.dbapi_connection


def use(case):
    """For the time of this test."""
    case.patch(enginestrategy, "create_engine", create_engine)
    case.patch(Model, "upgrade", upgrade)

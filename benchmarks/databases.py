"""The databases that a master is measured with.

The server of PostgreSQL is one for all runs, and each run has a database of its own in it. It is Debian's as it comes, with `fsync`
on: what has been committed is on the disk.
"""

import contextlib
import importlib.util
import os
import sys
import tempfile
import uuid
from pathlib import Path

MEMORY, DISK, POSTGRESQL = "memory", "disk", "postgresql"

#: How they are called in the tables.
NAMES = {MEMORY: "SQLite in memory", DISK: "SQLite on disk", POSTGRESQL: "PostgreSQL"}

# Where the server is, for the processes of the runs.
_VARIABLE = "PRESENCE_BENCHMARK_POSTGRESQL"

# A directory that is on a disk, wherever /tmp may be.
_ON_DISK = "/var/tmp"


def url(database, folder):
    """What SQLAlchemy connects to: a database that is new, and empty. `folder` is where a file may be."""
    if database == POSTGRESQL:
        return _new_database(os.environ[_VARIABLE])
    return "sqlite://" if database == MEMORY else f"sqlite:///{folder}/state.sqlite"


def there():
    """Whether there is a server of PostgreSQL for this process."""
    return _VARIABLE in os.environ


def _new_database(server):
    import psycopg2  # noqa: PLC0415 (who measures without it need not have it)

    name = f"run_{uuid.uuid4().hex}"
    with contextlib.closing(psycopg2.connect(host=server, user="buildbot", dbname="postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg2://buildbot@/{name}?host={server}"


@contextlib.contextmanager
def server():
    """While this lasts there is a server of PostgreSQL for the processes that are started. Tells whether there is one."""
    from tests.databases.servers import PostgreSQL  # noqa: PLC0415 (a test's: who only shows tables does not need it)

    missing = [] if PostgreSQL.program else ["PostgreSQL"]
    if importlib.util.find_spec("psycopg2") is None:
        missing.append("psycopg2")
    if missing:
        print(
            f"{' and '.join(missing)} missing: what is measured with PostgreSQL is left out", file=sys.stderr
        )
        yield False
        return
    with contextlib.ExitStack() as stack:
        before, tempfile.tempdir = tempfile.tempdir, _ON_DISK
        try:
            postgresql = PostgreSQL(_Case(stack), fsync=True)
        finally:
            tempfile.tempdir = before
        postgresql.start()
        os.environ[_VARIABLE] = str(postgresql.directory)
        stack.callback(os.environ.pop, _VARIABLE)
        yield True


def version():
    """Which PostgreSQL it is, or None."""
    from tests.databases.servers import PostgreSQL  # noqa: PLC0415

    return None if PostgreSQL.program is None else Path(PostgreSQL.program).parts[-3]


class _Case:
    """What a server wants of a test."""

    def __init__(self, stack):
        self.addCleanup = stack.callback

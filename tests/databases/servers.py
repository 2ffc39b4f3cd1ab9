"""Real servers of databases, each with a cluster of its own in a directory of its own, reached over a UNIX socket there.

    database = PostgreSQL(self)            # or MariaDB(self)
    database.start()
    Farm(self).configure(…, extra=f'c["db_url"] = {database.url!r}')
    database.crash()                       # as when the power fails
    database.start()

Whatever was started is ended, and its directory removed, when the test ends, and when this process is killed. They run as
a user without rights, as both refuse to run as root.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.integration.processes import waitFor

# Ends the server when its standard input is closed, by whoever started it or by that one's end.
_GUARD = '"$@" < /dev/null & server=$!; cat > /dev/null; kill -{signal} $server; wait $server'

_ACCOUNTS = ("nobody", "daemon")


class Database:
    """A server. `url` is what SQLAlchemy connects to."""

    #: what has to be there, and the signal that ends it at once
    program = None
    signal = None

    def __init__(self, case):
        self._account = _account()
        self.directory = Path(tempfile.mkdtemp(prefix="presence-db-"))
        case.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self._server = None
        case.addCleanup(self.crash)
        if self._account is not None:
            os.chown(self.directory, self._account.pw_uid, self._account.pw_gid)
        self._prepare()

    def start(self):
        """Start it, and wait until it takes connections."""
        with (self.directory / "log").open("ab") as log:
            self._server = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD.format(signal=self.signal), "sh", *self._command()],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._environment,
                **self._identity,
            )
        try:
            waitFor(f"{type(self).__name__} takes connections", self._answers)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{(self.directory / 'log').read_text()}") from None
        return self

    def crash(self):
        """End it without a farewell, and wait until it is gone."""
        if self._server is not None:
            self._server.stdin.close()
            self._server.wait()
            self._server = None

    @property
    def _identity(self):
        account = self._account
        return (
            {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        )

    @property
    def _environment(self):
        # a MariaDB that starts removes the temporary tables of all others that have the same directory for them
        return {**os.environ, "TMPDIR": str(self.directory)}

    def _run(self, *command, stdin=None):
        done = subprocess.run(
            command,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            text=True,
            check=False,
            env=self._environment,
            **self._identity,
        )
        if done.returncode:
            raise AssertionError(f"{command} has failed:\n{done.stdout}")

    def _answers(self):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._socket))
            except OSError:
                return False
        return True


class PostgreSQL(Database):
    """PostgreSQL, the newest that is installed here. With `fsync` what is committed survives a crash of the machine, too."""

    program = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)), None)
    signal = "QUIT"

    def __init__(self, case, *, fsync=False):
        self._fsync = "on" if fsync else "off"
        super().__init__(case)

    @property
    def url(self):
        return f"postgresql+psycopg2://buildbot@/postgres?host={self.directory}"

    @property
    def _socket(self):
        return self.directory / ".s.PGSQL.5432"

    def _prepare(self):
        tools = Path(self.program).parent
        self._run(
            str(tools / "initdb"),
            "--no-sync",
            "--auth=trust",
            "--username=buildbot",
            "--encoding=UTF8",
            "--locale=C",
            f"--pgdata={self.directory}/data",
        )

    def _command(self):
        options = {
            "listen_addresses": "",
            "unix_socket_directories": self.directory,
            "fsync": self._fsync,
        }
        settings = [f"--{name}={value}" for name, value in options.items()]
        return [str(self.program), "-D", f"{self.directory}/data", *settings]

    def _answers(self):
        # it takes connections, and refuses them, while it recovers
        ready = Path(self.program).parent / "pg_isready"
        done = subprocess.run([ready, "-q", "-h", self.directory], check=False)
        return done.returncode == 0


class MariaDB(Database):
    """MariaDB."""

    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    signal = "KILL"

    @property
    def url(self):
        return f"mysql+pymysql://buildbot@localhost/buildbot?unix_socket={self._socket}"

    @property
    def _socket(self):
        return self.directory / "socket"

    def _prepare(self):
        self._run(
            "mariadb-install-db",
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            f"--datadir={self.directory}/data",
        )
        self._run(
            *self._command(),
            "--bootstrap",
            stdin="CREATE DATABASE buildbot CHARACTER SET utf8mb4;\nFLUSH PRIVILEGES;\n"
            "CREATE USER buildbot@localhost;\nGRANT ALL ON buildbot.* TO buildbot@localhost;\n",
        )

    def _command(self):
        return [
            self.program,
            "--no-defaults",
            f"--datadir={self.directory}/data",
            f"--socket={self._socket}",
            f"--pid-file={self.directory}/pid",
            "--skip-networking",
            "--innodb-flush-log-at-trx-commit=0",
        ]


def _account():
    """The account that the servers run as; None where this is no root, and they run as who this is."""
    if os.geteuid() != 0:
        return None
    return next(account for account in pwd.getpwall() if account.pw_name in _ACCOUNTS)

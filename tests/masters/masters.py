"""Several real masters of one farm: PostgreSQL, Crossbar, masters that have workers, and one that only serves the UI.

    masters = Masters(self, "w1", "w2")            # all of them are configured at a and at b
    masters.start()
    a, b, ui = masters                             # each a tests.integration.farm.Farm
    a.worker("w1").start().waitUntilConnected()    # it connects to a
    masters.database.crash(), masters.database.start()
    masters.router.freeze(), masters.router.thaw(), masters.router.crash(), masters.router.start()
    a.kill(); a.start()                            # or a.master.signal(SIGSTOP)

A worker of `masters.moving("w3")` connects to the first master that lives, through a port that is forwarded there, and to the
next one when that is gone: what a load balancer does. `agree(path)` waits until all masters answer the same.
"""

import os
import time

from twisted.trial.unittest import SkipTest

from tests.databases.servers import PostgreSQL
from tests.integration.farm import Farm, Worker
from tests.integration.processes import DEADLINE, waitFor
from tests.masters.forwarding import Forwarding
from tests.masters.recipe import everyMaster, userInterface
from tests.masters.router import CROSSBAR, Router


def require(case):
    """Skip the test, or fail it, where a program is not installed."""
    for name, program, variable in (
        ("Crossbar", CROSSBAR.exists(), "PRESENCE_CROSSBAR"),
        ("PostgreSQL", PostgreSQL.program is not None, "PRESENCE_DATABASES"),
    ):
        if not program:
            if os.environ.get(variable) == "required":
                case.fail(f"{name} is not installed: make crossbar-tools, or apt-get install postgresql")
            raise SkipTest(f"{name} is not installed")


class Masters:
    """Masters with `workers`, as many as `count`, and behind them one without (`ui`), all of one farm.

    `database` is the class of the server, or a server; `extra` stands last in each master.cfg. Without `launch` the router is not started.
    """

    def __init__(
        self, case, *workers, count=2, ui=True, database=PostgreSQL, nodeinfo=False, launch=True, extra=""
    ):
        require(case)
        self.case = case
        self.workers = workers
        self.router = Router(case, nodeinfo=nodeinfo)
        if launch:
            # (it takes longer than all the rest)
            self.router.launch()
        self.database = database(case) if isinstance(database, type) else database
        self.all = tuple(Farm(case, "pb") for _ in range(count + bool(ui)))
        self.building = self.all[:count]
        #: the one that only serves the UI
        self.ui = self.all[-1] if ui else None
        self.extra = extra
        self._forwarding = None

    def __iter__(self):
        return iter(self.all)

    def declaration(self, name):
        """How a worker is declared in master.cfg; "w1" or a whole expression."""
        return name if "(" in name else f"worker.BuildSlave({name!r}, PASSWORD)"

    def configure(self, *farms, workers=None, more=""):
        """Write the master.cfg of these masters, or of all."""
        declared = self.workers if workers is None else workers
        common = everyMaster(self.database.url, self.router.url)
        for farm in farms or self.all:
            own = userInterface() if farm is self.ui else ""
            each = () if farm is self.ui else map(self.declaration, declared)
            farm.configure(*each, extra=f"{common}{own}{self.extra}\n{more}")

    def start(self):
        """Start the servers and then all masters, and wait until they run."""
        self.prepare()
        for farm in self.all:
            farm.begin()
        for farm in self.all:
            farm.waitUntilRuns()
        return self

    def prepare(self):
        """Start the servers, make the tables, and write each master.cfg: what has to be there before a master starts."""
        self.database.start()
        self.configure()
        self.all[0].upgradeDatabase()
        if self.router.launched:
            self.router.wait()
        return self

    def agree(self, path, deadline=DEADLINE):
        """The answer of all masters to `path`, when it is the same; how long that took, in seconds."""
        began = time.monotonic()
        answers = []

        def same():
            answers[:] = [farm.get(path) for farm in self.all]
            return all(each == answers[0] for each in answers)

        try:
            waitFor(f"all masters answer the same to {path}", same, deadline)
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(map(str, answers))) from None
        return answers[0], time.monotonic() - began

    def moving(self, name, tac=""):
        """The process of a worker that connects to the first master that takes its connection."""
        if self._forwarding is None:
            self._forwarding = Forwarding(self.case, [farm.ports["pb"] for farm in self.building])
        return _Moving(self, name, tac)

    def masterOf(self, name):
        """The master that has this worker; None if none has."""
        for farm in self.building:
            if farm.master.running:
                connected = farm.getWorker(name)["connected_to"]
                ids = [each["masterid"] for each in connected]
                return next((each for each in self.building if each.masterid in ids), None)
        return None


class _Moving(Worker):
    """A worker that is not one master's."""

    def __init__(self, masters, name, tac):
        first = masters.building[0]
        self.masters = masters
        super().__init__(first, name, tac, "pb", port=masters._forwarding.port)

    @property
    def connected(self):
        return self.masters.masterOf(self.name) is not None

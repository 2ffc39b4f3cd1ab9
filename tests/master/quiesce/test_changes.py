from buildbot.config import BuilderConfig
from buildbot.plugins import steps, util
from buildbot.process.factory import BuildFactory
from buildbot.worker.base import Worker
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break
from presence.master.buildslave import BuildSlave
from presence.master.quiesce.changes import changesOf, isAlike


class Namespace:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Running:
    """A master that runs a configuration."""

    def __init__(self, config):
        self.workers = Namespace(workers={each.workername: each for each in config.workers})
        self.botmaster = Namespace(builders={each.name: Namespace(config=each) for each in config.builders})
        self.scheduler_manager = Namespace(namedServices=config.schedulers)


def config(workers=(), builders=()):
    return Namespace(workers=list(workers), builders=list(builders), schedulers={})


def builder(name, *commands, workernames=("mac",), **more):
    @util.renderer
    def rendered(props):
        return props.getProperty("branch", "main")

    made = [steps.ShellCommand(command=["make", each, rendered]) for each in commands]
    return BuilderConfig(name, workernames=list(workernames), factory=BuildFactory(made), **more)


class ChangesTests(SynchronousTestCase):
    """What a new file changes is told by kind, counted and named."""

    def changes(self, old, new):
        return changesOf(Running(old), new)

    def test_nothing(self):
        """A file that is loaded once more changes nothing, though its steps, functions and breaks are new objects."""

        def make():
            day = Break("07:00", "19:00", reason="office")
            worker = BuildSlave(name="mac", passwd="x", onBreakDuring=day, timezone="UTC")
            return config(
                [worker], [builder("app", "all", env={"A": "1"}, nextBuild=lambda _, found: found[0])]
            )

        self.assertEqual(self.changes(make(), make()), [])

    def test_changes(self):
        """Factories, passwords, whatever is set of workers and builders; who comes and who goes."""
        old = config(
            [Worker("mac", "old"), Worker("arm", "x", max_builds=1)],
            [*(builder(name, "all") for name in "abc"), builder("gone")],
        )
        new = config(
            [Worker("mac", "new"), Worker("arm", "x", max_builds=2)],
            [*(builder(name, "check") for name in "abc"), builder("docs")],
        )
        self.assertEqual(
            self.changes(old, new),
            [
                "1 max_builds of a worker: arm",
                "1 password: mac",
                "1 builder added: docs",
                "1 builder removed: gone",
                "3 factories: a, b, c",
            ],
        )

    def test_many(self):
        """Of many the first are named."""
        old = config([Worker(f"w{number}", "x") for number in range(7)])
        self.assertEqual(self.changes(old, config()), ["7 workers removed: w0, w1, w2, w3, w4 and 2 more"])

    def test_noPassword(self):
        """What is said never has a value in it: it may be a secret."""
        said = self.changes(config([Worker("mac", "hunter2")]), config([Worker("mac", "hunter3")]))
        self.assertNotIn("hunter", "".join(said))

    def test_functions(self):
        """A function that does something else is another one."""
        self.assertTrue(isAlike(lambda x: x + 1, lambda x: x + 1))
        self.assertFalse(isAlike(lambda x: x + 1, lambda x: x + 2))

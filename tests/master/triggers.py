"""Builders whose builds trigger builds and wait for them, for tests with a whole master on the fake reactor."""

from buildbot.config import BuilderConfig
from buildbot.process.factory import BuildFactory
from buildbot.schedulers.triggerable import Triggerable
from buildbot.steps.trigger import Trigger

from tests.master.fakemaster import Job


def family(case, builders):
    """What to add to `config()`: `builders` is `{name: (names of workers, name of the builder of its children)}`.

    A builder without children (None) has a `Job` of `case`.
    """
    children = sorted({child for _, child in builders.values() if child is not None})
    return {
        "builders": [
            BuilderConfig(
                name,
                workernames=list(workernames),
                factory=BuildFactory(
                    [
                        Job(case)
                        if child is None
                        else Trigger(schedulerNames=[f"t-{child}"], waitForFinish=True)
                    ]
                ),
            )
            for name, (workernames, child) in builders.items()
        ],
        "schedulers": [Triggerable(name=f"t-{child}", builderNames=[child]) for child in children],
    }

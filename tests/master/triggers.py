"""Builders whose builds trigger builds and wait for them, for tests with a whole master on the fake reactor."""

from buildbot.config import BuilderConfig
from buildbot.process.factory import BuildFactory
from buildbot.schedulers.triggerable import Triggerable
from buildbot.steps.trigger import Trigger

from tests.master.fakemaster import Job


def family(case, builders, *, works=False):
    """What to add to `config()`: `builders` is `{name: (names of workers, name of the builder of its children)}`.

    A builder without children (None) has a `Job` of `case`; with `works` so have the others, before they trigger.
    """

    def steps(child):
        trigger = [] if child is None else [Trigger(schedulerNames=[f"t-{child}"], waitForFinish=True)]
        return [Job(case), *trigger] if works or child is None else trigger

    children = sorted({child for _, child in builders.values() if child is not None})
    return {
        "builders": [
            BuilderConfig(name, workernames=list(workernames), factory=BuildFactory(steps(child)))
            for name, (workernames, child) in builders.items()
        ],
        "schedulers": [Triggerable(name=f"t-{child}", builderNames=[child]) for child in children],
    }

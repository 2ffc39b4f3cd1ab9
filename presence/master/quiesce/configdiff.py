"""Descriptions of the configuration that a master runs, and of one that it is about to get, and the plan from these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.interfaces import ITriggerableScheduler
from buildbot.steps.trigger import Trigger
from twisted.python.reflect import qual

from presence.master.quiesce.plan import (
    BuilderDescription,
    Configuration,
    Plan,
    TriggerableDescription,
    Triggers,
    makePlan,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# where Trigger() takes waitForFinish, after the names of the schedulers, when it is not a keyword
_WAIT = 4


def planFor(master: Any, config: Any, *, everything: bool = False) -> Plan:
    """The plan for giving `master` the configuration `config` (a Buildbot `MasterConfig`)."""
    return makePlan(running(master), coming(master, config), everything=everything)


def running(master: Any) -> Configuration:
    """What the master runs. It is asked of the services, and not of the last `master.cfg`: that may have failed."""
    schedulers = master.scheduler_manager.namedServices
    return Configuration(
        workers={name: _kind(worker) for name, worker in master.workers.workers.items()},
        builders=_builders(each.config for each in master.botmaster.builders.values() if each.config),
        triggerables={
            name: _triggerable(each, _kind(each)) for name, each in schedulers.items() if _isTriggerable(each)
        },
    )


def coming(master: Any, config: Any) -> Configuration:
    """What `config` has in it."""
    workers, schedulers = master.workers.workers, master.scheduler_manager.namedServices
    return Configuration(
        workers={each.workername: _kind_after(workers, each) for each in config.workers},
        builders=_builders(config.builders),
        triggerables={
            name: _triggerable(each, _kind_after(schedulers, each))
            for name, each in config.schedulers.items()
            if _isTriggerable(each)
        },
    )


def _builders(configs: Iterable[Any]) -> dict[str, BuilderDescription]:
    return {
        each.name: BuilderDescription(frozenset(each.workernames), tuple(_triggers(each.factory)))
        for each in configs
    }


def _triggers(factory: Any) -> Iterable[Triggers]:
    for step in factory.steps:
        if issubclass(step.step_class, Trigger):
            yield _trigger(step.step_class, *step.args, **step.kwargs)


def _trigger(
    kind: Any,
    schedulerNames: Any = None,
    *args: Any,
    waitForFinish: Any = None,
    **_kwargs: Any,
) -> Triggers:
    # a class of its own may choose by itself, and what is rendered is known when it runs
    own = (
        kind.__init__ is not Trigger.__init__
        or kind.getSchedulersAndProperties is not Trigger.getSchedulersAndProperties
    )
    waits = bool(waitForFinish) or (waitForFinish is None and (own or any(args[_WAIT : _WAIT + 1])))
    names = None if own or not _isNames(schedulerNames) else frozenset(schedulerNames)
    return Triggers(names, waits)


def _triggerable(scheduler: Any, kind: str) -> TriggerableDescription:
    names = scheduler.builderNames
    return TriggerableDescription(kind, frozenset(names) if _isNames(names) else None)


def _isTriggerable(scheduler: Any) -> bool:
    return bool(ITriggerableScheduler.providedBy(scheduler))


def _isNames(names: Any) -> bool:
    return isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names)


def _kind(service: Any) -> str:
    return str(qual(type(service)))


def _kind_after(services: Mapping[str, Any], new: Any) -> str:
    """The kind of `new`: that of the service with its name, if Buildbot would reconfigure that one in place."""
    old, kind = services.get(new.name), _kind(new)
    if old is None:
        return kind
    if old.canReconfigWithSibling(new):
        return _kind(old)
    return kind if kind != _kind(old) else f"another {kind}"

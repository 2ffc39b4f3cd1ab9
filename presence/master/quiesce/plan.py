"""Which builds a reconfiguration of Buildbot 4.3 would hurt, found out from the configuration of before and the new one.

What hurts (a build ends as RETRY or EXCEPTION, or never, or its request stays claimed) is the table in
`docs/reconfig.rst`, which was made by running it. Everything else (a builder's factory, a worker's keywords, its password,
the port, a builder's directory) lets what runs go on as it was begun.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Triggers:
    """A step that triggers schedulers: those of these `names`, or None where that is known only while it runs.

    `waits` says whether the step waits for the builds.
    """

    names: frozenset[str] | None
    waits: bool

    def mayTrigger(self, scheduler: str) -> bool:
        """Whether `scheduler` may be one of them."""
        return self.names is None or scheduler in self.names


@dataclass(frozen=True)
class BuilderDescription:
    """A builder: the names of its workers, and its steps that trigger builds."""

    workers: frozenset[str]
    triggers: tuple[Triggers, ...] = ()


@dataclass(frozen=True)
class TriggerableDescription:
    """A scheduler that steps trigger: its kind, and its builders, or None where those are worked out each time."""

    kind: str
    builders: frozenset[str] | None


@dataclass(frozen=True)
class Configuration:
    """What matters of a configuration, all by name. Of workers it is their kind (the name of the class).

    Buildbot reconfigures a worker or a scheduler in place when the kind is the same, and otherwise replaces it.
    """

    workers: Mapping[str, str] = field(default_factory=dict)
    builders: Mapping[str, BuilderDescription] = field(default_factory=dict)
    triggerables: Mapping[str, TriggerableDescription] = field(default_factory=dict)


@dataclass(frozen=True)
class Conflict:
    """The builds of `builder` on `worker` would be hurt, because of `why` (a text for people).

    None is every builder, or every worker.
    """

    builder: str | None
    worker: str | None
    why: str

    def covers(self, builder: str, worker: str) -> bool:
        """Whether it is about the builds of this builder on this worker."""
        return self.builder in {None, builder} and self.worker in {None, worker}


@dataclass(frozen=True)
class Plan:
    """What must not run while a configuration is exchanged: everything, or what `conflicts` says.

    `removedBuilders` are those of which no build could start afterwards.
    """

    conflicts: tuple[Conflict, ...] = ()
    everything: bool = False
    removedBuilders: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.everything or bool(self.conflicts)

    def covers(self, builder: str, worker: str) -> bool:
        """Whether builds of this builder on this worker must not run."""
        return self.everything or any(each.covers(builder, worker) for each in self.conflicts)

    def why(self, builder: str, worker: str) -> str | None:
        """Why builds of this builder on this worker must not run; None when they may."""
        if self.everything:
            return "everything is held"
        return next((each.why for each in self.conflicts if each.covers(builder, worker)), None)

    def whyWorker(self, worker: str) -> str | None:
        """Why no build at all may run on this worker; None when some may."""
        if self.everything:
            return "everything is held"
        return next(
            (each.why for each in self.conflicts if each.builder is None and each.worker in {None, worker}),
            None,
        )


def makePlan(old: Configuration, new: Configuration, *, everything: bool = False) -> Plan:
    """The plan for going from `old` to `new`; for `everything`, whatever has changed."""
    removed = frozenset(old.builders.keys() - new.builders.keys())
    return Plan((*_workers(old, new), *_builders(old, new, removed)), everything, removed)


def _workers(old: Configuration, new: Configuration) -> Iterator[Conflict]:
    for name, kind in sorted(old.workers.items()):
        if name not in new.workers:
            yield Conflict(None, name, "the worker is removed from the configuration")
        elif new.workers[name] != kind:
            before, after = _told_apart(kind, new.workers[name])
            yield Conflict(None, name, f"its class changes from {before} to {after}, which disconnects it")


def _told_apart(*kinds: str) -> list[str]:
    """The names of two classes, as short as they can be told apart."""
    short = [kind.rpartition(".")[2] for kind in kinds]
    return short if len(set(short)) == len(short) else list(kinds)


def _builders(old: Configuration, new: Configuration, removed: frozenset[str]) -> Iterator[Conflict]:
    for name, builder in sorted(old.builders.items()):
        if name in removed:
            yield Conflict(name, None, "the builder is removed from the configuration")
            continue
        for worker in sorted(builder.workers - new.builders[name].workers):
            if worker in new.workers:
                yield Conflict(name, worker, "the worker is taken from the builder")
        why = _why_triggers(builder, old, new, removed)
        if why is not None:
            yield Conflict(name, None, why)


def _why_triggers(
    builder: BuilderDescription, old: Configuration, new: Configuration, removed: frozenset[str]
) -> str | None:
    """Why what the builds of `builder` trigger would hurt them, if it would."""
    for name, scheduler in sorted(old.triggerables.items()):
        steps = [step for step in builder.triggers if step.mayTrigger(name)]
        if not steps:
            continue
        if name not in new.triggerables:
            return f"its builds may trigger the scheduler {name}, which is removed"
        if new.triggerables[name].kind != scheduler.kind:
            return f"its builds may trigger the scheduler {name}, whose class changes"
        if any(step.waits for step in steps):
            # what they would wait for would never be built
            gone = removed if scheduler.builders is None else removed & scheduler.builders
            if gone:
                return f"its builds may wait for builds of {', '.join(sorted(gone))}, which is removed"
    return None

"""What a name means that stands for several workers: the groups of `PresenceService`, and the machines of `c["machines"]`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from buildbot import config

from presence.text import MAX_NAME, readLine

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXAMPLE = 'groups={"rack-2": ["mac-*", "linux-7"]}'

# What a pattern has, and a name of a group has not: an order says `mac-*` and means workers.
_WILD = frozenset("*?[")


class Groups:
    """The groups of a farm: each has a name, and names or patterns of workers. Each mistake is a `config.error`.

    A machine of Buildbot's (`c["machines"]`) is the group of the workers that have it as `machine_name=`.
    """

    def __init__(self, groups: Any = None) -> None:
        self._patterns: dict[str, tuple[str, ...]] = {}
        # by the names of workers that have been asked for: it is asked whenever a worker is told of
        self._found: dict[str, tuple[str, ...]] = {}
        if groups is None:
            return
        if not isinstance(groups, dict):
            config.error(
                f"PresenceService: groups={groups!r} is not right: give a dictionary with names of groups, each with "
                f"names of workers or patterns, as in {_EXAMPLE}"
            )
            return
        for name, patterns in groups.items():
            _check_name(name)
            self._patterns[name] = _listed(name, patterns)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the groups that are no machines."""
        return tuple(self._patterns)

    def of(self, worker: Any) -> tuple[str, ...]:
        """The names of the groups to which `worker`, one of Buildbot's, belongs: its machine is the last of them."""
        found = self._named(worker.workername) if self._patterns else ()
        machine = worker.machine_name
        return found if machine is None else (*found, machine)

    def _named(self, worker: str) -> tuple[str, ...]:
        if worker not in self._found:
            self._found[worker] = tuple(
                name
                for name, patterns in self._patterns.items()
                if any(fnmatchcase(worker, each) for each in patterns)
            )
        return self._found[worker]

    def check(self, workers: Iterable[str], machines: Iterable[str]) -> None:
        """Whether each name means one thing, in a configuration with these workers and machines."""
        workers, machines = set(workers), set(machines)
        for name in self._patterns:
            if name in machines:
                config.error(
                    f"PresenceService: groups={{{name!r}: …}}: there is a machine of this name in c['machines'], which is a "
                    "group already: leave this one out, or give it another name"
                )
        for name in {*self._patterns, *machines} & workers:
            what = "group" if name in self._patterns else "machine"
            config.error(
                f"PresenceService: {name!r} is a worker and a {what}: an order would not know which one is meant: give the "
                f"{what} another name"
            )

    def unused(self, workers: Iterable[str]) -> list[str]:
        """The patterns that match none of these workers: there may be a mistake in them."""
        known = tuple(workers)
        patterns = dict.fromkeys(each for listed in self._patterns.values() for each in listed)
        return [each for each in patterns if not any(fnmatchcase(name, each) for name in known)]


def _check_name(name: Any) -> None:
    try:
        if not readLine(name, MAX_NAME).strip() or _WILD & set(name):
            raise ValueError("it is empty, or a pattern")  # noqa: TRY301
    except ValueError as problem:
        config.error(
            f"PresenceService: groups: {name!r} is not the name of a group ({problem}): give a name that is not a pattern, as "
            f"in {_EXAMPLE}"
        )


def _listed(name: Any, patterns: Any) -> tuple[str, ...]:
    listed = (patterns,) if isinstance(patterns, str) else patterns
    if (
        isinstance(listed, (list, tuple))
        and listed
        and all(isinstance(each, str) and each for each in listed)
    ):
        return tuple(listed)
    config.error(
        f"PresenceService: groups={{{name!r}: {patterns!r}}} is not right: give names of workers, or patterns, as in {_EXAMPLE}"
    )
    return ()

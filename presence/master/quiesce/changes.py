"""What a new configuration changes, in words and counted: so that one sees that the right file was read."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from buildbot.util import ComparableMixin
from twisted.internet.defer import inlineCallbacks

from presence.master.quiesce.configdiff import planFor
from presence.master.quiesce.newconfig import loadConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from twisted.internet.defer import Deferred

    from presence.master.quiesce.plan import Plan

# How many of one kind are named.
_NAMED = 5

# How deep it is looked into what is configured.
_DEPTH = 12

#: What the settings of a worker and of a builder are called that changed.
_SETTINGS = {
    "factory": ("factory", "factories"),
    "password": ("password", "passwords"),
    "workernames": ("list of workers",) * 2,
}


@inlineCallbacks
def planAndChanges(master: Any, *, everything: bool) -> Generator[Deferred[Any], Any, tuple[Plan, list[str]]]:
    """What a reconfiguration would hold now, and what the file changes, in a Deferred. Fails with `Mistakes`."""
    config = yield loadConfig(master)
    return planFor(master, config, everything=everything), changesOf(master, config)


def changesOf(master: Any, config: Any) -> list[str]:
    """What giving `master` the configuration `config` changes: "3 factories: a, b, c"; nothing is the empty list."""
    workers = {each.workername: each for each in config.workers}
    builders = {each.name: each for each in config.builders}
    running = {name: each.config for name, each in master.botmaster.builders.items() if each.config}
    schedulers = master.scheduler_manager.namedServices
    return [
        *_cameAndWent("worker", master.workers.workers, workers),
        *_changed("worker", master.workers.workers, workers, _worker),
        *_cameAndWent("builder", running, builders),
        *_changed("builder", running, builders, vars),
        *_cameAndWent("scheduler", schedulers, config.schedulers),
        *_changed("scheduler", schedulers, config.schedulers, _service),
    ]


def _cameAndWent(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    # (Buildbot makes workers and builders of its own for what it configures: they are in both)
    for names, verb in ((new.keys() - old.keys(), "added"), (old.keys() - new.keys(), "removed")):
        if names:
            yield f"{_count(len(names), what, f'{what}s')} {verb}: {_some(names)}"


def _changed(what: str, old: Mapping[str, Any], new: Mapping[str, Any], settings: Any) -> Iterator[str]:
    """For each setting that differs, of whom."""
    found: dict[str, list[str]] = {}
    for name in sorted(old.keys() & new.keys()):
        before, after = settings(old[name]), settings(new[name])
        for key in sorted(before.keys() | after.keys()):
            if not isAlike(before.get(key), after.get(key)):
                found.setdefault(key, []).append(name)
    for key, names in found.items():
        one, many = _SETTINGS.get(key, (f"{key} of a {what}", f"{key} of {{count}} {what}s"))
        text = many.replace("{count}", str(len(names))) if "{count}" in many and len(names) > 1 else None
        yield f"{text or _count(len(names), one, many)}: {_some(names)}"


def _worker(worker: Any) -> dict[str, Any]:
    args, kwargs = worker._config_args, worker._config_kwargs
    # the first argument after the name is the password
    names = ("name", "password") if len(args) > 1 else ("password",)
    return {
        **{f"argument {place}": each for place, each in enumerate(args[len(names) :])},
        **dict(zip(names, args, strict=False)),
        **kwargs,
    }


def _service(service: Any) -> dict[str, Any]:
    args = getattr(service, "_config_args", ())
    return {
        **{f"argument {place}": each for place, each in enumerate(args)},
        **getattr(service, "_config_kwargs", {}),
    }


def isAlike(one: Any, other: Any, depth: int = _DEPTH) -> bool:
    """Whether two settings say the same, also where they are objects that the file has made anew, as functions are."""
    if one is other or depth == 0:
        return True
    if isinstance(one, type) or type(one) is not type(other):
        return _qualified(one) == _qualified(other) and isAlike(_parts(one), _parts(other), depth - 1)
    compare = next((each for kind, each in _COMPARISONS if isinstance(one, kind)), None)
    if compare is not None:
        return compare(one, other, depth - 1)
    if isinstance(one, ComparableMixin) or _isComparedByIdentity(one):
        return isAlike(_parts(one), _parts(other), depth - 1)
    return bool(one == other)


def _areFunctionsAlike(one: Any, other: Any, depth: int) -> bool:
    return _code(one.__code__) == _code(other.__code__) and isAlike(
        one.__defaults__, other.__defaults__, depth
    )


def _areListsAlike(one: Any, other: Any, depth: int) -> bool:
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(isAlike(*pair, depth) for pair in pairs)


def _areDictsAlike(one: Any, other: Any, depth: int) -> bool:
    return one.keys() == other.keys() and all(isAlike(one[key], other[key], depth) for key in one)


_COMPARISONS: tuple[tuple[Any, Callable[[Any, Any, int], bool]], ...] = (
    (FunctionType, _areFunctionsAlike),
    ((list, tuple), _areListsAlike),
    (dict, _areDictsAlike),
)


def _isComparedByIdentity(thing: Any) -> bool:
    compare: Any = type(thing).__eq__
    return bool(compare is object.__eq__)


def _parts(thing: Any) -> Any:
    """What an object is made of; of a class nothing: one of the same name is the same."""
    if isinstance(thing, type):
        return None
    return getattr(thing, "__dict__", None)


def _qualified(thing: Any) -> str:
    kind = thing if isinstance(thing, type) else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"


def _code(code: Any) -> tuple[Any, ...]:
    """What a function does, wherever it stands in its file."""
    constants = tuple(_code(each) if hasattr(each, "co_code") else each for each in code.co_consts)
    return code.co_code, code.co_names, constants


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return f"{', '.join(ordered[:_NAMED])}{more}"

"""What is looked at in the directory of a master."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from presence.commands.doctor.finding import note, problem, well

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from presence.commands.doctor.finding import Finding

_ENABLE = "put `import presence; presence.enable(c)` at the end of master.cfg, and reconfig"

# The rules of Buildbot, and ours, that decide about every order.
_DECIDING = {"AnyEndpointMatcher", "AnyControlEndpointMatcher"}


def readConfig(masterdir: Path) -> tuple[Any, list[Finding]]:
    """The configuration as Buildbot reads it, None when it has mistakes; and what there is to say of that."""
    from buildbot.config.errors import ConfigErrors  # noqa: PLC0415 (a worker has no Buildbot)
    from buildbot.config.master import FileLoader  # noqa: PLC0415
    from buildbot.scripts.base import getConfigFileFromTac  # noqa: PLC0415
    from buildbot.warnings import ConfigWarning  # noqa: PLC0415

    try:
        name = getConfigFileFromTac(str(masterdir), quiet=True)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConfigWarning)
            config = FileLoader(str(masterdir), name).loadConfig()
        told = [str(each.message) for each in caught if issubclass(each.category, ConfigWarning)]
        return config, [
            well(f"{name} is right"),
            *(note(f"{name}: {each}", "say what is meant: docs/breaks.rst") for each in told),
        ]
    except ConfigErrors as errors:
        return None, [
            problem(f"master.cfg: {each}", "mend it: `buildbot checkconfig` says it, too")
            for each in errors.errors
        ]
    except Exception as error:  # noqa: BLE001 (buildbot.tac is a program, and may do anything)
        return None, [
            problem(f"buildbot.tac cannot be read: {error!r}", "run this as the account that runs the master")
        ]


def isUsed(config: Any) -> bool:
    """Whether any worker has a presence."""
    return bool(_services(config)) or any(map(_isOurs, config.workers))


def check(config: Any) -> Iterator[Finding]:
    """What `master.cfg` says."""
    yield from _presences(config)
    if config.www.get("port"):
        yield from _page(config)
        yield from _rules(config)
    yield from _hooks(config)


def _services(config: Any) -> list[Any]:
    return [each for each in config.services.values() if hasattr(each, "giveTerms")]


def _isOurs(worker: Any) -> bool:
    return any(part.__module__ == "presence.master.buildslave" for part in type(worker).__mro__)


def _presences(config: Any) -> Iterator[Finding]:
    ours = [each.name for each in config.workers if _isOurs(each)]
    services = _services(config)
    if services:
        yield well(f"every worker has a presence ({len(config.workers)})")
        for pattern in services[0].unusedPatterns(each.name for each in config.workers):
            yield problem(f"{pattern!r} matches no worker of master.cfg", "correct the name, or remove it")
    elif ours:
        yield well(f"{len(ours)} of {len(config.workers)} workers have a presence: {', '.join(sorted(ours))}")
    else:
        yield problem("no worker has a presence", _ENABLE)


def _page(config: Any) -> Iterator[Finding]:
    if "presence" in config.www.get("plugins", {}):
        yield well("the page is enabled")
    else:
        yield note("the page is not enabled", f"{_ENABLE} (or ignore this, if nobody wants it)")


def _rules(config: Any) -> Iterator[Finding]:
    authz = config.www.get("authz")
    rules = [] if authz is None else authz.allowRules
    if any(map(_decides, rules)):
        yield well("rules say who may hold workers")
        return
    yield problem(
        "no rule decides about every order: whoever reaches the web server may hold workers, and reconfigure and stop the master",
        'end allowRules with util.AnyControlEndpointMatcher(role="admins"): see "Who may" in docs/admin.rst',
    )


def _decides(rule: Any) -> bool:
    kind = type(rule).__name__
    return kind in _DECIDING or (
        kind == "PresenceEndpointMatcher" and rule.defaultDeny and not getattr(rule, "actions", None)
    )


def _hooks(config: Any) -> Iterator[Finding]:
    for builder in config.builders:
        hooks = [name for name in ("canStartBuild", "nextWorker") if getattr(builder, name, None) is not None]
        if hooks:
            yield note(
                f"builder {builder.name} has {' and '.join(hooks)} of the site",
                "if it is about times of day, replace it by breaks: see docs/migrating.rst",
            )
    for worker in config.workers:
        for part in _before(type(worker)):
            yield note(
                f"worker {worker.name}: {part} has a canStartBuild of its own",
                "it is asked as well; if it is about times of day, replace it by breaks: see docs/migrating.rst",
            )


def _before(kind: type) -> Iterable[str]:
    return [
        part.__qualname__
        for part in kind.__mro__
        if "canStartBuild" in vars(part) and not part.__module__.startswith(("buildbot.", "presence."))
    ]

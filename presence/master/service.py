"""`PresenceService` for `c["services"]`: a presence for every worker, and the settings of a master as a whole."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from buildbot import config
from buildbot.util.service import BuildbotService
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.access.terms import OperatorTerms
from presence.master.adoption import Adoption
from presence.master.assembly import Assembly
from presence.master.groups import Groups
from presence.master.holding.keepready import KeepReady
from presence.master.slave.keywords import BreakWarning
from presence.master.terms import Terms
from presence.master.wholeconfig import followWholeConfigs

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.breaks.schedule import BreakSchedule
    from presence.master.absence.terms import AbsenceTerms
    from presence.master.conditions.written import Condition
    from presence.orders.reconfig import ReconfigOrder

_log = Logger()


# What happens to requests that only absent workers could build where nothing is said.
_WAIT = "wait"

# What happens at the deadline of a reconfiguration where nothing is said.
_ABORT = "abort"

# What a master may do that is one of several, and whose message queue is away.
_ROUTER_LOST = ("rejoin", "end")


class PresenceService(BuildbotService):
    """Gives a presence to every worker of the master, whatever its class is: shown, held, released and drained like a
    `BuildSlave`, and with the same promise at the start of a build. No worker is disconnected for it.

    `onBreakDuring` gives breaks to workers by name or pattern, ``{"mac-*": ("07:00", "19:00")}``; the values are those of
    `BuildSlave`'s keyword. Whoever is named is not looked for among the patterns; of several patterns that match, each
    adds its breaks. `timezone` is the zone of those that name none, `owners` gives owners, and `availableWhile` conditions, in the same way. A worker that is
    declared with a presence of its own (`BuildSlave`, `PresenceMixin`) keeps what is said there.

    `groups` gives names to sets of workers, ``{"rack-2": ["mac-*", "linux-7"]}``, which are then one thing to hold, drain or look at.

    `keepReady` says how many workers are to stay ready, ``{"runtests": 2, "mac-*": "50%"}``, by builders, groups or workers: an order that
    leaves fewer is refused unless it is forced.

    With `reconfigWhenIdle` a SIGHUP, `buildbot reconfig` and `master.reconfig()` in the manhole wait until nothing
    runs that the new configuration would hurt. `deadline` (``"1h"``, or seconds) is how long they wait at most, and
    `onDeadline` what happens then: ``"abort"``, ``"interrupt"`` or ``"reconfig"``.

    With `operator`, a role or a list of roles of the site's rules, the account of the master orders from the shell without a
    login, as the user ``operator`` with these roles; and with `operatorGroup` (its name or number) everybody of that group.

    `routerLost` is what one of several masters does when the router of their messages is away: ``"rejoin"`` it when that can be,
    or ``"end"``, so that whoever supervises the master starts it anew.

    With `trail` what happens is written to a file in the master's directory: True, or how large it may get, as in ``"50M"``. With
    `metrics` there are numbers for Prometheus: True is on the master's web server, a number a port of this machine.

    A worker that has not been seen for `absentAfter` (``"30d"``) is out of its builders' reckoning until it is back; with
    ``whenAbsent="cancel"`` requests that only such workers could build are cancelled.
    """

    name = "PresenceService"

    _adoption: Adoption | None = None

    # of Buildbot's services: what it compares with the next configuration
    _config_args: tuple[Any, ...]
    _config_kwargs: dict[str, Any]

    def checkConfig(
        self,
        *,
        onBreakDuring: Any = None,
        timezone: Any = None,
        owners: Any = None,
        availableWhile: Any = None,
        groups: Any = None,
        keepReady: Any = None,
        reconfigWhenIdle: bool = False,
        deadline: Any = None,
        onDeadline: str = _ABORT,
        operator: Any = None,
        operatorGroup: Any = None,
        trail: Any = None,
        metrics: Any = None,
        routerLost: str = "rejoin",
        absentAfter: Any = None,
        whenAbsent: str = _WAIT,
    ) -> None:
        """Each mistake is a `config.error`."""
        self._terms = Terms(onBreakDuring, timezone, owners, availableWhile)
        self._groups = Groups(groups)
        self._keep_ready = KeepReady(keepReady)
        if groups is not None or keepReady is not None:
            followWholeConfigs()
        if not isinstance(reconfigWhenIdle, bool):
            config.error(
                f"PresenceService: reconfigWhenIdle={reconfigWhenIdle!r} is not right: give True or False"
            )
        try:
            _seconds(deadline)
        except ValueError as problem:
            config.error(f"PresenceService: deadline={deadline!r}: {problem}")
        _check_on_deadline(onDeadline)
        OperatorTerms(operator, operatorGroup)
        _size(trail)
        _place(metrics)
        if routerLost not in _ROUTER_LOST:
            config.error(
                f"PresenceService: routerLost={routerLost!r} is not right: give one of {', '.join(_ROUTER_LOST)}"
            )
        _absence(absentAfter, whenAbsent)

    @inlineCallbacks
    def reconfigServiceWithSibling(self, sibling: PresenceService) -> Generator[Deferred[Any], Any, None]:
        """Remember the configuration that was taken over: Buildbot compares the next one with the very first."""
        yield super().reconfigServiceWithSibling(sibling)
        self._config_args, self._config_kwargs = sibling._config_args, sibling._config_kwargs

    @inlineCallbacks
    def reconfigService(
        self,
        *,
        reconfigWhenIdle: bool = False,
        deadline: Any = None,
        onDeadline: str = _ABORT,
        operator: Any = None,
        operatorGroup: Any = None,
        groups: Any = None,
        keepReady: Any = None,
        trail: Any = None,
        metrics: Any = None,
        routerLost: str = "rejoin",
        absentAfter: Any = None,
        whenAbsent: str = _WAIT,
        **terms: Any,
    ) -> Generator[Deferred[Any], Any, None]:
        """Take over a new configuration, which `checkConfig()` has looked at; `terms` are the other keywords of that."""
        yield super().reconfigService()
        assembly = yield Assembly.getService(self.master)
        self._terms = Terms(**terms)
        if assembly.farm is not None:
            assembly.farm.routerLost = routerLost
        if groups is not None or self._groups.names:
            self._groups = Groups(groups)
            assembly.takeGroups(self._groups)
        if keepReady is not None or self._keep_ready.floors:
            self._keep_ready = KeepReady(keepReady)
            assembly.takeFloors(self._keep_ready)
        if self._adoption is None:
            self._adoption = Adoption(assembly, self._terms_of)
            assembly.roster.observeConfiguration(self._warn)
            yield self._adoption.start()
        else:
            self._adoption.follow()
        seconds = _seconds(deadline)

        def order() -> ReconfigOrder:
            end = None if seconds is None else self.master.reactor.seconds() + seconds
            from presence.orders.reconfig import ReconfigOrder  # noqa: PLC0415 (nobody may reconfigure)

            return ReconfigOrder(deadline=end, onDeadline=onDeadline)

        if reconfigWhenIdle:
            assembly.reconfigurations.takeOver(order)
        else:
            assembly.reconfigurations.giveBack()
        OperatorTerms(operator, operatorGroup).apply(assembly.bearers.operator)
        yield assembly.telling.keepTrail(_size(trail))
        yield assembly.telling.measure(_place(metrics))
        yield assembly.telling.watchAbsence(_absence(absentAfter, whenAbsent))

    def giveTerms(self, workers: Iterable[Any]) -> None:
        """Give those of the `workers` of a configuration that are declared without a presence the `schedule` and the `owners`
        that they will have. For who only looks at it.
        """
        for each in workers:
            if not hasattr(each, "schedule"):
                each.schedule, each.owners, _ = self._terms.of(each.name)

    def checkWhole(self, config_: Any) -> None:
        """What can be said of the keywords when all of `master.cfg` is known. Each mistake is a `config.error`."""
        names = [each.name for each in config_.workers]
        self._groups.check(names, [each.name for each in config_.machines])
        self._keep_ready.check(*self._names_in(config_), several=config_.multiMaster)
        for text in self.shortBreaks(config_):
            warnings.warn(f"PresenceService: {text}", BreakWarning, stacklevel=2)

    def _names_in(self, config_: Any) -> tuple[dict[str, list[str]], dict[str, tuple[str, ...]]]:
        builders = {each.name: list(each.workernames) for each in config_.builders}
        return builders, {each.name: self._groups.of(each) for each in config_.workers}

    def shortBreaks(self, config_: Any) -> list[str]:
        """Where the breaks of a configuration alone leave fewer workers in the coming week than are to be ready (`keepReady`)."""
        if not self._keep_ready.floors:
            return []
        # a farm without floors has not got it in memory
        from presence.master.holding.shortbreaks import shortBreaks  # noqa: PLC0415

        given = {each.name: getattr(each, "schedule", None) for each in config_.workers}
        schedules = {name: self._terms.of(name)[0] if each is None else each for name, each in given.items()}
        return shortBreaks(self._keep_ready.members(*self._names_in(config_)), schedules)

    def unusedPatterns(self, names: Iterable[str]) -> list[str]:
        """The names and patterns that match none of these workers."""
        return [*self._terms.unused(names), *self._groups.unused(names)]

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Reconfigurations are Buildbot's own again, and so are its workers."""
        assembly = yield Assembly.getService(self.master)
        assembly.reconfigurations.giveBack()
        assembly.bearers.operator.forbid()
        if self._groups.names:
            assembly.takeGroups(Groups())
        if self._keep_ready.floors:
            assembly.takeFloors(KeepReady())
        yield assembly.telling.keepTrail(None)
        yield assembly.telling.measure(None)
        yield assembly.telling.watchAbsence(None)
        if self._adoption is not None:
            # removed from the configuration, and not stopped with its master
            removed = not any(isinstance(each, PresenceService) for each in _services(self.master.config))
            if removed:
                yield self._adoption.forgetOrders()
            self._adoption.stop()
            self._adoption = None
            if removed and assembly.farm is not None:
                # the next one may go back at once
                assembly.farm.snapshots.pulse.say()
        yield super().stopService()

    def _terms_of(self, name: str) -> tuple[BreakSchedule, tuple[str, ...], tuple[Condition, ...]]:
        # those of now: they may have changed since
        return self._terms.of(name)

    def _warn(self) -> None:
        for pattern in self.unusedPatterns(self.master.workers.workers) if self._adoption is not None else ():
            _log.warn("PresenceService: {pattern!r} matches no worker of master.cfg", pattern=pattern)


def _services(config_: Any) -> list[Any]:
    # Buildbot makes a dictionary of the list
    services = config_.services
    return list(services.values() if isinstance(services, dict) else services)


def _absence(after: Any, when: Any) -> AbsenceTerms | None:
    if after is None and when == _WAIT:
        return None
    # where nothing is said it is not in memory
    from presence.master.absence.terms import absenceTerms  # noqa: PLC0415

    return absenceTerms(after, when)


def _size(trail: Any) -> int | None:
    if trail is None or trail is False:
        return None
    from presence.master.trail.terms import trailSize  # noqa: PLC0415 (as above)

    return trailSize(trail)


def _place(metrics: Any) -> str | None:
    if metrics is None or metrics is False:
        return None
    from presence.master.metrics.terms import metricsPlace  # noqa: PLC0415 (as above)

    return metricsPlace(metrics)


def _check_on_deadline(value: Any) -> None:
    if value == _ABORT:
        return
    # where nothing else is said it is not in memory
    from presence.orders.reconfig import ON_DEADLINE  # noqa: PLC0415

    if value not in ON_DEADLINE:
        config.error(
            f"PresenceService: onDeadline={value!r} is not right: give one of {', '.join(ON_DEADLINE)}"
        )


def _seconds(deadline: Any) -> float | None:
    if deadline is None:
        return None
    if isinstance(deadline, str):
        from presence.calendar.durations import duration  # noqa: PLC0415 (as above)

        return duration(deadline)
    if isinstance(deadline, bool) or not isinstance(deadline, (int, float)) or not deadline > 0:
        raise ValueError('give a duration such as "1h", or seconds')
    return float(deadline)

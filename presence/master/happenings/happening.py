"""One thing that has happened on a master."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: What there is:
#: ``order``: somebody has ordered something: `what` is one of `presence.orders.abilities.ABILITIES`;
#: ``begin``, ``change``, ``end``: of a hold: `what` is its source;
#: ``drained``: nothing runs any more on a worker that is drained;
#: ``result``: how a reconfiguration or a drain has ended: `what` is ``reconfig`` or ``drain``.
KINDS = ("order", "begin", "change", "end", "drained", "result")


@dataclass(frozen=True, slots=True)
class Happening:
    """What has happened at the instant `at` (as all instants here, in seconds since the epoch), to these `workers` or `builders`, because of `by`
    and for this `reason`. `kind` and `what`: see `KINDS`.

    `since` is when a hold has begun, and `until` when it ends, or the deadline of an order. `outcome` is, of an order, ``done``, ``refused``
    (nothing was done), ``forbidden`` or ``failed``; of the end of a hold ``over`` or ``released``; of a drain ``late`` when it is
    past its deadline; of a reconfiguration that of `Outcome`. `problem` says more, for people.
    """

    at: float
    kind: str
    what: str
    workers: tuple[str, ...] = ()
    by: str | None = None
    reason: str | None = None
    since: float | None = None
    until: float | None = None
    outcome: str | None = None
    problem: str | None = None
    builders: tuple[str, ...] = ()


if TYPE_CHECKING:
    #: Whoever is told of each.
    Listener = Callable[[Happening], object]

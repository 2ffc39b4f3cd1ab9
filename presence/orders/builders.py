"""What may be ordered of a builder over Buildbot's API: that no build of it starts, wherever; and that they may again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.orders import workers
from presence.orders.reading import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

#: They are those of a worker, but that there is no floor to be forced.
ACTIONS: Mapping[str, Action] = {
    "hold": Action(
        {name: each for name, each in workers.ACTIONS["hold"].parameters.items() if name != "force"},
        workers.HoldOrder,
    ),
    "release": workers.ACTIONS["release"],
}

"""What may be ordered of a builder over Buildbot's API: that no build of it starts, wherever; and that they may again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.orders import workers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from presence.orders.reading import Action

#: They are those of a worker.
ACTIONS: Mapping[str, Action] = {name: workers.ACTIONS[name] for name in ("hold", "release")}

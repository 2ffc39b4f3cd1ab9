"""How many statements a master has sent to its database: Buildbot's and ours."""

from __future__ import annotations

from itertools import count
from typing import Any

import sqlalchemy as sa


class Statements:
    """Counts from `start()` to `stop()`, in whichever thread."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        # (that it counts is one operation, which two threads cannot do at once)
        self._counter = count(1)
        self.number = 0

    def start(self) -> None:
        """Begin."""
        sa.event.listen(self._engine, "before_cursor_execute", self._executing)

    def stop(self) -> None:
        """End."""
        sa.event.remove(self._engine, "before_cursor_execute", self._executing)

    def _executing(self, *_: object) -> None:
        self.number = next(self._counter)

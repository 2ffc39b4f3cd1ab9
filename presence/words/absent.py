"""The words for workers that have not been seen for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Why such a worker is not connected.
REASON = "long absent: its builders do without it until it is back"

#: What is said of it when it becomes one.
GONE = "{name} has not been seen for long: its builders do without it until it is back"

#: Why a request is cancelled that only such workers could build.
CANCELLED = "all workers of the builder are long absent"

# So many are named.
_NAMED = 3


def allAbsentText(names: Sequence[str]) -> str:
    """Why a builder has no workers, all of which are long absent."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"all its workers are long absent: {', '.join(names[:_NAMED])}{more}"

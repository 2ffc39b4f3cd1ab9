"""What a master says of its workers when it has started. One that is starting, or stopping, does not know all of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from presence.commands.master.client import MasterError, NoAnswerError, NotThereError

if TYPE_CHECKING:
    from collections.abc import Collection

    from presence.commands.master.client import MasterClient

#: For how long something has to be missing before it is believed, in seconds: a master that stops answers for some moments, in which its
#: workers are gone already, and of another master's worker one hears in a moment. And where the other one has not confirmed an order.
UNSEEN, NOT_CONFIRMED = 10.0, 120.0


def presencesOf(client: MasterClient, names: Collection[str], fields: list[str]) -> list[dict[str, Any]]:
    """The presences of all workers. Raises `NoAnswerError` while one of `names` is missing and the master is starting: its web server
    answers before it knows its workers.
    """
    found: list[dict[str, Any]] = []
    problem: NotThereError | None = None
    # (once more when it has started in between)
    for _ in range(2):
        try:
            found, problem = client.get("presences", field=fields), None
        except NotThereError as error:
            found, problem = [], error
        if problem is None and {*names} <= {each["name"] for each in found}:
            break
        if _is_starting(client):
            raise NoAnswerError(f"{client.url} is starting")
    if problem is not None:
        raise problem
    return found


class Doubts:
    """What is missing, and for how long it has been so, by a clock that nobody sets."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def lasts(self, name: str, seconds: float = UNSEEN) -> bool:
        """It is missing: whether it has been for so long."""
        now = time.monotonic()
        return now - self._since.setdefault(name, now) >= seconds

    def end(self, name: str) -> None:
        """It is there."""
        self._since.pop(name, None)

    def clear(self) -> None:
        """Nothing is known of what was."""
        self._since.clear()


def _is_starting(client: MasterClient) -> bool:
    """Whether no master runs: Buildbot enters the one that answers when it has started, not before."""
    try:
        return not any(each["active"] for each in client.get("masters"))
    except NoAnswerError:
        raise
    except MasterError:
        # it tells that to nobody
        return False

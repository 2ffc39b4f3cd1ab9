"""What a token may be good for: a word for everything that can be ordered, of workers, of the configuration, of the master."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.orders import builders, reconfig, shutdown, workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The words of those actions that are called alike, or not as the command is.
_WORDS = {
    ("reconfig", "cancel"): "cancel-reconfig",
    ("shutdown", "stop"): "stop-master",
    ("shutdown", "cancel"): "cancel-stop",
    ("builderpresence", "hold"): "hold-builder",
    ("builderpresence", "release"): "release-builder",
}

#: {(the resource of the API, the action there): the word for it}.
ABILITIES: Mapping[tuple[str, str], str] = {
    (resource, action): _WORDS.get((resource, action), action)
    for resource, actions in (
        ("presence", workers.ACTIONS),
        ("builderpresence", builders.ACTIONS),
        ("reconfig", reconfig.ACTIONS),
        ("shutdown", shutdown.ACTIONS),
    )
    for action in actions
}


def readAbilities(words: Iterable[str]) -> tuple[str, ...]:
    """The words, each once, in the order of the table; commas may part them, too. `ValueError` for one that there is not."""
    known = tuple(ABILITIES.values())
    given = [word.strip() for each in words for word in each.split(",") if word.strip()]
    for word in given:
        if word not in known:
            raise ValueError(f"there is no order {word!r}: there are {', '.join(known)}")
    if not given:
        raise ValueError(f"it is good for nothing: name one or more of {', '.join(known)}")
    return tuple(word for word in known if word in given)

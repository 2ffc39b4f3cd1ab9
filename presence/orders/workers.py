"""What may be ordered of a worker over Buildbot's API: hold, drain, release, work. Read and checked, nothing done.

`ACTIONS` is the description of it all: it is what is checked, what the errors are written from, and what the
tests make their bad input from.
"""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: How long a reason may be, in characters: as in the protocol of the workers.
MAX_REASON = 512

#: The latest instant that may be named: the last second of the year 9999, where calendars end.
LATEST = 253402300799

# control characters, and halves of characters: they garble logs and terminals
_NOT_TEXT = frozenset({"Cc", "Cs"})


@dataclass(frozen=True)
class HoldOrder:
    """Accept no builds, because of `reason` (or None), before `until` (seconds since the epoch; None: no end)."""

    reason: str | None
    until: float | None


@dataclass(frozen=True)
class DrainOrder:
    """Accept no builds, because of `reason` (or None), but let those that run and what they wait for finish.

    At `deadline` (seconds since the epoch; None: there is none), when something still runs, do as `onDeadline` says,
    one of `ON_DEADLINE`; None is the first of them. Workers with the same `group` (None: none) are drained together:
    what runs on one of them may wait for a build that only another one can do.
    """

    reason: str | None
    deadline: float | None
    onDeadline: str | None
    group: str | None


#: What may happen at the deadline of a drain: what still runs is interrupted, and built again elsewhere; or the drain
#: is given up.
ON_DEADLINE = ("interrupt", "release")


@dataclass(frozen=True)
class ReleaseOrder:
    """End the hold, or the drain."""


@dataclass(frozen=True)
class WorkOrder:
    """Accept builds in spite of the breaks before `until` (seconds since the epoch); None: keep the breaks again."""

    until: float | None


Order = HoldOrder | DrainOrder | ReleaseOrder | WorkOrder


@dataclass(frozen=True)
class Parameter:
    """One parameter of an action: its `kind` is ``"text"``, ``"instant"`` or ``"choice"`` (one of `choices`). None is
    allowed, always. `field` is what the order calls it, when that is not its name.
    """

    kind: str
    required: bool
    meaning: str
    choices: tuple[str, ...] = ()
    field: str | None = None


@dataclass(frozen=True)
class Action:
    """One action: its parameters by name, and what makes an order of their values."""

    parameters: Mapping[str, Parameter]
    order: Callable[..., object]


ACTIONS: Mapping[str, Action] = {
    "hold": Action(
        {
            "reason": Parameter("text", required=False, meaning="why, for people"),
            "until": Parameter(
                "instant", required=False, meaning="when the hold ends by itself; null: never"
            ),
        },
        HoldOrder,
    ),
    "drain": Action(
        {
            "reason": Parameter("text", required=False, meaning="why, for people"),
            "deadline": Parameter(
                "instant", required=False, meaning="how long what runs may go on; null: to its end"
            ),
            "on_deadline": Parameter(
                "choice",
                required=False,
                meaning="what happens then to what still runs",
                choices=ON_DEADLINE,
                field="onDeadline",
            ),
            "group": Parameter(
                "text", required=False, meaning="the same for workers that are drained together"
            ),
        },
        DrainOrder,
    ),
    "release": Action({}, ReleaseOrder),
    "work": Action(
        {
            "until": Parameter(
                "instant", required=True, meaning="until when breaks are disregarded; null: no longer"
            )
        },
        WorkOrder,
    ),
}


class UnknownAction(ValueError):  # noqa: N818 (it is a mistake in a request)
    """There is no such action. The message lists those that there are."""


def readOrder(
    action: str, parameters: Mapping[str, Any], now: float, actions: Mapping[str, Action] = ACTIONS
) -> Any:
    """The order that `action` with `parameters` is, at the instant `now` (seconds since the epoch): an `Order`, or what
    there is in `actions`.

    Raises `UnknownAction`, and `ValueError` for any other mistake; both say what would be right.
    """
    known = actions.get(action)
    if known is None:
        raise UnknownAction(f"there is no action {short(action)}: there are {', '.join(actions)}")
    for name in parameters:
        if name not in known.parameters:
            raise ValueError(f"{action} has no parameter {short(name)}{suggestion(name, known.parameters)}")
    values = {
        parameter.field or name: _read(action, name, parameter, parameters, now)
        for name, parameter in known.parameters.items()
    }
    return known.order(**values)


def readReason(value: object) -> str | None:
    """The reason that `value` is: one line of text, without blanks around it; None when there is none in it."""
    if not isinstance(value, str):
        raise ValueError(f"{short(value)} is no text: write a string")  # noqa: TRY004 (mistakes are ValueErrors)
    stripped = value.strip()
    if len(stripped) > MAX_REASON:
        raise ValueError(f"it has {len(stripped)} characters, and at most {MAX_REASON} are allowed")
    for character in stripped:
        if unicodedata.category(character) in _NOT_TEXT:
            raise ValueError(f"it contains {character!a}: write plain text on one line")
    return stripped or None


def readInstant(value: object, now: float) -> float:
    """The instant that `value` is, in seconds since the epoch; it is after `now`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(  # noqa: TRY004 (mistakes are ValueErrors)
            f"{short(value)} is no instant: give seconds since the epoch, a number such as {int(now) + 3600}"
        )
    if value <= now:
        raise ValueError(f"{short(value)} is past: now it is {int(now)}, in seconds since the epoch")
    if not value <= LATEST:  # a NaN neither
        raise ValueError(
            f"{short(value)} is beyond the year 9999: give seconds (not milliseconds) since the epoch, a number "
            f"such as {int(now) + 3600}"
        )
    return value


def short(value: object) -> str:
    """`value` as it is shown in an error: it may be as long as somebody's patience."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, lists in lists in lists
        text = f"a value of the type {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


_SHOWN = 60


def suggestion(name: str, known: Iterable[str]) -> str:
    """How an error about the parameter `name` goes on, where only those that are `known` are right."""
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name[:_SHOWN].lower(), by_lower, n=1)
    if close:
        return f": did you mean {by_lower[close[0]]}?"
    return f": it takes {' and '.join(by_lower.values()) or 'none'}"


def _read(action: str, name: str, parameter: Parameter, given: Mapping[str, Any], now: float) -> Any:
    if name not in given and parameter.required:
        raise ValueError(f"{action} needs {name}: {parameter.meaning}, in seconds since the epoch")
    value = given.get(name)
    if value is None:
        return None
    try:
        if parameter.kind == "choice":
            return _read_choice(value, parameter.choices)
        return readReason(value) if parameter.kind == "text" else readInstant(value, now)
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from None


def _read_choice(value: object, choices: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError(f"{short(value)} is none of {', '.join(choices)}")

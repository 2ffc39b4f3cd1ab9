"""How orders that come over Buildbot's API are read. Pure: it is told the instant, and does nothing.

A table of `Action`s is the description of what may be ordered: it is what is checked, what the errors are written
from, and what the tests make their bad input from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from presence.calendar.instants import readInstant
from presence.orders.refusals import UnknownAction
from presence.text import oneOf, readReason, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


#: How many texts there may be in a list.
MOST_TEXTS = 100

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an action: its `kind` is ``"text"``, ``"texts"`` (a list of them), ``"name"`` (of letters, digits, dots,
    dashes and underscores), ``"instant"``, ``"flag"`` or ``"choice"`` (one of `choices`).

    None is allowed unless it is not `nullable`, and is as good as missing where the parameter is not `required`. `field` is
    what the order calls it, when that is not its name.
    """

    kind: str
    meaning: str
    required: bool = False
    choices: tuple[str, ...] = ()
    field: str | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Action:
    """One action: its parameters by name, and what makes an order of their values.

    `order` may raise `ValueError` where the values do not go together.
    """

    parameters: Mapping[str, Parameter]
    order: Callable[..., object]


def readOrder(actions: Mapping[str, Action], action: str, parameters: Mapping[str, Any], now: float) -> Any:
    """The order that `action` of `actions` with `parameters` is, at the instant `now` (seconds since the epoch).

    Raises `UnknownAction`, and `ValueError` for any other mistake; both say what would be right.
    """
    known = actions.get(action)
    if known is None:
        raise UnknownAction(f"there is no action {shown(action)}: there are {', '.join(actions)}")
    for name in parameters:
        if name not in known.parameters:
            raise ValueError(f"{action} has no parameter {shown(name)}{suggestion(name, known.parameters)}")
    values = {
        parameter.field or name: _read(action, name, parameter, parameters, now)
        for name, parameter in known.parameters.items()
    }
    return known.order(**{field: value for field, value in values.items() if value is not None})


def _read(action: str, name: str, parameter: Parameter, given: Mapping[str, Any], now: float) -> Any:
    if name not in given and parameter.required:
        unit = ", in seconds since the epoch" if parameter.kind == "instant" else ""
        raise ValueError(f"{action} needs {name}: {parameter.meaning}{unit}")
    value = given.get(name)
    try:
        if value is None and not parameter.nullable:
            raise ValueError(f"it may not be null: it is {parameter.meaning}")  # noqa: TRY301
        if value is None:
            return None
        if parameter.kind == "name":
            return readName(value)
        if parameter.kind == "choice":
            return oneOf(value, parameter.choices)
        if parameter.kind == "flag":
            return _flag(value)
        if parameter.kind == "texts":
            return _texts(value)
        return readReason(value) if parameter.kind == "text" else readInstant(value, now)
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from None


def readName(value: object) -> str:
    """`value`, if it is a name for programs. `ValueError` if not."""
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise ValueError(
            f"{shown(value)} is not a name: give 1 to 64 letters, digits, dots, dashes and underscores, as in zabbix"
        )
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_TEXTS:
        raise ValueError(f"{shown(value)} is not a list of at most {MOST_TEXTS} texts")
    return tuple(each for each in map(readReason, value) if each is not None)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is neither true nor false")  # noqa: TRY004 (mistakes are ValueErrors)
    return value

"""The last event of each worker or builder, kept in as little memory as possible."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

_T = TypeVar("_T")

# What most lists are.
_NO_LIST = b"[]"

# The first values, which are each entity's own: its number, its name, its state, and what holds it since when. All others many
# have in common.
_OWN = 4

# How many texts, and other values, that several entities have in common are remembered.
_SHARED = 2048


class LastSent:
    """The entity of the last event of each name. All of them have the same fields, in the same order.

    Lists and dictionaries (holds, coming breaks, builders) are kept as JSON in bytes. These, and all values together but
    those that are its own, are there once for all entities in which they are the same.
    """

    def __init__(self) -> None:
        self._fields: tuple[str, ...] = ()
        # of each name its own values, and the others in a tuple
        self._values: dict[str, tuple[Any, ...]] = {}
        self._shared: dict[Any, Any] = {}

    def isNews(self, entity: Mapping[str, Any]) -> bool:
        """Whether `entity` differs from the last one of its `name`. From now on it is that."""
        name = entity["name"]
        kept = [self._kept(each) if isinstance(each, (list, dict)) else each for each in entity.values()]
        values = (*kept[:_OWN], self._once(tuple(kept[_OWN:])))
        if self._values.get(name) == values:
            return False
        self._fields = tuple(entity)
        self._values[name] = values
        return True

    def last(self, name: str, field: str) -> Any:
        """The value of a field in the last entity of `name`; None if there is none."""
        values = self._values.get(name)
        if values is None:
            return None
        place = self._fields.index(field)
        return _restored(values[place] if place < _OWN else values[_OWN][place - _OWN])

    def names(self) -> set[str]:
        """The names of which there is an entity."""
        return set(self._values)

    def forget(self, name: str) -> dict[str, Any]:
        """The last entity of `name`, which is no longer there."""
        return dict(zip(self._fields, map(_restored, _all(self._values.pop(name))), strict=True))

    def _kept(self, value: list[Any] | dict[str, Any]) -> bytes:
        if value == []:
            return _NO_LIST
        return self._once(json.dumps(value).encode())

    def _once(self, value: _T) -> _T:
        if len(self._shared) >= _SHARED:
            self._shared.clear()
        kept: _T = self._shared.setdefault(value, value)
        return kept


def _all(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*values[:-1], *values[-1])


def _restored(value: Any) -> Any:
    return json.loads(value) if isinstance(value, bytes) else value

"""What is imported when it is asked for: the public names of a package (PEP 562), and parts that are made then.

Nothing of this costs memory, or time at a start, before.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazily(
    namespace: dict[str, Any], homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and the `__dir__` of the package with the globals `namespace`. `homes` are the modules of its names."""

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        # the next time it is there
        found = namespace[name] = getattr(import_module(homes[name]), name)
        return found

    return get, lambda: sorted({*namespace, *homes})


# --- parts that are made when they are first asked

_Part = TypeVar("_Part")

#: What stands in for a part answers this where the part is to be made, and asked itself.
MAKE = object()


def later(make: Callable[[], _Part], meanwhile: Mapping[str, Any]) -> _Part:
    """What `make()` makes when it is first asked for something that `meanwhile` does not say.

    `meanwhile` are its attributes until then, by name. Of a method it is a function that answers in its place; if that says
    `MAKE` the part is made and asked. Whoever has been given such a method asks the part as soon as there is one.
    """
    return cast("_Part", _Later(make, meanwhile))


class _Later:
    """See `later()`. The names of its own attributes are such as no part has."""

    __slots__ = ("_later_make", "_later_meanwhile", "_later_part")

    _later_make: Callable[[], Any]
    _later_meanwhile: Mapping[str, Any]
    _later_part: Any

    def __init__(self, make: Callable[[], Any], meanwhile: Mapping[str, Any]) -> None:
        for name, value in (("make", make), ("meanwhile", meanwhile), ("part", None)):
            object.__setattr__(self, f"_later_{name}", value)

    def __getattr__(self, name: str) -> Any:
        if self._later_part is not None or name not in self._later_meanwhile:
            return getattr(_made(self), name)
        found = self._later_meanwhile[name]
        return partial(_ask, self, name) if callable(found) else found

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_made(self), name, value)


def _ask(stand_in: _Later, name: str, *args: Any, **keywords: Any) -> Any:
    if stand_in._later_part is None:
        answer = stand_in._later_meanwhile[name](*args, **keywords)
        if answer is not MAKE:
            return answer
    return getattr(_made(stand_in), name)(*args, **keywords)


def _made(stand_in: _Later) -> Any:
    part = stand_in._later_part
    if part is None:
        part = stand_in._later_make()
        object.__setattr__(stand_in, "_later_part", part)
        # what it was made of is the part's own now
        object.__setattr__(stand_in, "_later_make", None)
    return part

"""The public names of a package, imported when they are asked for (PEP 562)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

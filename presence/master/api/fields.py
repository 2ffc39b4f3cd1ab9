"""The types of what is in a field of an entity; and filters and orders of Buildbot's API, applied to entities in which a field
may be null.

Buildbot compares whatever it is asked to compare, and answers with an internal error where that cannot be done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.data import exceptions, types

from presence.master.compat import Entity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# what cannot be asked of a null
_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "contains"})


class Instant(types.Instance):
    """Seconds since the epoch: the type of a field of an entity."""

    name = "instant"
    doc = "seconds since the epoch, a number that need not be whole"
    types = (int, float)
    ramlType = "number"
    graphQLType = "Float"

    def valueFromString(self, arg: Any) -> float:
        """The number that somebody has written as the value of a filter."""
        return float(arg)


#: A text, or null.
NullableText = types.NoneOk(types.String())

#: An instant, or null.
NullableInstant = types.NoneOk(Instant())


class HoldType(Entity):
    """One reason why a worker does not accept builds."""

    source = types.String()
    reason = NullableText
    by = NullableText
    since = Instant()
    until = NullableInstant


class BreakType(Entity):
    """A break as it happens; `stop` is null where no end is in sight.

    `finish_before`: no build starts that would still run in it. `interrupts_at`: when what runs in it is interrupted.
    """

    start = Instant()
    stop = NullableInstant
    reason = NullableText
    finish_before = types.Boolean()
    interrupts_at = NullableInstant


class PartialBreakType(Entity):
    """A break in which some builds may start; `limit` says which ones."""

    start = Instant()
    stop = NullableInstant
    reason = NullableText
    finish_before = types.Boolean()
    interrupts_at = NullableInstant
    limit = types.String()


class LimitType(Entity):
    """What may start in a partial break that is now, and until when."""

    limit = types.String()
    until = NullableInstant


class RefusedType(Entity):
    """A builder whose builds wait, as they would not be finished by `finish_by`, when a break begins."""

    builder = types.String()
    reason = types.String()
    until = NullableInstant
    finish_by = NullableInstant


class BlockType(Entity):
    """Why nothing would start on a worker that is idle and that nothing holds: ``lock`` or ``reconfig``, and a text for people."""

    kind = types.String()
    text = types.String()


class DrainType(Entity):
    """How a worker is drained: ``draining`` until nothing runs on it, nor on another one of the group."""

    state = types.String()
    deadline = NullableInstant
    on_deadline = types.String()
    group = NullableText


def select(resultSpec: Any, entityType: Any, entities: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Those of the entities that `resultSpec` asks for. What is left in it, Buildbot can do.

    A null compares with nothing, and contains nothing. Raises `InvalidQueryParameter` for what makes no sense.
    """
    _check_page(resultSpec)
    for name in resultSpec.order or ():
        _check_order(name.removeprefix("-"), entityType)
    for each in resultSpec.filters:
        _check_filter(each.field, each.op, entityType)
    selected: list[Any] = list(entities)
    for each in resultSpec.filters:
        if each.op in _COMPARISONS:
            selected = [entity for entity in selected if entity[each.field] is not None]
        selected = list(each.apply(selected))
    resultSpec.filters = []
    return selected


def _check_page(spec: Any) -> None:
    for name in ("limit", "offset"):
        value = getattr(spec, name)
        if value is not None and value < 0:
            raise exceptions.InvalidQueryParameter(f"invalid {name} {value}: it is 0 or more")


def _check_order(name: str, entityType: Any) -> None:
    if not _is_scalar(entityType.fields[name]):
        raise exceptions.InvalidQueryParameter(
            f"cannot order by '{name}': order by one of {', '.join(_scalars(entityType))}"
        )


def _check_filter(name: str, op: str, entityType: Any) -> None:
    kind = entityType.fields[name]
    if isinstance(kind, types.List):
        fits = op == "contains"
        right = f"{name}__contains"
    else:
        kind = getattr(kind, "nestedType", kind)
        fits = _is_scalar(kind) and (op != "contains" or isinstance(kind, types.String))
        right = f"{name}, {name}__ne, {name}__lt, {name}__le, {name}__gt or {name}__ge"
    if not fits:
        raise exceptions.InvalidQueryParameter(f"cannot filter by '{name}__{op}': use {right}")


def _is_scalar(kind: Any) -> bool:
    kind = getattr(kind, "nestedType", kind)
    return isinstance(kind, (types.Integer, types.String, types.Boolean, Instant))


def _scalars(entityType: Any) -> list[str]:
    return sorted(name for name, kind in entityType.fields.items() if _is_scalar(kind))

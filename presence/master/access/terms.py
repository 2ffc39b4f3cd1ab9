"""What `PresenceService` says of the operator: which roles, and which group beside the account of the master."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot import config

if TYPE_CHECKING:
    from presence.master.access.operator import Operator


class OperatorTerms:
    """Made of `operator=` and `operatorGroup=`. Each mistake is a `config.error`."""

    def __init__(self, operator: Any = None, operatorGroup: Any = None) -> None:
        self._roles = _roles(operator)
        self._group = None if operatorGroup is None else _group(operatorGroup)
        if operatorGroup is not None and operator is None:
            config.error(
                f"PresenceService: operatorGroup={operatorGroup!r} says who may be the operator: give operator= as well, the "
                'role that the operator has, as in operator="admins"'
            )

    def apply(self, operator: Operator) -> None:
        """Let there be this operator, or none."""
        if self._roles is None:
            operator.forbid()
        else:
            operator.allow(self._roles, self._group)


def _roles(operator: Any) -> tuple[str, ...] | None:
    if operator is None:
        return None
    roles = (operator,) if isinstance(operator, str) else operator
    if isinstance(roles, (list, tuple, set, frozenset)) and all(
        isinstance(each, str) and each for each in roles
    ):
        return tuple(roles)
    config.error(
        f"PresenceService: operator={operator!r} is not right: give a role of your util.Authz rules, or a list of roles, as in "
        'operator="admins"'
    )
    return None


def _group(group: Any) -> int | None:
    try:
        import grp  # noqa: PLC0415 (Unix alone has it)
    except ImportError:
        config.error(
            f"PresenceService: operatorGroup={group!r} cannot be had on this system: give the group the right to read the "
            "master's directory"
        )
        return None
    try:
        if isinstance(group, str):
            return grp.getgrnam(group).gr_gid
        if isinstance(group, int) and not isinstance(group, bool):
            return grp.getgrgid(group).gr_gid
    except (KeyError, OverflowError):
        pass
    config.error(
        f"PresenceService: operatorGroup={group!r} is not a group of this machine: give its name, or its number"
    )
    return None

"""What the endpoints have in common that are about a whole master."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.data import base, exceptions

from presence.master.api.endpoints import readApiOrder

if TYPE_CHECKING:
    from collections.abc import Callable


class MasterEndpoint(base.Endpoint):
    """An endpoint about this master."""

    kind = base.EndpointKind.SINGLE

    def isHere(self, kwargs: dict[str, Any]) -> bool:
        """Whether the path is about this master, and not about another one."""
        return bool(kwargs.get("masterid", self.master.masterid) == self.master.masterid)

    def readOrder(
        self, read: Callable[..., Any], action: str, args: dict[str, Any], kwargs: dict[str, Any]
    ) -> tuple[Any, str | None]:
        """See `readApiOrder()`. It has to be for this master."""
        order = readApiOrder(read, action, args, self.master.reactor.seconds())
        if not self.isHere(kwargs):
            raise exceptions.InvalidPathError(
                f"master {kwargs['masterid']} is not this one: ask that one, at its own URL"
            )
        return order

"""Whether an order that is stored is heeded, and by whom."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The names of the masters that have a worker: those that heed the order, and those that have not confirmed that.

    A worker that no master has builds nothing, and whoever will have it reads first what is stored.
    """

    heededBy: tuple[str, ...] = ()
    notConfirmed: tuple[str, ...] = ()

    @property
    def isHeeded(self) -> bool:
        """Whether no master that has the worker starts a build there that the order forbids, as far as that has been said."""
        return not self.notConfirmed

    @property
    def text(self) -> str | None:
        """What is to be said of an order that is not heeded; None of one that is."""
        if self.isHeeded:
            return None
        masters = " and ".join(self.notConfirmed)
        one = len(self.notConfirmed) == 1
        return f"stored; {'master' if one else 'masters'} {masters} {'has' if one else 'have'} not confirmed"

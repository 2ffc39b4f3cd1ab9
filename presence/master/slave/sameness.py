"""Which workers are the same, answered at once in the common case."""

from __future__ import annotations

from presence.master.slave.part import SlavePart


class Sameness(SlavePart):
    """Equality of workers: what it means is Buildbot's, and most questions are answered without Buildbot.

    `ComparableMixin` walks the class tree for the attributes to compare, each time anew, to find that the names differ. And
    when a worker connects, each of its builders compares it with every worker that is there already.
    """

    def __eq__(self, them: object) -> bool:
        if self is them:
            return True
        # the name is one of the attributes that are compared
        if type(self) is not type(them) or self.name != them.name:  # type: ignore[attr-defined]
            return False
        return bool(super().__eq__(them))

    def __ne__(self, them: object) -> bool:
        return not self == them

    def __hash__(self) -> int:
        # equal workers have the same; and, unlike Buildbot's, it stays when a worker is configured anew
        return hash((type(self), self.name))  # type: ignore[attr-defined]

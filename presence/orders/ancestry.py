"""From which processes an order came: one that is given by a step of a build must not wait for the end of that build."""

from __future__ import annotations

from presence.orders.reading import Parameter

#: The processes, each "PID DIRECTORY", if one of them may be a Buildbot's. Who has said them is answered which builds they belong to.
ANCESTORS = {"ancestors": Parameter("texts", "the processes from which it is ordered")}

"""What the workers of a farm are counted as: each worker is one of these, and each has a word.

The page makes its chips, signs and filters of them (`farm/kinds.js`); it gets them as data (`pages.py`). With them go the
words for drains and stops that have a deadline.
"""

from __future__ import annotations

#: By kind: the word, in a count ("20 available, 6 busy") and for one worker. Those that can build come first.
KINDS = {
    "available": "available",
    "busy": "busy",
    "partial": "in a partial break",
    "locked": "waiting for a lock",
    "break": "on a break",
    "held": "held",
    "draining": "draining",
    "drained": "drained",
    "stopping": "stopping",
    "offline": "not connected",
}

#: The kind of a worker by the source of its first hold; by any other source it is held.
KIND_OF_SOURCE = {"offline": "offline", "break": "break"}

#: The kind of a worker that nothing holds, by what keeps every build from it all the same; by anything else it is held.
KIND_OF_BLOCK = {"lock": "locked"}

#: What may happen at the deadline of a drain to what still runs, to choose from.
DRAIN_ENDS = {
    "interrupt": "what still runs is interrupted, and built again elsewhere",
    "release": "the drain is given up, and it accepts builds again",
}

#: What is said of a drain that has one, by what was chosen: `{at}` is when (see `atText()`).
DRAIN_DEADLINE = {"interrupt": "builds are interrupted {at}", "release": "given up {at}"}

#: What happens at the deadline of a master that stops.
STOP_ENDS = {
    "abort": "it goes on as before",
    "interrupt": "what still runs is interrupted, and built again when it is started",
}

#: What is said of that deadline: `{at}` is when, `{then}` what happens.
STOP_DEADLINE = "if something still runs {at}: {then}"

#: What is said of the hours in which a builder cannot build.
NONE_READY, NO_WORKERS = "none of its workers is ready", "it has no workers"

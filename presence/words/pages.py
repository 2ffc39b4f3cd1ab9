"""The ES modules that both pages share: the words as data, and what makes sentences of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from presence.words import breaks, holds, kinds, returning, sensors, waiting

_SENTENCES = ("holds.js", "waiting.js")
_WORDS = "wordlist.js"


@cache
def pageModules() -> dict[str, bytes]:
    """The content of each module by the name of its file. They import each other from the folder of the page."""
    words = {
        "states": holds.STATES,
        "does": holds.DOES,
        "holds": holds.HOLDS,
        "drain": holds.DRAIN,
        "forOwner": holds.FOR_OWNER,
        "owner": holds.OWNER,
        "why": holds.WHY,
        "since": holds.SINCE,
        "until": holds.UNTIL,
        "open": holds.OPEN,
        "says": sensors.SAYS,
        "quiet": sensors.QUIET,
        "returning": returning.RETURNING,
        "sentBack": returning.SENT_BACK,
        "ends": holds.ENDS,
        "sensor": holds.SENSOR,
        "waiting": {
            "more": waiting.MORE,
            "and": waiting.AND,
            "beginnings": waiting.BEGINNINGS,
            "at": waiting.AT,
            "about": waiting.ABOUT,
            "unknown": waiting.UNKNOWN,
            "now": waiting.NOW,
            "kinds": waiting.KINDS,
        },
        "kinds": {
            "names": kinds.KINDS,
            "ofSource": kinds.KIND_OF_SOURCE,
            "ofBlock": kinds.KIND_OF_BLOCK,
            "drainEnds": kinds.DRAIN_ENDS,
            "drainDeadline": kinds.DRAIN_DEADLINE,
            "stopEnds": kinds.STOP_ENDS,
            "stopDeadline": kinds.STOP_DEADLINE,
            "noneReady": kinds.NONE_READY,
            "noWorkers": kinds.NO_WORKERS,
        },
        "builderOnly": waiting.BUILDER_ONLY,
        "finishBefore": breaks.FINISH_BEFORE,
        "interrupts": breaks.INTERRUPTS,
        "partial": breaks.PARTIAL,
    }
    return {
        **{name: (Path(__file__).parent / name).read_bytes() for name in _SENTENCES},
        _WORDS: f"export default {json.dumps(words, indent=2)};\n".encode(),
    }

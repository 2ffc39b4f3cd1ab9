"""The ES modules that both pages share: the words as data, and what makes sentences of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from presence.words import holds

_SENTENCES = "holds.js"
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
        "ends": holds.ENDS,
        "sensor": holds.SENSOR,
    }
    return {
        _SENTENCES: (Path(__file__).parent / _SENTENCES).read_bytes(),
        _WORDS: f"export default {json.dumps(words, indent=2)};\n".encode(),
    }

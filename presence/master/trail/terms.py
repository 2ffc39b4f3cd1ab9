"""What `PresenceService` says of the trail: whether there is one, and how large it may get."""

from __future__ import annotations

import re
from typing import Any

from buildbot import config

#: How large it is unless somebody says so, and may be, in bytes.
DEFAULT, LEAST, MOST = 10 * 2**20, 2**20, 10 * 2**30

_SIZE = re.compile(r"([0-9]{1,12})\s*([KMG]?)i?B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def trailSize(trail: Any) -> int | None:
    """The size of the trail in bytes that `trail=` means; None where there is to be none. Each mistake is a `config.error`."""
    if trail is None or trail is False:
        return None
    if trail is True:
        return DEFAULT
    size = trail
    if isinstance(trail, str) and (match := _SIZE.fullmatch(trail.strip())):
        size = int(match[1]) * _UNITS[match[2].upper()]
    if isinstance(size, int) and LEAST <= size <= MOST:
        return size
    config.error(
        f"PresenceService: trail={trail!r} is not right: give True (which is 10 MB), or how large it may get, from "
        '"1M" to "10G"'
    )
    return None

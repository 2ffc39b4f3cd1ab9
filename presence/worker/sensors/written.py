"""What people write about sensors: quiet times, sizes, names."""

from __future__ import annotations

import re

from presence.calendar.durations import duration
from presence.calendar.instants import isFinite
from presence.text import shown

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_TEN = 10.0


def seconds(what: str, value: object) -> float:
    """How long `value` says: seconds as a number (0 is none), or text as in ``"15m"``. `ValueError` if not."""
    if isinstance(value, str):
        if value.strip() == "0":
            return 0.0
        try:
            return float(duration(value))
        except ValueError as problem:
            raise ValueError(f"{what}: {problem}") from None
    if isFinite(value) and value >= 0:
        return float(value)
    raise ValueError(f'{what}={shown(value)} is not a duration: write "15m", or a number of seconds')


def size(what: str, value: object) -> int:
    """How many bytes `value` says: a number, or text as in ``"5G"`` (of 1024³ each). `ValueError` if not, and for none."""
    found = 0
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        # what has that many digits is no size
        if match is not None and len(match[1]) <= 20:  # noqa: PLR2004
            found = int(float(match[1]) * _UNITS[match[2].upper()])
    elif isFinite(value):
        found = int(value)
    if found < 1:
        raise ValueError(f'{what}={shown(value)} is not a size: write "5G", "500M", or a number of bytes')
    return found


def sizeText(count: float) -> str:
    """A number of bytes for people: ``"4.2 GB"``, ``"512 MB"``. 1024 of each are one of the next."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1024:  # noqa: PLR2004
            return f"{count:.1f} {unit}" if count < _TEN and unit != "bytes" else f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def number(what: str, value: object) -> float:
    """The number above 0 that `value` is, or says as text. `ValueError` if not."""
    try:
        found: object = float(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isFinite(found) and found > 0:
        return float(found)
    raise ValueError(f"{what}={shown(value)} is not a number above 0: write 1.5")


def text(what: str, value: object) -> str:
    """The text that `value` is, on one line and not empty. `ValueError` if not."""
    if isinstance(value, str) and value.strip() and "\n" not in value and "\0" not in value:
        return value.strip()
    raise ValueError(f"{what}: {shown(value)} is not a line of text")

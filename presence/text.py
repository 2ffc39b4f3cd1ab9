"""Lines of text from people, and what is said of values that are wrong: how long, what may be in them, how they are shown."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How long the reason of a hold or a break may be, in characters.
MAX_REASON = 512

#: How long a name (who placed a hold, a builder) may be, in characters.
MAX_NAME = 128

# how much of a wrong value is shown
_SHOWN = 60
_SHOWN_BITS = 128


def readLine(value: object, limit: int) -> str:
    """`value`, if it is one line of readable text of at most `limit` characters. `ValueError` if not."""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not text: write a string")  # noqa: TRY004 (mistakes are ValueErrors)
    if len(value) > limit:
        raise ValueError(f"it has {len(value)} characters, and at most {limit} are allowed")
    # what is printable is readable: to look at each character costs ten times as much as all else of a message
    for character in () if value.isprintable() else value:
        if not _is_readable(character):
            raise ValueError(f"it contains {character!a}: write plain text on one line")
    return value


def readReason(value: object) -> str | None:
    """The reason that `value` is: one line of text, without blanks around it; None when there is none in it.

    Raises `ValueError` for what is not text, too long or not readable.
    """
    return readLine(value.strip() if isinstance(value, str) else value, MAX_REASON) or None


def cut(text: str | None, limit: int) -> str | None:
    """`text` made one readable line that is not longer than `limit`; None stays None."""
    if text is None:
        return None
    line = (
        text
        if text.isprintable()
        else "".join(character if _is_readable(character) else " " for character in text)
    )
    return line if len(line) <= limit else line[: limit - 1] + "…"


def plain(text: str) -> str:
    """The text of people, or of whoever is at the other end, without what a terminal would obey, or what turns it around."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def shown(value: object) -> str:
    """`value` as an error shows it: short and in ASCII, and no code of a foreign object is run for it."""
    if value is None or type(value) is bool or type(value) is float:
        return repr(value)
    if type(value) is int:
        return repr(value) if value.bit_length() <= _SHOWN_BITS else "(a huge number)"
    if type(value) is str:
        # what is escaped is longer than what it was
        text = ascii(value[:_SHOWN])
        return text if len(value) <= _SHOWN and len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return f"(a {ascii(type(value).__name__[:_SHOWN])[1:-1]})"


def suggestion(name: str, known: Iterable[str], mark: str = "") -> str:
    """How an error about an unknown `name` goes on: with the one of `known` that was probably meant, or with all of them.

    `mark` is written after a name, as in ``passwd=``.
    """
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name[:_SHOWN].lower(), by_lower, n=1)
    if close:
        return f": did you mean {by_lower[close[0]]}{mark}?"
    return f": there {'is' if len(by_lower) == 1 else 'are'} {', '.join(by_lower.values()) or 'none'}"


def oneOf(value: object, choices: Iterable[str]) -> str:
    """`value`, if it is one of `choices`. `ValueError` if not."""
    choices = tuple(choices)
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError(f"{shown(value)} is not one of {', '.join(choices)}")


def _is_readable(character: str) -> bool:
    """No control character (a line in a log stays one line) and no half of a surrogate pair (UTF-8 has none)."""
    code = ord(character)
    return not (code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0x2028, 0x2029))  # noqa: PLR2004


def readText(value: object) -> str | None:
    """`value`, if it is text or None. `ValueError` if not."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    return value

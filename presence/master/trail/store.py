"""The files of the trail: private, bounded, and read from their ends. Everything here may take its time, or hang."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from presence import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: What the newest file is called; the older ones have a number after it.
FILENAME = "presence-trail.jsonl"

#: In how many files it is kept: when one is full the oldest goes.
FILES = 4

# How much of a file is read, at least.
_LARGE = 64 * 2**20


class TrailStore:
    """The trail in `directory`, which takes at most `size` bytes. Every method raises `OSError`."""

    def __init__(self, directory: Path, size: int) -> None:
        self._directory = directory
        self._most = size // FILES

    def append(self, lines: bytes) -> None:
        """Write these lines at the end: all of them, or none."""
        with files.Directory(self._directory) as directory:
            if directory.append(FILENAME, lines, most=self._most):
                return
            for number in range(FILES - 1, 0, -1):
                directory.rename(_name(number - 1), _name(number))
            directory.append(FILENAME, lines)

    def read(
        self, wanted: Callable[[dict[str, Any]], bool], most: int, text: str = ""
    ) -> list[dict[str, Any]]:
        """The entries that are `wanted`, the newest first, and no more than so many. `text` is in the line of each of them.

        A line that was damaged is left out.
        """
        found: list[dict[str, Any]] = []
        for line in self._lines():
            if text and text.encode() not in line:
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and wanted(entry):
                found.append(entry)
                if len(found) >= most:
                    break
        return found

    def _lines(self) -> Iterator[bytes]:
        with files.Directory(self._directory) as directory:
            for number in range(FILES):
                try:
                    # (one line may have made it a little longer; or it is of another configuration)
                    content, _ = directory.read(_name(number), max(2 * self._most, _LARGE))
                except FileNotFoundError:
                    continue
                yield from reversed(content.splitlines())


def _name(number: int) -> str:
    return f"{FILENAME}.{number}" if number else FILENAME


def toLine(entry: dict[str, Any]) -> bytes:
    """The entry as a line."""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"

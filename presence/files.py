"""Files that nobody but the account of the worker may read (where there are file modes)."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def writePrivately(path: Path, content: bytes, *, lasting: bool = False) -> None:
    """Let `path` contain this; there is the old content or the new one, at every instant. With `lasting` it is
    on the disk when this returns. Raises `OSError`.
    """
    fresh = path.with_name(path.name + ".new")
    with suppress(FileNotFoundError):  # of a process that was killed
        fresh.unlink()
    # private from its first moment
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        if lasting:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)
    if lasting:
        _sync_directory(path.parent)


def remove(path: Path) -> None:
    """Let there be no `path`, if that can be done."""
    with suppress(OSError):
        path.unlink()


def _sync_directory(path: Path) -> None:
    if os.name != "posix":
        return  # a directory cannot be opened there, and need not be
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems of networks cannot do it
            os.fsync(descriptor)
    finally:
        os.close(descriptor)

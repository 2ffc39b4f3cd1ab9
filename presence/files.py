"""Small files in a directory that may belong to somebody else: private, whole at every instant, and no links.

Everything is done relative to a directory that is held open, and to descriptors of files that are open: what has been
looked at is what is changed, whoever renames things in the meantime. A link is never followed, and what is not a
regular file is not opened for long enough to hang. (Windows has no such descriptors, and its file modes keep nobody out:
there the permissions of the directory have to.)
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from errno import EINVAL
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

#: The mode of a file that is for the account alone which has written it.
PRIVATE = 0o600

# What is being written, until it takes its place.
_FRESH = ".new"

_DESCRIPTORS = {os.open, os.unlink, os.rename} <= os.supports_dir_fd

# The names that one system has and the other has not.
_BINARY: int = getattr(os, "O_BINARY", 0)
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | _BINARY | _NO_LINK | getattr(os, "O_NONBLOCK", 0)
_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY | _NO_LINK | getattr(os, "O_NONBLOCK", 0)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NO_LINK

# On Windows a file that another process has open cannot be replaced: how often it is tried, and how long between, in seconds.
_TRIES = 10
_PAUSE = 0.05


class Directory:
    """The directory `path`, held open from the beginning of a `with` to its end. Raises `OSError`, as all of it does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        if _DESCRIPTORS:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def read(self, name: str, limit: int) -> tuple[bytes, os.stat_result]:
        """What the file contains, of more than `limit` bytes the first ones; and what the system says of it."""
        descriptor = os.open(self._at(name), _READ, **self._within)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(EINVAL, "it is not a regular file", str(self._path / name))
            return file.read(limit), found

    def write(
        self,
        name: str,
        content: bytes,
        *,
        mode: int = PRIVATE,
        owner: tuple[int, int] | None = None,
        lasting: bool = False,
    ) -> None:
        """Let the file contain this: there is the old content or the new one, at every instant. With `lasting` it is
        on the disk when this returns. `owner` are the numbers of a user and a group, for whoever may give a file away.
        """
        fresh = name + _FRESH
        self.remove(fresh)  # of a process that was killed
        # private from its first moment
        descriptor = os.open(self._at(fresh), _WRITE, PRIVATE, **self._within)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if owner is not None:
                    os.fchown(descriptor, *owner)
                if mode != PRIVATE and hasattr(os, "fchmod"):
                    os.fchmod(descriptor, stat.S_IMODE(mode) & 0o777)
                if lasting:
                    os.fsync(descriptor)
            self._replace(fresh, name)
        except OSError:
            self.remove(fresh)
            raise
        if lasting and self._descriptor is not None:
            with suppress(OSError):  # some file systems of networks cannot do it
                os.fsync(self._descriptor)

    def append(self, name: str, content: bytes, most: int | None = None) -> bool:
        """Let the file end with this, in a line of its own: all of it, or none when that fails. Whether it was done: not when the file would be
        longer than `most` bytes with it, unless it is empty.
        """
        descriptor = os.open(self._at(name), _APPEND, PRIVATE, **self._within)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(EINVAL, "it is not a regular file", str(self._path / name))
            size = found.st_size
            if most is not None and size and size + len(content) > most:
                return False
            if size:
                os.lseek(descriptor, size - 1, os.SEEK_SET)
                # of a process that was killed
                content = content if os.read(descriptor, 1) == b"\n" else b"\n" + content
            try:
                while content:
                    content = content[os.write(descriptor, content) :]
            except OSError:
                with suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
        return True

    def rename(self, name: str, to: str) -> None:
        """Let the file be called so, instead of the one that is called so now; if there is one."""
        with suppress(FileNotFoundError):
            self._replace(name, to)

    def remove(self, name: str) -> None:
        """Let there be no such file, if that can be done."""
        with suppress(OSError):
            os.unlink(self._at(name), **self._within)

    def _replace(self, fresh: str, name: str) -> None:
        where: dict[str, Any] = (
            {}
            if self._descriptor is None
            else {"src_dir_fd": self._descriptor, "dst_dir_fd": self._descriptor}
        )
        for left in reversed(range(1 if os.name == "posix" else _TRIES)):
            try:
                os.replace(self._at(fresh), self._at(name), **where)  # noqa: PTH105 (it knows no descriptors)
            except PermissionError:  # noqa: PERF203 (it is tried again)
                if not left:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    @property
    def _within(self) -> dict[str, Any]:
        return {} if self._descriptor is None else {"dir_fd": self._descriptor}

    def _at(self, name: str) -> str:
        return str(self._path / name) if self._descriptor is None else name


def read(path: Path, limit: int) -> bytes:
    """What the file contains, of more than `limit` bytes the first ones. Raises `OSError`, also for a link."""
    with Directory(path.parent) as directory:
        return directory.read(path.name, limit)[0]


def write(
    path: Path,
    content: bytes,
    *,
    mode: int = PRIVATE,
    owner: tuple[int, int] | None = None,
    lasting: bool = False,
) -> None:
    """Let the file contain this, as `Directory.write` does. Raises `OSError`."""
    with Directory(path.parent) as directory:
        directory.write(path.name, content, mode=mode, owner=owner, lasting=lasting)


def remove(path: Path) -> None:
    """Let there be no such file, if that can be done."""
    with suppress(OSError), Directory(path.parent) as directory:
        directory.remove(path.name)


class Lock:
    """A directory that one process at a time may call its own. It leaves no file, and goes with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Whether nobody else has it: where directories cannot be locked, nobody is known to."""
        if not _DESCRIPTORS or self._descriptor is not None:
            return True
        from fcntl import LOCK_EX, LOCK_NB, flock  # noqa: PLC0415 (Unix alone has it)

        with suppress(OSError):
            descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                flock(descriptor, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            except OSError:  # a file system of a network that cannot do it
                os.close(descriptor)
            else:
                self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let another one have it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

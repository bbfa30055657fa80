"""The file layer of the ledger: the few calls it makes of the operating system, so that each can be made to fail.

Nothing is durable before ``sync`` (content) or ``sync_directory`` (names) returned.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

PRIVATE = 0o600
PRIVATE_DIRECTORY = 0o700


class Files(Protocol):
    """What the ledger asks of files. Every method raises OSError when it fails."""

    def open(self, path: Path) -> int:
        """A handle to read and write by; the file is made, private to its owner, where it is missing."""
        ...

    def close(self, handle: int) -> None:
        """Return the handle back."""
        ...

    def read(self, path: Path, offset: int = 0, length: int = -1) -> bytes:
        """The content from ``offset`` on, at most ``length`` bytes of it unless negative."""
        ...

    def write(self, handle: int, data: bytes, offset: int) -> None:
        """Write all of ``data`` at ``offset``."""
        ...

    def sync(self, handle: int) -> None:
        """Return once content and size are durable."""
        ...

    def allocate(self, handle: int, size: int) -> None:
        """Make the file at least ``size`` bytes long, of zeros where it was shorter, with its room reserved."""
        ...

    def truncate(self, handle: int, size: int) -> None:
        """Cut the file."""
        ...

    def replace(self, source: Path, target: Path) -> None:
        """Rename in one step."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file."""
        ...

    def names(self, directory: Path) -> list[str]:
        """The names in a directory, sorted; none where there is no directory."""
        ...

    def make_directory(self, path: Path) -> None:
        """Make a directory private to its owner, with those above it; it may exist."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Return once the names in a directory are durable."""
        ...

    def mode(self, path: Path) -> int:
        """The permission bits of a file or directory."""
        ...

    def lock(self, path: Path) -> int:
        """A handle that no other process can have at the same time; BlockingIOError when one has it."""
        ...


class OsFiles:
    """The files of the operating system (POSIX)."""

    def open(self, path: Path) -> int:
        """Open, or create with mode 0600."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)

    def close(self, handle: int) -> None:
        """Close."""
        os.close(handle)

    def read(self, path: Path, offset: int = 0, length: int = -1) -> bytes:
        """Read in one go."""
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def write(self, handle: int, data: bytes, offset: int) -> None:
        """Write until all is written: the system may take less at a time."""
        done = os.pwrite(handle, data, offset)
        while done < len(data):
            done += os.pwrite(handle, data[done:], offset + done)

    def sync(self, handle: int) -> None:
        """Flush the content, and on macOS the drive's cache as well."""
        if sys.platform == "darwin":
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(handle)

    def allocate(self, handle: int, size: int) -> None:
        """Reserve room, so that a full disk shows here and not in the middle of a batch."""
        if os.fstat(handle).st_size >= size:
            return
        with suppress(AttributeError):
            try:
                os.posix_fallocate(handle, 0, size)
            except OSError as error:
                if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:
                    raise
        if os.fstat(handle).st_size < size:
            os.ftruncate(handle, size)

    def truncate(self, handle: int, size: int) -> None:
        """Cut."""
        os.ftruncate(handle, size)

    def replace(self, source: Path, target: Path) -> None:
        """Rename over."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Unlink."""
        path.unlink()

    def names(self, directory: Path) -> list[str]:
        """List."""
        try:
            return sorted(path.name for path in directory.iterdir())
        except FileNotFoundError:
            return []

    def make_directory(self, path: Path) -> None:
        """Make with mode 0700."""
        for missing in reversed([path, *path.parents]):
            if not missing.exists():
                missing.mkdir(PRIVATE_DIRECTORY, exist_ok=True)

    def sync_directory(self, path: Path) -> None:
        """Flush the names."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def mode(self, path: Path) -> int:
        """Look at the permission bits."""
        return stat.S_IMODE(path.stat().st_mode)

    def lock(self, path: Path) -> int:
        """Lock with flock, which ends with the process."""
        handle = self.open(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise
        return handle


OS_FILES = OsFiles()


def write_whole(files: Files, path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step: after a crash there is the old content or the new one."""
    draft = path.with_name(path.name + ".draft")
    write_synced(files, draft, content)
    files.replace(draft, path)
    files.sync_directory(path.parent)


def write_synced(files: Files, path: Path, content: bytes) -> None:
    """Write a file over and make its content durable; its name is not yet."""
    handle = files.open(path)
    try:
        files.truncate(handle, len(content))
        files.write(handle, content, 0)
        files.sync(handle)
    finally:
        files.close(handle)

"""File layers that fail: at the n-th call, by a power cut that tears what was not synced, by forgetting to sync."""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from consentcrawl.ledger.files import Files, OsFiles

SECTOR = 512


class PowerCut(OSError):
    """The machine is off: this call and every later one fails."""


class FaultyFiles(OsFiles):
    """The system's files, of which the n-th changing call fails once, before or after half of its work."""

    def __init__(self, at: int, code: int) -> None:
        """Fail at the ``at``-th call (from 1; 0 never) with ``code``."""
        self.calls, self._at, self._code = 0, at, code
        self._turn = threading.Lock()

    @property
    def failed(self) -> bool:
        """Return whether the fault came."""
        return 0 < self._at <= self.calls

    def _count(self) -> None:
        with self._turn:
            self.calls += 1
            if self.calls == self._at:
                raise OSError(self._code, os.strerror(self._code))

    def open(self, path: Path) -> int:
        """Open, or fail."""
        self._count()
        return super().open(path)

    def write(self, handle: int, data: bytes, offset: int) -> None:
        """Write, or fail after half."""
        try:
            self._count()
        except OSError:
            super().write(handle, data[: len(data) // 2], offset)
            raise
        super().write(handle, data, offset)

    def sync(self, handle: int) -> None:
        """Sync, or fail."""
        self._count()
        super().sync(handle)

    def allocate(self, handle: int, size: int) -> None:
        """Allocate, or fail."""
        self._count()
        super().allocate(handle, size)

    def truncate(self, handle: int, size: int) -> None:
        """Truncate, or fail."""
        self._count()
        super().truncate(handle, size)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, or fail."""
        self._count()
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        """Remove, or fail."""
        self._count()
        super().remove(path)

    def sync_directory(self, path: Path) -> None:
        """Sync, or fail."""
        self._count()
        super().sync_directory(path)

    def make_directory(self, path: Path) -> None:
        """Make, or fail."""
        self._count()
        super().make_directory(path)


@dataclass
class Inode:
    """A file on the simulated disk: what is durable, and what the system would read now."""

    durable: bytes = b""
    now: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)

    def after_cut(self, chance: random.Random) -> bytes:
        """What a power cut leaves: size and each unsynced sector old, new or torn."""
        sizes = [len(self.durable), len(self.now)]
        size = chance.choice([*sizes, chance.randint(min(sizes), max(sizes))])
        left = bytearray(self.durable[:size].ljust(size, b"\0"))
        for sector in self.dirty:
            start, end = sector * SECTOR, min((sector + 1) * SECTOR, size)
            if start < end:
                new = bytes(self.now[start:end]).ljust(end - start, b"\0")
                left[start:end] = chance.choice([bytes(left[start:end]), new, chance.randbytes(end - start)])
        return bytes(left)


class Disk:
    """Files in memory whose unsynced sectors and names a power cut makes uncertain."""

    def __init__(self, cut_at: int = 0) -> None:
        """Cut the power at the ``cut_at``-th changing call (0: never)."""
        self.calls, self.cut_at = 0, cut_at
        self._turn = threading.RLock()
        self._names: dict[Path, Inode] = {}
        self._durable_names: dict[Path, Inode] = {}
        self._directories: set[Path] = set()
        self._handles: dict[int, Inode] = {}
        self._next = 1
        self._locked = False

    def after_cut(self, chance: random.Random) -> Disk:
        """The disk as the machine finds it when it comes up again."""
        disk = Disk()
        disk._directories = set(self._directories)
        for path in sorted(self._names.keys() | self._durable_names.keys()):
            inode = chance.choice([self._names.get(path), self._durable_names.get(path)])
            if inode is not None:
                left = inode.after_cut(chance)
                disk._names[path] = disk._durable_names[path] = Inode(left, bytearray(left))
        return disk

    def _step(self) -> None:
        self.calls += 1
        if self.cut_at and self.calls >= self.cut_at:
            raise PowerCut(errno.EIO, "power cut")

    def open(self, path: Path) -> int:
        """Open or create."""
        with self._turn:
            if path not in self._names:
                self._step()
                self._names[path] = Inode()
            self._handles[self._next] = self._names[path]
            self._next += 1
            return self._next - 1

    def close(self, handle: int) -> None:
        """Forget the handle."""
        self._handles.pop(handle, None)

    def read(self, path: Path, offset: int = 0, length: int = -1) -> bytes:
        """Read what is there now."""
        with self._turn:
            if path not in self._names:
                raise FileNotFoundError(str(path))
            now = self._names[path].now
            return bytes(now[offset:] if length < 0 else now[offset : offset + length])

    def write(self, handle: int, data: bytes, offset: int) -> None:
        """Write; at a cut some of the sectors were on their way."""
        with self._turn:
            inode = self._handles[handle]
            end = offset + len(data)
            inode.now.extend(bytes(max(0, end - len(inode.now))))
            inode.now[offset:end] = data
            inode.dirty.update(range(offset // SECTOR, -(-end // SECTOR)))
            self._step()

    def sync(self, handle: int) -> None:
        """Make content and size durable."""
        with self._turn:
            self._step()
            inode = self._handles[handle]
            inode.durable = bytes(inode.now)
            inode.dirty.clear()

    def allocate(self, handle: int, size: int) -> None:
        """Lengthen with zeros."""
        with self._turn:
            self._step()
            now = self._handles[handle].now
            now.extend(bytes(max(0, size - len(now))))

    def truncate(self, handle: int, size: int) -> None:
        """Cut or lengthen."""
        with self._turn:
            self._step()
            inode = self._handles[handle]
            del inode.now[size:]
            inode.now.extend(bytes(size - len(inode.now)))

    def replace(self, source: Path, target: Path) -> None:
        """Rename."""
        with self._turn:
            self._names[target] = self._names.pop(source)
            self._step()

    def remove(self, path: Path) -> None:
        """Unlink."""
        with self._turn:
            if path not in self._names:
                raise FileNotFoundError(str(path))
            del self._names[path]
            self._step()

    def names(self, directory: Path) -> list[str]:
        """List files."""
        with self._turn:
            return sorted(path.name for path in self._names if path.parent == directory)

    def make_directory(self, path: Path) -> None:
        """Directories are durable at once here."""
        with self._turn:
            self._directories.add(path)

    def sync_directory(self, path: Path) -> None:
        """Make the names in a directory durable."""
        with self._turn:
            self._step()
            for name in [name for name in self._durable_names if name.parent == path]:
                del self._durable_names[name]
            self._durable_names |= {name: inode for name, inode in self._names.items() if name.parent == path}

    def mode(self, path: Path) -> int:
        """Everything is private here."""
        with self._turn:
            if path not in self._names and path not in self._directories:
                raise FileNotFoundError(str(path))
            return 0o700 if path in self._directories else 0o600

    def lock(self, path: Path) -> int:
        """Lock; there is one process only."""
        return self.open(path)


class NoSync(Disk):
    """A disk whose writer forgets to sync what ``forgets`` picks by file name."""

    def __init__(self, cut_at: int = 0, forgets: Callable[[str], bool] = lambda _: True) -> None:
        """Forget for some files."""
        super().__init__(cut_at)
        self._forgets = forgets

    def sync(self, handle: int) -> None:
        """Sync, or not."""
        inode = self._handles[handle]
        names = [path.name for path, each in self._names.items() if each is inode]
        if not any(map(self._forgets, names)):
            super().sync(handle)


def as_files(disk: Disk) -> Files:
    """The disk as the ledger sees it (checked by mypy)."""
    return disk

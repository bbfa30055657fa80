"""Compiles an opt-out list, in memory that does not grow with it.

The file appears whole under its name, or not at all.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from consentcrawl.errors import BadInput
from consentcrawl.lists import keys, layout
from consentcrawl.lists.heaps import Heaps, write_index
from consentcrawl.lists.rows import BadRow, Row
from consentcrawl.lists.source import read

SUFFIX = ".optout"
BAD_SHOWN = 100
_PIECE = 1 << 20


@dataclass(slots=True)
class Built:
    """What became of a list: the file, its rows by kind, and the first bad rows with the number of all.

    ``repeated`` rows say what an earlier row says, of the same work and category: the earlier one is quoted.
    """

    path: Path
    kinds: Counter[str] = field(default_factory=Counter)
    bad: list[BadRow] = field(default_factory=list)
    bad_rows: int = 0
    repeated: int = 0


def compile_list(source: Path, name: str, directory: Path, *, distance: int = 4) -> Built:
    """Compile the rows of ``source`` into ``directory``; perceptual hashes match within ``distance`` bits.

    Raises BadInput for a source that cannot be read, and OSError.
    """
    if not 0 <= distance <= keys.MAX_DISTANCE or not name.replace("-", "").replace("_", "").isalnum():
        msg = f"a list has a name of letters, digits, - and _, and a distance of up to {keys.MAX_DISTANCE} bits"
        raise BadInput(msg)
    directory.mkdir(parents=True, exist_ok=True)
    built = Built(directory / (name + SUFFIX))
    with tempfile.TemporaryDirectory(dir=directory, prefix=".building-") as made:
        whole = Path(made) / "list"
        with whole.open("w+b") as file:
            facts = _write(file, _good(read(source), built), built, Heaps(Path(made)))
            facts |= {"name": name, "kinds": dict(built.kinds), "distance": distance, "source": source.name}
            facts |= {"bad": built.bad_rows, "repeated": built.repeated}
            facts |= {"built": datetime.now(UTC).isoformat(timespec="seconds")}
            file.seek(0)
            file.write(layout.pack(facts))
            file.flush()
            os.fsync(file.fileno())
        whole.replace(built.path)
    return built


def _good(found: Iterable[Row | BadRow], built: Built) -> Iterator[Row]:
    for row in found:
        if isinstance(row, Row):
            yield row
            continue
        built.bad_rows += 1
        if len(built.bad) < BAD_SHOWN:
            built.bad.append(row)


def _write(file: IO[bytes], rows: Iterable[Row], built: Built, heaps: Heaps) -> dict[str, Any]:
    """Write everything but the head; give what the head says of it."""
    file.write(bytes(layout.HEAD))
    at = layout.HEAD
    for row in rows:
        built.kinds[row.kind] += 1
        for entry in keys.entries(row, at):
            heaps.add(entry)
        at += file.write(row.text())
    sizes = (at - layout.HEAD, *write_index(file, at, heaps))
    built.repeated = heaps.repeated
    sections, start = {}, layout.HEAD
    for part, size in zip(layout.SECTIONS, sizes, strict=True):
        sections[part] = [start, size]
        start += size
    digests = {part: _digest(file, *place) for part, place in sections.items()}
    return {"entries": heaps.count, "sections": sections, "size": start, "sha256": digests}


def _digest(file: IO[bytes], start: int, length: int) -> str:
    file.seek(start)
    digest = sha256()
    while length and (piece := file.read(min(_PIECE, length))):
        digest.update(piece)
        length -= len(piece)
    return digest.hexdigest()

"""The bytes of a segment: batches in frames of length, CRC-32 and payload, each padded to the sector.

A write never touches a sector that holds acknowledged bytes, and a length of 0 is never a frame (the CRC-32 of
nothing is 0, so a run of zeros would look like frames).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

SECTOR = 512
LARGEST = 64 * 1024 * 1024
_HEADER = struct.Struct(">II")
_BATCH = struct.Struct(">QI")
_LENGTHS = [length.to_bytes(2, "big") for length in range(4096)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that became durable together, the index of the first, and what lies beside each (or nothing)."""

    first: int
    entries: list[bytes]
    personal: list[bytes]


def frame(payload: bytes, *, padded: bool = True) -> bytes:
    """One frame, padded with zeros to the sector unless told otherwise."""
    length = len(payload).to_bytes(4, "big")
    checked = b"".join((length, crc32(payload, crc32(length)).to_bytes(4, "big"), payload))
    return checked + bytes(-len(checked) % SECTOR if padded else 0)


def frame_size(data: bytes) -> int:
    """The size of the padded frame that begins with ``data``, or 0 when none does."""
    length = int.from_bytes(data[:4], "big")
    size = _HEADER.size + length
    return size + -size % SECTOR if 0 < length <= LARGEST else 0


def payload_at(data: bytes, at: int) -> bytes | None:
    """The payload of the frame that begins at ``at``, or None when there is no whole one."""
    if at + _HEADER.size > len(data):
        return None
    length, check = _HEADER.unpack_from(data, at)
    start = at + _HEADER.size
    if not 0 < length <= LARGEST or start + length > len(data):
        return None
    payload = data[start : start + length]
    return payload if crc32(payload, crc32(data[at : at + 4])) == check else None


def frames_in(data: bytes, at: int = 0, *, padded: bool = True) -> Iterator[tuple[int, bytes]]:
    """Where each frame ends, with its padding of zeros, and its payload; up to the first that is not whole."""
    while (payload := payload_at(data, at)) is not None:
        end = at + _HEADER.size + len(payload)
        at = end + (-end % SECTOR if padded else 0)
        if any(data[end:at]):
            return
        yield at, payload


def bundle(parts: Sequence[bytes]) -> bytes:
    """Parts prefixed with their length as uint16 (C2SP tlog-tiles, "Log entries")."""
    pieces = []
    for part in parts:
        length = len(part)
        pieces.append(_LENGTHS[length] if length < len(_LENGTHS) else length.to_bytes(2, "big"))
        pieces.append(part)
    return b"".join(pieces)


def unbundle(data: bytes) -> list[bytes]:
    """The parts of a bundle; ValueError when it ends within one."""
    parts = []
    at, end = 0, len(data)
    while at < end - 1:
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        parts.append(data[start:at])
    if at != end:
        msg = "the bundle ends within an entry"
        raise ValueError(msg)
    return parts


def batch_payload(batch: Batch) -> bytes:
    """The payload of a batch's frame."""
    entries = bundle(batch.entries)
    return _BATCH.pack(batch.first, len(entries)) + entries + bundle(batch.personal)


def batch_of(payload: bytes) -> Batch:
    """The batch in a payload; ValueError when it is none."""
    if len(payload) < _BATCH.size:
        msg = "too short for a batch"
        raise ValueError(msg)
    first, length = _BATCH.unpack_from(payload)
    middle = _BATCH.size + length
    batch = Batch(first, unbundle(payload[_BATCH.size : middle]), unbundle(payload[middle:]))
    if not batch.entries or len(batch.entries) != len(batch.personal):
        msg = "not one personal part for each entry"
        raise ValueError(msg)
    return batch


def torn_tail(data: bytes, index: int) -> int:
    """How many bytes, up to the last that is not zero, lie where entry ``index`` would begin; ValueError when damaged.

    The writer begins a batch only when the one before it is durable. So if a whole batch of later entries follows, what
    lies here is no torn write: it had been acknowledged.
    """
    torn = len(data.rstrip(b"\0"))
    for start in range(SECTOR, torn, SECTOR):
        payload = payload_at(data, start)
        if payload is not None and int.from_bytes(payload[:8], "big") > index:
            msg = f"entries from {index} on are damaged, and whole ones follow"
            raise ValueError(msg)
    return torn

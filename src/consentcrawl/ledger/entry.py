"""What one entry of the ledger is: canonical JSON, small, with its personal part outside it and committed to.

The same record always has the same bytes (RFC 8785 over ASCII keys, integers, no floats).
"""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from json.encoder import encode_basestring  # as ensure_ascii=False has it
from typing import Any

LIMIT = 65_535  # C2SP tlog-tiles, "Log entries": a bundle prefixes each entry with a uint16
SALT_BYTES = 16
ROW_SALT_BYTES = 8  # of each of a million rows: more than can be tried, and no more than that
_DEEPEST = 32
_LARGEST = 2**53 - 1  # RFC 8785 §3.2.2.3: numbers are IEEE 754 doubles

Part = tuple[bytes, bytes]
"""An entry, and the personal part beside it (or nothing)."""

KINDS = frozenset({
    "run-start", "policy", "verdict", "outcome", "clock-jump", "recovered-tail", "run-stop", "segment",
    "head", "merged", "erasure",
})  # fmt: skip

_to_json = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode
# Anything here may be a float or too large an integer, or stand in a string: then the record is looked at closely.
_doubtful = re.compile(rb"[:,\[]-?[0-9](?:[0-9]*[.e]|[0-9]{15})").search
_committed = re.compile(rb'[{,]"personal":"([A-Za-z0-9+/]{43}=)"').search


class BadEntry(ValueError):
    """A record that cannot become an entry: not plain, not of a known kind, or too long."""


def canonical(record: Mapping[str, Any]) -> bytes:
    """The bytes of a record of integers, strings, booleans, null, lists and dicts; BadEntry for anything else."""
    try:
        said = _to_json(record).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadEntry(str(error)) from error
    if not said.isascii() or _doubtful(said):
        _look_closely(record, 0)
    return said


def encode(record: Mapping[str, Any]) -> bytes:
    """The entry of a record of a known kind, at most 65,535 bytes; BadEntry otherwise."""
    if record.get("kind") not in KINDS:
        msg = f"not a kind of entry: {record.get('kind')!r}"
        raise BadEntry(msg)
    entry = canonical(record)
    if len(entry) > LIMIT:
        msg = f"an entry of {len(entry)} bytes; the most is {LIMIT}"
        raise BadEntry(msg)
    return entry


def decode(entry: bytes) -> dict[str, Any]:
    """The record of an entry; BadEntry when it is none."""
    try:
        record = json.loads(entry)
    except (ValueError, RecursionError) as error:
        raise BadEntry(str(error)) from error
    if not isinstance(record, dict):
        msg = "an entry is a JSON object"
        raise BadEntry(msg)
    return record


def commitment(personal: bytes) -> str:
    """H(salt || payload) of a personal part, as the entry names it."""
    return b2a_base64(sha256(personal).digest(), newline=False).decode()


def personal_part(urls: Sequence[str], salt: bytes) -> bytes:
    """The personal part that lies beside an entry: salt, then URLs as canonical JSON; BadEntry when too long."""
    try:
        personal = salt + _list(urls).encode()
    except UnicodeEncodeError as error:
        raise BadEntry(str(error)) from error
    if len(personal) > LIMIT:
        msg = f"a personal part of {len(personal)} bytes; the most is {LIMIT}"
        raise BadEntry(msg)
    return personal


def _list(urls: Sequence[str]) -> str:
    """``_to_json`` of a list of strings, but fast; the columns of a row may be null."""
    try:
        return f"[{','.join(map(encode_basestring, urls))}]"
    except TypeError:
        return _to_json(urls)


def urls_of(personal: bytes, salt: int = SALT_BYTES) -> list[str]:
    """The URLs of a personal part that begins with ``salt`` random bytes; an empty list when it was erased."""
    return list(json.loads(personal[salt:])) if personal else []


def commitment_in(entry: bytes) -> str:
    """The commitment that an entry makes to its personal part, or an empty string.

    Found in the bytes: inside a JSON string a quotation mark is always escaped, so this can only be a key.
    """
    found = _committed(entry)
    return found.group(1).decode() if found else ""


def _look_closely(value: object, depth: int) -> None:
    kind = type(value)
    if depth > _DEEPEST or kind is float or (isinstance(value, int) and abs(value) > _LARGEST):
        msg = f"not plain enough for an entry: {value!r:.60}"
        raise BadEntry(msg)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) and key.isascii() for key in value):
            msg = "keys are ASCII strings"  # RFC 8785 §3.2.3 sorts by UTF-16; over ASCII every order is the same
            raise BadEntry(msg)
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            _look_closely(part, depth + 1)

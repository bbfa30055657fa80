"""Signed tree heads: C2SP checkpoints (tlog-checkpoint) as C2SP signed notes, with Ed25519.

One checkpoint has one spelling; what could be written differently is refused, not repaired.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consentcrawl.ledger.tree import HASH_BYTES

_ED25519 = b"\x01"  # C2SP signed-note, "Signature types"
_ID_BYTES = 4
_MOST_SIGNATURES = 16  # C2SP signed-note, "Format": at least 16 must be accepted
_LARGEST_NOTE = 64 * 1024
_DASH = "\N{EM DASH} "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class BadCheckpoint(ValueError):
    """Not a checkpoint, not spelt in the one way, or not signed by a key that is known."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its origin, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed (C2SP tlog-checkpoint, "Note text")."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key's name and its 32 public bytes; ``str()`` is the form that is handed to others: ``name+id+key``."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x01 || public key)[:4] (C2SP signed-note, "Ed25519 signatures")."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        """The key as one line of text."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.public)}"

    def signed(self, text: str, signature: bytes) -> bool:
        """Return whether ``signature`` is this key's over ``text``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A key that signs: its name and its private half."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> VerifierKey:
        """The half that may be known to all."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def line(self, text: str) -> str:
        """The signature line of this key under ``text``."""
        signature = self.verifier.key_id + self.private.sign(text.encode())
        return f"{_DASH}{self.name} {_base64(signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note taken apart: its text, and name, key id and signature of each line below."""

    text: str
    lines: tuple[tuple[str, bytes, bytes], ...]


def new_key(name: str) -> SignerKey:
    """A fresh key."""
    _checked_name(name)
    return SignerKey(name, Ed25519PrivateKey.generate())


def sign(checkpoint: Checkpoint, signers: Iterable[SignerKey]) -> str:
    """The checkpoint as a signed note; at a change of keys the old and the new one both sign."""
    text = checkpoint.text
    return text + "\n" + "".join(signer.line(text) for signer in signers)


def parse_note(note: bytes) -> Note:
    """Take a signed note apart (C2SP signed-note, "Format"); BadCheckpoint when it is none."""
    if len(note) > _LARGEST_NOTE:
        raise BadCheckpoint(_message("too long"))
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise BadCheckpoint(_message("not UTF-8")) from error
    # The last empty line parts text and signatures.
    text, blank, signatures = whole.rpartition("\n\n")
    if not blank or not text or not signatures.endswith("\n") or _CONTROL.search(whole):
        raise BadCheckpoint(_message("not a signed note"))
    lines = signatures[:-1].split("\n")  # never splitlines(): it also parts at U+2028, U+0085 and others
    if len(lines) > _MOST_SIGNATURES:
        raise BadCheckpoint(_message("too many signatures"))
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def parse_text(text: str) -> Checkpoint:
    """The checkpoint in a note's text; extension lines are refused: nothing audits them."""
    parts = text.split("\n")
    if len(parts) != 4 or parts[3] or not parts[0] or not _SIZE.fullmatch(parts[1]):  # noqa: PLR2004 (three lines, ended)
        raise BadCheckpoint(_message("not origin, size and root"))
    root = _unbase64(parts[2])
    if len(root) != HASH_BYTES:
        raise BadCheckpoint(_message("the root is not 32 bytes"))
    return Checkpoint(parts[0], int(parts[1]), root)


def signers_of(note: Note, known: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The known keys that signed, in the order of their lines; BadCheckpoint when a known key's signature is wrong.

    Signatures of unknown keys are passed over (C2SP signed-note, "Signatures").
    """
    keys = {(key.name, key.key_id): key for key in known}
    found = []
    for name, key_id, signature in note.lines:
        key = keys.get((name, key_id))
        if key is not None and not key.signed(note.text, signature):
            raise BadCheckpoint(_message(f"the signature of {name} is wrong"))
        found += [key] if key is not None else []
    return tuple(found)


def open_checkpoint(note: bytes, known: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that at least one known key signed; BadCheckpoint otherwise."""
    parsed = parse_note(note)
    checkpoint = parse_text(parsed.text)
    if not signers_of(parsed, known):
        raise BadCheckpoint(_message("no known key signed it"))
    return checkpoint


def parse_verifier(line: str) -> VerifierKey:
    """The key in ``name+id+key``; BadCheckpoint when it is none or its id is another key's."""
    name, _, rest = line.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _unbase64(encoded)
    if raw[:1] != _ED25519 or len(raw) != 1 + HASH_BYTES:
        raise BadCheckpoint(_message("not an Ed25519 verifier key"))
    key = VerifierKey(_checked_name(name), raw[1:])
    if key.key_id.hex() != key_id:
        raise BadCheckpoint(_message("the key id belongs to another key"))
    return key


def _signature(line: str) -> tuple[str, bytes, bytes]:
    """Name, key id and signature of one line."""
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    raw = _unbase64(encoded)
    if not line.startswith(_DASH) or len(raw) <= _ID_BYTES:
        raise BadCheckpoint(_message("not a signature line"))
    return _checked_name(name), raw[:_ID_BYTES], raw[_ID_BYTES:]


def _checked_name(name: str) -> str:
    """The name of a key: not empty, without spaces and plus signs (C2SP signed-note, "Format")."""
    if not name or "+" in name or any(character.isspace() for character in name):
        raise BadCheckpoint(_message("not a key name"))
    return name


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _unbase64(text: str) -> bytes:
    """RFC 4648 §4, canonical only: a decoder alone ignores the unused bits of the last character."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError as error:
        raise BadCheckpoint(_message("not base64")) from error
    if _base64(raw) != text:
        raise BadCheckpoint(_message("not canonical base64"))
    return raw


def _message(what: str) -> str:
    return f"checkpoint: {what}"

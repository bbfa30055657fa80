"""The ledger's keys: the signing key in a file of its owner's, the public ones in a list.

A key that others may read is not used.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.checkpoint import BadCheckpoint, SignerKey, VerifierKey, parse_verifier
from consentcrawl.ledger.files import PRIVATE, PRIVATE_DIRECTORY, Files, write_whole

KEY_FILE = "key"
PUBLIC_FILE = "key.pub"


def save_key(files: Files, directory: Path, key: SignerKey) -> None:
    """Keep the signing key, mode 0600."""
    secret = b64encode(key.private.private_bytes_raw()).decode()
    write_whole(files, directory / KEY_FILE, f"{key.name}\n{secret}\n".encode())


def load_key(files: Files, directory: Path) -> SignerKey:
    """The signing key; LedgerBroken when it is missing, unreadable, or open to others than its owner."""
    check_private(files, directory, PRIVATE_DIRECTORY)
    check_private(files, directory / KEY_FILE, PRIVATE)
    try:
        name, secret, _ = files.read(directory / KEY_FILE).decode().split("\n")
        return SignerKey(name, Ed25519PrivateKey.from_private_bytes(b64decode(secret, validate=True)))
    except ValueError as error:
        msg = f"{directory / KEY_FILE}: not a key"
        raise LedgerBroken(msg) from error


def check_private(files: Files, path: Path, widest: int) -> None:
    """Raise LedgerBroken when the mode of ``path`` is wider than ``widest``."""
    try:
        mode = files.mode(path)
    except OSError as error:
        msg = f"{path}: {error}"
        raise LedgerBroken(msg) from error
    if mode & ~widest:
        msg = f"{path} has mode {mode:o}: others could sign in this ledger's name; make it {widest:o}"
        raise LedgerBroken(msg)


def save_public(files: Files, directory: Path, keys: list[VerifierKey]) -> None:
    """Keep the public keys, the first key of the ledger first."""
    write_whole(files, directory / PUBLIC_FILE, "".join(f"{key}\n" for key in keys).encode())


def load_public(files: Files, directory: Path) -> list[VerifierKey]:
    """Every public key the ledger ever signed with, the first one first; LedgerBroken when the list cannot be read."""
    try:
        lines = files.read(directory / PUBLIC_FILE).decode().split("\n")
        keys = [parse_verifier(line) for line in lines[:-1]]
    except (OSError, UnicodeDecodeError, BadCheckpoint) as error:
        msg = f"{directory / PUBLIC_FILE}: {error}"
        raise LedgerBroken(msg) from error
    if lines[-1] or not keys:
        msg = f"{directory / PUBLIC_FILE}: not a list of keys"
        raise LedgerBroken(msg)
    return keys

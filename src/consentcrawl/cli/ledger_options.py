"""What the verbs of ``consentcrawl ledger`` share: where the ledger lies, and a head that was kept elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from consentcrawl.dataset.writers import printable
from consentcrawl.errors import BadInput
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.ledger.checkpoint import BadCheckpoint, VerifierKey, parse_verifier
from consentcrawl.ledger.key_files import KEY_FILE
from consentcrawl.ledger.log_files import LOG
from consentcrawl.ledger.tree_heads import CHECKPOINT_FILE, HEADS_FILE

WRONG = 1
"""The exit code when something is not as it should be."""

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The directory of the ledger.")]
UrlArgument = Annotated[str, typer.Argument(metavar="URL", help="The URL of the asset.")]
Witness = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A head of this ledger that was kept elsewhere (`ledger head`).")
]


def existing(directory: Path) -> Path:
    """Return the directory of a ledger, however damaged; raises BadInput where there is none."""
    if not any((directory / name).exists() for name in (KEY_FILE, CHECKPOINT_FILE, HEADS_FILE, LOG)):
        msg = f"{directory}: there is no ledger"
        raise BadInput(msg)
    return directory


def kept_elsewhere(witness: Path | None) -> bytes | None:
    """Return the head in a file."""
    return None if witness is None else witness.read_bytes()


def keys_known(key: str) -> list[VerifierKey]:
    """Return the keys that may have signed: one written out, or those of a key.pub, the first one first."""
    if not key:
        return []
    lines = Path(key).read_text("utf-8").splitlines() if Path(key).is_file() else [key]
    try:
        return [parse_verifier(line) for line in lines if line]
    except BadCheckpoint as error:
        msg = f"--key {key}: neither a public key nor a file of some: {error}"
        raise BadInput(msg) from error


def day_and_time(milliseconds: int) -> str:
    """Return a time as people write it, in UTC."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def say(line: str) -> None:
    """Print one line for a person, whatever strangers wrote in it."""
    typer.echo(printable(line))


def urls_meant(url: str) -> list[str]:
    """Return the forms under which a URL may stand in a ledger: canonical, and as it was typed where that is none."""
    try:
        return list(dict.fromkeys((canonical(url), url)))
    except BadUrl:
        return [url]


def time_of(milliseconds: int) -> str:
    """Return a time as a verdict's JSON has it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")

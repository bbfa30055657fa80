"""Optional libraries: what is installed by an extra of the distribution."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from consentcrawl.errors import MissingExtra


@contextmanager
def installed_by(extra: str) -> Iterator[None]:
    """Raise MissingExtra, with the command that installs ``extra``, where an import in the block finds no module."""
    try:
        yield
    except ModuleNotFoundError as error:
        msg = f"{error.name} is not installed: pip install 'consentcrawl-middleware[{extra}]'"
        raise MissingExtra(msg, name=error.name) from error

"""How a scraper fetches one URL with each library that has a driver: one file per driver, under the driver's name."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Protocol

import consentcrawl
from consentcrawl.core import Verdict

SECONDS = 10.0
"""How long callers wait for one answer."""


@dataclass
class Got:
    """What a caller got: the verdict that withheld it, or status and content."""

    verdict: Verdict | None = None
    status: int = 0
    content: bytes = b""


class Fetch(Protocol):
    """Fetch one URL the way a scraper would, redirects followed, with these header fields."""

    def __call__(self, url: str, steward: consentcrawl.Steward, **fields: str) -> Got:
        """Return what the caller gets."""
        ...


def withheld(error: Exception) -> Got:
    """What a refusal that was raised comes to; raises everything else again."""
    if not isinstance(error, consentcrawl.Withheld):
        raise error
    return Got(error.verdict)


def callers() -> dict[str, Fetch]:
    """Every caller there is, by the name of its driver."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").fetch for name in names}

"""JSON-LD of a page (W3C JSON-LD 1.1): what its scripts say in texts, property by property, without its context.

It is read for what a page names (its pictures, its licences) and never for a permission.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from consentcrawl.formats import json
from consentcrawl.formats.html import Page

TYPE = "application/ld+json"
LIMIT = 2_000
"""The most properties that are kept of one script."""


@dataclass(frozen=True, slots=True)
class Property:
    """One text: the property's name, its value, and the type of the object that has it."""

    name: str
    value: str
    of: str


def scripts(page: Page) -> list[str]:
    """Return the scripts of a page that hold JSON-LD, as they stand."""
    return [script.text for script in page.scripts if script.type == TYPE]


def properties(script: str) -> tuple[Property, ...]:
    """Return every text of a script, in order; what is no JSON says nothing. Never raises."""
    return tuple(islice(_texts(json.parse(script)[0]), LIMIT))


def _texts(value: Any, name: str = "", of: str = "") -> Iterator[Property]:  # noqa: ANN401 (any JSON value)
    """Walk through a value, which ``json.parse`` has bounded in depth; a list belongs to its property."""
    if isinstance(value, str):
        yield Property(name, value.strip(), of)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, name, of)
    elif isinstance(value, dict):
        kind = value.get("@type")
        inner = kind if isinstance(kind, str) else " ".join(filter(_is_text, kind)) if isinstance(kind, list) else ""
        for key, each in value.items():
            # {"license": {"@id": …}} is the address of the property around it (JSON-LD 1.1 §3.3).
            yield from _texts(each, name if key in ("@id", "@value") else key, of if key == "@id" else inner)


def _is_text(value: object) -> bool:
    return isinstance(value, str)

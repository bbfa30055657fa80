"""The AI tags of a work's own page, out of its meta tags and its X-Robots-Tag fields.

A tag meant for another crawler by name is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from consentcrawl.formats.robots_tag import AI_TAGS, EVERYONE, directives

if TYPE_CHECKING:
    from consentcrawl.formats.html import Page
    from consentcrawl.platforms.answer import Answer

_NAMES = frozenset({"robots", "ai"})
"""Meta names that speak to everyone; ``ai`` is in use beside ``robots``."""

USES = ("train", "ai-use")
"""What a refusal speaks of that names AI and nothing more."""
SPEAKS_OF = frozenset(category for categories in AI_TAGS.values() for category in categories)
"""Every category of use that an AI tag may be about."""


def tags(evidence: Answer, page: Page, token: str) -> tuple[tuple[str, str, str, None], ...]:
    """Return the AI tags of a page and of the fields it came with, as ``answer.Found`` has them."""
    return tuple((*tag, None) for tag in found(page, evidence.fields.lines("x-robots-tag"), token))


def found(page: Page, lines: Iterable[str], token: str) -> list[tuple[str, str, str]]:
    """Return category, words and place of every AI tag for everyone or for ``token``, each once.

    ``lines`` are the values of the X-Robots-Tag fields that came with the page.
    """
    everyone = {EVERYONE, token.lower()}
    names = _NAMES | everyone - {EVERYONE}
    said = [(meta.text, meta.content, f"meta {meta.name}") for meta in page.metas if meta.name.lower() in names]
    said += [(f"X-Robots-Tag: {line}", line, "X-Robots-Tag") for line in lines]
    return list(
        dict.fromkeys(
            (category, quote, f"{where} of the work's page")
            for quote, line, where in said
            for directive in directives(line)
            if directive.agent in everyone
            for category in AI_TAGS.get(directive.name, ())
        )
    )

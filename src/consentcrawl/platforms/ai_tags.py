"""The AI tags of a work's own page, out of its meta tags and its X-Robots-Tag fields.

A tag meant for another crawler by name is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Category, Evidence, Purpose, Statement, disallow
from consentcrawl.formats.html import Page
from consentcrawl.formats.robots_tag import AI_TAGS, EVERYONE, directives

_NAMES = frozenset({"robots", "ai"})
"""Meta names that speak to everyone; ``ai`` is in use beside ``robots``."""

USES = (Category.TRAIN, Category.AI_USE)
"""What a refusal speaks of that names AI and nothing more."""
_SPEAKS_OF = frozenset(Category(name) for names in AI_TAGS.values() for name in names)


def concern(purpose: Purpose) -> bool:
    """Return whether any AI tag could be about this purpose."""
    return not purpose.heeds.isdisjoint(_SPEAKS_OF)


def statements(evidence: Evidence, page: Page, purpose: Purpose) -> Iterator[Statement]:
    """Yield a refusal for every AI tag of a page and of the X-Robots-Tag fields it came with, each once."""
    for category, quote, where in dict.fromkeys(_found(page, evidence.fields.lines("x-robots-tag"), purpose.token)):
        yield disallow(category, quote, f"{where} of the work's page")


def _found(page: Page, lines: Iterable[str], token: str) -> Iterator[tuple[Category, str, str]]:
    """Yield category, words and place of every AI tag for everyone or for ``token``."""
    everyone = {EVERYONE, token.lower()}
    names = _NAMES | everyone - {EVERYONE}
    said = [(meta.text, meta.content, f"meta {meta.name}") for meta in page.metas if meta.name.lower() in names]
    said += [(f"X-Robots-Tag: {line}", line, "X-Robots-Tag") for line in lines]
    for quote, line, where in said:
        for directive in directives(line):
            if directive.agent in everyone:
                yield from ((Category(name), quote, where) for name in AI_TAGS.get(directive.name, ()))

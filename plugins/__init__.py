"""One file per platform: where the maker's choice is kept, and how to get there from a bare URL.

What like platforms share stands here: how the works of an asset are looked up, and how what was found is said.
"""

from __future__ import annotations

from collections.abc import Iterator

from consentcrawl.core import ROBOTS_TXT, Asset, Category, Gap, Gate, Need, Purpose, Said, disallow, remark
from consentcrawl.formats import html
from consentcrawl.platforms import ai_tags
from consentcrawl.platforms.answer import Found
from consentcrawl.platforms.works import Works


def visit(url: str) -> Need:
    """The need for a page or a record that is asked for politely, and without which nothing is decided."""
    return Need(Gate.LOOKUP, url, limit=html.LIMIT, polite=True, holds=True)


def ask(works: Works, asset: Asset, purpose: Purpose) -> list[Need]:
    """Look up the works of an asset; where none is known, need nothing more than is asked for anyway."""
    if purpose.heeds.isdisjoint(ai_tags.SPEAKS_OF):
        return []
    return [visit(url) for url in works.look_ups(asset)] or [ROBOTS_TXT]


def say(found: Found, default: tuple[str, str, str]) -> Iterator[Said]:
    """Say what was found: refusals, which files are the work's, where to go on, and what could not be had.

    ``default`` is what holds where the maker chose nothing: a note, told with the answer about the asset's own work.
    """
    if found.asked:
        yield remark(Category.TRAIN, *default)
    for use, words, where, about in found.tags:
        yield disallow(Category(use), words, where, about=about)
    for file, where, work in found.files:
        yield remark(Category.TRAIN, file, where, "a file of the work", about=file, names=work)
    yield from map(visit, found.sources)
    yield from (Gap(url, reason, holds=True) for url, reason in found.gaps)

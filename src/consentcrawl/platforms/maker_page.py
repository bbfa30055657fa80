"""The maker's own page, out of the ``source`` that a re-host gives.

An address of a file becomes the page of its work where the platform's grammar names it; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from consentcrawl.core import Evidence, Purpose, Said
from consentcrawl.formats import html, url
from consentcrawl.platforms import addresses, ai_tags, own_page
from consentcrawl.platforms.addresses import Form, parameter
from consentcrawl.platforms.works import OK, lacking

MOST = 8
"""The most pages that are followed for one work."""
_WORDS = 64

_DAY = r"\d{4}/\d\d/\d\d/\d\d/\d\d/\d\d"


def _pixiv(number: str) -> str:
    return f"https://www.pixiv.net/artworks/{number}"


def _deviation(digits: str) -> str:
    return f"https://www.deviantart.com/deviation/{int(digits, 36)}"


# The forms in which boorus give their sources most often: files of Pixiv and of DeviantArt, and Pixiv's older pages.
_FILES = (
    Form(rf"[\w-]+\.(?:pximg|pixiv)\.net/(?:[^/]+/)*img/{_DAY}/(\d+)(?:-[0-9a-f]{{32}})?_.+", _pixiv),
    Form(r"(?:www\.|touch\.)?pixiv\.net/member_illust\.php", _pixiv, parameter("illust_id")),
    Form(
        r"[\w-]+\.wixmp\.com/(?:intermediary/)?[fiv](?:/mp4)?/[0-9a-f-]{36}/d([0-9a-z]{1,7})-[0-9a-f]{8}-[0-9a-f-]{27}.*",
        _deviation,
    ),
)


def address(source: str) -> str:
    """Return the canonical URL of the page to ask, or an empty string where the source is no web address."""
    try:
        given = url.canonical(source.strip())
    except url.BadUrl:
        return ""
    return next(iter(addresses.names(given, _FILES)), given)


def source_pages(sources: Iterable[str], home: Sequence[str]) -> tuple[str, ...]:
    """Return the pages of all ``sources``, each once, without those on the re-host's own domains (``home``).

    Each word of each source counts. At most ``MOST``: that many mean that there may be more.
    """
    words = islice((word for source in sources for word in source.split()), _WORDS)
    found = dict.fromkeys(filter(None, map(address, words)))
    return tuple(page for page in found if not addresses.below(addresses.split(page).host, home))[:MOST]


def read(evidence: Evidence, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of a page of an unknown site, if it says it is the one that was asked for."""
    page = evidence.parsed(html.parse, evidence.content_type)
    own = evidence.status == OK and own_page.answers(page, evidence.url, evidence.need.url)
    if own:
        yield from ai_tags.statements(evidence, page, purpose)
    yield from lacking(evidence, own=own, gave_up=page.gave_up)

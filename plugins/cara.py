"""Cara: every post carries the AI tags by the policy of the site, which holds for its files as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.platforms import ai_tags, site_default, work_page
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.works import Works

from . import ask, say

SPEC = Spec("Cara NoAI policy", "2023", "https://cara.app/terms", (Gate.LOOKUP,), "a page")
HOSTS = ("cara.app",)
DEFAULT = site_default.beside(__file__)

WORKS = Works(
    "cara",
    forms=(
        Form(r"(?:www\.)?cara\.app/post/([\w-]+)(?:/.*)?"),
        Form(r"(?:www\.)?cara\.app/api/posts/(?!getAll)([\w-]+)(?:/.*)?"),
    ),
    look_up="https://cara.app/post/{}".format,
    files=(
        Form(r"(?:cdn|images)\.cara\.app/(?:.+/)?production/posts/([0-9a-f]{8}-[0-9a-f-]{27})/.+", "uuid:{}".format),
    ),
)


def keys(asset: Asset) -> Iterable[str]:
    """Return the work of a page or a file."""
    return WORKS.keys(asset.url)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return ask(WORKS, asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    if WORKS.keys(asset.url):
        # The platform-wide default is an opt-out in machine-readable form: only the site sets and removes its tags.
        words, place, note = DEFAULT
        yield from (disallow(Category(use), words, place, note=note) for use in ai_tags.USES)
    yield from say(work_page.read(WORKS, evidence, asset, purpose.token), DEFAULT)

"""Mastodon: the page of a status; media files do not tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.formats import html
from consentcrawl.platforms import addresses, ai_tags, site_default, work_page
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.works import Works

from . import ask, say

SPEC = Spec("Mastodon status page", "4.4", "https://docs.joinmastodon.org/", (Gate.LOOKUP,), "a page")
HOSTS = site_default.hosts(__file__)
DEFAULT = site_default.beside(__file__)
# What the robots.txt beside the work's page says is the maker's choice, or their host's for them.
MAKERS = 0

WORKS = Works(
    "mastodon",
    forms=(
        Form(r"([^/]+)/(?:web/|deck/)?(@[\w.@-]+)/(\d+)(?:/.*)?", "{}/{}/{}".format),
        Form(r"([^/]+/(?:users/[\w.-]+/|web/)?statuses/\d+)(?:/.*)?"),
    ),
    look_up="https://{}".format,
    files=(
        Form(
            r"[^/]+/(?:.+/)?media_attachments/files/((?:\d{3}/)+)(?:original|small)/[0-9a-f]+\.\w+",
            lambda digits: "media:" + addresses.number(*digits.split("/")),
        ),
    ),
    # Names of users are written in more than one way.
    short=lambda name: name.rpartition("/")[2],
)


def keys(asset: Asset) -> Iterable[str]:
    """Return the status of a page, or the number of a media file."""
    return WORKS.keys(asset.url)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return ask(WORKS, asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    found = work_page.read(WORKS, evidence, asset, purpose.token)
    yield from say(found, DEFAULT)
    if found.own:
        yield from _unlisted(evidence)


def _unlisted(evidence: Evidence) -> Iterator[Said]:
    """A maker who keeps out of search engines has not spoken of AI; it counts where search tags count."""
    for meta in evidence.parsed(html.parse, evidence.content_type).metas:
        if meta.name == "robots" and "noindex" in meta.content.lower():
            for use in ai_tags.USES:
                where, under = "meta robots of the work's page", ("search_tags", "refuse")
                yield disallow(Category(use), meta.text, where, under=under)

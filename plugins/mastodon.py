"""Mastodon: the page of a status; the addresses of media files do not name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.formats import html
from consentcrawl.platforms import Form, Works, addresses, ai_tags, own_page, site_default

_WORKS = Works(
    "mastodon",
    forms=(
        Form(r"([^/]+)/(?:web/|deck/)?(@[\w.@-]+)/(\d+)(?:/.*)?", "{}/{}/{}".format),
        Form(r"([^/]+/(?:users/[\w.-]+/|web/)?statuses/\d+)(?:/.*)?"),
    ),
    look_up="https://{}".format,
    default=site_default.beside(__file__),
    files=(
        Form(
            r"[^/]+/(?:.+/)?media_attachments/files/((?:\d{3}/)+)(?:original|small)/[0-9a-f]+\.\w+",
            lambda digits: "media:" + addresses.number(*digits.split("/")),
        ),
    ),
    # Names of users are written in more than one way.
    short=lambda name: name.rpartition("/")[2],
)

SPEC = Spec(
    "Mastodon status page",
    "4.4",
    "https://docs.joinmastodon.org/",
    (Gate.LOOKUP,),
    "a page",
    hosts=site_default.hosts(__file__),
    keys=_WORKS.keys,
    # What the robots.txt beside the work's page says is the maker's choice, or their host's for them.
    makers_from=0,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from own_page.read(_WORKS, evidence, asset, purpose)
    if own_page.is_own(_WORKS, evidence, asset):
        yield from _unlisted(evidence)


def _unlisted(evidence: Evidence) -> Iterator[Said]:
    """State what counts where search tags count: to keep out of search engines is no choice about AI."""
    for meta in evidence.parsed(html.parse, evidence.content_type).metas:
        if meta.name == "robots" and "noindex" in meta.content.lower():
            for use in ai_tags.USES:
                where, under = "meta robots of the work's page", ("search_tags", "refuse")
                yield disallow(use, meta.text, where, under=under)

"""Reddit: where a linked work comes from; what was uploaded there has no source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import json
from consentcrawl.platforms import Form, Post, Works, rehost, site_default

_SITE = r"(?:[\w-]+\.)?reddit\.com"
# Names of the site's own in the form of a post's number.
_PAGES = (
    "about|account|avatar|awards|coins|contact|explore|login|message|policies|popular|premium|register|rising|rules"
    "|search|submit|topics"
)
_WORKS = Works(
    "reddit",
    forms=(
        Form(rf"{_SITE}/(?:(?:r|u|user)/[^/]+/)?comments/(\w+)(?:/.*)?"),
        Form(rf"{_SITE}/(?:gallery|tb)/(\w+)"),
        Form(rf"{_SITE}/(?!(?:{_PAGES})$)([a-z0-9]{{5,7}})"),
        Form(r"(?:www\.)?redd\.it/(\w+)"),
    ),
    look_up="https://www.reddit.com/comments/{}/.json".format,
    default=site_default.beside(__file__),
    unnamed=(Form(r"(?:i|v|preview|external-preview)\.redd\.it/.+"),),
    own_domains=("reddit.com", "redd.it"),
)

SPEC = Spec(
    "Reddit post",
    "2026-09",
    "https://support.reddithelp.com/hc/en-us/articles/26410290525844",
    (Gate.LOOKUP,),
    "pages",
    hosts=("reddit.com", "redd.it"),
    keys=_WORKS.keys,
    # What a post leads to is the maker's own place.
    makers_from=1,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the post, or for nothing more than is asked anyway where it is not known."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its sources; or read what one of these led to."""
    yield from rehost.read(_WORKS, evidence, asset, purpose, _posts)


def _posts(evidence: Evidence) -> tuple[list[Post], str]:
    document, gave_up = evidence.parsed(json.parse)
    post = json.at(document, 0, "data", "children", 0, "data")
    link = json.text(post, "url_overridden_by_dest") or json.text(post, "url")
    return [Post(names=rehost.names(json.text(post, "id")), sources=(link,))], gave_up

"""Newgrounds: the page of a piece of art, found from the maker and the title in the name of its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, Works, own_page, site_default


def _page(work: str) -> str:
    number = work.removeprefix("portal:")
    return f"https://www.newgrounds.com/{'art' if number == work else 'portal'}/view/{number}"


_WORKS = Works(
    "newgrounds",
    # Works of the portal have numbers of their own; a file's name gives maker and title as they were on its day.
    forms=(
        Form(r"(?:www\.)?newgrounds\.com/art/view/([\w-]+)/([\w-]+)(?:/.*)?", "{}/{}".format),
        Form(r"(?:www\.)?newgrounds\.com/portal/(?:view|video)/(\d+)(?:/.*)?", "portal:{}".format),
        Form(
            r"art\.ngfiles\.com/(?:images|medium_views)/\d+/\d+(?:_\d+)?_([A-Za-z0-9-]+)_([\w-]+)(?:\.[0-9a-f]{32})?\.\w+",
            "{}/{}".format,
        ),
    ),
    look_up=_page,
    default=site_default.beside(__file__),
    files=(Form(r"art\.ngfiles\.com/(?:images|medium_views|thumbnails)/\d+/(\d+)(?:_[^/]*)?\.\w+", "image:{}".format),),
)

SPEC = Spec(
    "Newgrounds page",
    "2022-09",
    "https://www.newgrounds.com/wiki/help-information/terms-of-use",
    (Gate.LOOKUP,),
    "a page",
    hosts=("newgrounds.com", "ngfiles.com"),
    keys=_WORKS.keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from own_page.read(_WORKS, evidence, asset, purpose)

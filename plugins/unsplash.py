"""Unsplash: the page of a photo; the addresses of files name no photo, and training is left to licences of the site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, Works, own_page, site_default

_WORKS = Works(
    "unsplash",
    # The id is the last eleven characters of the last segment, hyphens and all.
    forms=(
        Form(
            r"(?:www\.)?unsplash\.com/(?:[a-z]{2}(?:-[a-z]{2})?/)?(?:photos|fotos|foto|fotografias|写真|사진)/(?:[^/]+-)?([\w-]{11})(?:/\w+)?"
        ),
        Form(r"(?:www\.)?unsplash\.com/napi/photos/(?:[^/]+-)?([\w-]{11})(?:/\w+)?"),
    ),
    look_up="https://unsplash.com/photos/{}".format,
    default=site_default.beside(__file__),
    unnamed=(Form(r"(?:images|plus)\.unsplash\.com/.+"),),
)

SPEC = Spec(
    "Unsplash photo page",
    "2024",
    "https://unsplash.com/license",
    (Gate.LOOKUP,),
    "a page",
    hosts=("unsplash.com",),
    keys=_WORKS.keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from own_page.read(_WORKS, evidence, asset, purpose)

"""WorldCosplay: the page of a photo; the addresses of files name no photo, and no choice is published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, Works, own_page, site_default

_WORKS = Works(
    "worldcosplay",
    forms=(Form(r"(?:www\.)?worldcosplay\.net/(?:[a-z]{2}(?:-[a-z]{2,4})?/)?photo/(\d+)(?:/.*)?"),),
    look_up="https://worldcosplay.net/photo/{}".format,
    default=site_default.beside(__file__),
    files=(Form(r"image\d*\.worldcosplay\.net/(?:[^/]+/)+([0-9a-f]{40})(?:-[\w-]+)?\.\w+", "hash:{}".format),),
)

SPEC = Spec(
    "WorldCosplay photo page",
    "2024",
    "https://worldcosplay.net/about/terms",
    (Gate.LOOKUP,),
    "a page",
    hosts=("worldcosplay.net",),
    keys=_WORKS.keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from own_page.read(_WORKS, evidence, asset, purpose)

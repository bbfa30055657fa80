"""WorldCosplay: the page of a photo; files do not tell whose they are, and no choice is published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import site_default, work_page
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.works import Works

from . import ask, say

SPEC = Spec("WorldCosplay photo page", "2024", "https://worldcosplay.net/about/terms", (Gate.LOOKUP,), "a page")
HOSTS = ("worldcosplay.net",)
DEFAULT = site_default.beside(__file__)

WORKS = Works(
    "worldcosplay",
    forms=(Form(r"(?:www\.)?worldcosplay\.net/(?:[a-z]{2}(?:-[a-z]{2,4})?/)?photo/(\d+)(?:/.*)?"),),
    look_up="https://worldcosplay.net/photo/{}".format,
    files=(Form(r"image\d*\.worldcosplay\.net/(?:[^/]+/)+([0-9a-f]{40})(?:-[\w-]+)?\.\w+", "hash:{}".format),),
)


def keys(asset: Asset) -> Iterable[str]:
    """Return the work of a page or a file."""
    return WORKS.keys(asset.url)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return ask(WORKS, asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from say(work_page.read(WORKS, evidence, asset, purpose.token), DEFAULT)

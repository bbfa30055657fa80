"""Fur Affinity: the page of a submission; the full file tells maker and second only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import site_default, work_page
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.works import Works

from . import ask, say

SPEC = Spec("Fur Affinity submission page", "2022-09", "https://www.furaffinity.net/tos", (Gate.LOOKUP,), "a page")
HOSTS = (
    "furaffinity.net",
    "fxfuraffinity.net",
    "xfuraffinity.net",
    "vxfuraffinity.net",
    "fxraffinity.net",
    "facdn.net",
)
DEFAULT = site_default.beside(__file__)

WORKS = Works(
    "furaffinity",
    forms=(
        Form(r"(?:www\.|sfw\.)?(?:(?:fx|x|vx)?furaffinity|fxraffinity)\.net/(?:view|full)/(\d+)(?:/.*)?"),
        Form(r"t\d*\.(?:furaffinity|facdn)\.net/(\d+)@\d+-\d+\.\w+"),
    ),
    look_up="https://www.furaffinity.net/view/{}/".format,
    files=(
        Form(
            r"d\d*\.(?:furaffinity|facdn)\.net/(?:download/)?art/([^/]+)/(?:[^/]+/)*(\d+)/\d+\..+", "user:{}|{}".format
        ),
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
    yield from say(work_page.read(WORKS, evidence, asset, purpose.token), DEFAULT)

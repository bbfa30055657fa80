"""Weasyl: the page of a submission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import site_default, work_page
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.works import Works

from . import ask, say

SPEC = Spec("Weasyl submission page", "2024", "https://www.weasyl.com/policy/tos", (Gate.LOOKUP,), "a page")
HOSTS = ("weasyl.com",)
DEFAULT = site_default.beside(__file__)

WORKS = Works(
    "weasyl",
    forms=(
        Form(r"(?:www\.)?weasyl\.com/(?:~[^/]+/submissions?|submissions?|view)/(\d+)(?:/.*)?"),
        Form(r"(?:www\.)?weasyl\.com/api/submissions/(\d+)/view"),
        Form(r"cdn\.weasyl\.com/~[^/]+/submissions/(\d+)/.+"),
    ),
    look_up="https://www.weasyl.com/submission/{}".format,
    untold=(Form(r"cdn\.weasyl\.com/static/media/.+"),),
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

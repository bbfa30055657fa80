"""Inkbunny: the page of a submission; files have numbers of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import site_default, work_page
from consentcrawl.platforms.addresses import Form, parameter
from consentcrawl.platforms.works import Works

from . import ask, say

SPEC = Spec("Inkbunny submission page", "2024", "https://inkbunny.net/tos.php", (Gate.LOOKUP,), "a page")
HOSTS = ("inkbunny.net", "metapix.net")
DEFAULT = site_default.beside(__file__)

WORKS = Works(
    "inkbunny",
    forms=(
        Form(r"(?:www\.)?inkbunny\.net/s/(\d+)[A-Za-z0-9-]*(?:/.*)?"),
        Form(r"(?:www\.)?inkbunny\.net/submissionview\.php", query=parameter("id")),
    ),
    look_up="https://inkbunny.net/s/{}".format,
    files=(
        Form(
            r"(?:[\w-]+\.)*ib\.metapix\.net/(?:files|private_files|thumbnails)/(?:[\w-]+/)+(\d+)_[^/]+",
            "file:{}".format,
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

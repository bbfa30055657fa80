"""Inkbunny: the page of a submission; files have numbers of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, Works, own_page, parameter, site_default

_WORKS = Works(
    "inkbunny",
    forms=(
        Form(r"(?:www\.)?inkbunny\.net/s/(\d+)[A-Za-z0-9-]*(?:/.*)?"),
        Form(r"(?:www\.)?inkbunny\.net/submissionview\.php", query=parameter("id")),
    ),
    look_up="https://inkbunny.net/s/{}".format,
    default=site_default.beside(__file__),
    files=(
        Form(
            r"(?:[\w-]+\.)*ib\.metapix\.net/(?:files|private_files|thumbnails)/(?:[\w-]+/)+(\d+)_[^/]+",
            "file:{}".format,
        ),
    ),
)

SPEC = Spec(
    "Inkbunny submission page",
    "2024",
    "https://inkbunny.net/tos.php",
    (Gate.LOOKUP,),
    "a page",
    hosts=("inkbunny.net", "metapix.net"),
    keys=_WORKS.keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from own_page.read(_WORKS, evidence, asset, purpose)

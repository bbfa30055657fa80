"""Fur Affinity: the page of a submission; the address of the full file names maker and second only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, Works, own_page, site_default

_WORKS = Works(
    "furaffinity",
    forms=(
        Form(r"(?:www\.|sfw\.)?(?:(?:fx|x|vx)?furaffinity|fxraffinity)\.net/(?:view|full)/(\d+)(?:/.*)?"),
        Form(r"t\d*\.(?:furaffinity|facdn)\.net/(\d+)@\d+-\d+\.\w+"),
    ),
    look_up="https://www.furaffinity.net/view/{}/".format,
    default=site_default.beside(__file__),
    files=(
        Form(
            r"d\d*\.(?:furaffinity|facdn)\.net/(?:download/)?art/([^/]+)/(?:[^/]+/)*(\d+)/\d+\..+", "user:{}|{}".format
        ),
    ),
)

SPEC = Spec(
    "Fur Affinity submission page",
    "2022-09",
    "https://www.furaffinity.net/tos",
    (Gate.LOOKUP,),
    "a page",
    hosts=(
        "furaffinity.net",
        "fxfuraffinity.net",
        "xfuraffinity.net",
        "vxfuraffinity.net",
        "fxraffinity.net",
        "facdn.net",
    ),
    keys=_WORKS.keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from own_page.read(_WORKS, evidence, asset, purpose)

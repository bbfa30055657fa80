"""Weasyl: the page of a submission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, Works, own_page, site_default

_WORKS = Works(
    "weasyl",
    forms=(
        Form(r"(?:www\.)?weasyl\.com/(?:~[^/]+/submissions?|submissions?|view)/(\d+)(?:/.*)?"),
        Form(r"(?:www\.)?weasyl\.com/api/submissions/(\d+)/view"),
        Form(r"cdn\.weasyl\.com/~[^/]+/submissions/(\d+)/.+"),
    ),
    look_up="https://www.weasyl.com/submission/{}".format,
    default=site_default.beside(__file__),
    unnamed=(Form(r"cdn\.weasyl\.com/static/media/.+"),),
)

SPEC = Spec(
    "Weasyl submission page",
    "2024",
    "https://www.weasyl.com/policy/tos",
    (Gate.LOOKUP,),
    "a page",
    hosts=("weasyl.com",),
    keys=_WORKS.keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from own_page.read(_WORKS, evidence, asset, purpose)

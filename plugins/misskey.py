"""Misskey and its kin: the AI tags that a note's page carries while its maker has "prevent AI learning" on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, Works, own_page, site_default

_WORKS = Works(
    "misskey",
    forms=(Form(r"([^/]+)/notes/(\w+)(?:/.*)?", "{}/notes/{}".format),),
    look_up="https://{}".format,
    default=site_default.beside(__file__),
    unnamed=(Form(r"[^/]+/(?:.+/)?(?:files|media)/.+|(?:media|files?|proxy)\.[^/]+/.+"),),
    short=lambda name: name.rpartition("/")[2],
)

SPEC = Spec(
    "Misskey preventAiLearning",
    "13.10",
    "https://misskey-hub.net/",
    (Gate.LOOKUP,),
    "a page",
    hosts=site_default.hosts(__file__),
    keys=_WORKS.keys,
    # What the robots.txt beside the work's page says is the maker's choice, or their host's for them.
    makers_from=0,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from own_page.read(_WORKS, evidence, asset, purpose)

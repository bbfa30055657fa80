"""Misskey and its kin: the AI tags that a note's page carries while its maker has "prevent AI learning" on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import site_default, work_page
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.works import Works

from . import ask, say

SPEC = Spec("Misskey preventAiLearning", "13.10", "https://misskey-hub.net/", (Gate.LOOKUP,), "a page")
HOSTS = site_default.hosts(__file__)
DEFAULT = site_default.beside(__file__)
# What the robots.txt beside the work's page says is the maker's choice, or their host's for them.
MAKERS = 0

WORKS = Works(
    "misskey",
    forms=(Form(r"([^/]+)/notes/(\w+)(?:/.*)?", "{}/notes/{}".format),),
    look_up="https://{}".format,
    untold=(Form(r"[^/]+/(?:.+/)?(?:files|media)/.+|(?:media|files?|proxy)\.[^/]+/.+"),),
    short=lambda name: name.rpartition("/")[2],
)


def keys(asset: Asset) -> Iterable[str]:
    """Return the note of a page; media files tell none."""
    return WORKS.keys(asset.url)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return ask(WORKS, asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from say(work_page.read(WORKS, evidence, asset, purpose.token), DEFAULT)

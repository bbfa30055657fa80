"""Zerochan: where a work comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import json
from consentcrawl.platforms import rehost, site_default
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.answer import Answer
from consentcrawl.platforms.rehost import Post
from consentcrawl.platforms.works import Works

from . import ask, say

SPEC = Spec("Zerochan entry", "2026-08", "https://www.zerochan.net/api", (Gate.LOOKUP,), "a JSON document and pages")
HOSTS = ("zerochan.net",)
DEFAULT = site_default.beside(__file__)
# What a post leads to is the maker's own place.
MAKERS = 1

WORKS = Works(
    "zerochan",
    forms=(
        Form(r"(?:www\.)?zerochan\.net/(?:full/)?(\d+)"),
        Form(r"[\w-]+\.zerochan\.net/(?:.*\.)?(?:full|\d+)\.(\d+)\.\w+"),
        Form(r"(?:s\d*|static)\.zerochan\.net/(?:(?:full|\d+)/)+(\d+)\.\w+"),
    ),
    look_up="https://www.zerochan.net/{}?json".format,
    home=("zerochan.net",),
)


def keys(asset: Asset) -> Iterable[str]:
    """Return the entry of a page or a file."""
    return WORKS.keys(asset.url)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the entry as JSON."""
    return ask(WORKS, asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its sources; or read what one of these led to."""
    yield from say(rehost.read(WORKS, evidence, asset, purpose.token, _posts), DEFAULT)


def _posts(evidence: Answer) -> tuple[list[Post], str]:
    document, gave_up = evidence.parsed(json.parse)
    return [Post(names=rehost.names(json.text(document, "id")), sources=(json.text(document, "source"),))], gave_up

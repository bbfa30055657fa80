"""Zerochan: where a work comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import json
from consentcrawl.platforms import Form, Post, Works, rehost, site_default

_WORKS = Works(
    "zerochan",
    forms=(
        Form(r"(?:www\.)?zerochan\.net/(?:full/)?(\d+)"),
        Form(r"[\w-]+\.zerochan\.net/(?:.*\.)?(?:full|\d+)\.(\d+)\.\w+"),
        Form(r"(?:s\d*|static)\.zerochan\.net/(?:(?:full|\d+)/)+(\d+)\.\w+"),
    ),
    look_up="https://www.zerochan.net/{}?json".format,
    default=site_default.beside(__file__),
    own_domains=("zerochan.net",),
)

SPEC = Spec(
    "Zerochan entry",
    "2026-08",
    "https://www.zerochan.net/api",
    (Gate.LOOKUP,),
    "a JSON document and pages",
    hosts=("zerochan.net",),
    keys=_WORKS.keys,
    # What a post leads to is the maker's own place.
    makers_from=1,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the entry as JSON."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its sources; or read what one of these led to."""
    yield from rehost.read(_WORKS, evidence, asset, purpose, _posts)


def _posts(evidence: Evidence) -> tuple[list[Post], str]:
    document, gave_up = evidence.parsed(json.parse)
    return [Post(names=rehost.names(json.text(document, "id")), sources=(json.text(document, "source"),))], gave_up

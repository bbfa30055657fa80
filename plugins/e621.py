"""e621 and e926: tags by which makers keep their work from being posted, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import json
from consentcrawl.platforms import Form, Post, Works, parameter, rehost, site_default
from consentcrawl.platforms.addresses import MD5, md5

_FORBIDDING = frozenset({"avoid_posting", "conditional_dnp"})


def _record(name: str) -> str:
    digits = name.removeprefix("md5:")
    return f"https://e621.net/posts/{name}.json" if digits == name else f"https://e621.net/posts.json?md5={digits}"


_SITE = r"(?:[\w-]+\.)?e(?:621|926)\.net"
_WORKS = Works(
    "e621",
    forms=(
        Form(rf"{_SITE}/posts?/(?:show/)?(\d+)(?:\.json)?(?:/.*)?"),
        Form(rf"{_SITE}/posts?(?:\.json)?", md5, parameter("md5", MD5)),
        Form(rf"{_SITE}/posts?(?:\.json)?", md5, parameter("tags", MD5, "md5(?::|%3A)")),
        Form(rf"{_SITE}/data/(?:[\w-]+/)*({MD5})(?:_\w+)?\.\w+", md5),
    ),
    look_up=_record,
    default=site_default.beside(__file__),
    own_domains=("e621.net",),
)

SPEC = Spec(
    "e621 post",
    "2026-08",
    "https://e621.net/wiki_pages/2425",
    (Gate.LOOKUP,),
    "a JSON document and pages",
    hosts=("e621.net", "e926.net"),
    keys=_WORKS.keys,
    # What a post leads to is the maker's own place.
    makers_from=1,
    pace=site_default.paces(__file__),
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the post as JSON."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its sources; or read what one of these led to."""
    yield from rehost.read(_WORKS, evidence, asset, purpose, _posts)


def _posts(evidence: Evidence) -> tuple[list[Post], str]:
    document, gave_up = evidence.parsed(json.parse)
    return [_post(post) for post in (json.at(document, "post"), *json.items(document, "posts")[: rehost.MOST])], gave_up


def _post(post: Any) -> Post:  # noqa: ANN401 (any JSON value)
    groups = json.at(post, "tags")
    tags = {
        json.text(tag) for group in (groups if isinstance(groups, dict) else {}) for tag in json.items(groups, group)
    }
    return Post(
        names=rehost.names(json.text(post, "id"), json.text(post, "file", "md5")),
        sources=tuple(json.text(source) for source in json.items(post, "sources")),
        forbids=tuple(sorted(_FORBIDDING & tags)),
    )

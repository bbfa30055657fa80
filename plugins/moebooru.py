"""yande.re and Konachan: whether the maker asked to be banned, and where the work comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import json
from consentcrawl.platforms import Form, Post, Works, addresses, parameter, rehost, site_default
from consentcrawl.platforms.addresses import MD5, md5

_BANNED = "banned_artist"
_SITE = r"(?:[\w-]+\.)?(?:yande\.re|konachan\.(?:com|net))"
_FORMS = (
    Form(rf"{_SITE}/post/show/(\d+)(?:/.*)?"),
    Form(rf"{_SITE}/post(?:\.\w+)?", query=parameter("tags", before="id(?::|%3A)")),
    Form(rf"{_SITE}/post(?:\.\w+)?", md5, parameter("tags", MD5, "md5(?::|%3A)")),
    Form(rf"{_SITE}/post/show", md5, parameter("md5", MD5)),
    Form(rf"{_SITE}/(?:image|jpeg|sample)/{MD5}/(?:yande\.re[ +_]|Konachan\.(?:com|net)[ +_]-[ +_])?(\d+)[ +_.].*"),
    Form(rf"{_SITE}/(?:[\w-]+/)*({MD5})(?:/.*|\.\w+)", md5),
)


def _works(platform: str, domain: str, domains: tuple[str, ...]) -> Works:
    def record(name: str) -> str:
        return f"https://{domain}/post.json?tags={name if name.startswith('md5:') else f'id:{name}'}"

    return Works(platform, _FORMS, record, site_default.beside(__file__), own_domains=domains)


_YANDERE = _works("yandere", "yande.re", ("yande.re",))
_KONACHAN = _works("konachan", "konachan.com", ("konachan.com", "konachan.net"))


def _site(asset: Asset) -> Works:
    return _YANDERE if addresses.below(asset.host, _YANDERE.own_domains) else _KONACHAN


def _keys(asset: Asset) -> Iterable[str]:
    """Return the post, or the MD5 of a file whose address does not name it."""
    return _site(asset).keys(asset)


SPEC = Spec(
    "Moebooru post",
    "2026-08",
    "https://yande.re/help/api",
    (Gate.LOOKUP,),
    "a JSON document and pages",
    hosts=("yande.re", "konachan.com", "konachan.net"),
    keys=_keys,
    # What a post leads to is the maker's own place.
    makers_from=1,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the post as JSON."""
    return _site(asset).needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its sources; or read what one of these led to."""
    yield from rehost.read(_site(asset), evidence, asset, purpose, _posts)


def _posts(evidence: Evidence) -> tuple[list[Post], str]:
    document, gave_up = evidence.parsed(json.parse)
    return [_post(post) for post in json.items(document)[: rehost.MOST]], gave_up


def _post(post: Any) -> Post:  # noqa: ANN401 (any JSON value)
    return Post(
        names=rehost.names(json.text(post, "id"), json.text(post, "md5")),
        sources=(json.text(post, "source"),),
        forbids=(_BANNED,) if _BANNED in json.text(post, "tags").split() else (),
    )

"""Danbooru: whether a post was banned because its maker asked for it, and where the work comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import html
from consentcrawl.platforms import Form, Post, Works, addresses, parameter, rehost, site_default
from consentcrawl.platforms.addresses import MD5, md5

_HASH = re.compile(MD5)
_BANNED = "container of the post: a ban records that its maker asked for the work to be taken down"


def _page(name: str) -> str:
    """The page of a post; no look-up is known for a media asset."""
    digits = name.removeprefix("md5:")
    page = f"https://danbooru.donmai.us/posts{f'/{name}' if digits == name else f'?md5={digits}'}"
    return "" if name.startswith("media:") else page


_SITE = r"(?:[\w-]+\.)*donmai\.(?:us|moe)"
_WORKS = Works(
    "danbooru",
    forms=(
        Form(rf"{_SITE}/posts?/(?:show/)?(\d+)(?:\.\w+)?(?:/.*)?"),
        Form(rf"{_SITE}/posts(?:\.\w+)?", md5, parameter("md5", MD5)),
        Form(rf"{_SITE}/posts(?:\.\w+)?", md5, parameter("tags", MD5, "md5(?::|%3A)")),
        Form(rf"{_SITE}/media_assets/(\d+)(?:\.\w+)?", "media:{}".format),
        Form(rf"{_SITE}/(?:[\w-]+/)*(?:[^/]*[_-])?({MD5})\.\w+", md5),
    ),
    look_up=_page,
    default=site_default.beside(__file__),
    own_domains=("donmai.us", "donmai.moe"),
)

SPEC = Spec(
    "Danbooru post page",
    "2026-08",
    "https://danbooru.donmai.us/wiki_pages/help:api",
    (Gate.LOOKUP,),
    "pages",
    hosts=("donmai.us", "donmai.moe"),
    keys=_WORKS.keys,
    # What a post leads to is the maker's own place.
    makers_from=1,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the post: robots.txt leaves pages open and closes everything that ends in ``.json``."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its sources; or read what one of these led to."""
    yield from rehost.read(_WORKS, evidence, asset, purpose, _posts)


def _posts(evidence: Evidence) -> tuple[list[Post], str]:
    containers, more = html.tags_with(evidence.content.decode(errors="replace"), "data-flags")
    return [_post(container, evidence) for container in containers], "html_limit" if more else ""


def _post(container: dict[str, str], evidence: Evidence) -> Post:
    """An MD5 is looked up by a redirect to its post; a post that is shown has it in the address of its file, too."""
    number, flags = container.get("data-id", ""), container["data-flags"]
    hashes = {
        digits.lower() for name, value in container.items() if name != "data-tags" for digits in _HASH.findall(value)
    }
    moved = evidence.url != evidence.need.url and number in addresses.names(evidence.url, _WORKS.forms)
    asked = addresses.names(evidence.need.url, _WORKS.forms) if moved else ()
    return Post(
        names=(*rehost.names(number, *sorted(hashes)), *asked),
        sources=(container.get("data-normalized-source") or container.get("data-source", ""),),
        forbids=(f'data-flags="{flags}"',) if "banned" in flags.split() else (),
        where=_BANNED,
    )

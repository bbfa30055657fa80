"""Gelbooru, Safebooru and TBIB: where a work comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import json
from consentcrawl.platforms import Form, Post, Works, parameter, rehost, site_default
from consentcrawl.platforms.addresses import MD5, md5

_ANY = r"(?:[\w-]+\.)?(?:gelbooru\.com|safebooru\.org|tbib\.org)"
_INDEX = rf"{_ANY}(?:/index\.php)?"
_FILE = r"/(?:images|samples|thumbnails)/(?:\w+/)+(?:sample_|thumbnail_)?"
_HASH = rf"[0-9A-Fa-f]{{40}}|{MD5}"
# PHP takes the last of a parameter that is repeated.
_VIEW = r"^(?=.*[?&;]page=(?:post|dapi)(?:&|$))(?=.*[?&;]s=(?:view|post)(?:&|$)).*[?&;]id=(\d+)(?=&|$)"


def _hashed(digits: str) -> str:
    return md5(digits) if re.fullmatch(MD5, digits) else f"hash:{digits.lower()}"


_FORMS = (
    Form(_INDEX, query=_VIEW),
    Form(_INDEX, md5, parameter("md5", MD5)),
    Form(_INDEX, query=parameter("tags", before="id(?::|%3A)")),
    Form(_INDEX, md5, parameter("tags", MD5, "md5(?::|%3A)")),
    # The number behind a file is its post, except at Gelbooru, where it may be a directory's.
    Form(rf"(?:[\w-]+\.)?(?:safebooru|tbib)\.org{_FILE}(?:{_HASH})\.\w+", query=r"\?(\d+)(?=&|$)"),
    Form(rf"{_ANY}{_FILE}({_HASH})\.\w+", _hashed),
)


def _works(platform: str, domain: str, keys: str = "") -> Works:
    def record(name: str) -> str:
        """The newer hashes are known to no look-up."""
        which = f"tags={name}" if name.startswith("md5:") else f"id={name}"
        url = f"https://{domain}/index.php?page=dapi&s=post&q=index&json=1&{which}{keys}"
        return "" if name.startswith("hash:") else url

    return Works(platform, _FORMS, record, site_default.beside(__file__), own_domains=(domain,))


# Filled in from the taker's configuration: Gelbooru answers only with a key.
_KEYS = "&api_key={gelbooru.api_key}&user_id={gelbooru.user_id}"
_SITES = {
    "gelbooru.com": _works("gelbooru", "gelbooru.com", _KEYS),
    "safebooru.org": _works("safebooru", "safebooru.org"),
    "tbib.org": _works("tbib", "tbib.org"),
}


def _site(asset: Asset) -> Works:
    return _SITES[".".join(asset.host.split(".")[-2:])]


def _keys(asset: Asset) -> Iterable[str]:
    """Return the post, or the hash of a file whose address does not name it."""
    return _site(asset).keys(asset)


SPEC = Spec(
    "Gelbooru post",
    "2026-08",
    "https://gelbooru.com/index.php?page=wiki&s=view&id=18780",
    (Gate.LOOKUP,),
    "a JSON document and pages",
    hosts=("gelbooru.com", "safebooru.org", "tbib.org"),
    keys=_keys,
    # What a post leads to is the maker's own place.
    makers_from=1,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the post as JSON; the newer hashes are known to no look-up."""
    return _site(asset).needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its sources; or read what one of these led to."""
    yield from rehost.read(_site(asset), evidence, asset, purpose, _posts)


def _posts(evidence: Evidence) -> tuple[list[Post], str]:
    document, gave_up = evidence.parsed(json.parse)
    found = json.at(document, "post") if isinstance(document, dict) else document
    posts = [found] if isinstance(found, dict) else json.items(found)[: rehost.MOST]
    return [_post(post) for post in posts], gave_up


def _post(post: Any) -> Post:  # noqa: ANN401 (any JSON value)
    names = rehost.names(json.text(post, "id"), json.text(post, "md5"), json.text(post, "hash"))
    return Post(names, sources=(json.text(post, "source"),))

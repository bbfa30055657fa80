"""Pixiv: what makers write into the tags and the description of a work."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from consentcrawl.core import (
    ROBOTS_TXT,
    Asset,
    Category,
    Evidence,
    Gate,
    Need,
    Purpose,
    Said,
    Spec,
    disallow,
    remark,
)
from consentcrawl.formats import json
from consentcrawl.platforms import OK, Form, Works, ai_tags, lacking, parameter, site_default

_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_MADE_WITH_AI = "2"
_MOST = 200

_SITE = r"(?:www\.|touch\.|m\.)?ph?ixiv\.net"
_FILES = r"(?:[\w-]+\.(?:pximg|pixiv)\.net|tc-pximg01\.techorus-cdn\.com)"
_TREE = r"(?:img-original|img-master|custom-thumb|img-zip-ugoira|img-inf)/img/\d{4}/\d\d/\d\d/\d\d/\d\d/\d\d"


def _record(name: str) -> str:
    """The work as JSON; an unlisted one has nothing but its page."""
    token = name.removeprefix("unlisted:")
    return f"https://www.pixiv.net/{f'ajax/illust/{name}' if token == name else f'artworks/unlisted/{token}'}"


_DEFAULT = site_default.of(_DATA)
_WORKS = Works(
    "pixiv",
    forms=(
        Form(rf"{_SITE}/(?:[a-z]{{2}}/)?artworks/(\d+)(?:/.*)?"),
        Form(rf"{_SITE}/(?:[a-z]{{2}}/)?artworks/unlisted/([\w-]+)", "unlisted:{}".format),
        Form(rf"(?:{_SITE}|(?:www\.)?p\.tl)/(?:[a-z]{{2}}/)?i/(\d+)(?:/.*)?"),
        Form(rf"{_SITE}/ajax/illust/(\d+)(?:/pages)?"),
        Form(rf"{_SITE}/member_illust\.php", query=parameter("illust_id")),
        Form(r"embed\.pixiv\.net/(?:artwork|decorate)\.php", query=parameter("illust_id")),
        Form(rf"{_FILES}/(?:c/[^/]+/)*{_TREE}/(\d+)(?:-[0-9a-f]{{32}})?_.+"),
        Form(r"(?:img|i)\d*\.pixiv\.net/(?:img\d+/)?img/(?!master4th/)[^/]+/(?:mobile/)?(\d+)(?:_\w+)?\.\w+"),
    ),
    look_up=_record,
    default=_DEFAULT,
)

SPEC = Spec(
    "Pixiv tags and description",
    "2023-05",
    "https://policies.pixiv.net/en.html",
    (Gate.LOOKUP,),
    "a JSON document",
    hosts=("pixiv.net", "pximg.net", "phixiv.net", "p.tl", "tc-pximg01.techorus-cdn.com"),
    keys=_WORKS.keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the work as JSON."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:  # noqa: ARG001 (as the protocol has it)
    """Read the maker's words where the answer is about the asset's own work."""
    yield _DEFAULT
    if evidence.need == ROBOTS_TXT:
        return
    document, gave_up = evidence.parsed(json.parse)
    body = json.at(document, "body")
    names = {json.text(body, "illustId"), json.text(body, "id")} - {""}
    own = evidence.status == OK and not names.isdisjoint(_WORKS.of(asset))
    if own:
        yield from _said(body)
    yield from lacking(evidence, own=own, gave_up=gave_up)


def _said(body: Any) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    for tag in json.items(body, "tags", "tags")[:_MOST]:
        words = json.text(tag, "tag")
        if _folded(words) in _DATA["tags"] or _speaks(words):
            yield from (disallow(category, words, "tags of the work") for category in ai_tags.USES)
    description = re.sub(r"<[^<>]*>", " ", json.text(body, "description"))
    if _speaks(description):
        yield from (disallow(category, description, "description of the work") for category in ai_tags.USES)
    if json.text(body, "aiType") == _MADE_WITH_AI:
        yield remark(Category.TRAIN, '"aiType":2', "the work's record", "made with AI, which is no choice")


def _speaks(words: str) -> bool:
    folded = _folded(words)
    return any(phrase in folded for phrase in _DATA["phrases"])


def _folded(words: str) -> str:
    """Full-width and half-width letters alike (Unicode NFKC), in lower case, without spaces and signs between words."""
    return re.sub(r"[\s#_\-・.,'\u2019]", "", unicodedata.normalize("NFKC", words).casefold())

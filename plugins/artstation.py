"""ArtStation: the tag NoAI of a project, and which files belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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
from consentcrawl.platforms import Form, Works, addresses, ai_tags, lacking, site_default
from consentcrawl.platforms.addresses import number

_WHERE = "tags of the project"
_MOST = 500

_CDN = r"cdn[\w-]*\.artstation\.com/p"
_NUMBER = r"(\d{3})/(\d{3})/(\d{3})/.+"


def _numbered(path: str, name: str) -> Form:
    """A file of one of ArtStation's counters, none of which is that of the projects."""
    return Form(f"{_CDN}/{path}/{_NUMBER}", lambda *digits: f"{name}:{number(*digits)}")


_DEFAULT = site_default.beside(__file__)
_WORKS = Works(
    "artstation",
    forms=(
        Form(r"(?:www\.)?artstation\.com/(?:artwork|projects)/([^/.]+)(?:\.json)?(?:/.*)?"),
        Form(r"(?!cdn)[\w-]+\.artstation\.com/(?:artwork|projects)/([^/.]+)(?:\.json)?(?:/.*)?"),
        Form(r"(?:www\.)?artstn\.co/p/([^/.]+)(?:/.*)?"),
    ),
    look_up="https://www.artstation.com/projects/{}.json".format,
    default=_DEFAULT,
    files=(
        _numbered("assets/images/images", "asset"),
        _numbered("assets/covers/images", "cover"),
        _numbered("assets/marmosets/attachments", "marmoset"),
        _numbered("video_sources", "video"),
    ),
)

SPEC = Spec(
    "ArtStation NoAI tag",
    "2022-12",
    "https://www.artstation.com/tos",
    (Gate.LOOKUP,),
    "a JSON document",
    hosts=("artstation.com", "artstn.co"),
    keys=_WORKS.keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the project: that of the URL, of the page, or one that was learnt to hold the file."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:  # noqa: ARG001 (as the protocol has it)
    """Read the tags of the project, for the project and for each of its files."""
    yield _DEFAULT
    if evidence.need == ROBOTS_TXT:
        yield from _WORKS.unknown(asset)
        return
    project, gave_up = evidence.parsed(json.parse)
    names = {json.text(project, "hash_id"), json.text(project, "slug")}
    names.update(addresses.names(json.text(project, "permalink"), _WORKS.forms))
    asked = set(addresses.names(evidence.need.url, _WORKS.forms))
    files = _files(project)
    mine = {name for name in addresses.names(asset.url, _WORKS.files) if name.startswith("asset:")}
    listed = isinstance(json.at(project, "tags"), list)
    own = listed and not asked.isdisjoint(names) and mine <= files
    if listed and not asked.isdisjoint(names):
        abouts = [*([None] if own else []), *(f"artstation:{name}" for name in sorted(files - mine))]
        yield from _tags(json.items(project, "tags"), abouts)
        yield from (_belongs(name, asked) for name in sorted(files))
    yield from lacking(evidence, own=own, gave_up=gave_up)


def _files(project: Any) -> set[str]:  # noqa: ANN401 (any JSON value)
    """Every file of the project, by its number and by the addresses of its pictures, covers among them."""
    items = json.items(project, "assets")[:_MOST]
    pictures = [json.text(project, "cover_url"), *(json.text(item, "image_url") for item in items)]
    named = {name for address in pictures for name in addresses.names(address, _WORKS.files)}
    return named | {f"asset:{number}" for item in items if (number := json.text(item, "id"))}


def _tags(tags: list[Any], abouts: list[str | None]) -> Iterator[Said]:
    for tag in tags[:_MOST]:
        words = json.text(tag) or json.text(tag, "name")
        # Makers write NoAI, #noai and "no ai".
        folded = re.sub(r"[#\s_-]", "", words).lower()
        for about in abouts:
            if folded in ("noai", "noimageai"):
                yield from (disallow(category, words, _WHERE, about=about) for category in ai_tags.USES)
            elif folded == "createdwithai":
                yield remark(Category.TRAIN, words, _WHERE, "made with AI, which is no choice", about=about)


def _belongs(file: str, asked: set[str]) -> Said:
    project = f"artstation:{min(asked)}"
    note, about = f"part of {project}", f"artstation:{file}"
    return remark(Category.TRAIN, project, "assets of the project", note, about=about, names=project)

"""Wikimedia Commons: the licence of a file, as a note; no choice about AI is offered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, unquote_plus

from consentcrawl.core import Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, remark
from consentcrawl.formats import json
from consentcrawl.platforms import OK, Form, addresses, lacking, parameter, site_default

_MOST = 50
_LIMIT = 2 * 1024 * 1024


def _title(name: str) -> str:
    """The title as MediaWiki keeps it: spaces for underscores, the first letter in upper case."""
    plain = " ".join(name.replace("_", " ").split())
    return f"File:{plain[:1].upper()}{plain[1:]}" if plain else ""


def _named(value: str) -> str:
    return _title(unquote_plus(value))


_WIKI = r"[\w-]+\.(?:m\.)?wiki[mp]edia\.org"
# The namespace of files in the languages of the larger wikis; each wiki knows the English one, too.
_FILE = "(?:File|Image|Datei|Bild|Fichier|Archivo|Ficheiro|Plik|Bestand|Файл|ファイル|文件)"
_DEFAULT = site_default.beside(__file__)
_FORMS = (
    Form(
        r"upload\.wikimedia\.org/wikipedia/[\w-]+/(?:(?:thumb|archive|transcoded)/)*[0-9a-f]/[0-9a-f]{2}/(?:\d{14}!)?([^/]+)(?:/.*)?",
        _title,
    ),
    Form(rf"{_WIKI}/wiki/(?:{_FILE}:|Special:(?:FilePath|Redirect/file)/)(?:{_FILE}:)?(.+)", _title),
    Form(rf"{_WIKI}/w/index\.php", _named, parameter("title", r"[^&#]+", f"{_FILE}(?::|%3A)")),
)
_API = "/w/api.php?action=query&format=json&prop=imageinfo&iiprop=url%7Cuser%7Csha1%7Cextmetadata&titles="


def _keys(asset: Asset) -> Iterable[str]:
    """Return the title of the file, whatever its size and whether it is a page or an image."""
    return [f"wikimedia:{name}" for name in addresses.names(asset.url, _FORMS)]


def _bulk(needs: Sequence[Need]) -> Iterator[tuple[Need, Sequence[Need]]]:
    """Join look-ups of up to fifty titles at one wiki; each comes with those that its answer answers."""
    wikis: dict[str, list[Need]] = {}
    for need in needs:
        wikis.setdefault(need.url.partition("&titles=")[0], []).append(need)
    for wiki, asked in wikis.items():
        for start in range(0, len(asked), _MOST):
            parts = asked[start : start + _MOST]
            titles = "%7C".join(need.url.partition("&titles=")[2] for need in parts)
            yield Need(Gate.LOOKUP, f"{wiki}&titles={titles}", limit=_LIMIT, polite=True), parts


SPEC = Spec(
    "Wikimedia file licence",
    "2026-08",
    "https://www.mediawiki.org/wiki/API:Imageinfo",
    (Gate.LOOKUP,),
    "a JSON document",
    hosts=("wikimedia.org", "wikipedia.org"),
    keys=_keys,
    bulk=_bulk,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (as the protocol has it)
    """Ask for the file's metadata at the wiki that keeps it; they carry no choice, so nothing waits for them."""
    for name in addresses.names(asset.url, _FORMS):
        yield Need(Gate.LOOKUP, f"https://{_wiki(asset)}{_API}{quote(name)}", polite=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:  # noqa: ARG001 (as the protocol has it)
    """Note the licence of every file in the answer: up to fifty may have been asked for at once."""
    yield _DEFAULT
    document, gave_up = evidence.parsed(json.parse)
    pages = json.at(document, "query", "pages")
    found = list(pages.values())[:_MOST] if isinstance(pages, dict) else json.items(pages)[:_MOST]
    mine = set(addresses.names(asset.url, _FORMS))
    known = {title: page for page in found if (title := json.text(page, "title")) and json.items(page, "imageinfo")}
    for title, page in known.items():
        yield from _licence(page, None if title in mine else f"wikimedia:{title}")
    own = evidence.status == OK and not mine.isdisjoint(known)
    yield from lacking(evidence, own=own, gave_up=gave_up, holds=False)


def _licence(page: Any, about: str | None) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    metadata = json.at(page, "imageinfo", 0, "extmetadata")
    for field in ("LicenseShortName", "UsageTerms", "License"):
        if words := json.text(metadata, field, "value"):
            yield remark(Category.TRAIN, words, f"extmetadata.{field}", "a licence is no consent", about=about)
            return


def _wiki(asset: Asset) -> str:
    segments = addresses.split(asset.url).segments
    if asset.host != "upload.wikimedia.org":
        return asset.host.replace(".m.", ".")
    wiki = segments[1]
    return "commons.wikimedia.org" if wiki == "commons" else f"{wiki}.wikipedia.org"

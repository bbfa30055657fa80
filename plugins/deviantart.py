"""DeviantArt: the robots meta of a deviation's page, and the AI flag of every deviation in the state of that page."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from typing import Any

from consentcrawl.core import (
    ROBOTS_TXT,
    Asset,
    Category,
    Evidence,
    Gap,
    Gate,
    Need,
    Purpose,
    Said,
    Spec,
    allow,
    disallow,
    remark,
)  # fmt: skip
from consentcrawl.formats import html, json
from consentcrawl.formats.html import Page
from consentcrawl.platforms import OK, Form, addresses, ai_tags, lacking, own_page, parameter, site_default

_LIMIT = 2 * 1024 * 1024
_STATE = "window.__INITIAL_STATE__"
_MOST = 500

_SITE = r"(?:[\w-]+\.)?(?:fx|fix)?deviantart\.com"
# Not those of avatars, emoticons and style sheets.
_OLD = r"(?!(?:a|e|s|st|sh)\.)[\w-]+\.deviantart\.net"
_CDN = r"(?:(?:images-)?wixmp-[0-9a-f]+|img-deviantart)\.wixmp\.com"
_HEX = r"[0-9a-f]{8}-[0-9a-f-]{27}"


def _decimal(digits: str) -> str:
    return str(int(digits, 36))


def _in_token(token: str) -> str:
    """The deviation in the file path that a download token repeats (RFC 7519 §3: the second part, without padding)."""
    body = token.split(".")[1] if token.count(".") > 1 else ""
    try:
        claims, _ = json.parse(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError:
        return ""
    path = json.text(claims, "obj", 0, 0, "path") or json.text(claims, "payload", "path")
    return next(iter(addresses.names(f"https://img-deviantart.wixmp.com{path}", (_FILE,))), "")


# The maker's UUID comes first and may itself begin with "d"; ids have one to seven digits of base 36.
_FILE = Form(rf"{_CDN}/(?:intermediary/)?[fiv](?:/mp4)?/{_HEX}/d([0-9a-z]{{1,7}})-{_HEX}.*", _decimal)
_TAIL = Form(rf"{_CDN}/.*_d([0-9a-z]{{1,7}})(?:-\w+)?\.\w+", _decimal)
_DEFAULT = site_default.beside(__file__)
_FORMS = (
    Form(rf"{_SITE}/(?:[\w-]+/)?(?:art|journal)/(?:[^/]*-)?(\d+)(?:/.*)?"),
    Form(rf"{_SITE}/(?:view|view-full|deviation|download)/(\d+)(?:/.*)?"),
    Form(rf"{_SITE}/view(?:-full)?\.php", query=parameter("id")),
    Form(r"(?:www\.)?fav\.me/[dD]([0-9a-zA-Z]{1,7})", _decimal),
    _FILE,
    Form(r"api-da\.wixmp\.com/_api/download/file", _in_token, parameter("downloadToken", r"[\w.-]+=*")),
    Form(rf"{_OLD}/(?:.*_by_[\w-]+|(?:.*/)?[0-9a-f]{{32}})-d([0-9a-z]{{4,7}})\.\w+", _decimal),
    Form(rf"{_OLD}/.*_by_\w+?_d([0-9a-z]{{6}})(?:-\w+)?\.\w+", _decimal),
    Form(r"(?:www\.)?sta\.sh/(?:zip/)?([0-9a-z]+)", "stash:{}".format),
    Form(rf"{_SITE}/stash/([0-9a-z]+)", "stash:{}".format),
)
# The oldest files: works, but nothing in the address tells which.
_UNTOLD = (Form(rf"{_OLD}/.+"),)


def _keys(asset: Asset) -> Iterable[str]:
    """Return the deviation; where path and file name disagree, both, since either maker may have chosen."""
    return [f"deviantart:{name}" for name in _works(asset.url)]


SPEC = Spec(
    "DeviantArt AI flag",
    "2022-11",
    "https://www.deviantart.com/about/policy/service/",
    (Gate.LOOKUP,),
    "a page",
    hosts=(
        "deviantart.com",
        "deviantart.net",
        "fxdeviantart.com",
        "fixdeviantart.com",
        "fav.me",
        "sta.sh",
        "wixmp.com",
    ),
    keys=_keys,
    pace=site_default.paces(__file__),
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the deviation, or for nothing more than is asked anyway where no id is to be had."""
    if purpose.heeds.isdisjoint(ai_tags.USES):
        return
    works = _mine(asset)
    for work in works:
        stash = work.removeprefix("stash:")
        url = f"https://sta.sh/{stash}" if stash != work else f"https://www.deviantart.com/deviation/{work}"
        yield Need(Gate.LOOKUP, url, limit=_LIMIT, polite=True, holds=True)
    if not works and addresses.fits(asset.url, _UNTOLD):
        yield ROBOTS_TXT


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the flag of every deviation on the page, and the meta tags if the page is the asset's own."""
    yield _DEFAULT
    if evidence.need == ROBOTS_TXT:
        yield Gap(asset.url, "no_source", holds=True)
        return
    page = evidence.parsed(html.parse, evidence.content_type)
    asked = set(_mine(asset)) & set(addresses.names(evidence.need.url, _FORMS))
    deviations, gave_up = _deviations(page)
    named = evidence.status == OK and own_page.is_of(page, evidence.url, _FORMS, asked)
    if named or asked & deviations.keys():
        yield from ai_tags.statements(evidence, page, purpose)
    for name, deviation in deviations.items():
        yield from _flag(deviation, None if name in asked else f"deviantart:{name}")
    # A page without the state of its own deviation is not the page that visitors get, whatever its address says.
    own = bool(asked & deviations.keys()) or (named and all(name.startswith("stash:") for name in asked))
    yield from lacking(evidence, own=own, gave_up=gave_up or page.gave_up)


def _works(url: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*addresses.names(url, _FORMS), *addresses.names(url, (_TAIL,)))))


def _mine(asset: Asset) -> tuple[str, ...]:
    return _works(asset.url) or (_works(asset.page) if addresses.fits(asset.url, _UNTOLD) else ())


def _deviations(page: Page) -> tuple[dict[str, Any], str]:
    for script in page.scripts:
        if _STATE in script.text:
            state, gave_up = json.scripted(script.text, _STATE)
            entities = json.at(state, "@@entities", "deviation")
            found = entities if isinstance(entities, dict) else {}
            return dict(list(found.items())[:_MOST]), gave_up or ("json_limit" if len(found) > _MOST else "")
    return {}, ""


def _flag(deviation: Any, about: str | None) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    flag, where = json.at(deviation, "isAiUseDisallowed"), "@@entities.deviation of the page's state"
    if isinstance(flag, bool):
        said = disallow if flag else allow
        quote = f'"isAiUseDisallowed":{str(flag).lower()}'
        yield from (said(category, quote, where, about=about) for category in ai_tags.USES)
    elif flag is not None and about is None:
        yield Gap("isAiUseDisallowed", "malformed", holds=True)
    if licence := json.text(deviation, "license"):
        yield remark(Category.TRAIN, f'"license":"{licence}"', where, "a licence is no consent", about=about)
    if json.at(deviation, "isAiGenerated") is True:
        yield remark(Category.TRAIN, '"isAiGenerated":true', where, "made with AI, which is no choice", about=about)

"""Bluesky and other ATProto hosts: the AI preferences that a maker keeps as records in their own repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from consentcrawl.core import Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, allow, disallow, remark
from consentcrawl.formats import json, url
from consentcrawl.platforms import OK, Form, addresses, lacking, site_default

_PREFERENCES = "community.lexicon.preference.ai"
_INTENTS = "org.user-intents.declaration"
_PROFILE = "app.bsky.actor.profile"
_POSTS = "app.bsky.feed.post"
_MEANS = {
    "training": (Category.TRAIN,),
    "inference": (Category.AI_USE,),
    "syntheticContent": (Category.TRAIN_GENERATIVE, Category.AI_USE),
    "embedding": (Category.AI_USE,),
}
_INTENDED = {"bulkDataset": (Category.TDM,), "syntheticContentGeneration": (Category.TRAIN_GENERATIVE, Category.AI_USE)}
_MOST = 100

_DID = r"did:(?:plc:[a-z2-7]{24}|web:[a-z0-9.-]+)"
_QUERY = r"^(?=.*[?&;]did=(did(?::|%3A)(?:plc|web)(?::|%3A)[a-z0-9.-]+)(?:&|$))(?=.*[?&;]cid=(\w+)(?:&|$))"


def _blob(did: str, cid: str) -> str:
    return f"{unquote(did)}|{cid}"


_DEFAULT = site_default.beside(__file__)
_FORMS = (
    Form(rf"(?:[\w-]+\.)?bsky\.app/profile/({_DID}|[a-z0-9.-]+)/post/(\w+)(?:/.*)?", "{}/{}".format),
    Form(rf"(?:av-)?cdn\.bsky\.app/img/(?:feed_fullsize|feed_thumbnail)/plain/({_DID})/(\w+)(?:@\w+)?", _blob),
    Form(rf"video\.(?:cdn\.)?bsky\.app/(?:watch|hls)/({_DID})/(\w+)/.+", _blob),
    Form(r"[^/]+/xrpc/com\.atproto\.sync\.getBlob", _blob, _QUERY),
)
_RESOLVE = "https://public.api.bsky.app/xrpc/com.atproto.identity.resolveHandle?handle="


def _keys(asset: Asset) -> Iterable[str]:
    """Return maker and post, or maker and blob; avatars and banners are no works."""
    return [f"bluesky:{name}" for name in addresses.names(asset.url, _FORMS)]


SPEC = Spec(
    "community.lexicon.preference.ai, org.user-intents.declaration",
    "2026-04",
    "https://github.com/bluesky-social/proposals/tree/main/0008-user-intents",
    (Gate.LOOKUP,),
    "four or five JSON documents per maker",
    hosts=("bsky.app", "bsky.network", "bsky.social"),
    keys=_keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask where the maker's repository is: once per maker, whatever the work."""
    if purpose.heeds.isdisjoint((Category.TRAIN, Category.TRAIN_GENERATIVE, Category.AI_USE, Category.TDM)):
        return
    for maker in _makers(asset):
        url = _document(maker) if maker.startswith("did:") else _RESOLVE + maker
        yield Need(Gate.LOOKUP, url, polite=True, holds=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Go from the handle to the DID, from the DID to its server, and read the records there."""
    if evidence.need in needs(asset, purpose):
        yield _DEFAULT
    document, gave_up = evidence.parsed(json.parse)
    step = next((read for part, read in _STEPS.items() if part in evidence.need.url), _server)
    found = list(step(document, evidence, _makers(asset)))
    yield from found
    own = bool(found) or _unsaid(document, evidence)
    yield from lacking(evidence, own=own, gave_up=gave_up)


def _makers(asset: Asset) -> tuple[str, ...]:
    """The DID or handle of each name of the asset."""
    names = addresses.names(asset.url, _FORMS)
    return tuple(dict.fromkeys(name.partition("|")[0].partition("/")[0] for name in names))


def _document(did: str) -> str:
    """Where the document of a DID lies (did:plc 0.1; did:web, which ATProto allows for bare host names only)."""
    web = did.removeprefix("did:web:")
    return f"https://plc.directory/{did}" if web == did else f"https://{web}/.well-known/did.json"


def _handle(document: Any, _: Evidence, __: tuple[str, ...]) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    did = json.text(document, "did")
    if addresses.names(f"https://bsky.app/profile/{did}/post/x", _FORMS) and did.startswith("did:"):
        yield Need(Gate.LOOKUP, _document(did), polite=True, holds=True)


def _server(document: Any, evidence: Evidence, _: tuple[str, ...]) -> Iterator[Said]:  # noqa: ANN401
    did = json.text(document, "id")
    if _document(did) != evidence.need.url:
        return
    for service in json.items(document, "service")[:_MOST]:
        if json.text(service, "id").endswith("#atproto_pds"):
            yield from _records(did, json.text(service, "serviceEndpoint"))
            return


def _records(did: str, server: str) -> Iterator[Said]:
    repository = f"xrpc/com.atproto.repo.{{}}?repo={did}&collection={{}}"
    for query in (
        repository.format("listRecords", _PREFERENCES) + f"&limit={_MOST}",
        repository.format("getRecord", _INTENTS) + "&rkey=self",
        repository.format("getRecord", _PROFILE) + "&rkey=self",
    ):
        try:
            yield Need(Gate.LOOKUP, url.join(f"{server.rstrip('/')}/", query), polite=True, holds=True)
        except url.BadUrl:
            return


def _unsaid(document: Any, evidence: Evidence) -> bool:  # noqa: ANN401
    """Return whether the repository says that there is no such record, or holds none that speaks: nothing was said."""
    if "com.atproto.repo." not in evidence.need.url:
        return False
    did = addresses.split(evidence.need.url).query.partition("repo=")[2].partition("&")[0]
    if evidence.status != OK:
        return json.text(document, "error") == "RecordNotFound"
    uris = [json.text(record, "uri") for record in (document, *json.items(document, "records"))]
    return isinstance(json.at(document, "records"), list) or any(uri.startswith(f"at://{did}/") for uri in uris)


def _preferences(document: Any, _: Evidence, __: tuple[str, ...]) -> Iterator[Said]:  # noqa: ANN401
    """The most specific record wins, as the lexicon has it: one for posts over a global one."""
    records = [json.at(record, "value") for record in json.items(document, "records")[:_MOST]]
    for kind, categories in _MEANS.items():
        choices = [(json.at(r, "preferences", kind, "allow"), _rank(r)) for r in records]
        ranked = [(choice, rank) for choice, rank in choices if isinstance(choice, bool) and rank]
        highest = max((rank for _, rank in ranked), default=0)
        for choice in sorted({choice for choice, rank in ranked if rank == highest}):
            yield from _chosen(kind, categories, _PREFERENCES, allowed=choice)
        if any(isinstance(choice, bool) and not rank for choice, rank in choices):
            yield remark(Category.TRAIN, kind, _PREFERENCES, "a choice for another collection or for one taker only")


def _rank(record: Any) -> int:  # noqa: ANN401 (any JSON value)
    scope = json.at(record, "scope")
    kind = json.text(scope, "$type").rpartition("#")[2]
    if kind == "collectionScope":
        return 2 * (json.text(scope, "collection") == _POSTS)
    return int(kind != "entityScope")


def _intents(document: Any, _: Evidence, __: tuple[str, ...]) -> Iterator[Said]:  # noqa: ANN401
    value = json.at(document, "value")
    for kind, categories in _INTENDED.items():
        allowed = json.at(value, kind, "allow")
        allowed = json.at(value, "preferences", kind, "allow") if allowed is None else allowed
        if isinstance(allowed, bool):
            yield from _chosen(kind, categories, _INTENTS, allowed=allowed)


def _chosen(kind: str, categories: tuple[Category, ...], where: str, *, allowed: bool) -> Iterator[Said]:
    quote = f'"{kind}":{{"allow":{str(allowed).lower()}}}'
    yield from ((allow if allowed else disallow)(category, quote, where) for category in categories)


def _profile(document: Any, _: Evidence, __: tuple[str, ...]) -> Iterator[Said]:  # noqa: ANN401
    for label in json.items(document, "value", "labels", "values")[:_MOST]:
        if json.text(label, "val") == "!no-unauthenticated":
            yield disallow(
                Category.ACQUIRE, "!no-unauthenticated", "self-labels of the profile", note="not for visitors"
            )


_STEPS = {"resolveHandle?": _handle, _PREFERENCES: _preferences, _INTENTS: _intents, _PROFILE: _profile}

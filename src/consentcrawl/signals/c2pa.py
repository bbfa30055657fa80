"""The C2PA and CAWG assertion about training and data mining in an image's content credentials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import (
    BODY,
    Asset,
    Category,
    Evidence,
    Gap,
    Gate,
    Need,
    Purpose,
    Said,
    Spec,
    Statement,
    allow,
    disallow,
    remark,
)
from consentcrawl.formats import c2pa, link, xmp
from consentcrawl.formats.url import BadUrl, canonical, join

SPEC = Spec(
    name="C2PA / CAWG training and data mining",
    version="C2PA 1.4, CAWG 1.1",
    url="https://cawg.io/training-and-data-mining/1.1/",
    gates=(Gate.BODY,),
    cost="no request; an image with a manifest is read by a worker process",
)

_DC_TERMS = "http://purl.org/dc/terms/"
_LIMIT = 1024 * 1024
_REMOTE = "remote"
_RELATION = "c2pa-manifest"
_NAMED_LIMIT = 2
_INGREDIENTS = ("ingredients", "refuse")

_FORBIDS = {
    "ai_generative_training": Category.TRAIN_GENERATIVE,
    "ai_training": Category.TRAIN,
    "ai_inference": Category.AI_USE,
    "data_mining": Category.TDM,
}
# A permission reaches no further than its words: CAWG 1.1 has ai_training for models that are not generative.
_ALLOWS = _FORBIDS | {"ai_training": Category.TRAIN_OTHER}
# TDM contains training (AIPREF vocabulary), so a maker who does not allow both has not allowed TDM.
_WHOLE_OF_TDM = {"data_mining", "ai_training", "ai_generative_training"}


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the content of the image."""
    return (BODY,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (words only)
    """Find a manifest or where one lies, then have it read, then read what it says."""
    url = evidence.need.url
    if not url:
        return _content(evidence)
    if url == c2pa.ELSEWHERE:
        return _elsewhere(evidence)
    return _manifest(evidence) if url.startswith(c2pa.PREFIX) else _fetched(evidence)


def _content(evidence: Evidence) -> Iterable[Said]:
    """Ask for the manifest that is there; for one that lies elsewhere where there is none."""
    carried = evidence.parsed(xmp.in_image)
    embedded, links = carried.embedded, evidence.fields.lines("link")
    if embedded.c2pa:
        return (Need(Gate.BODY, c2pa.MANIFEST, holds=True),)
    if (links or carried.packets) and (remote := _remote(evidence.url, links, carried.packets)):
        return (Need(Gate.BODY, c2pa.ELSEWHERE, fields=tuple((_REMOTE, url) for url in remote), holds=True),)
    if not embedded.gave_up:
        return ()
    reason = "body_limit" if not evidence.whole and embedded.gave_up == "truncated" else embedded.gave_up
    return (Gap(evidence.url, reason, holds=True, note="a C2PA manifest could stand in what was not read"),)


def _remote(base: str, links: list[str], packets: tuple[xmp.Xmp, ...]) -> list[str]:
    """Return the addresses of manifests elsewhere: by the Link field (C2PA 2.2 §15.5.3.1), then by the image's XMP."""
    lines = [line for line in links if _RELATION in line.lower()]
    hrefs = (each.href for each in link.read(lines) if _RELATION in each.rel)
    named = (value.text for packet in packets for value in packet.values(_DC_TERMS, "provenance"))
    urls = [*(_resolved(href, base) for href in hrefs), *(_resolved(text) for text in named)]
    return list(dict.fromkeys(filter(None, urls)))[:_NAMED_LIMIT]


def _resolved(reference: str, base: str = "") -> str:
    """Return the web address; a provenance that is none lies in the content itself, where none was found."""
    try:
        return join(base, reference) if base else canonical(reference.strip())
    except BadUrl:
        return ""


def _elsewhere(evidence: Evidence) -> Iterator[Said]:
    """Fetch the manifests that are named if the policy says so; else note that they were not."""
    follow = evidence.parsed(c2pa.read).remote
    for _, url in evidence.need.fields:
        if follow:
            yield Need(Gate.LOOKUP, url, limit=_LIMIT, polite=True, holds=True)
        else:
            yield Gap(url, "not_fetched", note="a C2PA manifest lies elsewhere, and remote_manifests is off")


def _fetched(evidence: Evidence) -> Iterator[Said]:
    """Have the content read together with a manifest that was fetched."""
    if evidence.found:
        yield Need(Gate.BODY, c2pa.FETCHED + evidence.url, content=evidence.content, holds=True)
    elif not evidence.gap:
        yield Gap(evidence.url, "bad_status", holds=True, note="the C2PA manifest is not where it is said to be")


def _manifest(evidence: Evidence) -> Iterator[Said]:
    """Read what the manifest says; what was not read of it is a gap that holds."""
    if evidence.gap:
        return  # noted already
    manifest = evidence.parsed(c2pa.read)
    yield from _active(manifest)
    for use in manifest.ingredients:
        if use.use == c2pa.NOT_ALLOWED:
            note = use.note or "said of a part of this image"
            yield disallow(_FORBIDS[use.about], use.quote, use.where, note=note, under=_INGREDIENTS)
    unread = manifest.gave_up or ("" if manifest.sound or manifest.absent or manifest.active else "malformed")
    if unread:
        # A manifest that is not valid may have said something before it was tampered with: noted.
        reason = unread if evidence.whole else "body_limit"
        yield Gap(evidence.url, reason, holds=bool(manifest.gave_up), note=manifest.note or "the manifest is not valid")


def _active(manifest: c2pa.Manifest) -> Iterator[Statement]:
    """State what is said of this image; a manifest that is not valid forbids, and allows nothing."""
    allowed = {use.about for use in manifest.active if use.use == c2pa.ALLOWED}
    for use in manifest.active:
        if use.use == c2pa.NOT_ALLOWED:
            yield disallow(_FORBIDS[use.about], use.quote, use.where, note=use.note)
        elif not manifest.sound:
            yield remark(_ALLOWS[use.about], use.quote, use.where, "the manifest is not valid, so it allows nothing")
        elif use.about == "data_mining" and not allowed >= _WHOLE_OF_TDM:
            yield remark(Category.TDM, use.quote, use.where, "training, which is part of it, is not allowed")
        else:
            yield allow(_ALLOWS[use.about], use.quote, use.where)

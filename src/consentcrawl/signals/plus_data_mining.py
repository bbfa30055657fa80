"""The PLUS data mining property (IPTC Photo Metadata 2023.1) and other reservations of rights in an image's XMP."""

from __future__ import annotations

import re
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
from consentcrawl.formats import image, xmp
from consentcrawl.formats.tdm_reservation import of_text

SPEC = Spec(
    name="PLUS data mining",
    version="IPTC Photo Metadata 2023.1, PLUS LDF 2.0.1",
    url="https://www.iptc.org/std/photometadata/specification/IPTC-PhotoMetadata#data-mining",
    gates=(Gate.BODY,),
    cost="no request; reads the image's metadata",
)

_PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
_PLUS_SPELLINGS = (_PLUS, _PLUS[:-1], _PLUS.replace("http:", "https:"))
_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_TDM_NAMESPACES = tuple(f"{s}://www.w3.org/ns/tdmrep{end}" for s in ("http", "https") for end in ("/", "#", ""))
_REMARKED = (
    ("http://ns.adobe.com/xap/1.0/rights/", "WebStatement", "a licence pointer is no consent"),
    (_PLUS, "Licensor", "whom to ask for a licence"),
    ("http://purl.org/dc/elements/1.1/", "rights", "a rights notice without machine-readable meaning"),
    (_EXT, "DigitalSourceType", "made by AI or not: neither is an opt-out"),
)
_CONSTRAINTS = ((_PLUS, "OtherConstraints"), (_EXT, "EmbdEncRightsExpr"), (_EXT, "LinkedEncRightsExpr"))

_TDM, _TRAIN, _GENERATIVE = Category.TDM, Category.TRAIN, Category.TRAIN_GENERATIVE
_AI_USE, _SEARCH = Category.AI_USE, Category.SEARCH
_ALL = (_TDM, _TRAIN, _AI_USE, _SEARCH)
_SEE = (_TDM, _AI_USE, _SEARCH)

# PLUS LDF, "Data Mining": what each term forbids. A prohibition that is not listed forbids everything.
_FORBIDS: dict[str, tuple[Category, ...]] = {
    "DMI-PROHIBITED": _ALL,
    "DMI-PROHIBITED-AIMLTRAINING": (_TRAIN,),
    "DMI-PROHIBITED-GENAIMLTRAINING": (_GENERATIVE,),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": (_TDM, _AI_USE),
    "DMI-PROHIBITED-SEECONSTRAINT": _SEE,
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": _SEE,
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": _SEE,
}
_ALLOWED = "DMI-ALLOWED"
_ALLOWS = (_TDM, _TRAIN)
_UNSPECIFIED = "DMI-UNSPECIFIED"
# What programs show for the terms, and some write.
_LABELS = {
    "prohibited": "DMI-PROHIBITED",
    "prohibited for ai/ml training": "DMI-PROHIBITED-AIMLTRAINING",
    "prohibited for generative ai/ml training": "DMI-PROHIBITED-GENAIMLTRAINING",
    "prohibited except for search engine indexing": "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
}
_TERM = re.compile(r"DMI-[A-Z0-9-]+", re.ASCII)
# A permission must be the term itself, bare or under the vocabulary's address.
_PLAINLY_ALLOWED = re.compile(r"(?:https?://ns\.useplus\.org/ldf/vocab/)?DMI-ALLOWED/?", re.IGNORECASE).fullmatch

_KEPT = 16  # notes of one kind: an image may hold thousands
_NOTE_LIMIT = 500  # characters


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the content of the image."""
    return (BODY,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:  # noqa: ARG001 (words only)
    """Read every XMP packet and IPTC block; what could stand in what was not read is a gap that holds."""
    carried = evidence.parsed(xmp.in_image)
    for packet in carried.packets:
        yield from _packet(packet, evidence)
    for name, text in [said for block in carried.embedded.iptc for said in image.iim_texts(block)][:_KEPT]:
        yield remark(_TRAIN, text, f"IPTC-IIM {name}", "a rights notice without machine-readable meaning")
    if reason := _unread(evidence, carried):
        yield Gap(evidence.url, reason, holds=True)


def _unread(evidence: Evidence, carried: xmp.Carried) -> str:
    """Return the reason code when metadata could stand in what was not read, or an empty string."""
    embedded = carried.embedded
    if embedded.gave_up:
        return "body_limit" if not evidence.whole and embedded.gave_up == "truncated" else embedded.gave_up
    opaque = not embedded.format and evidence.content_type.strip().lower().startswith("image/")
    return "unsupported" if opaque and evidence.content else ""


def _packet(packet: xmp.Xmp, evidence: Evidence) -> Iterator[Said]:
    if packet.gave_up:
        yield Gap(evidence.url, packet.gave_up, holds=True)
    for word in packet.denials:
        for category in _FORBIDS.get(word.upper(), _ALL):
            yield disallow(category, word, "XMP", note=f"the packet cannot be read as XML: {packet.gave_up}")
    yield from _data_mining(packet)
    yield from _tdm(packet)
    yield from _remarks(packet)


def _data_mining(packet: xmp.Xmp) -> Iterator[Statement]:
    values = [value for namespace in _PLUS_SPELLINGS for value in packet.values(namespace, "DataMining")]
    forbidden = dict(reversed([(c, value) for value in values for c in _forbidden(value.text)]))
    note = _constraints(packet) if forbidden else ""
    for category, value in forbidden.items():
        yield disallow(category, value.text, value.where, note=note)
    for value in values[:_KEPT]:
        if not forbidden and _PLAINLY_ALLOWED(value.text):
            yield from (allow(category, value.text, value.where) for category in _ALLOWS)
        elif not _forbidden(value.text):
            yield remark(_TRAIN, value.text or "plus:DataMining", value.where, _unused(value.text, bool(forbidden)))


def _unused(text: str, contradicted: bool) -> str:  # noqa: FBT001 (one of two cases)
    """Say why a value decides nothing."""
    if _PLAINLY_ALLOWED(text) and contradicted:
        return "another value forbids: the most restrictive counts"
    return "nothing defined" if _UNSPECIFIED in text.upper() else "not a term of the vocabulary"


def _forbidden(text: str) -> list[Category]:
    """Return what a value forbids: by its terms, wherever they stand in it, or by their English labels."""
    terms = _TERM.findall(text.upper().replace("_", "-")) or [_label(text)]
    return [c for term in terms if term.startswith("DMI-PROHIBITED") for c in _FORBIDS.get(term.rstrip("-"), _ALL)]


def _label(text: str) -> str:
    label = " ".join(text.lower().split())
    return _LABELS.get(label) or ("DMI-PROHIBITED-" if label.startswith("prohibited") else "")


def _constraints(packet: xmp.Xmp) -> str:
    """Return the words that a SEE… term points to."""
    texts = (value.text for name in _CONSTRAINTS for value in packet.values(*name) if value.text)
    return " · ".join(texts)[:_NOTE_LIMIT]


def _tdm(packet: xmp.Xmp) -> Iterator[Statement]:
    """Read ``tdm:reservation``: TDMRep defines it for the XMP of PDF only, so an image can but reserve by it."""
    values = [value for namespace in _TDM_NAMESPACES for value in packet.values(namespace, "reservation")]
    readings = [(value, *of_text(value.text)) for value in values]
    # Those that reserve come first, so that none of them is among the many.
    for value, reserved, note in sorted(readings, key=lambda reading: not reading[1])[:_KEPT]:
        quote = f"tdm:reservation {value.text}"
        if not reserved:
            yield remark(_TDM, quote, value.where, "not reserved, which permits nothing here")
            continue
        for category in (_TDM, _AI_USE):
            yield disallow(category, quote, value.where, note=note, family="tdmrep", rank=2)


def _remarks(packet: xmp.Xmp) -> Iterator[Statement]:
    for namespace, local, note in _REMARKED:
        for value in packet.values(namespace, local)[:_KEPT]:
            if value.text:
                yield remark(_TRAIN, value.text, f"{value.where}, {local}", note)
    foreign = sorted(packet.named("DataMining").difference(_PLUS_SPELLINGS))[:_KEPT]
    for namespace in foreign:
        note = f"DataMining of another vocabulary: {namespace}"[:_NOTE_LIMIT]
        for value in packet.values(namespace, "DataMining")[:_KEPT]:
            yield remark(_TRAIN, value.text or "DataMining", value.where, note)

"""Makes the answer of a server out of a table: its text or its image, its fields, and how it is written down."""

from __future__ import annotations

import codecs
import gzip
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests import containers, images, packets, signed_images
from tests.website import Answer

Json = dict[str, Any]

TYPES = {"html": "text/html", "json": "application/json", "xml": "application/rsl+xml", "text": "text/plain"}
"""What may stand in a document, and what it is declared as unless ``type`` says otherwise."""
KEYS = {
    *TYPES, "image", "status", "fields", "type", "charset", "coding", "keep",
    "dmi", "syntax", "encoding", "xmp", "attributes", "iptc", "signed", "ingredient", "tampered", "elsewhere",
}  # fmt: skip
# What stands before a text, and the codec that writes it.
_CHARSETS = {
    "utf-8": (b"", "utf-8"),
    "utf-8-sig": (codecs.BOM_UTF8, "utf-8"),
    "utf-16": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "utf-16-be": (b"", "utf-16-be"),
    "latin-1": (b"", "latin-1"),
}
_CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip, cut": ("gzip", lambda content: gzip.compress(content)[:-6]),
    "br": ("br", lambda content: b"\x0b" + content),
}


def answer(document: str | Json, kind: str, host: str) -> Answer:
    """Return what is answered: ``document`` is its text of a ``kind``, or a table of ``KEYS``."""
    table: Json = {kind: document} if isinstance(document, str) else document
    assert table.keys() <= KEYS, f"unknown {table.keys() - KEYS}"
    content, declared = _content(table, host)
    fields = [("Content-Type", table.get("type", declared))] if table.get("type", declared) else []
    fields += [_field(written_for(line, host)) for line in table.get("fields", ())]
    if "keep" in table:
        content = content[: table["keep"]]
    if "coding" in table:
        name, packed = _CODINGS[table["coding"]]
        content, fields = packed(content), [*fields, ("Content-Encoding", name)]
    return Answer(content, table.get("status", 200), tuple(fields))


def written_for(text: str, host: str) -> str:
    """Put the work's own host name where HOST stands."""
    return re.sub(r"\bHOST\b", host, text)


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip(" ")


def _content(table: Json, host: str) -> tuple[bytes, str]:
    for kind, declared in TYPES.items():
        if kind in table:
            mark, codec = _CHARSETS[table.get("charset", "utf-8")]
            return mark + written_for(table[kind], host).encode(codec), declared
    if "image" not in table:
        return b"", ""
    return _image(table, host), f"image/{_media_type(table['image'])}"


def _media_type(container: str) -> str:
    name = container.partition(" ")[0]
    return {"svg": "svg+xml", "bigtiff": "tiff", "heif": "heic"}.get(name, name)


def _image(table: Json, host: str) -> bytes:
    container: str = table["image"]
    if "signed" in table:
        return _signed(container, table)
    if "elsewhere" in table:
        return signed_images.remote(container, written_for(table["elsewhere"], host), _said(table, "assertion"))[0]
    if "iptc" in table:
        return containers.jpeg_rights(table["iptc"])
    if "dmi" in table:
        written = packets.data_mining(table.get("syntax", "element"), table["dmi"], table.get("encoding", "utf-8"))
        return images.CONTAINERS[container](written)
    if "xmp" in table or "attributes" in table:
        inside, attributes = table.get("xmp", ""), table.get("attributes", "")
        return images.CONTAINERS[container](packets.packet(written_for(inside, host), attributes))
    return _plain(container)


def _plain(container: str) -> bytes:
    """Return an image that says nothing: by Pillow, or with a packet in which nothing stands."""
    return containers.plain(container.upper()) if container in _BY_PILLOW else images.CONTAINERS[container](_SILENT)


_BY_PILLOW = frozenset({"jpeg", "png", "webp", "tiff", "gif"})
_SILENT = packets.packet("<dc:title>Untitled</dc:title>")


def _signed(container: str, table: Json) -> bytes:
    parent = signed_images.signed(container, _assertion(table["ingredient"])) if "ingredient" in table else b""
    said = [_assertion(table["signed"])] if table["signed"] else []
    image = signed_images.edited(container, parent, *said) if parent else signed_images.signed(container, *said)
    return _tampered(image) if table.get("tampered") else image


def _said(table: Json, name: str) -> Json:
    return _assertion(table.get(name, {"ai_training": "notAllowed"}))


def _assertion(uses: Mapping[str, Any]) -> Json:
    """Return the assertion of an era (``era = "c2pa"``, or CAWG's) with its uses."""
    stated = dict(uses)
    return signed_images.assertion(stated.pop("era", "cawg"), **stated)


def _tampered(image: bytes) -> bytes:
    """Change one bit of the pixels, near the end of the file."""
    at = len(image) - 40
    return image[:at] + bytes([image[at] ^ 1]) + image[at + 1 :]


def as_toml(value: object) -> str:
    """Write a text, a number or a list of them as TOML, which has JSON's form for these."""
    return json.dumps(value, ensure_ascii=False)

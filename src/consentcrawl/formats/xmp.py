"""An XMP packet (ISO 16684-1): every value of a property, in whichever of RDF's many spellings it was written.

A packet that cannot be read as XML can still forbid, and can never allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from consentcrawl.formats import image, xml

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML = "http://www.w3.org/XML/1998/namespace"

# RDF/XML §2: these say how a value is written, not what it is.
_SYNTAX = {xml.name_of(RDF, local) for local in ("parseType", "datatype", "ID", "nodeID", "bagID", "type")} | {
    xml.name_of(_XML, local) for local in ("lang", "space", "base")
}

_DENIAL = re.compile(rb"DMI-PROHIBITED[A-Za-z-]*", re.IGNORECASE)
_DENIALS_KEPT = 16
_END = re.compile(rb"<\?xpacket\s+end\s*=[^>]{0,16}\?>")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a property as text, and where in the packet it stands."""

    text: str
    where: str


@dataclass(frozen=True, slots=True)
class Xmp:
    """A packet that was read, or the reason why it was not and the words of denial found in it all the same."""

    gave_up: str = ""
    denials: tuple[str, ...] = ()
    _lines: xml.Lines = field(default=xml.NOWHERE, repr=False)
    _bearers: dict[str, list[xml.Node]] = field(default_factory=dict, repr=False)
    _nodes: dict[str, list[xml.Node]] = field(default_factory=dict, repr=False)

    def values(self, namespace: str, local: str) -> list[Value]:
        """Return every value of a property, once per place where it stands; without a value, an empty text.

        Attributes, element text, ``rdf:resource``, ``rdf:value``, containers and nested nodes all count.
        """
        name = xml.name_of(namespace, local)
        found = [(bearer.attrib[name].strip(), bearer) for bearer in self._bearers.get(name, ())]
        for node in self._nodes.get(name, ()):
            found += list(_texts(node, name)) or [("", node)]
        return [Value(text, f"XMP, line {self._lines.of(node)}") for text, node in found]

    def elements(self, namespace: str, local: str) -> list[xml.Element]:
        """Return every element of a name."""
        return [xml.Element(node, self._lines) for node in self._nodes.get(xml.name_of(namespace, local), ())]

    def named(self, local: str) -> set[str]:
        """Return the namespaces in which a property of this local name occurs."""
        ending = [name for names in (self._bearers, self._nodes) for name in names if name.endswith(local)]
        return {namespace for namespace, own in map(xml.split, ending) if own == local}


@dataclass(frozen=True, slots=True)
class Carried:
    """An image's embedded parts, and its XMP packets read."""

    embedded: image.Embedded
    packets: tuple[Xmp, ...]


def in_image(content: bytes) -> Carried:
    """Find and read every XMP packet of an image."""
    embedded = image.find(content)
    return Carried(embedded, tuple(map(read, embedded.xmp)))


def read(packet: bytes) -> Xmp:
    """Read one packet: UTF-8, UTF-16 or UTF-32, with or without wrapper and padding; never raises.

    Reason codes are those of ``xml.read``.
    """
    document = xml.read(packet)
    end = _END.search(packet) if document.gave_up == "malformed" else None
    if end and not _denials(packet[end.end() :]):  # stale bytes of an earlier, longer packet
        document = xml.read(packet[: end.end()])
    if document.root is None:
        # A wrapper with nothing in it is an empty packet.
        return Xmp() if document.blank else Xmp(document.gave_up, _denials(packet))
    bearers: dict[str, list[xml.Node]] = {}
    nodes: dict[str, list[xml.Node]] = {}
    for node in document.root.node.iter():
        nodes.setdefault(node.tag, []).append(node)
        for name in node.attrib:
            bearers.setdefault(name, []).append(node)
    return Xmp("", (), document.root.lines, bearers, nodes)


def _texts(node: xml.Node, name: str) -> Iterator[tuple[str, xml.Node]]:
    """Return the texts at and below a node, but for those of a property of the same name within it."""
    if text := xml.text_of(node):
        yield text, node
    for key, value in node.attrib.items():
        if key not in _SYNTAX and value.strip():
            yield value.strip(), node
    for child in node:
        if child.tag != name:
            yield from _texts(child, name)


def _denials(packet: bytes) -> tuple[str, ...]:
    """Return the words of denial in a packet that cannot be read; without its zero bytes every encoding is ASCII."""
    words = _DENIAL.findall(packet[: 2 * xml.SIZE_LIMIT].replace(b"\0", b""))
    return tuple(dict.fromkeys(word.decode("ascii") for word in words[:_DENIALS_KEPT]))

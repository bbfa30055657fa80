"""Writes XMP packets: one value in every syntax of RDF and every encoding."""

from __future__ import annotations

PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
VOCABULARY = "http://ns.useplus.org/ldf/vocab/"

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NAMESPACES = (
    f'xmlns:rdf="{_RDF}" xmlns:plus="{PLUS}" xmlns:q="{PLUS}" xmlns:tdm="http://www.w3.org/ns/tdmrep/" '
    'xmlns:tdmh="http://www.w3.org/ns/tdmrep#" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:other="http://other.example/ns/" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:rsl="https://rslstandard.org/rsl"'
)

# How the value @ of the property can be written: attributes of the description, and what stands in it.
SYNTAXES: dict[str, tuple[str, str]] = {
    "attribute": ('plus:DataMining="@"', ""),
    "element": ("", "<plus:DataMining>@</plus:DataMining>"),
    "resource": ("", '<plus:DataMining rdf:resource="@"/>'),
    "prefix": ("", "<q:DataMining>@</q:DataMining>"),
    "bag": ("", "<plus:DataMining><rdf:Bag><rdf:li>@</rdf:li></rdf:Bag></plus:DataMining>"),
    "seq": ("", '<plus:DataMining><rdf:Seq><rdf:li rdf:resource="@"/></rdf:Seq></plus:DataMining>'),
    "alt": ("", '<plus:DataMining><rdf:Alt><rdf:li xml:lang="x-default">@</rdf:li></rdf:Alt></plus:DataMining>'),
    "value": ("", '<plus:DataMining rdf:parseType="Resource"><rdf:value>@</rdf:value></plus:DataMining>'),
    "value attribute": ("", '<plus:DataMining><rdf:Description rdf:value="@"/></plus:DataMining>'),
    "node": ("", '<plus:DataMining><rdf:Description rdf:about="@"/></plus:DataMining>'),
    "cdata": ("", "<plus:DataMining><![CDATA[@]]></plus:DataMining>"),
    "spaced": ("", "<plus:DataMining>\n  @\n</plus:DataMining>"),
    "commented": ("", "<plus:DataMining><!-- my choice -->@</plus:DataMining>"),
}

ENCODINGS = {
    "utf-8": "utf-8",
    "utf-16 little": "utf-16-le",
    "utf-16 big": "utf-16-be",
    "utf-16 marked": "utf-16",
    "utf-32 little": "utf-32-le",
    "utf-32 big": "utf-32-be",
    "utf-32 marked": "utf-32",
}


def packet(inside: str, attributes: str = "", *, encoding: str = "utf-8", padding: int = 512) -> bytes:
    """Write an XMP packet around properties: as attributes of its description, or inside of it."""
    text = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF {NAMESPACES}>\n<rdf:Description rdf:about="" {attributes}>\n{inside}\n</rdf:Description>'
        f'</rdf:RDF></x:xmpmeta>{" " * padding}<?xpacket end="w"?>'
    )
    return text.encode(ENCODINGS.get(encoding, encoding))


def data_mining(syntax: str, value: str, encoding: str = "utf-8") -> bytes:
    """Write a packet that holds one data mining value; a bare term gets the vocabulary's address before it."""
    attributes, inside = SYNTAXES[syntax]
    full = VOCABULARY + value if value.startswith("DMI-") else value
    return packet(inside.replace("@", full), attributes.replace("@", full), encoding=encoding)

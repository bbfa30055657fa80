"""Whether bytes open as a page (WHATWG MIME Sniffing §7.1), and in which encoding a page is (HTML §13.2.3).

The encoding is that of the byte order mark, the Content-Type, the page itself, or windows-1252. Bytes that cannot be
read as said are still read as ASCII, with a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from consentcrawl.formats.html.tag_patterns import TAG
from consentcrawl.formats.html.tokenizer import META, read_attributes

_PRESCAN = 1024  # bytes, HTML §13.2.3.2
_DEFAULT = "windows-1252"

# The Encoding standard's names, Python's where they differ, and the labels beside the name (§4.2).
_ENCODINGS = """
utf-8 utf-8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8
ibm866 cp866 866 cp866 csibm866
iso-8859-2 iso8859-2 csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2
iso-8859-3 iso8859-3 csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3
iso-8859-4 iso8859-4 csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4
iso-8859-5 iso8859-5 csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988
iso-8859-6 iso8859-6 arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6-e iso-8859-6-i \
iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987
iso-8859-7 iso8859-7 csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7 iso88597 iso_8859-7 \
iso_8859-7:1987 sun_eu_greek
iso-8859-8 iso8859-8 csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 \
iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical
iso-8859-10 iso8859-10 csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6
iso-8859-13 iso8859-13 iso8859-13 iso885913
iso-8859-14 iso8859-14 iso8859-14 iso885914
iso-8859-15 iso8859-15 csisolatin9 iso8859-15 iso885915 iso_8859-15 l9
iso-8859-16 iso8859-16
koi8-r koi8-r cskoi8r koi koi8 koi8_r
koi8-u koi8-u koi8-ru
macintosh mac-roman csmacintosh mac x-mac-roman
windows-874 cp874 dos-874 iso-8859-11 iso8859-11 iso885911 tis-620
windows-1250 cp1250 cp1250 x-cp1250
windows-1251 cp1251 cp1251 x-cp1251
windows-1252 cp1252 ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 \
iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii x-cp1252 x-user-defined
windows-1253 cp1253 cp1253 x-cp1253
windows-1254 cp1254 cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 \
latin5 x-cp1254
windows-1255 cp1255 cp1255 x-cp1255
windows-1256 cp1256 cp1256 x-cp1256
windows-1257 cp1257 cp1257 x-cp1257
windows-1258 cp1258 cp1258 x-cp1258
x-mac-cyrillic mac-cyrillic x-mac-ukrainian
gbk gb18030 chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 iso-ir-58 x-gbk
gb18030 gb18030
big5 big5hkscs big5-hkscs cn-big5 csbig5 x-x-big5
euc-jp euc-jp cseucpkdfmtjapanese x-euc-jp
iso-2022-jp iso2022-jp csiso2022jp
shift_jis cp932 csshiftjis ms932 ms_kanji shift-jis sjis windows-31j x-sjis
euc-kr cp949 cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949
utf-16be utf-16-be unicodefffe
utf-16le utf-16-le csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16
"""
_ROWS = [line.split() for line in _ENCODINGS.splitlines() if line]
_CODECS = {name: codec for name, codec, *_ in _ROWS}
_LABELS = {label: name for name, _, *labels in _ROWS for label in (name, *labels)}
# In these a byte of ASCII's range can be the second half of a character, so they are decoded before anything else.
_NOT_ASCII = frozenset({"utf-16le", "utf-16be", "iso-2022-jp", "shift_jis", "gbk", "gb18030", "big5", "euc-kr"})
_WIDE_MARKS = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")  # UTF-32, which no browser reads
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))

# Encodings in which a tag can be written with other bytes than ASCII's; a label such as "ru" is none at all.
_ODD_LABEL = re.compile("7|32|2022|ucs|hz|ebcdic|ibm|cp0|cp500|cp1026|scsu|bocu|replacement")

_FIELD = re.compile(r""";\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))""", re.IGNORECASE)
_IN_CONTENT = re.compile(rb"""charset[ \t\n\f\r]*=[ \t\n\f\r]*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))""", re.IGNORECASE)
# One step of "prescan a byte stream" (HTML §13.2.3.2), which knows comments and tags but no raw text.
_STEP = re.compile(
    rb"<(?:!(?=--)(?:.*?-->|.*+)|([mM][eE][tT][aA])(?=[ \t\n\f\r/])|/?" + TAG + rb"|[!/?][^>]*+>)", re.DOTALL
)
_XML = re.compile(rb"""<\?xml[^>]*?encoding[ \t\n\f\r]*=[ \t\n\f\r]*(?:"([^">]*)"|'([^'>]*)')""")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page as bytes in which ASCII is ASCII, the codec of those bytes, and what the page's encoding is called.

    ``gap`` is ``encoding`` when the page names an encoding that is not known and could hide something. ``as_it_was``:
    ASCII was ASCII in the content as well.
    """

    page: bytes
    codec: str
    name: str
    gap: str
    as_it_was: bool = False


def decode(content: bytes, content_type: str) -> Decoded:
    """Determine the encoding of ``content``, and return it in a form in which ASCII is ASCII."""
    if content.startswith(_WIDE_MARKS):
        return Decoded(content.decode("utf-32", "replace").encode(errors="replace"), "utf-8", "utf-32", "encoding")
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], name, "")
    labels = [label.strip().lower() for label in (_of_field(content_type), *_of_page(content[:_PRESCAN])) if label]
    known = next((_LABELS[label] for label in labels if label in _LABELS), "")
    wide = known.startswith("utf-16")
    if wide and looks_html(content):  # ours: declared with two bytes to each character, written with one
        return _decoded(content, _DEFAULT, "encoding")
    if not wide and b"\0" in content[:2]:
        # Ours: two bytes to each character, undeclared. Browsers see no tag in that.
        return _decoded(content, "utf-16le" if content[:1] != b"\0" else "utf-16be", "encoding")
    unclear = labels and not known and (_ODD_LABEL.search(labels[0]) or not _is_ascii(content))
    return _decoded(content, known or _DEFAULT, "encoding" if unclear else "")


def _is_ascii(content: bytes) -> bool:
    """Return whether a page in an unknown encoding has its tags in ASCII, and changes to no other encoding."""
    return looks_html(content) and b"\x1b" not in content and b"\0" not in content


def _decoded(content: bytes, name: str, gap: str) -> Decoded:
    codec = _CODECS[name]
    if name not in _NOT_ASCII:
        return Decoded(content, codec, name, gap, as_it_was=True)
    return Decoded(content.decode(codec, "replace").encode(errors="replace"), "utf-8", name, gap)


def _of_field(content_type: str) -> str:
    """Return the charset parameter of a Content-Type field (RFC 9110 §8.3.2)."""
    match = _FIELD.search(content_type)
    return match[1] or match[2] or "" if match else ""


def _of_page(head: bytes) -> list[str]:
    """Return the labels a page gives itself, in order (HTML §13.2.3.2)."""
    labels = [_of_meta(attributes).strip().lower() for attributes in _metas(head)]
    # A page that could be read as far as this tag is not in UTF-16.
    labels = [b"utf-8" if label.startswith(b"utf-16") else label for label in labels]
    xml = _XML.match(head)
    labels.append(xml[1] or xml[2] or b"" if xml else b"")
    return [label.decode("latin-1") for label in labels]


def _metas(head: bytes) -> Iterator[dict[bytes, bytes]]:
    position = 0
    while position >= 0 and (step := _STEP.search(head, position)) is not None:
        position = step.end()
        if step[1]:
            attributes: dict[bytes, bytes] = {}
            position = read_attributes(META, head, position, attributes)
            if position >= 0:
                yield attributes


def _of_meta(attributes: dict[bytes, bytes]) -> bytes:
    if b"charset" in attributes:
        return attributes[b"charset"]
    if attributes.get(b"http-equiv", b"").lower() != b"content-type":
        return b""
    match = _IN_CONTENT.search(attributes.get(b"content", b""))
    return match[1] or match[2] or match[3] or b"" if match else b""


# WHATWG MIME Sniffing §7.1, where a blank or ">" ends the name; ours: any white space and "/" do too.
_SNIFF = re.compile(
    rb"(?:\xef\xbb\xbf)?[ \t\n\f\r]*+(?:(?:<!--(?s:.*?)-->|<\?xml[^>]*+>)[ \t\n\f\r]*+)*+"
    rb"<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)(?=[ \t\n\f\r/>])",
    re.IGNORECASE,
)
_SNIFFED = 4096  # bytes; the standard's 1,445 are too few for a page that opens with a long comment


def looks_html(content: bytes) -> bool:
    """Return whether ``content`` opens as a page does, behind comments and an XML declaration; reads 4 KiB at most."""
    head = content[:_SNIFFED]
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        head = head.decode("utf-16", "replace").encode(errors="replace")
    return _SNIFF.match(head) is not None


# Ours: what has no declared type and holds one of these near its start is read as the page it may be.
_TAGGED = re.compile(rb"<(?:meta|link|html|head|script|!doctype)[ \t\n\f\r/>]", re.IGNORECASE).search
_UNDECLARED = frozenset({"", "application/octet-stream", "unknown/unknown", "*/*"})


def is_page(content: bytes, content_type: str = "") -> bool:
    """Return whether ``content`` is to be read as a page: it opens as one, is declared as one, or may be one."""
    if looks_html(content):
        return True
    declared = content_type.partition(";")[0].strip().lower()
    if "html" in declared or declared in {"text/xml", "application/xml"}:
        return bool(content)
    return declared in _UNDECLARED and _TAGGED(content, 0, _SNIFFED) is not None

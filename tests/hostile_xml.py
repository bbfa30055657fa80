"""Thirty-odd XML documents made to mislead, to stall or to swell, each with the reason code that must come out."""

from __future__ import annotations

from collections.abc import Callable

MIB = 1024 * 1024
_BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)).encode()

HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "billion laughs": (lambda: b'<!DOCTYPE x [<!ENTITY e0 "ha">' + _BOMB + b"]><x>&e9;</x>", "doctype"),
    "quadratic blow-up": (
        lambda: b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 50_000 + b'">]><x>' + b"&a;" * 50_000 + b"</x>",
        "doctype",
    ),
    "external entity": (lambda: b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>', "doctype"),
    "external subset": (lambda: b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>', "doctype"),
    "parameter entity": (lambda: b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/">%p;]><x/>', "doctype"),
    "default attributes": (lambda: b'<!DOCTYPE x [<!ATTLIST x a CDATA "b">]><x/>', "doctype"),
    "harmless document type": (lambda: b"<!DOCTYPE x><x/>", "doctype"),
    "document type in UTF-16": (lambda: "<!DOCTYPE x><x/>".encode("utf-16"), "doctype"),
    "document type of a megabyte": (lambda: b"<!DOCTYPE x [" + b"<!-- -->" * 130_000 + b"]><x/>", "doctype"),
    "undeclared entity": (lambda: b"<x>&hidden;</x>", "malformed"),
    "100,000 levels": (lambda: b"<a>" * 100_000 + b"</a>" * 100_000, "xml_limit"),
    "65 levels": (lambda: b"<a>" * 65 + b"</a>" * 65, "xml_limit"),
    "100,000 attributes": (
        lambda: b"<x " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/>",
        "xml_limit",
    ),
    "1,001 attributes": (lambda: b"<x " + b" ".join(b'a%d="1"' % n for n in range(1_001)) + b"/>", "xml_limit"),
    "half a million elements": (lambda: b"<x>" + b"<a/>" * 500_000 + b"</x>", "xml_limit"),
    "attributes everywhere": (lambda: b"<x>" + b'<a b="" c="" d=""/>' * 100_000 + b"</x>", "xml_limit"),
    "one long namespace, often": (
        lambda: b'<p:x xmlns:p="' + b"n" * MIB + b'">' + b"<p:a/>" * 19_000 + b"</p:x>",
        "xml_limit",
    ),
    "a long namespace for many names": (
        lambda: b'<p:x xmlns:p="' + b"n" * 900 + b'">' + b"".join(b"<p:n%d/>" % n for n in range(2_000)) + b"</p:x>",
        "xml_limit",
    ),
    "three megabytes": (lambda: b"<x>" + b"a" * 3 * MIB + b"</x>", "xml_limit"),
    "attribute given twice": (lambda: b'<x a="1" a="2"/>', "malformed"),
    "attribute given twice by prefixes": (lambda: b'<x xmlns:a="u" xmlns:b="u" a:c="1" b:c="2"/>', "malformed"),
    "prefix without a namespace": (lambda: b"<p:x/>", "malformed"),
    "no end": (lambda: b"<x><y>", "malformed"),
    "two roots": (lambda: b"<x/><y/>", "malformed"),
    "text behind the root": (lambda: b"<x/>text", "malformed"),
    "nothing": (lambda: b"", "malformed"),
    "a comment only": (lambda: b"<!-- nothing -->", "malformed"),
    "zero byte inside": (lambda: b"<x>a\0b</x>", "malformed"),
    "control character": (lambda: b"<x>&#1;</x>", "malformed"),
    "no UTF-8": (lambda: b"<x>\xff\xfe</x>", "malformed"),
    "unknown encoding": (lambda: b'<?xml version="1.0" encoding="x-none"?><x/>', "encoding"),
    "encoding of several octets": (lambda: b'<?xml version="1.0" encoding="shift_jis"?><x/>', "encoding"),
    "lone surrogate in UTF-16": (lambda: b"<\0x\0\0\xd8/\0>\0", "malformed"),
    "a page": (lambda: b"<html><head><meta charset=utf-8></head><body><p>Not found</body></html>", "malformed"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "malformed"),
    "unclosed CDATA": (lambda: b"<x><![CDATA[" + b"]]" * 100_000, "malformed"),
}

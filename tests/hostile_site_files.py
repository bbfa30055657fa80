"""Files under the names ai.txt and trust.txt made to mislead, to stall or to swell, each with what must come out."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

MIB = 1024 * 1024
AI, TRUST = "/ai.txt", "/trust.txt"
REFUSE, PERMIT = "refuse", "permit"
_RULES = b"User-agent: *\nDisallow: /\n"
_NO, _YES = b"datatrainingallowed=no\n", b"datatrainingallowed=yes\n"


def _agents(many: int) -> bytes:
    return b"".join(b"User-agent: bot%d\n" % n for n in range(many))


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str, str]] = {
    "ai.txt of a line of ten megabytes": (
        AI,
        lambda: b"User-agent: *\nDisallow: /" + b"a" * 10 * MIB,
        PERMIT,
        "robots_limit",
    ),
    "ai.txt of 100,000 user agents": (
        AI,
        lambda: _agents(100_000) + _RULES,
        PERMIT,
        "robots_limit",
    ),
    "ai.txt of 15,000 user agents and ourselves": (
        AI,
        lambda: _agents(15_000) + b"User-agent: consentcrawl\nDisallow: /\n",
        REFUSE,
        "",
    ),
    "ai.txt of 10,000 rules with stars": (
        AI,
        lambda: b"User-agent: *\n" + b"Disallow: /*a\n" * 10_000 + b"Disallow: *.jpg\n",
        REFUSE,
        "",
    ),
    "ai.txt of 20,000 stars in a rule": (AI, lambda: b"User-agent: *\nDisallow: /" + b"*a" * 20_000, PERMIT, ""),
    "ai.txt with zero bytes between": (AI, lambda: b"User-agent: *\0\nDisallow: /\0\n", REFUSE, ""),
    "ai.txt of zero bytes": (AI, lambda: b"\0" * MIB, PERMIT, ""),
    "ai.txt that is a page": (AI, lambda: b"<!DOCTYPE html><pre>" + _RULES, PERMIT, ""),
    "ai.txt that is a page behind much white space": (AI, lambda: b" \n" * 20_000 + b"<html>\n" + _RULES, REFUSE, ""),
    "ai.txt with carriage returns alone": (AI, lambda: b"User-agent: *\rDisallow: /\r", REFUSE, ""),
    "ai.txt with a mark at its front": (AI, lambda: b"\xef\xbb\xbf" + _RULES, REFUSE, ""),
    "ai.txt in UTF-16": (AI, lambda: _RULES.decode().encode("utf-16"), REFUSE, "encoding"),
    "ai.txt in EBCDIC": (AI, lambda: _RULES.decode().encode("cp500"), PERMIT, ""),
    "ai.txt in Latin-1": (AI, lambda: "# Künstler\nUser-agent: *\nDisallow: /\n".encode("latin-1"), REFUSE, ""),
    "ai.txt that is a picture": (AI, lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400, PERMIT, ""),
    "ai.txt whose colon is a wide one": (AI, "User-agent: *\nDisallow\uff1a /\n".encode, PERMIT, ""),
    "ai.txt of 100,000 empty lines, then rules": (AI, lambda: b"\n" * 100_000 + _RULES, REFUSE, ""),
    "trust.txt of a line of ten megabytes": (TRUST, lambda: b"member=" + b"a" * 10 * MIB + b"\n" + _NO, REFUSE, ""),
    "trust.txt of a million blanks before the word": (TRUST, lambda: b" " * MIB + b"x " + _NO, PERMIT, ""),
    "trust.txt of blanks and signs": (TRUST, lambda: b"datatrainingallowed " * 50_000 + b"\n" + _NO, REFUSE, ""),
    "trust.txt that says it a hundred thousand times": (TRUST, lambda: _NO * 100_000, REFUSE, ""),
    "trust.txt that says both, often": (TRUST, lambda: (_YES + _NO) * 50_000, REFUSE, ""),
    "trust.txt with zero bytes between": (TRUST, lambda: b"data\0trainingallowed=no\n", PERMIT, ""),
    "trust.txt with carriage returns alone": (TRUST, lambda: b"member=x\rdatatrainingallowed=no\r", REFUSE, ""),
    "trust.txt with a mark at its front": (TRUST, lambda: b"\xef\xbb\xbf" + _NO, REFUSE, ""),
    "trust.txt in UTF-16": (TRUST, lambda: _NO.decode().encode("utf-16"), REFUSE, ""),
    "trust.txt in UTF-16 without a mark": (TRUST, lambda: _NO.decode().encode("utf-16-be"), REFUSE, ""),
    "trust.txt with a wide zero for no": (TRUST, "datatrainingallowed=\uff10\n".encode, PERMIT, ""),
    "trust.txt with another alphabet's letters": (TRUST, "d\u0430tatrainingallowed=no\n".encode, PERMIT, ""),
    "trust.txt that is a page": (TRUST, lambda: b"<html>\n" + _NO, PERMIT, ""),
    "trust.txt with line separators of Unicode": (TRUST, lambda: b"member=x\xe2\x80\xa8" + _NO, PERMIT, ""),
}
"""Where each lies, what makes it, the outcome for training, and the reason of the gap, if there is one."""


def _cut(content: bytes) -> bytes:
    return gzip.compress(content)[:-6]


PACKED: dict[str, tuple[str, Callable[[], bytes], str, str]] = {
    "ai.txt that unpacks to 64 megabytes": (AI, lambda: _bomb(64), PERMIT, "body_ratio"),
    "trust.txt that unpacks to 64 megabytes": (TRUST, lambda: _bomb(64), PERMIT, "body_ratio"),
    "ai.txt packed in a thousand members": (AI, lambda: gzip.compress(b"# x\n") * 1_000, PERMIT, "body_limit"),
    "trust.txt that breaks off after the word": (TRUST, lambda: _cut(_NO), REFUSE, "truncated"),
    "trust.txt that is no gzip": (TRUST, lambda: _NO, PERMIT, "encoding"),
}
"""The same of what is sent as gzip."""


def _bomb(mebibytes: int) -> bytes:
    """Return a gzip member of blanks, made without holding what it unpacks to."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    block = b" " * MIB
    return b"".join(packing.compress(block) for _ in range(mebibytes)) + packing.flush()

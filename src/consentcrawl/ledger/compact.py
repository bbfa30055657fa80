"""A C2SP tlog-proof in about as few bytes as it has information, and back.

What is read back is the text that was shrunk, byte for byte, and it is as little believed as the text would be.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping

from consentcrawl.ledger.entry import ROW_SALT_BYTES, SALT_BYTES, commitment

MAGIC = b"ccproof1"
_LONGEST = 512 * 1024
_RAW_DEFLATE = -15
_EXTRA = re.compile(r"^extra (\S+)$", re.MULTILINE)
_EXTRA_PLAIN = re.compile(r"^extra (.+)$", re.MULTILINE)
_BESIDE = re.compile(r'\{"beside":"([^"]+)",')
# Digest in hex, hash, signature with its key's id, public key. None can begin or end within another.
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9+/])(?:([0-9a-f]{64})|([A-Za-z0-9+/]{43}=)|([A-Za-z0-9+/]{91}=))(?![A-Za-z0-9+/=])"
    r'|(?<=\+)([A-Za-z0-9+/]{44})(?=")'
)
_MARK = re.compile("([\x01-\x07])")
_FOLLOWS, _BEGIN, _END = "\x05", "\x06", "\x07"


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


# Canonical JSON and signed notes hold no control characters: these stand for what lies raw behind the text.
_RAW: Mapping[str, tuple[int, Callable[[bytes], str]]] = {
    "\x01": (32, bytes.hex),
    "\x02": (32, _base64),
    "\x03": (68, _base64),
    "\x04": (33, _base64),
}
# What proofs have in common, the most common last (RFC 1950 §2.2, FDICT); a change of it is another MAGIC.
_WORDS = (
    '\x07"entry":{"at":17,"entry":{"kind":"merged","origin":"consentcrawl-ledger/","index":,"kind":"segment",'
    '"personal_columns":["url","page"],"root":"\x02","rows":1,"file":".parquet","sha256":"\x01"},"row":{"index":'
    ',"path":["\x02","\x02"],"record":{"agreement":"","gaps":[{"need":1,"reason":"timeout"}],"hops":[[1,301]],'
    '"kind":"outcome","sha256":"\x01","size":,"status":200,"verdict":"enforced":false,"gate":"body","outcome":'
    '"undetermined","purpose":"train-any","policy":"strict","tdm","signal":"x_robots_tag","where":"X-Robots-Tag",'
    '"quote":"noai","category":"train","note":"","preference":"allowed","signal":"tdm_file","quote":"noimageai",'
    '{"category":"acquire","preference":"disallowed","quote":"Disallow: /","signal":"robots_txt","source":"https://'
    '/robots.txt","where":"line "}],c2sp.org/tlog-proof@v1\nextra \x06["https://www..example/.com/images/.jpg"]\x07'
    '"entry":{"at":17,"enforced":true,"evidence":["\x01","\x01"],"gate":"lookup","gate":"head","kind":"verdict",'
    '"outcome":"refuse","outcome":"permit","personal":"\x05","policy":"default","purpose":"train-ai","version":"0.1.0"}'
    ',"key":"consentcrawl-ledger/+\x04"}\nindex 1\n' + "\x02\n" * 20 + "\nconsentcrawl-ledger/\n1\n\x02\n\n\N{EM DASH} "
    "consentcrawl-ledger/ \x03\n"
).encode()


def shrunk(text: str) -> bytes:
    """The proof in few bytes: its words deflated, behind them what is random, without the hash that follows from it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW_DEFLATE, 9, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    marked, aside = _marked(text)
    return b"".join([MAGIC, packer.compress(marked.encode()), packer.flush(), *aside])


def grown(proof: bytes) -> str:
    """The text of a proof that was shrunk; ValueError when it was not. Bounded: a proof may come from anybody."""
    unpacker = zlib.decompressobj(_RAW_DEFLATE, _WORDS)
    try:
        marked = unpacker.decompress(proof.removeprefix(MAGIC), _LONGEST).decode()
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpacker.eof:
        msg = "too long, or cut off"
        raise ValueError(msg)
    return _unmarked(marked, unpacker.unused_data)


def _marked(text: str) -> tuple[str, list[bytes]]:
    """The text with marks for what is random, and that in order."""
    aside: list[bytes] = []
    follows = ""

    def beside(found: re.Match[str]) -> str:
        nonlocal follows
        part = b64decode(found[1])
        salt = _salt(found.string)
        follows = commitment(part)
        aside.append(part[:salt])
        return _BEGIN + part[salt:].decode() + _END

    def token(found: re.Match[str]) -> str:
        if found[0] == follows:
            return _FOLLOWS
        raw = bytes.fromhex(found[0]) if found[1] else b64decode(found[0])
        kind = chr(found.lastindex or 0)
        if _RAW[kind][1](raw) != found[0]:
            return found[0]
        aside.append(raw)
        return kind

    plain = _EXTRA.sub(lambda found: "extra " + _BESIDE.sub(beside, b64decode(found[1]).decode()), text, count=1)
    return _TOKEN.sub(token, plain), aside


def _unmarked(marked: str, aside: bytes) -> str:
    """The text again."""
    said: list[str] = []
    begun = at = 0
    salt = follows = b""
    for part in _MARK.split(marked):
        if part in _RAW:
            size, spell = _RAW[part]
            said.append(spell(aside[at : at + size]))
            at += size
        elif part == _BEGIN:
            salt, begun = aside[at : at + _salt(marked)], len(said)
            at += len(salt)
        elif part == _END:
            follows = salt + "".join(said[begun:]).encode()
            said[begun:] = [f'{{"beside":"{_base64(follows)}",']
        else:
            said.append(commitment(follows) if part == _FOLLOWS else part)
    if at != len(aside):
        msg = "cut off, or more than a proof"
        raise ValueError(msg)
    return _EXTRA_PLAIN.sub(lambda found: f"extra {_base64(found[1].encode())}", "".join(said), count=1)


def _salt(text: str) -> int:
    """How many bytes of salt begin the personal part."""
    return ROW_SALT_BYTES if '"row":{' in text else SALT_BYTES

"""The program that reads C2PA manifests in a process of its own: an image in, a small JSON document out.

Once it reads it can open neither file nor socket, and it dies rather than guess.

On descriptor 0 is a socket. First it says that it is ready, by an empty answer; then, again and again, it takes the
lengths of two parts (an image; a manifest from elsewhere, or nothing) in four bytes each, then the parts, and gives one
answer, after its length.
"""

from __future__ import annotations

import io
import json
import socket
import sys
import time
from contextlib import suppress
from struct import Struct
from typing import Any

import c2pa

_LENGTH, _LENGTHS = Struct(">I"), Struct(">II")
_STANDARD_STREAMS = 3
_NOTE_LIMIT = 300
_WANTED, _ALLOWED = "training-mining", '"allowed"'
# In an image in which the library finds no manifest: the words, a manifest's type (also compressed), the store's name,
# the beginning of every manifest's own name.
_MARKS = (_WANTED.encode(), b"jumdc2", b"c2pa\0", b"urn:c2pa:")
_REMOTE = "must fetch remote manifests from url "
_NO_MANIFEST = "ManifestNotFound"
_PARENTS = 32
_HEAD = 4096
_BLANK = b"\xef\xbb\xbf \t\r\n"

# The library fetches what a manifest names, unless it is told not to.
_OFFLINE = {"remote_manifest_fetch": False, "ocsp_fetch": False}
_CONTEXT = c2pa.Context.from_dict({"verify": _OFFLINE})
_UNVERIFIED = c2pa.Context.from_dict({"verify": _OFFLINE | {"verify_after_reading": False}})
# The word "allowed" as CBOR has it (RFC 8949 §3.1: 0x60 and its length, then the text).
_GRANT = b"gallowed"

Json = dict[str, Any]


def read(image: bytes, manifest: bytes = b"") -> Json:
    """Return what the native reader says of an image: state, assertions about training and mining, a remote address."""
    carrier = manifest or image
    if _WANTED.encode() in carrier and _GRANT not in carrier and (refused := _refusals(image, manifest)):
        return refused
    try:
        text = _text(image, manifest, _CONTEXT)
    except c2pa.C2paError as error:
        return _refused(str(error)) | {"seen": any(mark in image for mark in _MARKS)}
    store = json.loads(text)
    active = _active(store, text)
    manifests: Json = store.get("manifests", {})
    about = [said for name in active for said in _assertions(manifests[name])]
    ingredients = [
        {"title": manifests[name].get("title") or name, "assertions": said}
        for name in manifests
        if name not in active and (said := _assertions(manifests[name]))
    ]
    told = {"state": store.get("validation_state", ""), "active": about, "ingredients": ingredients}
    return told if about or ingredients else told | {"seen": _WANTED.encode() in carrier}


def _text(image: bytes, manifest: bytes, context: Any) -> str:  # noqa: ANN401 (c2pa has no types)
    with c2pa.Reader(_type(image), io.BytesIO(image), manifest or None, context) as reader:
        text: str = reader.json()
        return text


def _refusals(image: bytes, manifest: bytes) -> Json:
    """Return the answer where the active manifest alone speaks of training and only refuses; else nothing.

    A refusal counts whoever signed it, and two thirds of the time go into verifying: so that is left out.
    """
    try:
        store = json.loads(_text(image, manifest, _UNVERIFIED))
    except c2pa.C2paError:
        return {}
    speaking = {name: said for name, each in store.get("manifests", {}).items() if (said := _assertions(each))}
    about = speaking.get(store.get("active_manifest"), [])
    if len(speaking) != 1 or not about or _ALLOWED in json.dumps(about):
        return {}
    return {"state": "NotVerified", "active": about, "ingredients": []}


def _type(image: bytes) -> str | None:
    """Name the one type that the library does not find out by itself."""
    return "image/svg+xml" if image[:_HEAD].lstrip(_BLANK)[:1] == b"<" else None


def _refused(message: str) -> Json:
    """Say why there is no manifest: none is there, it lies elsewhere, or it cannot be read."""
    if _REMOTE in message:
        return {"remote": message.partition(_REMOTE)[2].strip()}
    if message.startswith(_NO_MANIFEST):
        return {"absent": True}
    return {"failed": message[:_NOTE_LIMIT]}


def _active(store: Json, text: str) -> list[str]:
    """Name the manifests that speak about this content: the active one, and what update manifests update.

    C2PA 2.2 §11.2.3: an update manifest has no hash of the content, which is that of its parent. Where none is active,
    any may be meant.
    """
    manifests: Json = store.get("manifests", {})
    named: list[str] = []
    name: Any = store.get("active_manifest")
    while name in manifests and name not in named and len(named) < _PARENTS:
        named.append(name)
        if f"{name}/c2pa.assertions/c2pa.hash." in text:
            break
        parents = [i for i in manifests[name].get("ingredients", ()) if i.get("relationship") == "parentOf"]
        name = parents[0].get("active_manifest") if parents else None
    return named or list(manifests)


def _assertions(manifest: Json) -> list[Json]:
    found = manifest.get("assertions", ())
    return [{"label": a["label"], "data": a.get("data")} for a in found if _WANTED in a.get("label", "")]


def main(memory: int, cpu_seconds: int) -> None:
    """Answer until the parent is gone."""
    link = socket.socket(fileno=0)
    read(b"\xff\xd8\xff\xd9")  # loads what is loaded late
    _confine(memory)
    link.sendall(_LENGTH.pack(0))
    while True:
        _allow(cpu_seconds)
        image, manifest = (_exactly(link, size) for size in _LENGTHS.unpack(_exactly(link, _LENGTHS.size)))
        answer = json.dumps(read(image, manifest)).encode()
        link.sendall(_LENGTH.pack(len(answer)) + answer)


def _confine(memory: int) -> None:
    """Return up what reading does not need; on systems without a limit the parent's clock remains."""
    with suppress(ImportError):
        import resource  # noqa: PLC0415 (not on Windows)

        limits = {
            resource.RLIMIT_AS: memory,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_FSIZE: 0,
            resource.RLIMIT_NOFILE: _STANDARD_STREAMS,  # no descriptor is left for a file or a socket
        }
        for kind, most in limits.items():
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))


def _allow(cpu_seconds: int) -> None:
    """Let the next document cost so much from here."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 (not on Windows)

        spent = int(time.process_time()) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_seconds, resource.RLIM_INFINITY))


def _exactly(link: socket.socket, size: int) -> bytes:
    taken, at = bytearray(size), 0
    with memoryview(taken) as view:
        while at < size:
            got = link.recv_into(view[at:])
            if not got:
                sys.exit()
            at += got
    return bytes(taken)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

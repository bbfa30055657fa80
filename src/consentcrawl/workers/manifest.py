"""The program that reads C2PA manifests in a process of its own: an image in, a small JSON document out.

Once it reads it can open neither file nor socket, and it dies rather than guess.
"""

from __future__ import annotations

import io
import json
from typing import Any

import c2pa

from consentcrawl.workers.loop import NO_FILES, serve

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

    A refusal counts whatever its signature, and two thirds of the time go into verifying: so that is left out.
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


def answer(image: bytes, manifest: bytes) -> bytes:
    """Return the answer about one image, and a manifest from elsewhere or nothing."""
    return json.dumps(read(image, manifest)).encode()


if __name__ == "__main__":
    read(b"\xff\xd8\xff\xd9")  # loads what is loaded late
    serve(answer, 2, [NO_FILES])

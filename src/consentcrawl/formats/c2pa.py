"""What a C2PA manifest states about training and mining, in the JSON that the native reader makes of it.

``c2pa.training-mining`` (C2PA 1.0 to 1.4) and ``cawg.training-mining`` (CAWG 1.0, 1.1).

What cannot be understood forbids; nothing but the word ``allowed``, in its place, allows.
"""

from __future__ import annotations

import json as plain
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consentcrawl.formats import json

MANIFEST = "c2pa:manifest"
"""The name of a need: the manifest inside the content."""
ELSEWHERE = "c2pa:elsewhere"
"""The name of a need: whether manifests may be fetched from elsewhere."""
FETCHED = "c2pa:fetched:"
"""How the name of a need begins: the content judged by a manifest that was fetched; its address follows."""

PREFIX = "c2pa:"

ALLOWED, NOT_ALLOWED = "allowed", "notAllowed"
_CONSTRAINED = "constrained"
_INFO = ("constraint_info", "constraints_info")  # CDDL and prose of CAWG 1.1 differ
_OWN = ("c2pa", "cawg")
_USES = frozenset({"ai_training", "ai_generative_training", "ai_inference", "data_mining"})
_KEPT = 64
_TEXT_LIMIT = 500
_SOUND = ("Valid", "Trusted")


@dataclass(frozen=True, slots=True)
class Use:
    """One entry: what it is about, ``allowed`` or ``notAllowed``, the maker's words, where they stood, and a note."""

    about: str
    use: str
    quote: str
    where: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the manifests of one content state.

    ``sound`` is whether signature and hashes are right; ``active`` holds the entries of the manifest of this content,
    ``ingredients`` those of its parts. ``gave_up`` is a reason code, explained by ``note``. ``absent`` means
    that there is no manifest; ``remote`` whether one may be fetched.
    """

    sound: bool = False
    active: tuple[Use, ...] = ()
    ingredients: tuple[Use, ...] = ()
    absent: bool = False
    remote: bool = False
    gave_up: str = ""
    note: str = ""


def read(content: bytes) -> Manifest:
    """Read the native reader's answer; never raises. Reason codes: ``malformed``, ``json_limit``, ``encoding``."""
    document, gave_up = json.parse(content)
    if gave_up or not isinstance(document, dict):
        return Manifest(gave_up=gave_up or "malformed")
    active = list(_assertions(document.get("active"), "C2PA manifest"))
    ingredients = [use for each in json.items(document, "ingredients") for use in _ingredient(each)]
    found = [use for use in (*active, *ingredients) if use is not None]
    note = _failure(document, odd=len(found) < len(active) + len(ingredients), silent=not found)
    return Manifest(
        sound=document.get("state") in _SOUND,
        active=_kept(active),
        ingredients=_kept(ingredients),
        absent=document.get("absent") is True,
        remote=document.get("remote_manifests") == "on",
        gave_up="malformed" if note else "",
        note=note,
    )


def _failure(document: dict[str, Any], *, odd: bool, silent: bool) -> str:
    """Return what could not be read, or an empty text."""
    if "failed" in document or "remote" in document:
        return json.text(document, "failed")[:_TEXT_LIMIT] or "the manifest is not where it should be"
    if odd:
        return "an assertion about training and mining has no entries"
    return "something about training and mining is there that cannot be read" if silent and document.get("seen") else ""


def _kept(uses: list[Use | None]) -> tuple[Use, ...]:
    """Return the first of very many entries, those that forbid before the others."""
    return tuple(sorted((use for use in uses if use is not None), key=lambda use: use.use == ALLOWED)[:_KEPT])


def _ingredient(document: Any) -> Iterator[Use | None]:  # noqa: ANN401 (any JSON value)
    return _assertions(json.at(document, "assertions"), f"C2PA ingredient {json.text(document, 'title')[:80]}".strip())


def _assertions(document: Any, where: str) -> Iterator[Use | None]:  # noqa: ANN401 (any JSON value)
    """Return every entry of every assertion; None for an assertion that has no entries where they should be."""
    for assertion in document if isinstance(document, list) else ():
        data = json.at(assertion, "data")
        # CDDL of C2PA 1.0 and 1.4: without the wrapper.
        entries = data.get("entries", data) if isinstance(data, dict) else None
        if not isinstance(entries, dict):
            yield None
            continue
        label = json.text(assertion, "label")[:80]
        yield from filter(None, (_use(key, entry, f"{where}, {label}") for key, entry in entries.items()))


def _use(key: str, entry: Any, where: str) -> Use | None:  # noqa: ANN401 (any JSON value)
    """Read one entry; None for a key that no version of the assertion has. Another prefix can only forbid."""
    prefix, _, about = key.rpartition(".")
    if about not in _USES:
        return None
    word = entry if isinstance(entry, str) else json.text(entry, "use")
    quote = f'"{key}": {plain.dumps(entry, ensure_ascii=False)[:_TEXT_LIMIT]}'
    if word == ALLOWED:
        return Use(about, ALLOWED, quote, where) if prefix in _OWN else None
    return Use(about, NOT_ALLOWED, quote, where, _note(word, entry))


def _note(word: str, entry: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return what a word other than ``allowed`` rests on: the constraints in the maker's words, where there are any."""
    if word == NOT_ALLOWED:
        return ""
    texts = dict.fromkeys(text for name in _INFO if (text := json.text(entry, name).strip()))
    if texts:
        return f"constrained: {' · '.join(texts)}"[:_TEXT_LIMIT]
    # CAWG 1.1: constrained without information is as notAllowed; a word that is not defined can be no less.
    return f"{word}, without saying how" if word == _CONSTRAINED else "not a word of the assertion: read as constrained"

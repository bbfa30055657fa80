"""A document type declaration (XML 1.0 §2.8): the plain entities it declares, or that it could hide something.

No DTD is fetched. Those of the W3C and of WAP declare nothing that a reader of metadata needs.
"""

from __future__ import annotations

import re

DECLARATION = re.compile(
    rb"""<!DOCTYPE(?:[^\["'>]++|"[^"]*+"|'[^']*+')*+"""
    rb"""(?:\[(?:<!--(?s:.*?)(?:-->|\Z)|<\?(?s:.*?)(?:\?>|\Z)|"[^"]*+"|'[^']*+'|[^\]"'])*+\]\s*+)?>""",
    re.IGNORECASE,
)
"""Matches a declaration to its end; quotes and comments may hold what would end it."""

# An entity without markup, references or quotes: its text stands for it as it is.
_ENTITY = rb"""<!ENTITY\s+([\w.:-]{1,64})\s+["']([^"'<&%]{0,200})["']\s*>"""
_ENTITIES = re.compile(_ENTITY)
_PLAIN = re.compile(
    rb"""<!DOCTYPE\s+[\w:.-]+\s*+(?:PUBLIC\s+["']-//(?:W3C|WAPFORUM)//[^"'\[\]<>]*["']\s*"""
    rb"""(?:["'][^"'\[\]<>]*["']\s*)?|SYSTEM\s+["']about:legacy-compat["']\s*)?"""
    rb"(?:\[(?:\s++|<!--(?:(?!-->)[^\]])*+-->|" + _ENTITY + rb")*+\]\s*)?>",
    re.IGNORECASE | re.DOTALL,
)
EXTERNAL = re.compile(
    rb"""<!DOCTYPE\s+[\w:.-]+\s+(?:PUBLIC|SYSTEM)\s*(?:["'][^"'\[\]<>]*["']\s*){1,2}>""", re.IGNORECASE
)
"""Matches a declaration that only names a DTD: it can add default attributes, and the text of entities named."""
_REFERENCE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([\w.:-]+);")


def entities(declaration: bytes) -> dict[bytes, bytes] | None:
    """Return the text of each entity declared, or None when the declaration holds, or names, anything else."""
    if _PLAIN.fullmatch(declaration) is None:
        return None
    declared: dict[bytes, bytes] = {}
    for name, text in _ENTITIES.findall(declaration):
        declared.setdefault(name, text)  # XML 1.0 §4.2: the first declaration binds
    return declared


def resolve(document: bytes, texts: dict[bytes, bytes], limit: int) -> tuple[bytes, bool]:
    """Return a document with the text of each entity where it is named, and whether every name was known.

    A document that would become longer than ``limit`` bytes is returned as it is, as one with unknown names.
    """
    names = _REFERENCE.findall(document)
    if len(document) + sum(len(texts.get(name, b"")) for name in names) > limit:
        return document, False
    whole = texts.keys() >= set(names)
    return (_REFERENCE.sub(lambda match: texts.get(match[1], match[0]), document) if names else document), whole

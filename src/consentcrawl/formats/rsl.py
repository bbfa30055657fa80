"""RSL 1.0 licences: what a licence document states about one URL, use by use.

A document that does not follow the standard is no licence: it can still forbid, and never allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from consentcrawl.formats import xml
from consentcrawl.formats.path_pattern import Patterns
from consentcrawl.formats.rsl_terms import ALLOWED, DISALLOWED, UNKNOWN, Term, Use, evaluate
from consentcrawl.formats.url import BadUrl, canonical

__all__ = [
    "ALLOWED",
    "DISALLOWED",
    "NAMESPACE",
    "UNKNOWN",
    "Content",
    "Licences",
    "Use",
    "covering",
    "of_element",
    "parse",
]

NAMESPACE = "https://rslstandard.org/rsl"
_ELEMENTS = frozenset(
    {"rsl", "content", "license", "permits", "prohibits", "payment", "standard", "custom", "amount", "accepts"}
    | {"reporting", "legal", "schema", "copyright", "terms", "alternate"}
)
_SEPARATORS = re.compile(r"[\s,;]+")
_ABSOLUTE = re.compile(r"(?i:https?:)?(//[^/?#*$]+)(.*)", re.DOTALL).fullmatch


@dataclass(frozen=True, slots=True)
class Content:
    """One content element: the pattern of what it is about, how and where it stands, and the preference for each use.

    ``uses`` is empty where no licence is offered.
    """

    url: str
    quote: str
    line: int
    uses: tuple[Use, ...]


Near = tuple[tuple[Content, ...], Patterns]


@dataclass(frozen=True, slots=True)
class Licences:
    """A licence document; ``gave_up`` is a reason code when it could not be read or does not follow the standard."""

    contents: tuple[Content, ...] = ()
    gave_up: str = ""
    _near: dict[str, Near] = field(default_factory=dict, compare=False, repr=False)

    def near(self, host: str) -> Near:
        """Return the contents about files of a host, and their patterns; compiled once for each host."""
        near = self._near.get(host)
        if near is None:
            split = [(content, *_split(content.url)) for content in self.contents]
            kept = [(content, pattern) for content, about, pattern in split if about in ("", host)]
            near = tuple(content for content, _ in kept), Patterns([pattern for _, pattern in kept])
            self._near[host] = near
        return near


def parse(body: bytes) -> Licences:
    """Read a licence document; never raises. Reason codes are those of ``xml.read``."""
    document = xml.read(body)
    return Licences((), document.gave_up) if document.root is None else of_element(document.root)


def of_element(root: xml.Element) -> Licences:
    """Read an ``rsl`` element, be it a document's root or part of other XML."""
    contents = tuple(_content(element) for element in _named(root.children, "content"))
    names = {xml.split(element.name) for element in root}
    foreign = xml.split(root.name) != (NAMESPACE, "rsl")
    unknown = any(namespace == NAMESPACE and local not in _ELEMENTS for namespace, local in names)
    return Licences(contents, "malformed" if foreign or unknown or not contents else "")


def _named(elements: Iterable[xml.Element], local: str) -> list[xml.Element]:
    return [element for element in elements if xml.split(element.name)[1] == local]


def _attribute(element: xml.Element, name: str) -> str:
    return element.attributes.get(name, "").strip()


def _content(element: xml.Element) -> Content:
    licences = [tuple(map(_term, licence.children)) for licence in _named(element.children, "license")]
    stated = _term(element)
    uses = evaluate(stated, _attribute(element, "server"), licences)
    return Content(_attribute(element, "url"), stated.quote, stated.line, uses)


def _term(element: xml.Element) -> Term:
    words = frozenset(_SEPARATORS.split(element.text.lower())) - {""}
    return Term(xml.split(element.name)[1], _attribute(element, "type").lower(), words, _quote(element), element.line)


def _quote(element: xml.Element) -> str:
    """Write an element as its maker did, but for prefixes and white space."""
    local = xml.split(element.name)[1]
    attributes = "".join(f' {xml.split(name)[1]}="{value}"' for name, value in element.attributes.items())
    text = " ".join(element.text.split())
    return f"<{local}{attributes}>" + (f"{text}</{local}>" if text else "")


def covering(licences: Licences, url: str) -> tuple[tuple[Content, ...], str]:
    """Return the most specific contents about a canonical URL: paths match as in RFC 9309, those of another host never.

    The second value is the reason code when not every pattern could be compared: then nothing may be allowed.
    """
    host, path = _split(url)
    contents, patterns = licences.near(host)
    return tuple(contents[number] for number in patterns.longest(path)), patterns.gave_up


def _split(url: str) -> tuple[str, str]:
    """Cut a URL or pattern into its host (empty when relative, with port, without scheme) and its path."""
    absolute = _ABSOLUTE(url)
    if absolute is None:
        return "", url if url.startswith(("/", "*")) or not url else "/" + url
    try:
        host = canonical(f"https:{absolute[1]}/")
    except BadUrl:
        host = "?"
    return host, absolute[2] or "/"

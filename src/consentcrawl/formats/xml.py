"""A bounded reader of strangers' XML: a small tree, or the reason why there is none.

Law: no DTD, no entity, nothing fetched; what one document costs is bounded before its first element is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

SIZE_LIMIT = 2 * 1024 * 1024
DEPTH_LIMIT = 64
ATTRIBUTE_LIMIT = 1_000
NODE_LIMIT = 20_000
"""Elements and attributes of a whole document: two MiB of ``<a/>`` would be half a million objects."""
NAME_LIMIT = 1_000_000
"""Characters of all names with their namespaces written out: one long namespace, used often, multiplies."""

_SEPARATOR = "\x01"  # no XML document can hold this character, so no namespace can
_PADDING = " \t\r\n\0\ufeff\ufffd"
_PADDING_BYTES = b" \t\r\n\0"
_BOM = b"\xef\xbb\xbf"


def name_of(namespace: str, local: str) -> str:
    """Write the name of an element or attribute as the tree has it: both parts in one string."""
    return namespace + _SEPARATOR + local if namespace else local


def split(name: str) -> tuple[str, str]:
    """Cut a name into its namespace (or an empty string) and its local part."""
    namespace, _, local = name.rpartition(_SEPARATOR)
    return namespace, local


@dataclass(slots=True, eq=False)
class Element:
    """One element: its name, attributes, child elements, own text and the line it starts at."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text that stands directly in the element, without the space around it."""
        return "".join(self.pieces).strip()

    def __iter__(self) -> Iterator[Element]:
        """Go through the element and everything below it, in document order."""
        yield self
        for child in self.children:
            yield from child


@dataclass(frozen=True, slots=True)
class Document:
    """What was read: every element in order, the root first, or none and the reason code.

    ``blank`` documents have no element at all.
    """

    elements: Sequence[Element] = ()
    gave_up: str = ""
    blank: bool = False

    @property
    def root(self) -> Element | None:
        """The root element, or None when the document was given up."""
        return self.elements[0] if self.elements else None


class _Stop(Exception):
    """A limit was reached; carries the reason code."""


class _Builder:
    """Builds the tree while expat reads, and counts what it costs."""

    __slots__ = ("_left", "_letters", "_open", "_parser", "elements")

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self._left, self._letters = NODE_LIMIT, NAME_LIMIT
        self._parser = parser
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse_doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        above = self._open
        self._left -= 1 + len(attributes)
        self._letters -= len(name) + (sum(map(len, attributes)) if attributes else 0)
        too_much = self._left < 0 or self._letters < 0 or len(attributes) > ATTRIBUTE_LIMIT
        if too_much or len(above) == DEPTH_LIMIT:
            reason = "xml_limit"
            raise _Stop(reason)
        element = Element(name, attributes, self._parser.CurrentLineNumber)
        if above:
            above[-1].children.append(element)
        above.append(element)
        self.elements.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if not text.isspace():  # indentation, nearly always
            self._open[-1].pieces.append(text)


def _refuse_doctype(*_: object) -> None:
    reason = "doctype"
    raise _Stop(reason)


def plain(document: bytes) -> bytes | str:
    """Take off byte order mark and padding; UTF-16 and UTF-32 become text, whether marked or not.

    The zero bytes around the first ``<`` tell the width and order of the characters (XML 1.0 appendix F).
    """
    first = document.find(b"<")
    if document[first + 1 : first + 2] != b"\0":
        return document.removeprefix(_BOM).strip(_PADDING_BYTES).removeprefix(_BOM)
    width = 4 if document[first + 1 : first + 4] == b"\0\0\0" else 2
    order = "be" if first % width == width - 1 else "le"
    return document[first - first % width :].decode(f"utf-{8 * width}-{order}", "replace").strip(_PADDING)


def read(document: bytes) -> Document:
    """Read a document into a tree; never raises.

    Reason codes: ``xml_limit`` (larger, deeper or more of it than is read), ``doctype``, ``encoding``, ``malformed``.
    """
    if len(document) > SIZE_LIMIT:
        return Document((), "xml_limit")
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    builder = _Builder(parser)
    try:
        parser.Parse(plain(document), True)  # noqa: FBT003 (expat's own signature)
    except _Stop as stop:
        return Document((), str(stop))
    except expat.ExpatError as error:
        blank = not builder.elements and error.code == _NO_ELEMENTS
        return Document((), "malformed", blank)
    except (ValueError, LookupError):  # an encoding that Python knows no table for
        return Document((), "encoding")
    return Document(builder.elements)


_NO_ELEMENTS = expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]

"""A bounded reader of untrusted XML: a small tree, or the reason why there is none.

No DTD, no entity, nothing fetched; what one document costs is bounded before its first element is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET
from xml.parsers import expat

Node = ET.Element

SIZE_LIMIT = 2 * 1024 * 1024
DEPTH_LIMIT = 64
ATTRIBUTE_LIMIT = 1_000
NODE_LIMIT = 20_000
"""Elements and attributes of a whole document: two MiB of ``<a/>`` would be half a million objects."""
NAME_LIMIT = 1_000_000
"""Characters of a namespace times all that may be named in it: expat writes it out before every name."""

_LIMIT = "xml_limit"
_SEPARATOR = "\x01"  # no XML document can hold this character, so no namespace can
_PADDING = " \t\r\n\0\ufeff\ufffd"
_PADDING_BYTES = b" \t\r\n\0"
_BOM = b"\xef\xbb\xbf"
_UTF16_MARKS = frozenset({b"\xff\xfe", b"\xfe\xff"})

# XML 1.0 §2.4: in a well-formed document a "<" outside of these begins a tag; the group is that of a start tag.
_MARKUP = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|(<)[^/!?]", re.DOTALL)
_NO_ELEMENTS = expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]


def name_of(namespace: str, local: str) -> str:
    """Write the name of an element or attribute as the tree has it: both parts in one string."""
    return namespace + _SEPARATOR + local if namespace else local


def split(name: str) -> tuple[str, str]:
    """Cut a name into its namespace (or an empty string) and its local part."""
    namespace, _, local = name.rpartition(_SEPARATOR)
    return namespace, local


class Lines:
    """Where the elements of a document stand; counted when first asked for, since most are never needed."""

    __slots__ = ("_known", "_root", "_text")

    def __init__(self, text: bytes | str, root: Node) -> None:
        """Keep the text that ``root`` was read from."""
        self._text, self._root = text, root
        self._known: dict[Node, int] = {}

    def of(self, node: Node) -> int:
        """Return the line that a node of the document starts at; the first is 1."""
        if not self._known:
            text = self._text if isinstance(self._text, str) else self._text.decode("latin-1")
            self._known = {node: line for line, node in zip(_lines(text), self._root.iter(), strict=False)}
        return self._known.get(node, 1)


def start_tags(text: str) -> Iterator[int]:
    """Yield where every start tag of a well-formed document begins, in order."""
    return (match.start() for match in _MARKUP.finditer(text) if match[1])


def _lines(text: str) -> Iterator[int]:
    """Yield the line of every start tag of a well-formed document, in order."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # XML 1.0 §2.11
    line, counted = 1, 0
    for start in start_tags(text):
        line += text.count("\n", counted, start)
        counted = start
        yield line


NOWHERE = Lines("", Node("nothing"))


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element: a node of the tree, and what knows its line."""

    node: Node
    lines: Lines = field(repr=False)

    @property
    def name(self) -> str:
        """The name, as ``name_of`` writes it."""
        return self.node.tag

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes by name."""
        return self.node.attrib

    @property
    def children(self) -> list[Element]:
        """The child elements, in order."""
        return [Element(child, self.lines) for child in self.node]

    @property
    def text(self) -> str:
        """The text that stands directly in the element, without the space around it."""
        return text_of(self.node)

    @property
    def line(self) -> int:
        """The line it starts at."""
        return self.lines.of(self.node)

    def __iter__(self) -> Iterator[Element]:
        """Go through the element and everything below it, in document order."""
        return (Element(node, self.lines) for node in self.node.iter())


def text_of(node: Node) -> str:
    """Return the text that stands directly in a node, before, between and behind its children."""
    pieces = [node.text or "", *(child.tail or "" for child in node)]
    return "".join(pieces).strip()


@dataclass(frozen=True, slots=True)
class Document:
    """What was read: the root element, or None and the reason code. ``blank`` documents have no element at all."""

    root: Element | None = None
    gave_up: str = ""
    blank: bool = False


class _Stop(Exception):
    """A limit was reached; carries the reason code."""


def plain(document: bytes) -> bytes | str:
    """Take off byte order mark and padding; UTF-16 and UTF-32 become text, whether marked or not.

    The zero bytes around the first ``<`` tell the width and order of the characters (XML 1.0 appendix F), unless a
    mark does and a name in other letters stands behind it.
    """
    first = document.find(b"<")
    if document[:2] in _UTF16_MARKS and document[first + 1 : first + 2] != b"\0":
        return document.decode("utf-16", "replace").strip(_PADDING)
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
        return Document(gave_up=_LIMIT)
    text = plain(document)
    try:
        root = _tree(text)
    except _Stop as stop:
        return Document(gave_up=str(stop))
    except expat.ExpatError as error:
        return Document(gave_up="malformed", blank=error.code == _NO_ELEMENTS and not _start_tags(text))
    except (ValueError, LookupError):  # an encoding that Python knows no table for
        return Document(gave_up="encoding")
    return Document(Element(root, Lines(text, root)))


def _tree(text: bytes | str) -> Node:
    """Have expat build the tree: handing each tag to Python costs twice as much. Raises what ``read`` catches.

    There are no more elements than start tags, and no more attributes than equals signs.
    """
    elements, attributes = _start_tags(text), _count(text, "=")
    parser, builder = expat.ParserCreate(namespace_separator=_SEPARATOR), ET.TreeBuilder()

    def declare(_prefix: str | None, namespace: str | None) -> None:
        if len(namespace or "") * (elements + attributes) > NAME_LIMIT:
            raise _Stop(_LIMIT)

    if elements + attributes > NODE_LIMIT:
        raise _Stop(_LIMIT)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartNamespaceDeclHandler = declare
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(text, True)  # noqa: FBT003 (expat's own signature)
    root = builder.close()
    if (elements > DEPTH_LIMIT and _too_deep(root)) or (attributes > ATTRIBUTE_LIMIT and _too_wide(root)):
        raise _Stop(_LIMIT)
    return root


def _start_tags(text: bytes | str) -> int:
    """Count what can begin an element: every "<" but those of end tags, comments, sections and instructions."""
    return _count(text, "<") - _count(text, "</") - _count(text, "<!") - _count(text, "<?")


def _count(text: bytes | str, mark: str) -> int:
    return text.count(mark) if isinstance(text, str) else text.count(mark.encode())


def _refuse_doctype(*_: object) -> None:
    reason = "doctype"
    raise _Stop(reason)


def _too_deep(root: Node) -> bool:
    level = [root]
    for _ in range(DEPTH_LIMIT):
        level = [child for node in level for child in node]
    return bool(level)


def _too_wide(root: Node) -> bool:
    return any(len(node.attrib) > ATTRIBUTE_LIMIT for node in root.iter())

"""Lines of a robots.txt: octets to groups, rules and the records between them (RFC 9309 §2.2).

One odd line never changes how the others are read.
"""

from __future__ import annotations

import re

from consentcrawl.formats.robots.rules import Line, as_utf8

LIMIT = 500 * 1024  # RFC 9309 §2.5: at least this much is read
LOOK_AHEAD = 1024 * 1024
MAX_LINE = 2083 * 8 - 1  # google/LineTooLong: the rest of a longer line is not read

_BLANKS = " \t\v\f\0"
_KINDS = {
    "user-agent": "agent", "useragent": "agent", "user agent": "agent", "allow": "allow", "disallow": "disallow",
    "dissallow": "disallow", "dissalow": "disallow", "disalow": "disallow", "diasllow": "disallow",
    "disallaw": "disallow",
}  # fmt: skip
"""Keys, and the misspellings that google/robotstxt reads too. Compared whole: ``DisallowAITraining`` is neither."""
_SPELLINGS = {s: kind for key, kind in _KINDS.items() for s in (key, key.capitalize(), key.title(), key.upper())}

_BOM = b"\xef\xbb\xbf"
_MARKS = _BOM.decode("latin-1")
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"PK\x03\x04", b"\xfd7zXZ")
"""How gzip, Zstandard, bzip2, zip and xz begin."""
_line_end = re.compile(rb"[\r\n]").search
_two_words = re.compile(r"([^ \t]+)[ \t]+([^ \t]+)").fullmatch
_high_octet = re.compile(r"[\x80-\xff]").sub
_token = re.compile(r"[a-z_-]*").match
_HEEDED = (*_KINDS, "disallowaitraining", "content-usage", "content-signal", "license")
_could_matter = re.compile(rb"[\r\n][ \t]*(?:%s)" % "|".join(_HEEDED).encode(), re.IGNORECASE).search


class Group:
    """User-agent lines and the rules after them; the agents share one list of rules, however many they are.

    ``end`` is the number of the last line that is one of these.
    """

    __slots__ = ("agents", "end", "rules")

    def __init__(self) -> None:
        """Begin a group."""
        self.agents: list[str] = []
        self.rules: list[Line] = []
        self.end = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Every name by which a crawler may find itself meant."""
        return tuple(dict.fromkeys(name for agent in self.agents for name in names_of(agent)))


Raw = tuple[int, str, int]
"""A record as it was read: number of its line, value (octets as Latin-1), number of its group (-1 before the first)."""


class Lines:
    """What the lines of a robots.txt say; ``text`` holds them as they stood, octets as Latin-1."""

    __slots__ = ("_agent_line", "_rule_line", "groups", "records", "text")

    def __init__(self, text: str) -> None:
        """Read ``text``; it ends lines at CR, LF and CRLF only (RFC 9309 §2.2: EOL)."""
        self.text = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.groups: list[Group] = []
        self.records: dict[str, list[Raw]] = {}
        self._agent_line = 0
        self._rule_line = -1  # the last rule of the last group; 0 while a further User-agent line joins the group
        self._read(_tamed(self.text, nul="\0" in text))
        self._end_group()

    def _read(self, lines: list[str]) -> None:
        for number, line in enumerate(lines, 1):
            if "#" in line:
                line = line.partition("#")[0]  # noqa: PLW2901 (a line without comment)
            if not line:
                continue
            key, colon, value = line.partition(":")
            kind = _SPELLINGS.get(key)
            if kind is None:
                key, value = _odd_pair(key, colon, value)
                kind = _KINDS.get(key)
            if kind is None:
                if key:
                    self._record(key, value, number)
            elif kind == "agent":
                self._agent(number, value)
            elif self.groups:
                self._rule(number, kind == "allow", value.strip(_BLANKS))

    def _agent(self, number: int, value: str) -> None:
        # RFC 9309 §2.2.4: other records MUST NOT interfere, so only a rule ends the run of User-agent lines.
        if self._rule_line:
            self._end_group()
            self.groups.append(Group())
            self._rule_line = 0
        self._agent_line = number
        self.groups[-1].agents.append(as_utf8(value.strip(_BLANKS)))

    def _end_group(self) -> None:
        if self.groups:
            self.groups[-1].end = max(self._agent_line, self._rule_line)

    def _rule(self, number: int, allow: bool, pattern: str) -> None:  # noqa: FBT001 (a field of Line)
        self._rule_line = number
        if not pattern:
            return  # RFC 9309 §2.2: empty-pattern matches nothing
        if not pattern.isascii():
            pattern = _high_octet(lambda m: f"%{ord(m[0]):02X}", pattern)
        self.groups[-1].rules.append((number, allow, pattern))

    def _record(self, key: str, value: str, number: int) -> None:
        self.records.setdefault(key, []).append((number, value.strip(_BLANKS), len(self.groups) - 1))


def _tamed(lines: list[str], *, nul: bool) -> list[str]:
    """Cut what is too long, and what follows a NUL."""
    if len(max(lines, key=len)) > MAX_LINE:
        lines = [line[:MAX_LINE] for line in lines]
    return [_without_nul(line) for line in lines] if nul else lines


def _without_nul(line: str) -> str:
    """Read up to a NUL as google/robotstxt does, except in an Allow, which would then allow more than was written."""
    line = line.partition("#")[0].strip(_BLANKS)
    head, nul, _ = line.partition("\0")
    return "" if nul and head[:5].lower() == "allow" else head


def _odd_pair(key: str, colon: str, value: str) -> tuple[str, str]:
    """Key and value of a line whose key is spelled in some other way, or has a blank in place of the colon."""
    key = key.strip(_BLANKS)
    if not colon:
        words = _two_words(key)  # google/LineSyntax_Line: accepted for exactly two words
        key, value = (words[1], words[2]) if words else ("", "")
    key = key.lower()
    # Ours: where a managed block was put before a file, the file's mark stands in the middle, before its first group.
    bare = key.lstrip(_MARKS)
    return bare if _KINDS.get(bare) == "agent" else key, value


def names_of(agent: str) -> tuple[str, ...]:
    """The case-folded names that a User-agent value gives: ``*``, or whole, without version, as RFC 9309's token.

    Tokens such as ``img2dataset`` break the grammar of RFC 9309 §2.2.1, which would cut them to ``img``.
    """
    if agent[:1] == "*" and not agent[1:2].strip():
        return ("*",)  # google: "*" with anything behind a blank is still for everybody
    whole = agent.casefold()
    token = _token(whole)[0]  # type: ignore[index]  # the empty string matches
    if token == whole:
        return (token,) if token else ()
    # RFC 9110 §10.1.5: product = token ["/" product-version]
    names = (whole, whole.partition("/")[0].strip(), token)
    return tuple(dict.fromkeys(name for name in names if name))


def text_of(body: bytes) -> tuple[str, str]:
    """The octets that are read, as Latin-1, and the reason why others are not, or none.

    UTF-16 is no robots.txt (RFC 9309 §2.2: UTF-8), but its records count (``encoding``). What
    is packed is not unpacked (``unsupported``): its rules were not read.
    """
    if body.startswith(_PACKED):
        return "", "unsupported"
    charset = utf16(body)
    if charset:
        body = body[: 2 * LIMIT].decode(charset, "replace").encode("utf-8", "replace").removeprefix(_BOM)
        return body[:LIMIT].decode("latin-1"), "encoding"
    body = body[_bom(body) :]
    end = _end(body)
    rest = body[end:LOOK_AHEAD]
    cut = len(body) > LOOK_AHEAD or _could_matter(rest) is not None
    return body[:end].decode("latin-1"), "robots_limit" if cut else ""


def utf16(body: bytes) -> str:
    """Return the name of the encoding of more than one octet that the first octets show, or an empty string."""
    start = body[:4]
    if start in {b"\xff\xfe\0\0", b"\0\0\xfe\xff"}:
        return "utf-32"
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    if start[1::2] == b"\0\0" and start[0] and start[2]:
        return "utf-16-le"
    return "utf-16-be" if start[::2] == b"\0\0" and start[1] and start[3] else ""


def _bom(body: bytes) -> int:
    """How many octets of a UTF-8 byte order mark, whole or cut off, stand first (spec/BOM-characters)."""
    return next(n for n in (3, 2, 1, 0) if body[:n] == _BOM[:n])


def _end(body: bytes) -> int:
    """Where reading ends: at the end of the line that reaches the limit, since half a rule is another rule."""
    if len(body) <= LIMIT:
        return len(body)
    found = _line_end(body, LIMIT, LOOK_AHEAD)
    return found.start() if found else min(len(body), LOOK_AHEAD)

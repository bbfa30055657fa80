"""Three readers of robots.txt asked the same, and the clause that decides where they differ."""

from __future__ import annotations

import base64
import random
import re
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ada_url
from jwm.robotstxt.googlebot import RobotsMatcher
from protego import Protego

from consentcrawl.formats import robots
from consentcrawl.formats.path_pattern import normal

SITE = "https://example.com"
OWN = "consentcrawl"
IMAGES = (
    "/",
    "/a.jpg",
    "/images/photo.png",
    "/wp-content/uploads/2020/01/p.jpg?w=200",
    "/media/x%20y.gif",
    "/i/a.webp?v=1",
)
_rule_lines = re.compile(r"(?im)^\s*(?:dis)?allow\s*:\s*([^\s#]+)").findall
_google = RobotsMatcher()


@dataclass(frozen=True, slots=True)
class Peer:
    """One reader of robots.txt: octets to something that answers (URL, token)."""

    name: str
    parse: Callable[[bytes], Any]
    allows: Callable[[Any, str, str], bool]
    ask: Callable[[Any], Callable[[str, str], object]]
    """What is timed: the reader's own method; ours takes the path that an asset carries, the others the URL."""


PEERS = (
    Peer(
        "ours",
        robots.parse,
        lambda read, url, token: read.access(url.removeprefix(SITE), token).allowed,
        lambda read: read.access,
    ),
    Peer(
        "Protego",
        lambda body: Protego.parse(body.decode("utf-8", "replace")),
        lambda read, url, token: bool(read.can_fetch(url, token)),
        lambda read: read.can_fetch,
    ),
    Peer(
        "Google (jwm)",
        lambda body: body.decode("utf-8", "replace"),
        lambda read, url, token: bool(_google.OneAgentAllowedByRobots(read, token, url)),
        lambda read: lambda url, token: _google.OneAgentAllowedByRobots(read, token, url),
    ),
)
OURS, PROTEGO, GOOGLE = PEERS


Question = tuple[bytes, str, str]
"""A robots.txt, a token and a path with query."""


def _lines(read: robots.RobotsTxt, token: str) -> list[tuple[bool, str]]:
    numbers = read.binding(token)
    return [(allow, pattern) for n in numbers for _, allow, pattern in read._lines.groups[n].rules]  # noqa: SLF001 (explains itself)


def _plain_file(rules: list[tuple[bool, str]]) -> bytes:
    lines = ["User-agent: *", *(f"{'Allow' if allow else 'Disallow'}: {pattern}" for allow, pattern in rules)]
    return "\n".join(lines).encode()


def _without(line: re.Pattern[bytes]) -> Callable[[Question], Question]:
    return lambda asked: (b"\n".join(x for x in re.split(rb"\r\n?|\n", asked[0]) if not line.match(x)), *asked[1:])


def _unmarked(asked: Question) -> Question:
    return asked[0].removeprefix(b"\xef\xbb\xbf"), *asked[1:]


def _chosen(asked: Question) -> Question:
    return _plain_file(_lines(robots.parse(asked[0]), asked[1])), asked[1], asked[2]


def _paths_only(asked: Question) -> Question:
    rules = _lines(robots.parse(asked[0]), asked[1])
    return _plain_file([rule for rule in rules if rule[1][0] in "/*"]), asked[1], asked[2]


def _normal(asked: Question) -> Question:
    rules = _lines(robots.parse(asked[0]), asked[1])
    return _plain_file([(allow, normal(pattern)) for allow, pattern in rules]), asked[1], normal(asked[2])


def _deciding(asked: Question) -> Question:
    rule = robots.parse(asked[0]).access(asked[2], asked[1]).rule
    line = f"{'Allow' if rule.allow else 'Disallow'}: {rule.text.partition(':')[2].strip()}" if rule else ""
    return b"User-agent: *\n" + line.encode(), asked[1], asked[2]


STEPS: tuple[tuple[str, str, Callable[[Question], Question]], ...] = (
    (
        "byte order mark is no part of the first key",
        "RFC 9309 §2.2: UTF-8; google/BOM",
        _unmarked,
    ),
    (
        "a key that only begins like Allow or Disallow is another record",
        "RFC 9309 §2.2.4",
        _without(re.compile(rb"(?i)[ \t]*(?:dis)?allow[^\s:]+[ \t]*:|[ \t]*user-agent[^\s:]+[ \t]*:")),
    ),
    (
        "other records do not end a group",
        "RFC 9309 §2.2.4",
        _without(re.compile(rb"(?i)[ \t]*+(?!(?:user-?agent|user agent|d[ias]+l+[ao]w|allow)[ \t]*:)[^:#]*:")),
    ),
    ("a group is chosen by the whole token, and all of its groups are merged", "RFC 9309 §2.2.1", _chosen),
    ("a rule begins with / or *", "RFC 9309 §2.2: path-pattern; erratum 7995", _paths_only),
    ("percent-encoding is normalised before comparing", "RFC 9309 §2.2.2", _normal),
    ("the rule of the most octets decides", "RFC 9309 §2.2.2", _deciding),
)
"""What is changed in a question, one after the other, until the peer agrees; the last change is the cause."""

SELF = ("the path /robots.txt has no exception of its own", "google/701159; RFC 9309 §2.2.2 would permit it")


def cause(peer: Peer, asked: Question, *, allowed: bool) -> tuple[str, str]:
    """Why ``peer`` does not say ``allowed``: a sentence and the clause that decides; "unexplained" if none is known."""
    if asked[2].partition("?")[0] == "/robots.txt":
        return SELF
    for sentence, clause, change in STEPS:
        asked = change(asked)
        if peer.allows(peer.parse(asked[0]), SITE + asked[2], asked[1]) is allowed:
            return sentence, clause
    return "unexplained", ""


def questions(body: bytes, rnd: random.Random, most: int) -> Iterator[tuple[str, str]]:
    """Ask paths made of its rules and fixed images of a file, for us and for one crawler that it names."""
    patterns = _rule_lines(body.decode("utf-8", "replace"))
    rnd.shuffle(patterns)
    made = ["/" + p.replace("*", "x").rstrip("$").removeprefix("/") for p in patterns[:most]]
    named = sorted(t for t in robots.parse(body).tokens if re.fullmatch("[a-z_-]+", t))
    for path in (*IMAGES, *made):
        # What an asset's URL is: canonical, without fragment.
        target = ada_url.URL(SITE + path).href.partition("#")[0][len(SITE) :]
        for token in (OWN, rnd.choice(named) if named else "googlebot-image"):
            yield target, token


Kinds = Counter[tuple[str, bool, str, str]]
"""(peer, whether we permit, what differs, clause) and how often."""


def differential(files: list[bytes], most: int = 14, seed: int = 7) -> tuple[int, Kinds]:
    """Ask every reader the same; give how many questions there were and every kind of difference."""
    rnd, kinds, asked = random.Random(seed), Kinds(), 0
    for body in files:
        read = [peer.parse(body) for peer in PEERS]
        for target, token in questions(body, rnd, most):
            ours, *others = (peer.allows(r, SITE + target, token) for peer, r in zip(PEERS, read, strict=True))
            asked += 1
            for peer, theirs in zip(PEERS[1:], others, strict=True):
                if theirs is not ours:
                    kinds[peer.name, ours, *cause(peer, (body, token, target), allowed=ours)] += 1
    return asked, kinds


def conformance(cases: list[dict[str, Any]]) -> dict[str, int]:
    """How many of the cases each reader answers as they say."""
    right = dict.fromkeys((peer.name for peer in PEERS), 0)
    for case in cases:
        body = octets(case)
        for peer in PEERS:
            right[peer.name] += peer.allows(peer.parse(body), case["url"], case["user_agent"]) is case["allowed"]
    return right


def octets(case: dict[str, Any]) -> bytes:
    """The robots.txt of a case."""
    coded = case.get("robots_txt_base64")
    return base64.b64decode(coded) if coded else str(case["robots_txt"]).encode()


def real_files(corpus: Path) -> list[bytes]:
    """Every real robots.txt of the corpus, in the order of names."""
    with tarfile.open(corpus / "robots_real.tar.gz") as archive:
        members = sorted((m for m in archive if m.isfile()), key=lambda m: m.name)
        return [archive.extractfile(m).read() for m in members]  # type: ignore[union-attr]  # they are files

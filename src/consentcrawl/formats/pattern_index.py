"""Many patterns of the RFC 9309 language compared with one path at once, in a number of steps that is bounded.

What the budget leaves uncompared is reported; it is never taken for "does not match".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

BUDGET = 200_000_000
"""The most octet comparisons for one path: some tenths of a second, a thousand times what a real file needs."""

NONE, SPENT = -1, -2

_LOOP = 6  # so many patterns are compared one by one
_SIEVE = 150  # so many are sifted by one expression, more by a table
_START = 12
_GRAM = 4
_SLOW_FIND = 100  # str.find is linear for longer pieces, quadratic at worst below


class Glob(NamedTuple):
    """A pattern with a wildcard, cut at its ``*``; ``needle`` is its longest piece."""

    number: int
    needle: str
    head: str
    middle: tuple[str, ...]
    tail: str | None

    def matches(self, target: str) -> bool:
        """Return whether it matches: the leftmost place for each piece is enough, as ``*`` takes any run of octets."""
        if not target.startswith(self.head):
            return False
        at = len(self.head)
        for piece in self.middle:
            at = target.find(piece, at)
            if at < 0:
                return False
            at += len(piece)
        return self.tail is None or (target.endswith(self.tail) and len(target) - len(self.tail) >= at)

    def cost(self, length: int) -> int:
        """The most octet comparisons that a path of ``length`` octets may take."""
        return length * min(len(self.needle), _SLOW_FIND) + len(self.middle) + 1


Probe = tuple[int, str, Glob]
"""Rank, needle and the pattern itself: what a path is asked first."""


class Index:
    """Patterns in percent-normal form, each with a rank; the highest rank that matches is the answer.

    Patterns without wildcard lie in one sorted list. Every prefix of the path that is in the list is the entry just
    below the path or one of its ancestors, so one binary search finds all of them.
    """

    __slots__ = ("_best", "_exact", "_keys", "_nodes", "_probes", "_ranks", "_safe", "_sieve", "_sift", "_ups")

    def __init__(self, entries: Sequence[tuple[str, int]]) -> None:
        """Index ``entries``, pairs of a pattern and its rank (1 or more); their positions are their numbers."""
        self._ranks = [*(rank for _, rank in entries), 0]  # number -1: nothing matches
        self._exact: dict[str, list[int]] = {}
        self._nodes: dict[str, list[int]] = {"": []}
        probes: list[Probe] = []
        for number, (form, rank) in enumerate(entries):
            self._file(form, rank, number, probes)
        self._keys = sorted(self._nodes)
        self._ups = _ancestors(self._keys)
        self._best: list[int] = []
        for key, up in zip(self._keys, self._ups, strict=True):
            above = self._best[up] if self._best else -1
            self._best.append(max((above, *self._nodes[key]), key=self._ranks.__getitem__))
        self._probes = sorted(probes, key=_rank, reverse=True)
        self._sieve = _sieve(self._probes) if _LOOP < len(probes) <= _SIEVE else None
        self._sift = _sift(self._probes) if len(probes) > _SIEVE else None
        self._safe = BUDGET // (sum(glob.cost(1) for _, _, glob in probes) + 1)

    def _file(self, form: str, rank: int, number: int, probes: list[Probe]) -> None:
        """File one pattern by its kind: exact, a prefix, or with wildcards."""
        # RFC 9309 §2.2.3: $ ends the pattern where it stands last, and is an octet elsewhere.
        anchored = form.endswith("$")
        head, *pieces = (form[:-1] if anchored else form).replace("$", "%24").split("*")
        if anchored and not pieces:
            self._exact.setdefault(head, []).append(number)
        elif not any(pieces):
            self._nodes.setdefault(head, []).append(number)
        else:
            tail = pieces.pop() if anchored else None
            middle = tuple(piece for piece in pieces if piece)
            needle = max((*middle, tail or "", head), key=len)
            probes.append((rank, needle, Glob(number, needle, head, middle, tail)))

    def best(self, target: str) -> int:
        """The number of the pattern of the highest rank that matches; NONE, or SPENT when the budget ended before."""
        keys = self._keys
        at = bisect_right(keys, target) - 1
        while not target.startswith(keys[at]):
            at = self._ups[at]
        best = self._best[at]
        if self._exact and target in self._exact:
            best = max((best, *self._exact[target]), key=self._ranks.__getitem__)
        if not self._probes or (self._sieve is not None and self._sieve(target) is None):
            return best
        if len(target) > self._safe:
            return self._within_budget(target, best)
        rank = self._ranks[best]
        for higher, needle, glob in self._probes if self._sift is None else self._sift(target):
            if higher <= rank:
                break
            if needle in target and glob.matches(target):
                return glob.number
        return best

    def _within_budget(self, target: str, best: int) -> int:
        left = BUDGET
        for rank, _, glob in self._probes if self._sift is None else self._sift(target):
            if rank <= self._ranks[best]:
                break
            left -= glob.cost(len(target))
            if left < 0:
                return SPENT
            if glob.matches(target):
                return glob.number
        return best

    def matching(self, target: str) -> tuple[list[int], bool]:
        """Every number whose pattern matches, in no order; True when some are there because they were not compared."""
        found = [*self._exact.get(target, ())]
        for key in self._prefixes(target):
            found += self._nodes[key]
        probes = self._probes if self._sift is None else self._sift(target)
        left, spent = BUDGET, False
        for _, _, glob in probes:
            left -= glob.cost(len(target))
            spent = spent or left < 0
            if left < 0 or glob.matches(target):
                found.append(glob.number)
        return found, spent

    def _prefixes(self, target: str) -> Iterator[str]:
        at = bisect_right(self._keys, target) - 1
        while at >= 0:
            if target.startswith(self._keys[at]):
                yield self._keys[at]
            at = self._ups[at]


def _ancestors(keys: list[str]) -> list[int]:
    """For each of the sorted keys the position of its longest proper prefix among them; -1 for the first, which is "".

    An ancestor sorts before its descendants and they lie together, so a stack of open ones is enough.
    """
    ups, stack = [-1], [0]
    for at in range(1, len(keys)):
        while not keys[at].startswith(keys[stack[-1]]):
            stack.pop()
        ups.append(stack[-1])
        stack.append(at)
    return ups


def _rank(probe: Probe) -> int:
    return probe[0]


def _sieve(probes: list[Probe]) -> Callable[[str], object | None]:
    """Search for the start of any needle, ordered by first octet: without it in a path nothing matches."""
    starts: dict[str, dict[str, None]] = {}
    for _, needle, _ in probes:
        starts.setdefault(needle[:1], {})[re.escape(needle[1:_START])] = None
    return re.compile("|".join(f"{re.escape(first)}(?:{'|'.join(more)})" for first, more in starts.items())).search


def _sift(probes: list[Probe]) -> Callable[[str], list[Probe]]:
    """Look up every run of four octets of a path; return the patterns that must have one of those found."""
    grams: dict[str, list[Probe]] = {}
    short = [probe for probe in probes if len(probe[1]) < _GRAM]
    for probe in probes:
        if len(probe[1]) >= _GRAM:
            rarest = min(_grams(probe[1]), key=lambda gram: len(grams.get(gram, ())))
            grams.setdefault(rarest, []).append(probe)

    def sift(target: str) -> list[Probe]:
        found = list(short)
        for gram in grams.keys() & set(_grams(target)):
            found += grams[gram]
        found.sort(key=_rank, reverse=True)
        return found

    return sift


def _grams(text: str) -> Iterable[str]:
    return map("".join, zip(text, text[1:], text[2:], text[3:], strict=False))

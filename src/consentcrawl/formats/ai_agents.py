"""Product tokens of AI crawlers by class, and what it is worth as evidence that groups for them forbid something.

The data lie beside the signal that reads them first: ``signals/ai_agents.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

CLASS = ("ai_agents", "class", "any")
"""The key of the policy, and its values under which a refusal to training crawlers counts."""
ANY = ("ai_agents", "any")
"""The same for a refusal to any other AI crawler."""
_ENOUGH = 2

_pieces = re.compile(r"[^,;()|*\"'`<>\[\]{}]+").findall
_words = re.compile(r"[^\s,;()|*\"'`<>\[\]{}/+]+").findall
_token = re.compile(r"[a-z_-]*").match


@dataclass(frozen=True, slots=True)
class Agents:
    """Tokens by class, case-folded: training, of mixed purpose, and every other class that can be evidence.

    ``training`` holds the policy tokens too, which state a use and name no crawler. ``begin`` are the first words of
    all tokens.
    """

    training: frozenset[str]
    mixed: frozenset[str]
    further: frozenset[str]
    source: str
    tokens: frozenset[str]
    begin: frozenset[str]

    def modes(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the values of the policy's ``ai_agents`` under which refusing these names is evidence."""
        if not self.training.isdisjoint(names):
            return CLASS[1:]
        return () if self.tokens.isdisjoint(names) else ANY[1:]

    def named(self, agent: str) -> tuple[str, ...]:
        """Return the tokens that the value of a User-agent line names, sorted, whatever form it has.

        RFC 9309 §2.2.1 allows one token; lists, quotes, stars and whole User-Agent strings are found as well. The
        tokens of a word among others count for training crawlers only: ``Spider`` and ``Code`` are ordinary words.
        """
        whole = agent.casefold()
        if whole in self.tokens:
            return (whole,)
        cut: str = _token(whole)[0]  # type: ignore[index]  # the empty string matches
        if cut not in self.tokens and self.begin.isdisjoint(_words(whole)):
            return ()
        pieces = [piece.strip(" \t+") for piece in _pieces(whole)]
        names = {cut, *(name for piece in (whole, *pieces) for name in (piece, piece.partition("/")[0].strip()))}
        words = {word.partition("/")[0] for piece in pieces for word in piece.split()}
        return tuple(sorted(names & self.tokens | words & self.training))

    def weigh(self, crawlers: Iterable[str]) -> frozenset[str]:
        """Return which crawlers count as of the training class, of all that are refused the same.

        One of mixed purpose counts beside a second one of either kind. Names of which one begins with the other
        (``GoogleOther``, ``GoogleOther-Image``) are of one crawler.
        """
        telling = sorted({name for name in crawlers if name in self.training or name in self.mixed})
        apart: list[str] = []
        for name in telling:
            if not apart or not name.startswith(apart[-1]):
                apart.append(name)
        return frozenset(telling) if len(apart) >= _ENOUGH else self.training.intersection(telling)


def read(text: str) -> Agents:
    """Read the data file; the class ``other`` is never evidence, so it is left out."""
    data = tomllib.loads(text)
    classes = {name: frozenset(token.lower() for token in tokens) for name, tokens in data["classes"].items()}
    training, mixed = classes["training"] | classes["policy"], classes["mixed"]
    known = frozenset().union(*(tokens for name, tokens in classes.items() if name != "other"))
    source = f"{data['source']} at {data['commit']}, {data['date']}"
    return Agents(training, mixed, known - training - mixed, source, known, frozenset(_words(t)[0] for t in known))


AGENTS = read(files("consentcrawl").joinpath("signals", "ai_agents.toml").read_text("utf-8"))
"""The list that is shipped."""

"""The product tokens of AI crawlers, each in its class, out of a data file that names its source and date.

Tokens are compared whole and without case, never as a part of another word.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Agents:
    """Tokens by class, case-folded: training, of mixed purpose, and every other class that can be evidence.

    ``training`` holds the policy tokens too, which state a use and name no crawler.
    """

    training: frozenset[str]
    mixed: frozenset[str]
    further: frozenset[str]
    source: str
    tokens: frozenset[str]

    def modes(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the values of the policy's ``ai_agents`` under which refusing these names is evidence."""
        if not self.training.isdisjoint(names):
            return ("class", "any")
        return () if self.tokens.isdisjoint(names) else ("any",)


def read(text: str) -> Agents:
    """Read the data file; the class ``other`` is never evidence, so it is left out."""
    data = tomllib.loads(text)
    classes = {name: frozenset(token.lower() for token in tokens) for name, tokens in data["classes"].items()}
    training, mixed = classes["training"] | classes["policy"], classes["mixed"]
    known = frozenset().union(*(tokens for name, tokens in classes.items() if name != "other"))
    source = f"{data['source']} at {data['commit']}, {data['date']}"
    return Agents(training, mixed, known - training - mixed, source, known)


AGENTS = read(files("consentcrawl").joinpath("signals", "ai_agents.toml").read_text("utf-8"))
"""The list that is shipped."""

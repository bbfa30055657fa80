"""What each rule that reads robots.txt refuses on real files, under each preset: what strictness costs a taker.

Run as ``python -m bench strictness``; the files lie where CONSENTCRAWL_CORPUS says. Shares are per cent of the files,
for one path (``/img/a.jpg``) and for any of the paths that the rules of a file are about.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from bench.robots_peers import real_files
from consentcrawl.core import (
    PRESETS,
    PURPOSES,
    ROBOTS_TXT,
    Asset,
    Category,
    Evidence,
    Gap,
    Policy,
    Preference,
    Purpose,
    Said,
    Statement,
    name_of,
)
from consentcrawl.core.vocabulary import WITHIN
from consentcrawl.discovery import active, general
from consentcrawl.formats.ai_agents import AGENTS
from consentcrawl.formats.robots import RobotsTxt, parse

ORIGIN = "https://art.example"
PATH = "/img/a.jpg"
MOST_PATHS = 100
PURPOSE = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])
RULES = {
    "robots_txt": "Disallow for us or for everybody",
    "training": "Disallow for a training crawler",
    "training, named loosely": "… named in a list, in quotes or in a User-Agent string",
    "mixed": "Disallow for two crawlers of mixed purpose",
    "further": "Disallow for any other AI crawler, or for one of mixed purpose",
    "content_signal": "Content-Signal",
    "content_usage": "Content-Usage",
    "disallow_ai_training": "DisallowAITraining",
    "refused": "any of these: refused",
    "undetermined": "not refused, but not known either",
    "not allowed": "not allowed in so many words",
}
_path = re.compile(rb"^[ \t]*(?:(?:dis)?allow\w*|content-\w+)[ \t]*:[ \t]*([/*][^\s#]*)", re.IGNORECASE | re.MULTILINE)
_tokens = re.compile(r"[(]([^)]+)[)]").findall

Heard = tuple[str, Said]
"""The name of a signal, and what it said."""


def paths(body: bytes) -> Iterator[str]:
    """Give a path for each of the first patterns of a file, one that it matches."""
    patterns = dict.fromkeys(_path.findall(body))
    for pattern in [*patterns][:MOST_PATHS]:
        text = pattern.decode("utf-8", "replace").removesuffix("$").replace("*", "x")
        yield text if text.startswith("/") else "/" + text


def heard(evidence: Evidence, path: str, signals: Sequence[ModuleType]) -> list[Heard]:
    """Let signals read a file for one path."""
    asset = Asset(ORIGIN + path)
    return [(name_of(s), said) for s in signals for said in s.read(evidence, asset, PURPOSE)]


def rules(said: Iterable[Heard], policy: Policy, robots: RobotsTxt) -> set[str]:
    """Name the rules that refuse one path under a policy, and what follows from all of them."""
    read = [(name, one) for name, one in said if name != "protego_reading" or policy.second_reader == "on"]
    stated = [(name, one) for name, one in read if isinstance(one, Statement) and policy.counts(one.under)]
    found = {
        kind
        for name, one in stated
        if one.preference is Preference.DISALLOWED and one.category in PURPOSE.heeds
        for kind in (_kinds(one.where, robots) if name == "ai_agents" else {name})
    }
    if found:
        return {*found, "refused"}
    if any(isinstance(one, Gap) and (one.holds or policy.gaps == "hold") for _, one in read):
        return {"undetermined"}
    allowed = {one.category for _, one in stated if one.preference is Preference.ALLOWED}
    lacking = policy.unknown == "refuse" and not allowed & WITHIN[Category.TRAIN_GENERATIVE]
    return {"not allowed"} if lacking else set()


def _kinds(where: str, robots: RobotsTxt) -> set[str]:
    """Tell by which crawlers a rule is evidence."""
    tokens = {token for named in _tokens(where) for token in named.split(", ")}
    if training := tokens & AGENTS.training:
        return {"training" if training & robots.tokens else "training, named loosely"}
    return {"mixed" if AGENTS.weigh(tokens) else "further"}


def count(files: Iterable[bytes]) -> dict[str, tuple[Counter[str], Counter[str]]]:
    """Count the files that each rule refuses under each preset: for the one path, and for any."""
    counts = {name: (Counter[str](), Counter[str]()) for name in PRESETS}
    asset = Asset(ORIGIN + PATH)
    signals = [s for s in general(active(PRESETS["strict"])) if ROBOTS_TXT in s.needs(asset, PURPOSE)]
    for body in files:
        evidence = Evidence(ROBOTS_TXT, ORIGIN + ROBOTS_TXT.url, status=200, content=body)
        robots: RobotsTxt = evidence.parsed(parse)
        one, *further = [heard(evidence, path, signals) for path in dict.fromkeys((PATH, "/", *paths(body)))]
        for name, policy in PRESETS.items():
            here = rules(one, policy, robots)
            counts[name][0].update(here)
            counts[name][1].update(here.union(*(rules(said, policy, robots) for said in further)))
    return counts


def main(corpus: Path | None = None) -> dict[str, float]:
    """Measure, print one table, and give the shares in per cent."""
    corpus = corpus or Path(os.environ.get("CONSENTCRAWL_CORPUS", ""))
    if not (corpus / "robots_real.tar.gz").is_file():
        print("CONSENTCRAWL_CORPUS names no folder with real robots.txt files: nothing is measured")
        return {}
    files = real_files(corpus)
    number, counts = len(files), count(files)
    print(f"{number:,} files; per cent refused for {PATH} / for any path\n")
    print(f"{'':62}" + "".join(f"{name:>16}" for name in counts))
    for rule, title in RULES.items():
        cells = (
            f"{100 * at[rule] / number:6.2f} / {100 * anywhere[rule] / number:5.2f}" for at, anywhere in counts.values()
        )
        print(f"{title:62}" + "".join(f"{cell:>16}" for cell in cells))
    return {
        f"{rule}, {name}, {where}": 100 * found[rule] / number
        for rule in RULES
        for name, pair in counts.items()
        for where, found in zip((PATH, "any path"), pair, strict=True)
    }

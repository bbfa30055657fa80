"""Records of robots.txt about use: which crawlers each speaks to, and which of them decides about a path.

A record binds the crawlers of its group. Before the first group, or apart behind another crawler's group, it is meant
for everybody. What a group refuses a known AI crawler is evidence that its maker refuses the same use to others, unless
a group names the crawler that asks. For every key of a record the longest path that matches counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from consentcrawl.formats.ai_agents import AGENTS, ANY, CLASS
from consentcrawl.formats.path_pattern import Patterns
from consentcrawl.formats.preferences import Said
from consentcrawl.formats.robots.groups import Record, RobotsTxt
from consentcrawl.formats.robots.rules import Rule

T = TypeVar("T")
Under = tuple[str, ...]
Entry = tuple[str, str, Iterable[Said]]
"""A path pattern ("" for everything), where it stood, and the members behind it."""
Pair = tuple[tuple[T, ...], tuple[T, ...]]

_TRAINING = {"tdm": "train", "train": "train", "train-generative": "train-generative", "train-other": "train-other"}
"""What a refusal to an AI crawler is evidence of, by the category that it names: training, and nothing else."""
_KEPT = 256
MAX_COMPILED = 10_000
"""The most records in the groups of AI crawlers, counted for each run of groups, that are compiled."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Records by where they stand: in the groups that bind the crawler, meant for everybody, in groups of others."""

    binding: tuple[Record, ...]
    everybody: tuple[Record, ...]
    foreign: tuple[Record, ...]


_NONE = Placed((), (), ())


def placed(robots: RobotsTxt, keys: Iterable[str], token: str, *, anywhere: bool = False) -> Placed:
    """Divide the records ``keys`` (lower case) of a file for the crawler ``token``.

    ``anywhere``: those before any group, and those under ``*`` beside a group of its own, bind it as well.
    """
    records = robots.records(*keys)
    if not records:
        return _NONE
    places: tuple[list[Record], list[Record], list[Record]] = ([], [], [])
    groups = frozenset((*robots.binding(token), *((-1, *robots.binding("*")) if anywhere else ())))
    for record in records:
        apart = record.group < 0 or robots.stands_apart(record)
        places[0 if record.group in groups else 1 if apart else 2].append(record)
    return Placed(*map(tuple, places))


class Keyed(Generic[T]):
    """Patterns, and a pair of readings of what each says about the same keys: in full, and the lesser one."""

    __slots__ = ("_said", "patterns")

    def __init__(self, read: Sequence[tuple[str, str, Sequence[Said]]], pair: Callable[[Said, str], Pair[T]]) -> None:
        """Compile the patterns, and make what each of their members says."""
        self.patterns = Patterns([path for path, _, _ in read])
        made = [[pair(member, where) for member in members] for _, where, members in read]
        self._said: list[Pair[T]] = [
            (tuple(one for full, _ in pairs for one in full), tuple(one for _, lesser in pairs for one in lesser))
            for pairs in made
        ]

    def longest(self, target: str, *, lesser: bool = False) -> tuple[T, ...]:
        """Return what the longest matching patterns say, all of those that are equally long.

        The lesser reading counts where it is asked for, and where not every pattern could be compared.
        """
        numbers = self.patterns.longest(target)
        column = lesser or bool(self.patterns.gave_up)
        if len(numbers) == 1:
            return self._said[numbers[0]][column]
        return tuple(one for number in numbers for one in self._said[number][column])


def by_key(entries: Iterable[Entry], pair: Callable[[Said, str], Pair[T]]) -> tuple[Keyed[T], ...]:
    """Compile entries so that one that lacks a key says nothing about it, neither grants nor restricts.

    Keys that stand in the same entries are compared at once: most files have them all in one line.
    """
    read = [(path, where, tuple(members)) for path, where, members in entries]
    if not read:
        return ()
    entries_of: dict[str, list[int]] = {}
    for number, (_, _, members) in enumerate(read):
        for label in {member.label for member in members}:
            entries_of.setdefault(label, []).append(number)
    labels: dict[tuple[int, ...], set[str]] = {}
    for label, numbers in entries_of.items():
        labels.setdefault(tuple(numbers), set()).add(label)
    return tuple(
        Keyed([(*read[n][:2], [m for m in read[n][2] if m.label in among]) for n in numbers], pair)
        for numbers, among in labels.items()
    )


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How the records of one mechanism are written, and what is made of them.

    ``read`` gives the path pattern of a record and its members. ``make`` takes a member, the place where it stood, and
    the key and values of the policy under which it counts (empty: always). ``anywhere``: the mechanism does not say
    where its records stand, so that those before any group and under ``*`` bind everybody. ``stars``: a path may begin
    with ``*``; where it may not, it can only forbid.
    """

    keys: tuple[str, ...]
    read: Callable[[Record], tuple[str, Iterable[Said]]]
    make: Callable[[Said, str, Under], Iterable[T]]
    anywhere: bool = False
    stars: bool = True

    def entry(self, record: Record, named: str = "") -> Entry:
        """Read a record; ``named`` says which crawlers it speaks to."""
        path, members = self.read(record)
        return path, f"line {record.line}{named}", members

    def in_full(self, member: Said, where: str) -> Pair[T]:
        """Make what binds: permissions too, but not where a comparison was cut short."""
        made = tuple(self.make(member, where, ()))
        return made, () if member.allowed else made

    def forbidding(self, member: Said, where: str) -> Pair[T]:
        """Make what can only forbid."""
        made = () if member.allowed else tuple(self.make(member, where, ()))
        return made, made

    def evidence(self, member: Said, where: str) -> Pair[T]:
        """Make what is evidence: as a refusal to training crawlers, and as one to others."""
        training = dict.fromkeys(_TRAINING[name] for name in member.categories if name in _TRAINING)
        if member.allowed or not training:
            return (), ()
        member = replace(member, categories=tuple(training))
        return tuple(self.make(member, where, CLASS)), tuple(self.make(member, where, ANY))


class Usage(Generic[T]):
    """What the records of one form in one robots.txt say to one crawler."""

    __slots__ = ("_binding", "_evidence", "_gave_up")

    def __init__(self, robots: RobotsTxt, token: str, form: Form[T]) -> None:
        """Compile the records."""
        found = placed(robots, form.keys, token, anywhere=form.anywhere)
        binding, everybody = [form.entry(r) for r in found.binding], [form.entry(r) for r in found.everybody]
        if not form.stars:
            everybody += [entry for entry in binding if entry[0].startswith("*")]
            binding = [entry for entry in binding if not entry[0].startswith("*")]
        self._binding = (*by_key(binding, form.in_full), *by_key(everybody, form.forbidding))
        self._evidence: list[tuple[tuple[str, ...], tuple[Keyed[T], ...]]] = []
        self._gave_up = ""
        if found.foreign and not robots.names(token):
            self._take_evidence(robots, found.foreign, form)

    def _take_evidence(self, robots: RobotsTxt, foreign: Iterable[Record], form: Form[T]) -> None:
        in_group: dict[int, list[Record]] = {}
        for record in foreign:
            in_group.setdefault(record.group, []).append(record)
        compiled = 0
        for numbers, crawlers in robots.crawlers().items():
            records = [record for number in numbers for record in in_group.get(number, ())]
            compiled += len(records)
            if compiled > MAX_COMPILED:
                self._gave_up = "robots_budget"
                return
            named = f" ({', '.join(crawlers)})"
            if rules := by_key((form.entry(record, named) for record in records), form.evidence):
                self._evidence.append((crawlers, rules))

    def __bool__(self) -> bool:
        """Return whether anything is said about any path."""
        return bool(self._binding or self._evidence or self._gave_up)

    def match(self, target: str) -> tuple[list[T], str]:
        """Return what is said about a path, and ``robots_budget`` when not every pattern could be compared."""
        said: list[T] = []
        gave_up = self._gave_up
        for rules in self._binding:
            said += rules.longest(target)
            gave_up = gave_up or rules.patterns.gave_up
        refusing = [(c, keyed) for c, rules in self._evidence for keyed in rules if keyed.longest(target)]
        if refusing:
            strong = AGENTS.weigh(name for crawlers, _ in refusing for name in crawlers)
            for crawlers, keyed in refusing:
                said += keyed.longest(target, lesser=strong.isdisjoint(crawlers))
        for _, among in self._evidence:
            gave_up = next((keyed.patterns.gave_up for keyed in among if keyed.patterns.gave_up), gave_up)
        return said, gave_up


class Foreign(Generic[T]):
    """The rules of access for known AI crawlers in one file; none where a group names the crawler that asks."""

    __slots__ = ("_groups", "_make", "_refused")

    def __init__(self, robots: RobotsTxt, token: str, make: Callable[[str, str, Under], T]) -> None:
        """Compile each set of rules once; ``make`` takes the words, the places, and under which policy they count."""
        groups = {} if robots.names(token) else robots.crawlers()
        self._groups = [(robots.rules(numbers), crawlers) for numbers, crawlers in groups.items()]
        self._make = make
        self._refused: dict[tuple[tuple[int, int], ...], tuple[T, ...]] = {(): ()}

    def __bool__(self) -> bool:
        """Return whether there is a group for an AI crawler."""
        return bool(self._groups)

    def refused(self, target: str) -> tuple[T, ...]:
        """Make what is to be said of the rules that disallow a path; of paths that meet the same rules once."""
        answers = [(number, rules.access(target)) for number, (rules, _) in enumerate(self._groups)]
        deciding = [(number, access.rule) for number, access in answers if access.rule and not access.allowed]
        key = tuple((number, rule.line) for number, rule in deciding)
        if key not in self._refused:
            if len(self._refused) >= _KEPT:
                self._refused = {(): ()}
            self._refused[key] = tuple(self._said([(rule, self._groups[number][1]) for number, rule in deciding]))
        return self._refused[key]

    def _said(self, deciding: Sequence[tuple[Rule, tuple[str, ...]]]) -> Iterator[T]:
        """Put all groups that say the same into one: some files have 160 of them."""
        strong = AGENTS.weigh(name for _, crawlers in deciding for name in crawlers)
        places: dict[tuple[str, Under], list[str]] = {}
        for rule, crawlers in deciding:
            for under, counts in ((CLASS, True), (ANY, False)):
                if named := ", ".join(name for name in crawlers if (name in strong) is counts):
                    places.setdefault((rule.text, under), []).append(f"line {rule.line} ({named})")
        return (self._make(text, "; ".join(where), under) for (text, under), where in places.items())

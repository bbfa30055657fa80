"""Laws of every platform plugin: whatever a platform answers, nothing raises, nothing is permitted, nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consentcrawl.core import (
    PURPOSES,
    ROBOTS_TXT,
    Asset,
    Category,
    Evidence,
    Gap,
    Need,
    Preference,
    Purpose,
    Statement,
    name_of,
)
from consentcrawl.discovery import hosts_of, keys_among, signals
from consentcrawl.formats.url import canonical
from consentcrawl.platforms import addresses
from tests import vector_files

PLUGINS = {name_of(signal): signal for signal in signals() if hosts_of(signal)}
TRAIN = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])


def _assets(name: str) -> list[Asset]:
    vectors = vector_files.files(vector_files.PLUGINS)[name]["vector"]
    assets = [Asset(canonical(url)) for url in dict.fromkeys(vector["url"] for vector in vectors)]
    return [Asset(asset.url, work_keys=keys_among((PLUGINS[name],), asset)) for asset in assets]


def _asked(plugin: ModuleType, name: str) -> Iterator[tuple[Asset, Need]]:
    for asset in _assets(name):
        for need in plugin.needs(asset, TRAIN):
            yield asset, need


def _is_noted(name: str) -> bool:
    """Nothing waits for a first look-up that carries no choice; one of Tumblr's two is such a look-up."""
    return name == "tumblr" or vector_files.of_platform(name).get("notes_only", False)


@pytest.mark.parametrize("name", sorted(PLUGINS))
def test_ours_the_vectors_of_a_platform_lie_on_its_hosts(name: str) -> None:
    assert all(addresses.below(asset.host, hosts_of(PLUGINS[name])) for asset in _assets(name))


@pytest.mark.parametrize("name", sorted(PLUGINS))
def test_ours_what_holds_by_default_is_noted_with_its_date_and_source(name: str) -> None:
    expected = vector_files.of_platform(name)
    plugin, (asset, need) = PLUGINS[name], next(_asked(PLUGINS[name], name))
    said = [
        s for s in plugin.read(Evidence(need, need.at(asset), status=404), asset, TRAIN) if isinstance(s, Statement)
    ]
    noted = [s for s in said if s.note.startswith(f"site default: {expected.get('default', 'unknown')}")]
    assert noted
    assert all(re.search(r"as recorded on \d{4}-\d\d-\d\d$", s.note) and s.quote and s.where for s in noted)
    # Cara's tags are the site's, on every post: an opt-out. Elsewhere the maker did not choose it: a note.
    decides = {s.category for s in noted if s.preference is Preference.DISALLOWED}
    assert decides == ({Category.TRAIN, Category.AI_USE} if expected.get("default_decides") else set())


@pytest.mark.parametrize("name", sorted(PLUGINS))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(content=st.binary(max_size=300), status=st.sampled_from([None, 200, 301, 403, 404, 500]))
def test_ours_arbitrary_bytes_never_raise_and_never_allow(name: str, content: bytes, status: int | None) -> None:
    plugin = PLUGINS[name]
    for asset, need in _asked(plugin, name):
        said = list(plugin.read(Evidence(need, need.at(asset), status=status, content=content), asset, TRAIN))
        assert all(s.preference is not Preference.ALLOWED for s in said if isinstance(s, Statement))
        if need != ROBOTS_TXT:
            gaps = [gap for gap in said if isinstance(gap, Gap)]
            assert gaps, "the work was not in the answer, and no gap says so"
            assert _is_noted(name) or all(gap.holds for gap in gaps)


@pytest.mark.parametrize("name", sorted(PLUGINS))
def test_ours_a_look_up_of_a_work_is_polite_and_the_same_however_it_was_named(name: str) -> None:
    for asset, need in _asked(PLUGINS[name], name):
        if need != ROBOTS_TXT:
            assert need.polite
            assert need.holds or _is_noted(name)
            assert "{" in need.url or canonical(need.url) == need.url
        again = Asset(asset.url, page=asset.url, work_keys=asset.work_keys)
        assert need in list(PLUGINS[name].needs(again, TRAIN))

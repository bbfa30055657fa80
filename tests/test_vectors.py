"""Every vector: what is found, and what a signal makes of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import consentcrawl.signals
import consentcrawl_plugins
from consentcrawl import discovery
from consentcrawl.core import (
    BODY,
    HEAD,
    PRESETS,
    PURPOSES,
    Asset,
    Evidence,
    Fields,
    Gap,
    Gate,
    Inquiry,
    Need,
    Preference,
    Purpose,
    Statement,
    page_of,
    plan,
)
from consentcrawl.formats.url import canonical
from tests import vector_files

FOLDERS = {vector_files.SIGNALS: consentcrawl.signals, vector_files.PLUGINS: consentcrawl_plugins}
TABLES = {vector_files.SIGNALS: {"vector"}, vector_files.PLUGINS: {"platform", "vector", "walk", "address", "list"}}

KEYS = {
    "title", "url", "page", "purpose", "token", "policy", "states", "gaps", "quote", "about", "outcome", "found",
}  # fmt: skip
FOUND_KEYS = {
    "need", "status", "fields", "content", "content_hex", "content_from", "args", "gap", "at",
}  # fmt: skip
NOW = 1_767_225_600
NOTHING_THERE = 404


@dataclass(frozen=True)
class Vector:
    """One vector of a file, and the name of the signal's module, which is that of the file."""

    module: str
    data: dict[str, Any]

    @property
    def signal(self) -> ModuleType:
        return importlib.import_module(self.module)

    @property
    def asset(self) -> Asset:
        url, page = self.data.get("url", "https://art.example/img/1.jpg"), self.data.get("page")
        plain = Asset(canonical(url), canonical(page) if page else None)
        keys = discovery.keys_among((self.signal,), plain)
        return Asset(plain.url, plain.page, keys)

    @property
    def purpose(self) -> Purpose:
        name = self.data.get("purpose", "train-ai")
        return Purpose(name, self.data.get("token", "consentcrawl"), PURPOSES[name])

    def found(self) -> dict[str, dict[str, Any]]:
        return {_place(found["need"], self.asset): found for found in self.data.get("found", [])}


def _place(name: str, asset: Asset) -> str:
    """What a vector's need names: a gate of the asset, its page, or the address of a look-up or of a manifest."""
    if name == "PAGE":
        page = page_of(asset)
        assert page is not None, "PAGE is found, but the vector has no page"
        return page.at(asset)
    if name in ("HEAD", "BODY"):
        return name
    if name.startswith(("c2pa:", "list:", "registry:")):
        return name
    return asset.origin + name if name.startswith("/") else canonical(name)


def _place_of(need: Need, asset: Asset) -> str:
    return {HEAD: "HEAD", BODY: "BODY"}.get(need) or need.at(asset)


def _content(found: dict[str, Any]) -> bytes:
    if "content_hex" in found:
        return bytes.fromhex(found["content_hex"])
    if "content_from" in found:
        made: bytes = getattr(importlib.import_module("tests.images"), found["content_from"])(*found.get("args", []))
        return made
    text: str = found.get("content", "")
    return text.encode()


def _evidence(need: Need, asset: Asset, found: dict[str, Any]) -> Evidence:
    gap = found.get("gap", "")
    return Evidence(
        need,
        need.at(asset),
        status=found.get("status", None if gap else 200),
        fields=Fields((name, value) for name, value in found.get("fields", [])),
        content=_content(found),
        at=found.get("at", NOW),
        gap=gap,
        whole=not gap,
    )


def _nothing(need: Need, asset: Asset) -> Evidence:
    status = NOTHING_THERE if need.gate is Gate.LOOKUP else 200
    return Evidence(need, need.at(asset), status=status, at=NOW)


def _vectors() -> Iterator[tuple[str, Vector]]:
    for folder, package in FOLDERS.items():
        for title, name, data in vector_files.titled(folder, "vector"):
            yield title, Vector(f"{package.__name__}.{name}", data)


VECTORS = dict(_vectors())
DECIDED = {name: vector for name, vector in VECTORS.items() if "outcome" in vector.data}


def _read(vector: Vector) -> tuple[list[Statement], list[Gap]]:
    """Ask the signal alone, follow its further needs, and give all it says."""
    asset, purpose, found = vector.asset, vector.purpose, vector.found()
    statements: list[Statement] = []
    gaps: list[Gap] = []
    asked: set[str] = set()
    needed = list(vector.signal.needs(asset, purpose))
    for need in needed:  # further needs are put at its end
        place = _place_of(need, asset)
        if place not in found or place in asked:
            continue
        asked.add(place)
        for said in vector.signal.read(_evidence(need, asset, found[place]), asset, purpose):
            if isinstance(said, Need):
                needed.append(said)
            else:
                (gaps if isinstance(said, Gap) else statements).append(said)
    assert not found.keys() - asked, "found what nobody asked for"
    return statements, gaps


def _stated(statements: Iterable[Statement]) -> set[tuple[str, str]]:
    return {(str(s.category), str(s.preference)) for s in statements if s.preference is not Preference.UNKNOWN}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_ours_vector(vector: Vector) -> None:
    data = vector.data
    assert data.keys() <= KEYS
    assert all(found.keys() <= FOUND_KEYS for found in data.get("found", []))
    policy = PRESETS[data.get("policy", "default")]
    assert policy.counts(vector.signal.SPEC.under)
    statements, gaps = _read(vector)
    counted = [said for said in statements if policy.counts(said.under)]
    here = [said for said in counted if said.about is None or said.about in vector.asset.keys]
    assert _stated(here) == {(category, preference) for category, preference in data.get("states", [])}
    assert {gap.reason for gap in gaps} == set(data.get("gaps", []))
    assert data.get("quote", "") in "\n".join(said.quote for said in statements)
    about = {(said.about, str(said.category), str(said.preference)) for said in counted}
    assert {tuple(each) for each in data.get("about", [])} <= about


@pytest.mark.parametrize("vector", DECIDED.values(), ids=DECIDED)
def test_ours_vector_as_an_inquiry(vector: Vector) -> None:
    asset, purpose, found = vector.asset, vector.purpose, vector.found()
    policy = PRESETS[vector.data.get("policy", "default")]
    inquiry = Inquiry(asset, purpose, policy, plan(asset, purpose, (vector.signal,)), settle=False)
    while needs := inquiry.needs():
        for need in needs:
            place = _place_of(need, asset)
            answer = _evidence(need, asset, found[place]) if place in found else _nothing(need, asset)
            inquiry.tell(answer)
    assert str(inquiry.verdict().outcome) == vector.data["outcome"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_ours_every_signal_has_vectors_and_every_vector_file_a_signal(folder: Path) -> None:
    modules = {module.name for module in pkgutil.iter_modules(FOLDERS[folder].__path__)}
    signals = {name for name in modules if not name.startswith("_")}
    assert signals == vector_files.files(folder).keys()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_ours_a_vector_file_has_no_table_that_no_test_reads(folder: Path) -> None:
    assert all(file.keys() <= TABLES[folder] for file in vector_files.files(folder).values())

"""Adobe Stock, Shutterstock and Getty Images: what holds on the sites; the switches of contributors are private."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from consentcrawl.core import ROBOTS_TXT, Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, remark
from consentcrawl.formats import location, site_default
from consentcrawl.formats.location import Form

SPEC = Spec(
    "Stock site default", "2026-09", "https://www.shutterstock.com/license", (Gate.LOOKUP,), "nothing of its own"
)
HOSTS = ("stock.adobe.com", "ftcdn.net", "shutterstock.com", "gettyimages.com", "istockphoto.com")

DEFAULT = site_default.words(tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")))
WORKS = (
    Form(r"stock\.adobe\.com/(?:[a-z]{2}/)?[\w-]+/[^/]+/(\d+)", "adobestock:{}".format),
    Form(r"[\w-]+\.ftcdn\.net/.+_F_(\d+)_\w+\.\w+", "adobestock:{}".format),
    Form(r"(?:www\.)?shutterstock\.com/(?:[\w-]+/)?image-[\w-]+/(?:[^/]*-)?(\d+)", "shutterstock:{}".format),
    Form(r"image\.shutterstock\.com/.*-(\d+)\.\w+", "shutterstock:{}".format),
    Form(r"(?:www\.)?gettyimages\.com/(?:[^/]+/)*(\d+)(?:-.*)?", "gettyimages:{}".format),
    Form(r"media\.gettyimages\.com/id/(\d+)/.+", "gettyimages:{}".format),
    Form(r"media\.istockphoto\.com/id/(\d+)/.+", "istock:{}".format),
)


def keys(asset: Asset) -> Iterable[str]:
    """Give the work of a page or a file."""
    return location.names(asset.url, WORKS)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (as the protocol has it)
    """Ask for nothing more than is asked anyway: there is no place where a maker's choice could be read."""
    return [ROBOTS_TXT]


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:  # noqa: ARG001 (as the protocol has it)
    """Note what holds on the site; it decides nothing."""
    yield remark(Category.TRAIN, *DEFAULT)

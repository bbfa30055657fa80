"""Cara: every post carries the AI tags by the policy of the site, which holds for its files as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.platforms import Form, Works, ai_tags, own_page, site_default

_DEFAULT = site_default.beside(__file__)
_WORKS = Works(
    "cara",
    forms=(
        Form(r"(?:www\.)?cara\.app/post/([\w-]+)(?:/.*)?"),
        Form(r"(?:www\.)?cara\.app/api/posts/(?!getAll)([\w-]+)(?:/.*)?"),
    ),
    look_up="https://cara.app/post/{}".format,
    default=_DEFAULT,
    files=(
        Form(r"(?:cdn|images)\.cara\.app/(?:.+/)?production/posts/([0-9a-f]{8}-[0-9a-f-]{27})/.+", "uuid:{}".format),
    ),
)

SPEC = Spec(
    "Cara NoAI policy",
    "2023",
    "https://cara.app/terms",
    (Gate.LOOKUP,),
    "a page",
    hosts=("cara.app",),
    keys=_WORKS.keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    if _WORKS.keys(asset):
        # The platform-wide default is an opt-out in machine-readable form: only the site sets and removes its tags.
        yield from (disallow(use, _DEFAULT.quote, _DEFAULT.where, note=_DEFAULT.note) for use in ai_tags.USES)
    yield from own_page.read(_WORKS, evidence, asset, purpose)

"""The page of a work: its AI tags, and the files that it shows as its own.

A page that does not say it is the work's says nothing about it.
"""

from __future__ import annotations

from consentcrawl.formats import html
from consentcrawl.platforms import ai_tags, answer, own_page
from consentcrawl.platforms.answer import Answer, Found
from consentcrawl.platforms.works import Asset, Works

_WHERE = "picture of the work's page"


def read(works: Works, evidence: Answer, asset: Asset, token: str) -> Found:
    """Read the page of the asset's work; of any other document only that the work is not known.

    ``token`` is the taker's: tags for another crawler by name are none.
    """
    if evidence.need.url not in works.look_ups(asset):
        return Found(gaps=works.lacking(asset))
    page = evidence.parsed(html.parse, evidence.content_type)
    asked = works.of(asset)
    named = set(map(works.short, own_page.names(page, evidence.url, works.own or works.forms)))
    own = evidence.status == answer.OK and not named.isdisjoint(map(works.short, asked))
    gaps = answer.gaps(evidence, own=own, gave_up=page.gave_up)
    if not own:
        return Found(gaps=gaps)
    shown = own_page.files(page, evidence.url, works.platform, works.files)
    files = tuple((file, _WHERE, f"{works.platform}:{work}") for file in shown for work in asked)
    return Found(own=True, tags=ai_tags.tags(evidence, page, token), files=files, gaps=gaps)

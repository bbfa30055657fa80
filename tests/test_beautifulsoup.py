"""Taking images out of a soup: every place that names one, what the page says of itself, and no request to an image."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup, SoupStrainer
from hypothesis import given, settings
from hypothesis import strategies as st

import consentcrawl
from consentcrawl.drivers.beautifulsoup import Report, keep_permitted
from consentcrawl.drivers.shared.soup_places import places
from tests.website import Answer, Site, serving

ROBOTS = b"User-agent: *\nDisallow: /no/\n"
HTML = (("Content-Type", "text/html"),)
PAGES = {
    "/robots.txt": Answer(ROBOTS, fields=(("Content-Type", "text/plain"),)),
    "/noai.html": Answer(b'<meta name="robots" content="noai"><img src="/yes/1.jpg">', fields=HTML),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


@pytest.fixture(scope="module")
def steward() -> Iterator[consentcrawl.Steward]:
    ours = consentcrawl.Steward(consentcrawl.Config(allow=("127.0.0.0/8",)))
    yield ours
    ours.close()


def cleared(site: Site, steward: consentcrawl.Steward, page: str) -> tuple[BeautifulSoup, Report]:
    soup = BeautifulSoup(page, "html.parser")
    report = keep_permitted(soup, site.origin + "/page.html", steward=steward)
    return soup, report


GONE = [
    '<img src="/no/1.jpg">',
    '<img src="no/1.jpg"><base href="/">',
    '<img src=" /no/1.jpg ">',
    '<img data-src="/no/1.jpg" class="lazy">',
    '<img data-lazy="/no/1.jpg">',
    '<img data-original="/no/download?id=1">',
    '<img data-lazy-src="no/1"><base href="/">',
    '<img lazysrc="/no/1.jpg">',
    '<img data-hi-res="/no/1">',
    '<image src="/no/1.jpg">',
    '<amp-anim src="/no/1.gif"></amp-anim>',
    '<svg><filter><feImage href="/no/1.jpg"/></filter></svg>',
    '<img src="/no/1.jpg" srcset="/no/2.jpg 2x">',
    '<img srcset="/no/1.jpg 1x,/no/2.jpg 2x">',
    '<picture><source srcset="/no/1.avif"><img src="/no/1.jpg"></picture>',
    '<meta property="og:image" content="/no/1.jpg">',
    '<meta name="twitter:image:src" content="/no/1.jpg">',
    '<meta itemprop="thumbnailUrl" content="/no/1.jpg">',
    '<link rel="image_src" href="/no/1.jpg">',
    '<link rel="preload" as="image" href="/no/1.jpg">',
    '<link rel="preload" as="image" imagesrcset="/no/1.jpg 2x">',
    '<input type="image" src="/no/1.jpg">',
    '<svg><image href="/no/1.jpg"/></svg>',
    '<svg><image xlink:href="/no/1.jpg"/></svg>',
    '<object data="/no/1.svg"></object>',
    '<embed src="/no/1.svg">',
    '<video><source src="/no/1.mp4"></video>',
    '<noscript><img src="/no/1.jpg"></noscript>',
    '<img src="https://user:secret@art.example/1.jpg">',
    '<img src="http://a.example:99999/1.jpg">',
]
_SHELLS = {"picture", "filter", "video", "svg", "noscript", "base"}


@pytest.mark.parametrize("page", GONE)
def test_ours_a_tag_that_shows_only_what_is_refused_goes(page: str, site: Site, steward: consentcrawl.Steward) -> None:
    soup, report = cleared(site, steward, f"<p>art</p>{page}")
    assert {tag.name for tag in soup.find_all()} <= {"p", *_SHELLS}
    assert report.removed
    assert soup.p is not None


REWRITTEN = [
    ('<img src="/yes/1.jpg" srcset="/no/1.jpg 2x, /yes/2.jpg 3x">', '<img src="/yes/1.jpg" srcset="/yes/2.jpg 3x"/>'),
    ('<img src="/no/1.jpg" srcset="/yes/1.jpg">', '<img srcset="/yes/1.jpg"/>'),
    ('<video poster="/no/1.jpg" src="/yes/1.mp4"></video>', '<video src="/yes/1.mp4"></video>'),
    ('<a href="/no/large.JPG?x=1">see</a>', "<a>see</a>"),
    ('<p style="color: red; background: url(/no/1.jpg)">x</p>', '<p style="color: red; background: none">x</p>'),
    ("<p style=\"background: url('/no/1.jpg')\">x</p>", '<p style="background: none">x</p>'),
    ('<td background="/no/1.gif">x</td>', "<td>x</td>"),
    ('<div data-bg="/no/1.jpg">x</div>', "<div>x</div>"),
    ('<div data-bg="url(/no/1.jpg)">x</div>', '<div data-bg="none">x</div>'),
    ('<area href="/no/1.jpg"/>', "<area/>"),
    ('<tr background="/no/1.gif"></tr>', "<tr></tr>"),
]


@pytest.mark.parametrize(("page", "left"), REWRITTEN)
def test_ours_what_is_permitted_beside_it_stays(
    page: str, left: str, site: Site, steward: consentcrawl.Steward
) -> None:
    soup, report = cleared(site, steward, page)
    assert str(soup) == left
    assert [one.verdict.outcome for one in report.removed] == [consentcrawl.Outcome.REFUSE]


KEPT = [
    '<img alt="" src=""/>',
    '<a href="/no/page.html">page</a>',
    '<input src="/no/1.jpg" type="text"/>',
    '<link href="/no/style.css" rel="stylesheet"/>',
    '<meta content="/no/" name="description"/>',
    '<p data-image-id="17" data-link="/no/page" style="color: red">x</p>',
    '<img src="data:image/png;base64,AAAA"/>',
    '<script>var image = "/no/1.jpg"</script>',
    '<img src="/yes/1.jpg" srcset="/yes/2.jpg 2x, /yes/3,4.jpg"/>',
]


@pytest.mark.parametrize("page", KEPT)
def test_ours_what_is_no_refused_image_stays_as_it_stood(page: str, site: Site, steward: consentcrawl.Steward) -> None:
    soup, report = cleared(site, steward, page)
    assert str(soup) == page
    assert report.removed == ()


LINKED_DATA = [
    ({"image": "/no/1.jpg", "name": "a"}, {"name": "a"}),
    ({"image": ["/no/1.jpg", "/yes/1.jpg"]}, {"image": ["/yes/1.jpg"]}),
    ({"image": {"@type": "ImageObject", "url": "/no/1.jpg", "caption": "/no/"}, "n": None}, {"n": None}),
    ({"@graph": [{"@type": "ImageObject", "contentUrl": "/no/1.jpg", "width": None}]}, {"@graph": []}),
    ({"@type": "Photograph", "url": "/no/page"}, None),
    ({"url": "/no/page.html", "n": [1, True, None]}, {"url": "/no/page.html", "n": [1, True, None]}),
    ({"image": "/no/1.jpg", "text": "</script>"}, {"text": "</script>"}),
]


@pytest.mark.parametrize(("data", "left"), LINKED_DATA)
def test_ours_linked_data_is_written_without_what_is_refused(
    data: object, left: object, site: Site, steward: consentcrawl.Steward
) -> None:
    text = json.dumps(data).replace("</", "<\\/")
    soup, _ = cleared(site, steward, f'<script type="application/ld+json; charset=utf-8">{text}</script>')
    script = BeautifulSoup(str(soup), "html.parser").script
    assert script is not None
    assert (json.loads(script.get_text()) if script.get_text() else None) == left


def test_ours_linked_data_that_is_no_json_goes_whole_with_what_is_refused(
    site: Site, steward: consentcrawl.Steward
) -> None:
    refused = f'{{"image": "{site.origin}/no/1.jpg",}}'.replace("/", "\\/")
    for text, left in ((refused, ""), ("{,}", "{,}"), (refused.replace("no", "yes"), refused.replace("no", "yes"))):
        soup, _ = cleared(site, steward, f'<script type="application/ld+json">{text}</script>')
        assert soup.script is not None
        assert soup.script.get_text() == left


@pytest.mark.parametrize("parser", ["html.parser", "lxml"])
@pytest.mark.parametrize(
    "page",
    [
        '<picture><source srcset="/no/1.avif"><img src="/yes.jpg"></picture>',
        '<object data="/no/1.svg"><img src="/yes.jpg"></object>',
    ],
)
def test_ours_what_is_shown_instead_stays(parser: str, page: str, site: Site, steward: consentcrawl.Steward) -> None:
    pytest.importorskip(parser.replace("html.parser", "html"))
    soup = BeautifulSoup(page, parser)
    keep_permitted(soup, site.origin + "/page.html", steward=steward)
    assert [image["src"] for image in soup.find_all("img")] == ["/yes.jpg"]
    assert soup.find(["source", "object"]) is None


def test_ours_what_the_page_says_is_read_from_the_soup(site: Site, steward: consentcrawl.Steward) -> None:
    page = '<meta name="robots" content="noimageai"><p>art</p><img src="/yes/1.jpg"><img src="data:image/png;base64,A">'
    before = len(site.asked)
    soup, report = cleared(site, steward, page)
    assert soup.find("img") is None
    assert report.page.outcome is consentcrawl.Outcome.REFUSE
    assert '"<meta name="robots" content="noimageai">" (robots_meta' in report.removed[0].why
    assert report.removed[0].where == "img src"
    assert not {target for _, target in site.asked[before:]} & {"/page.html", "/yes/1.jpg"}


def test_ours_the_fields_of_the_page_count(site: Site, steward: consentcrawl.Steward) -> None:
    soup = BeautifulSoup('<img src="/yes/9.jpg">', "html.parser")
    fields = [("X-Robots-Tag", "noai"), ("Content-Type", "text/html; charset=latin-1"), ("Content-Encoding", "br")]
    report = keep_permitted(soup, site.origin + "/other.html", steward=steward, fields=fields)
    assert [one.verdict.deciding[0].signal for one in report.removed] == ["x_robots_tag"]
    assert str(soup) == ""


def test_ours_of_a_soup_of_parts_the_page_is_looked_up(site: Site, steward: consentcrawl.Steward) -> None:
    soup = BeautifulSoup(PAGES["/noai.html"].content, "html.parser", parse_only=SoupStrainer("img"))
    report = keep_permitted(soup, site.origin + "/noai.html", steward=steward)
    assert report.page.outcome is consentcrawl.Outcome.REFUSE
    assert soup.find("img") is None


def test_ours_observe_reports_and_takes_nothing_out(site: Site) -> None:
    soup = BeautifulSoup('<img src="/no/1.jpg"/>', "html.parser")
    config = consentcrawl.Config(policy=consentcrawl.policy(mode="observe"), allow=("127.0.0.0/8",))
    report = keep_permitted(soup, site.origin + "/no/page.html", config=config, purpose="search")
    assert str(soup) == '<img src="/no/1.jpg"/>'
    assert [verdict.outcome for verdict in report.verdicts] == [consentcrawl.Outcome.REFUSE]
    assert report.page.gate is consentcrawl.Gate.LOOKUP
    assert report.removed == ()


def test_ours_a_page_that_is_no_url_raises() -> None:
    with pytest.raises(consentcrawl.BadUrl):
        keep_permitted(BeautifulSoup("", "html.parser"), "page.html")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*GONE, *KEPT, *(page for page, _ in REWRITTEN)]), max_size=6).map("".join), st.data())
def test_ours_what_is_dropped_from_a_place_is_not_there_any_more(page: str, data: st.DataObject) -> None:
    soup = BeautifulSoup(page, "html.parser")
    for place in list(places(soup)):
        addresses = place.addresses
        gone = data.draw(st.sets(st.sampled_from(addresses)) if addresses else st.just(set()))
        place.drop(gone)
        assert [address for address in addresses if address not in gone] == (place.addresses if place.value else [])

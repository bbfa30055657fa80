"""Any function that downloads, guarded: what it may not fetch it is not called for, what it may not keep is removed."""

from __future__ import annotations

import asyncio
import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import consentcrawl
from tests.kept import Kept
from tests.website import Answer, Site, noise, serving

IMAGE = noise()
JPEG = (("Content-Type", "image/jpeg"),)
HTML = (("Content-Type", "text/html"),)
NOAI = b'<html><head><meta name="robots" content="noai"></head></html>'
PAGES = {
    "/robots.txt": Answer(b"User-agent: *\nDisallow: /closed/\n", fields=(("Content-Type", "text/plain"),)),
    "/free.jpg": Answer(IMAGE, fields=JPEG),
    "/noai.jpg": Answer(IMAGE, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/noai.html": Answer(NOAI, fields=HTML),
    "/closed/a.jpg": Answer(IMAGE, fields=JPEG),
    "/hop": Answer(status=302, fields=(("Location", "/closed/a.jpg"),)),
}
LOCAL = consentcrawl.Config(allow=("127.0.0.0/8",))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


@pytest.fixture
def steward() -> Iterator[consentcrawl.Steward]:
    ours = consentcrawl.Steward(LOCAL)
    yield ours
    ours.close()


def content_of(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 (loopback)
        return bytes(answer.read())


async def content_later(url: str) -> bytes:
    return await asyncio.to_thread(content_of, url)


class Later:
    async def __call__(self, url: str) -> bytes:
        return await content_later(url)


CALLS: dict[str, Callable[[consentcrawl.Steward, str], bytes]] = {
    "sync": lambda steward, url: consentcrawl.guarded(content_of, steward=steward)(url),
    "async": lambda steward, url: asyncio.run(consentcrawl.guarded(content_later, steward=steward)(url)),
    "object": lambda steward, url: asyncio.run(consentcrawl.guarded(Later(), steward=steward)(url)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_ours_it_decides_before_and_after(
    call: Callable[[consentcrawl.Steward, str], bytes], site: Site, steward: consentcrawl.Steward
) -> None:
    assert call(steward, site.origin + "/free.jpg") == IMAGE
    with pytest.raises(consentcrawl.Refused) as before:
        call(steward, site.origin + "/closed/a.jpg")
    assert before.value.verdict.gate is consentcrawl.Gate.LOOKUP
    assert site.count("/closed/a.jpg") == 0
    with pytest.raises(consentcrawl.Refused) as after:
        call(steward, site.origin + "/noai.html")
    assert after.value.verdict.gate is consentcrawl.Gate.BODY


def save(link: str, to: Path) -> Path:
    to.write_bytes(content_of(link))
    return to


def test_ours_a_refused_file_is_removed(site: Site, steward: consentcrawl.Steward, tmp_path: Path) -> None:
    guarded = consentcrawl.guarded(save, url_arg="link", steward=steward)
    assert guarded(site.origin + "/free.jpg", tmp_path / "1").read_bytes() == IMAGE
    with pytest.raises(consentcrawl.Refused):
        guarded(link=site.origin + "/noai.html", to=tmp_path / "2")
    assert os.listdir(tmp_path) == ["1"]  # noqa: PTH208 (as a person sees it)


def test_ours_the_ledger_is_told_the_file(site: Site, tmp_path: Path) -> None:
    record = Kept()
    ours = consentcrawl.Steward(LOCAL, record=record)
    consentcrawl.guarded(save, url_arg="link", steward=ours)(site.origin + "/free.jpg", tmp_path / "1")
    assert [(one.size, one.file) for one in record.delivered] == [(len(IMAGE), str(tmp_path / "1"))]
    ours.close()


def test_ours_the_file_may_be_named_by_an_argument(site: Site, steward: consentcrawl.Steward, tmp_path: Path) -> None:
    def into(url: str, to: str = str(tmp_path / "default")) -> None:
        save(url, Path(to))

    guarded = consentcrawl.guarded(into, path_arg="to", steward=steward)
    with pytest.raises(consentcrawl.Refused):
        guarded(site.origin + "/noai.html")
    guarded(site.origin + "/free.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["default"]


@pytest.mark.parametrize("result", [None, 17, "no such file", b""[:0].decode(), (b"",)])
def test_ours_what_can_not_be_looked_at_is_undetermined(
    result: object, site: Site, steward: consentcrawl.Steward
) -> None:
    with pytest.raises(consentcrawl.Undetermined) as withheld:
        consentcrawl.guarded(lambda url: result, steward=steward)(site.origin + "/free.jpg")  # noqa: ARG005 (a url is named)
    assert "unsupported" in {gap.reason for gap in withheld.value.verdict.gaps}


def test_ours_without_the_head_the_verdict_says_so(site: Site) -> None:
    record = Kept()
    ours = consentcrawl.Steward(LOCAL, record=record)
    assert consentcrawl.guarded(content_of, steward=ours)(site.origin + "/noai.jpg") == IMAGE
    assert [(v.gate.name, [gap.reason for gap in v.gaps]) for v in record.verdicts] == [
        ("LOOKUP", []),
        ("BODY", ["not_fetched"]),
    ]
    assert [delivered.size for delivered in record.delivered] == [len(IMAGE)]
    ours.close()


def test_ours_the_head_is_asked_for_once_where_that_is_wanted(site: Site, steward: consentcrawl.Steward) -> None:
    guarded = consentcrawl.guarded(content_of, head=True, steward=steward)
    with pytest.raises(consentcrawl.Refused):
        guarded(site.origin + "/noai.jpg")
    assert site.count("/noai.jpg") == 1
    with pytest.raises(consentcrawl.Refused):
        guarded(site.origin + "/hop")
    assert site.count("/closed/a.jpg") == 0
    assert guarded(site.origin + "/free.jpg") == IMAGE


def test_ours_a_policy_that_holds_for_gaps_asks_for_the_head(site: Site) -> None:
    config = consentcrawl.Config(policy=consentcrawl.policy(gaps="hold", signals_off=["tdm_file"]), allow=LOCAL.allow)
    ours = consentcrawl.Steward(config)
    with pytest.raises(consentcrawl.Refused):
        consentcrawl.guarded(content_of, steward=ours)(site.origin + "/noai.jpg")
    ours.close()


def test_ours_the_page_may_be_named_by_an_argument(site: Site, steward: consentcrawl.Steward) -> None:
    def shown(url: str, page: str) -> bytes:
        return content_of(url) + page.encode()

    guarded = consentcrawl.guarded(shown, page_arg="page", steward=steward)
    with pytest.raises(consentcrawl.Refused) as refused:
        guarded(site.origin + "/free.jpg", site.origin + "/noai.html")
    assert refused.value.verdict.deciding[0].source == site.origin + "/noai.html"


def test_ours_the_url_may_be_in_a_request_or_among_keywords(site: Site, steward: consentcrawl.Steward) -> None:
    def loose(**names: Any) -> bytes:
        return content_of(names["address"])

    asked = urllib.request.Request(site.origin + "/free.jpg")  # noqa: S310 (loopback)
    assert consentcrawl.guarded(content_of, steward=steward)(cast("Any", asked)) == IMAGE
    guarded = consentcrawl.guarded(loose, url_arg="address", steward=steward)
    with pytest.raises(consentcrawl.Refused):
        guarded(address=site.origin + "/closed/a.jpg")


def test_ours_it_is_a_decorator_as_well(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "consentcrawl.toml").write_text('[network]\nallow = ["127.0.0.0/8"]\n')
    monkeypatch.setenv("CONSENTCRAWL_CONFIG", str(tmp_path / "consentcrawl.toml"))

    class Scraper:
        @consentcrawl.guarded
        def get(self, url: str) -> bytes:
            return content_of(url)

    assert Scraper().get(site.origin + "/free.jpg") == IMAGE
    with pytest.raises(consentcrawl.Refused):
        Scraper().get(url=site.origin + "/noai.html")


def test_ours_a_function_without_that_parameter_is_a_mistake(steward: consentcrawl.Steward) -> None:
    with pytest.raises(TypeError, match="no parameter called 'link'; there are url"):
        consentcrawl.guarded(content_of, url_arg="link", steward=steward)


def test_ours_what_is_no_url_is_undetermined(steward: consentcrawl.Steward) -> None:
    with pytest.raises(consentcrawl.Undetermined):
        consentcrawl.guarded(content_of, steward=steward)("")


def test_ours_observe_hands_everything_over(site: Site) -> None:
    config = consentcrawl.Config(policy=consentcrawl.policy(mode="observe"), allow=LOCAL.allow)
    assert consentcrawl.guarded(content_of, config=config)(site.origin + "/noai.html") == NOAI
    assert consentcrawl.guarded(lambda url: url.encode(), config=config)("no url") == b"no url"


def test_ours_it_keeps_the_functions_name_and_errors(site: Site, steward: consentcrawl.Steward) -> None:
    guarded = consentcrawl.guarded(content_of, steward=steward)
    assert guarded.__name__ == "content_of"
    with pytest.raises(OSError, match="404"):
        guarded(site.origin + "/missing.jpg")

"""The dry run: each gate, each hop, each way to fail, against real servers on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from consentcrawl import config
from consentcrawl.cli.demo_sites import DEAD, Answer
from consentcrawl.cli.demo_web import web
from consentcrawl.config import Config
from consentcrawl.core import Gate, Hop, Outcome, Policy, Verdict
from consentcrawl.drivers.dry_run import judge
from consentcrawl.net.guard import ConnectTo
from consentcrawl.net.pace import Pace
from consentcrawl.steward import Steward

Site = dict[str, Answer]
ART = "http://art.example"
CLOSED = Answer(b"User-agent: *\nDisallow: /\n")
TEXT = {"Content-Type": "text/plain"}


class Seen(dict[str, Answer]):
    """A site that counts what it was asked."""

    def __init__(self, site: Site) -> None:
        """Count nothing yet."""
        super().__init__(site)
        self.asked: list[str] = []

    def get(self, path: str, default: Answer) -> Answer:  # type: ignore[override]
        """Count and answer."""
        self.asked.append(path)
        return super().get(path, default)


Ask = Callable[..., Verdict]
Serve = Callable[..., tuple[Seen, Ask]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve art.example and others; give what art.example was asked, and how to judge."""
    with ExitStack() as stack:

        def serving(site: Site, policy: Policy | None = None, **others: Site) -> tuple[Seen, Ask]:
            seen = Seen(site)
            hosts = {"art.example": seen} | {f"{name}.example": other for name, other in others.items()}
            connect_to = tuple(map(ConnectTo.parse, stack.enter_context(web(hosts))))
            settings = Config(policy=policy or Policy(), connect_to=connect_to)
            steward = Steward(settings, pace=Pace(most=2))
            stack.callback(steward.close)

            def ask(url: str, page: str | None = None, **more: object) -> Verdict:
                return judge(steward, url, page, **more)  # type: ignore[arg-type]

            return seen, ask

        yield serving


def reasons(verdict: Verdict) -> list[str]:
    return [gap.reason for gap in verdict.gaps if gap.holds]


def test_ours_nothing_said_permits_up_to_the_gate_reached(serve: Serve) -> None:
    seen, ask = serve({"/1.txt": Answer(b"words", fields=TEXT)})

    for reach, asked in ((Gate.LOOKUP, 0), (Gate.HEAD, 1), (Gate.BODY, 2)):
        verdict = ask(ART + "/1.txt", reach=reach)
        assert (verdict.outcome, verdict.gate) == (Outcome.PERMIT, reach)
        assert seen.asked.count("/1.txt") == asked


def test_ours_the_gate_is_the_head_unless_said_otherwise(serve: Serve) -> None:
    _, ask = serve({"/1.txt": Answer(fields=TEXT)})

    assert ask(ART + "/1.txt").gate is Gate.HEAD


@pytest.mark.parametrize("settle", [True, False])
def test_rfc9309_2_2_2_what_robots_txt_disallows_is_not_asked_for(serve: Serve, settle: bool) -> None:  # noqa: FBT001 (a case)
    seen, ask = serve({"/robots.txt": CLOSED, "/1.txt": Answer()})

    verdict = ask(ART + "/1.txt", settle=settle)

    assert (verdict.outcome, verdict.gate) == (Outcome.REFUSE, Gate.LOOKUP)
    assert "/1.txt" not in seen.asked


def test_ours_a_field_refuses_at_the_head_and_a_tag_in_the_content(serve: Serve) -> None:
    noai = Answer(b"<meta name=robots content=noai>", fields={"Content-Type": "text/html"})
    seen, ask = serve({"/f": Answer(fields={"X-Robots-Tag": "noai"}), "/t": noai})

    assert (ask(ART + "/f").outcome, ask(ART + "/t").outcome) == (Outcome.REFUSE, Outcome.PERMIT)
    verdict = ask(ART + "/t", reach=Gate.BODY)
    assert (verdict.outcome, verdict.gate) == (Outcome.REFUSE, Gate.BODY)
    assert seen.asked.count("/t") == 2


def test_ours_all_grounds_of_the_gate_reached_are_collected(serve: Serve) -> None:
    _, ask = serve({"/f": Answer(fields={"X-Robots-Tag": "noai", "Content-Usage": "train-ai=n"})})

    signals = {ground.signal for ground in ask(ART + "/f", settle=False).deciding}

    assert {"x_robots_tag", "content_usage"} <= signals


def test_ours_the_page_speaks_for_its_image(serve: Serve) -> None:
    page = Answer(b"<meta name=robots content=noimageai>", fields={"Content-Type": "text/html"})
    _, ask = serve({"/p": page, "/1.png": Answer(fields={"Content-Type": "image/png"})})

    assert ask(ART + "/1.png").outcome is Outcome.PERMIT
    assert ask(ART + "/1.png", ART + "/p").outcome is Outcome.REFUSE


def test_ours_each_hop_is_an_inquiry_of_its_own(serve: Serve) -> None:
    moved = {"Location": "http://other.example/1.txt"}
    _, ask = serve(
        {"/a": Answer(status=302, fields={"Location": "/b"}), "/b": Answer(status=301, fields=moved)},
        other={"/robots.txt": CLOSED, "/1.txt": Answer()},
    )

    verdict = ask(ART + "/a", reach=Gate.BODY)

    assert (verdict.outcome, verdict.url) == (Outcome.REFUSE, "http://other.example/1.txt")
    assert verdict.hops == (Hop(ART + "/a", 302), Hop(ART + "/b", 301))
    assert verdict.hops[0].as_json() == {"url": ART + "/a", "status": 302}


def test_ours_a_redirect_that_itself_refuses_is_not_followed(serve: Serve) -> None:
    seen, ask = serve({"/a": Answer(status=302, fields={"Location": "/b", "X-Robots-Tag": "noai"}), "/b": Answer()})

    assert ask(ART + "/a").outcome is Outcome.REFUSE
    assert "/b" not in seen.asked


def test_ours_an_opt_in_policy_asks_the_asset_and_not_the_signpost(serve: Serve) -> None:
    allowed = Answer(fields={"Content-Usage": "train-ai=y"})
    site = {"/a": Answer(status=302, fields={"Location": "/b"}), "/b": allowed, "/c": Answer()}
    _, ask = serve(site, config.policy("opt-in"))

    assert (ask(ART + "/a").outcome, ask(ART + "/c").outcome) == (Outcome.PERMIT, Outcome.REFUSE)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Location": "/a"}, "redirects"),
        ({}, "redirects"),
        ({"Location": "ftp://x.example/"}, "bad_url"),
        ({"Location": "http://a.example\\@b.example/"}, "bad_url"),
    ],
)
def test_rfc9110_15_4_a_redirect_that_leads_nowhere_is_a_gap(serve: Serve, fields: dict[str, str], reason: str) -> None:
    _, ask = serve({"/a": Answer(status=302, fields=fields)})

    verdict = ask(ART + "/a")

    assert (verdict.outcome, reasons(verdict)) == (Outcome.UNDETERMINED, [reason])


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "bad_status"), (500, "bad_status"), (304, "bad_status"), (403, "access_refused")]
)
@pytest.mark.parametrize("reach", [Gate.HEAD, Gate.BODY])
def test_ours_an_error_page_is_not_the_asset(serve: Serve, status: int, reason: str, reach: Gate) -> None:
    _, ask = serve({"/a": Answer(status=status, fields={"Content-Usage": "train-ai=y"})})

    verdict = ask(ART + "/a", reach=reach)

    assert (verdict.outcome, verdict.gate, reasons(verdict)) == (Outcome.UNDETERMINED, Gate.HEAD, [reason])


def test_rfc9309_2_3_1_4_after_an_unreachable_robots_txt_nothing_is_asked(serve: Serve) -> None:
    seen, ask = serve({"/robots.txt": Answer(status=503), "/a": Answer()})

    assert reasons(ask(ART + "/a")) == ["unreachable"]
    dead = ask(f"http://{DEAD}/a")
    assert (dead.outcome, dead.gate, dead.grounds) == (Outcome.UNDETERMINED, Gate.LOOKUP, ())
    assert "/a" not in seen.asked


@pytest.mark.parametrize("url", ["", "ftp://x/", "http://", "http://a.example\\@b.example/", "\udcff", "http://a b/"])
def test_ours_what_is_no_url_is_undetermined(serve: Serve, url: str) -> None:
    _, ask = serve({})

    verdict = ask(url)

    assert (verdict.outcome, reasons(verdict), verdict.url) == (Outcome.UNDETERMINED, ["bad_url"], url)


def test_ours_crawl_delay_is_kept_between_assets(serve: Serve) -> None:
    site = {"/robots.txt": Answer(b"User-agent: *\nCrawl-delay: 0.2\n"), "/a": Answer(), "/b": Answer()}
    _, ask = serve(site)
    assert ask(ART + "/a", reach=Gate.LOOKUP).outcome is Outcome.PERMIT
    started = time.monotonic()
    ask(ART + "/a")

    assert ask(ART + "/b").outcome is Outcome.PERMIT
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    "site",
    [
        {"/robots.txt": Answer(b"User-agent: *\nCrawl-delay: 86400\n"), "/a": Answer(), "/b": Answer()},
        {"/a": Answer(status=429, fields={"Retry-After": "86400"}), "/b": Answer()},
    ],
)
def test_ours_an_origin_that_wants_too_long_is_parked(serve: Serve, site: Site) -> None:
    seen, ask = serve(site)
    ask(ART + "/a")

    verdict = ask(ART + "/b")

    assert (verdict.outcome, reasons(verdict)) == (Outcome.UNDETERMINED, ["parked"])
    assert "/b" not in seen.asked


def test_ours_what_robots_txt_refuses_is_refused_of_a_parked_origin_too(serve: Serve) -> None:
    robots = Answer(b"User-agent: *\nCrawl-delay: 86400\nDisallow: /b\n")
    _, ask = serve({"/robots.txt": robots, "/a": Answer()})
    ask(ART + "/a")

    assert ask(ART + "/b").outcome is Outcome.REFUSE

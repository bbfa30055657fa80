"""The live page in a browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from consentcrawl.core import Outcome
from consentcrawl.proxy.live.activity import RECENT, Activity
from tests.live_page import NASTY, Page, pass_by, verdict

pytest.importorskip("playwright")

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here (apt-get install chromium)")

Open = Callable[..., Tab]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as running:
        yield running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def activity() -> Activity:
    made = Activity()
    pass_by(made, verdict(outcome=Outcome.PERMIT), size=20_000)
    pass_by(made, verdict("https://art.example/2.jpg"), status=451)
    made.started("GET", "https://art.example/3.jpg")
    return made


@pytest.fixture
def page(activity: Activity) -> Iterator[Page]:
    with Page(activity) as made:
        yield made


@pytest.fixture
def faults() -> Iterator[list[str]]:
    """What the browser complained of; nothing, at the end of each test."""
    said: list[str] = []
    yield said
    assert said == []


@pytest.fixture
def visit(browser: Browser, page: Page, faults: list[str]) -> Iterator[Open]:
    """Opens the page; what is given goes to the browser's context."""
    contexts = []

    def opened(path: str = "", **more: Any) -> Tab:
        context = browser.new_context(**more)
        context.set_default_timeout(8_000)
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        tab.on("dialog", lambda dialog: faults.append(dialog.message))
        tab.goto(page.url + path)
        return tab

    yield opened
    for context in contexts:
        context.close()


def following(tab: Tab) -> Tab:
    """Wait until the first news are there."""
    tab.wait_for_selector("#hold:visible")
    tab.wait_for_selector("#recent i.pending", state="attached")
    return tab


def until(tab: Tab, script: str) -> None:
    """Wait until a script says yes; Playwright's own way would need what the page forbids (eval)."""
    for _ in range(100):
        if tab.evaluate(script):
            return
        tab.wait_for_timeout(50)
    pytest.fail(script)


def test_ours_what_happens_is_seen_without_a_reload(activity: Activity, visit: Open) -> None:
    tab = following(visit())
    assert tab.locator("#recent i").count() == RECENT

    pass_by(activity, verdict("https://art.example/new.jpg", quote="noimageai"), status=451)

    tab.wait_for_selector("#refusals q:has-text('noimageai')")
    assert tab.locator("#recent i.refused").count() == 2
    assert "2" in tab.locator("dl .refused dd").inner_text()
    assert "new.jpg" in (tab.locator("#recent i").nth(3).get_attribute("title") or "")


def test_ours_nothing_that_strangers_wrote_runs(activity: Activity, visit: Open) -> None:
    pass_by(activity, verdict(f"https://art.example/{NASTY}", quote=NASTY), status=451)
    tab = following(visit())
    pass_by(activity, verdict(f"https://art.example/later{NASTY}", quote=NASTY), status=451)
    activity.started("GET", NASTY)

    tab.wait_for_selector("#refusals tbody tr:nth-child(3)")

    assert tab.locator("img").count() == 0
    assert tab.locator("script").count() == 1
    assert "<script>alert(2)</script>" in tab.locator("#refusals q").first.inner_text()


def test_ours_the_tables_are_there_without_javascript(visit: Open, activity: Activity) -> None:
    tab = visit(java_script_enabled=False)

    assert [tab.locator(f"#{name} caption").count() for name in ("refusals", "signals", "origins", "requests")] == [
        1
    ] * 4
    assert tab.locator("#recent i.refused").count() == 1
    assert not tab.locator("#hold").is_visible()
    tab.fill("#token", activity.token)
    tab.click("text=Pause")
    assert "Paused" in tab.locator("#state").inner_text()
    assert activity.paused


def test_ours_the_switches_are_reached_and_used_by_keyboard(visit: Open, activity: Activity) -> None:
    tab = visit(f"#token={activity.token}")
    assert "#" not in tab.url
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    reached = []
    for _ in range(40):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.textContent.trim()"))
        if reached[-1] == "Observe":
            break
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

    tab.keyboard.press("Enter")

    tab.wait_for_selector("#state:has-text('Observing')")
    assert activity.observing
    assert "Stop updating" in reached


def shown(tab: Tab) -> list[str]:
    """The switches that are shown as on."""
    return tab.locator("#switches [aria-pressed=true]").all_inner_texts()


def test_ours_the_switches_work_as_long_as_the_page_is_open_and_show_what_is_on(
    visit: Open, activity: Activity
) -> None:
    tab = visit(f"#token={activity.token}")
    assert shown(tab) == ["Enforce", "Resume"]
    for turn, on in (("Observe", ["Observe", "Resume"]), ("Pause", ["Observe", "Pause"])):
        tab.get_by_role("button", name=turn).click()
        tab.wait_for_selector(f"#switches [aria-pressed=true]:text-is('{turn}')")
        assert shown(tab) == on
    assert (activity.observing, activity.paused) == (True, True)
    tab.reload()
    assert shown(tab) == ["Observe", "Pause"]
    tab.get_by_role("button", name="Resume").click()
    tab.wait_for_selector("#switches [aria-pressed=true]:text-is('Resume')")
    assert not activity.paused
    activity.observing = False  # by another page: it is shown here without a reload
    until(tab, "document.querySelector('#switches [value=enforce]').getAttribute('aria-pressed') === 'true'")
    assert activity.token not in tab.content()
    assert "#" not in tab.url


def test_ours_a_token_that_was_typed_stays_with_its_tab(browser: Browser, page: Page, activity: Activity) -> None:
    context = browser.new_context()
    tab, other = context.new_page(), context.new_page()
    for each in (tab, other):
        each.goto(page.url)
    tab.fill("#token", activity.token)
    for turn in ("Pause", "Resume"):
        tab.get_by_role("button", name=turn).click()
        tab.wait_for_selector(f"#switches [aria-pressed=true]:text-is('{turn}')")
    assert other.input_value("#token") == ""
    context.close()


def test_ours_the_page_can_be_held_still(activity: Activity, visit: Open) -> None:
    tab = following(visit())
    tab.click("#hold")
    assert tab.get_attribute("#hold", "aria-pressed") == "true"

    pass_by(activity, verdict("https://art.example/held.jpg"), status=451)

    until(tab, "news.parts.refusals !== undefined")
    assert tab.locator("#recent i.refused").count() == 1
    tab.click("#hold")
    until(tab, "document.querySelectorAll('#recent i.refused').length === 2")


def test_ours_what_is_focused_is_not_taken_away(activity: Activity, visit: Open) -> None:
    tab = following(visit())
    link = tab.locator("#refusals a").first
    link.focus()

    pass_by(activity, verdict("https://art.example/meanwhile.jpg"), status=451)

    until(tab, "document.querySelectorAll('#recent i.refused').length === 2")
    assert link.evaluate("link => link === document.activeElement")
    tab.locator("#hold").focus()
    activity.started("GET", "https://art.example/more.jpg")
    tab.wait_for_selector("#refusals :text('meanwhile.jpg')")


def _luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_wcag_1_4_3_text_stands_out_in_both_schemes(scheme: str, visit: Open) -> None:
    tab = visit(color_scheme=scheme)
    ground = _luminance(tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert (ground > 0.5) == (scheme == "light")
    for part in ("body", "caption", "a[href='/metrics']", "small", "dt", "label", "q"):
        ink = _luminance(tab.evaluate("part => getComputedStyle(document.querySelector(part)).color", part))
        lighter, darker = max(ground, ink), min(ground, ink)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, part


def test_wcag_1_3_1_the_page_has_landmarks_names_and_a_quiet_voice(visit: Open) -> None:
    tab = visit()

    named: tuple[tuple[Any, str | None], ...] = (
        ("main", None), ("banner", None), ("contentinfo", None), ("complementary", "Ledger and switches"),
        ("region", "Refusals"), ("search", None), ("img", "The last 600 requests"), ("table", "Latest refusals"),
        ("button", "Pause"), ("textbox", "Token (printed when the proxy started)"),
    )  # fmt: skip
    for role, name in named:
        assert (tab.get_by_role(role, name=name, exact=True) if name else tab.get_by_role(role)).count() == 1, name
    assert tab.locator("#headline").get_attribute("aria-live") == "polite"
    assert tab.locator("[aria-live]").count() == 1
    assert tab.locator("th:not([scope])").count() == 0


def test_ours_a_narrow_screen_needs_no_sideways_scrolling(visit: Open) -> None:
    tab = visit(viewport={"width": 320, "height": 640})

    assert tab.evaluate("document.documentElement.scrollWidth") <= 320

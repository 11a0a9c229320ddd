"""The survey in a real browser: every state, on a small phone and a wide screen, light and dark, with and without scripts."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import Browser, Page, expect

from shared.runtime.database import Database
from tests.support.browser import chromium
from tests.support.listening import Listening, listening, person

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Scheme = Literal["light", "dark"]
SHOTS = os.environ.get("SHOTS")
"""A folder to leave pictures in, for looking at."""


@dataclass
class Survey:
    """The service behind a real port, and a browser."""

    service: Listening
    browser: Browser
    url: str

    async def page(self, width: int = 320, scheme: Scheme = "light", *, scripts: bool = True) -> Page:
        context = await self.browser.new_context(
            viewport={"width": width, "height": 640},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
            locale="en-US",
        )
        page = await context.new_page()
        page.set_default_timeout(10_000)
        return page

    async def states(self) -> Mapping[str, str]:
        """A path for every state that a visit shows, each of a customer of its own."""
        tokens = [await self.service.asked(person(number, at=f"+1202555{140 + number:04}", number=number)) for number in range(1, 7)]
        fresh, _, amend, told, happy, gone = tokens
        for token, score in ((amend, 3), (told, 2), (happy, 9)):
            await self.service.post(f"/s/{token}", score=score)
        await self.service.post(
            f"/s/{amend}/more", revision=1, comment="Nobody called back", resolved="no", callback="yes", callback_wish="morning"
        )
        await self.service.pass_time_of(told, minutes=20)
        await self.service.pass_time_of(gone, days=9)
        return {
            "ask": f"/s/{fresh}",
            "stop": f"/s/{fresh}/stop",
            "more": f"/s/{amend}/more",
            "thanks": f"/s/{amend}/thanks",
            "amend": f"/s/{amend}",
            "more-happy": f"/s/{happy}/more",
            "answered": f"/s/{told}",
            "expired": f"/s/{gone}",
            "unknown": "/s/unknown",
        }

    @asynccontextmanager
    async def without_database(self) -> AsyncIterator[None]:
        there, away = self.service.app.state.deps, Database("postgresql+psycopg://nobody@127.0.0.1:1/none", schema="scoring", pool_wait=0.2)
        self.service.app.state.deps = replace(there, database=away)
        try:
            yield
        finally:
            self.service.app.state.deps = there
            await away.close()


@pytest.fixture
async def survey(scoring_database: str) -> AsyncIterator[Survey]:
    async with (
        listening(scoring_database, contact_url="https://example.com/contact") as service,
        _served(service.app) as url,
        chromium() as browser,
    ):
        yield Survey(service, browser, url)


@asynccontextmanager
async def _served(app: FastAPI) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


async def _looks_right(page: Page, state: str, width: int, scheme: str) -> None:
    """No finding of axe, no sideways scroll."""
    found = (await Axe().run(page)).response["violations"]
    assert [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]] == [], state
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, f"{state} scrolls sideways at {width}"
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"survey-{state}-{width}-{scheme}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1280])
async def test_every_state_is_accessible_and_fits(survey: Survey, width: int, scheme: Scheme) -> None:
    page = await survey.page(width, scheme)
    states = await survey.states()
    for state, path in states.items():
        await page.goto(survey.url + path)
        await _looks_right(page, state, width, scheme)

    await page.goto(survey.url + states["ask"])
    await page.get_by_role("button", name="Send my answer").click()
    await expect(page.locator(".error-summary")).to_be_focused()
    await _looks_right(page, "error", width, scheme)

    await page.goto(survey.url + states["stop"])
    await page.get_by_role("button", name="Stop asking me").click()
    await expect(page.get_by_role("heading")).to_have_text("We have stopped asking")
    await _looks_right(page, "stopped", width, scheme)

    await page.goto(survey.url + states["ask"])
    async with survey.without_database():
        await page.get_by_role("radio", name="3", exact=True).check()
        await page.get_by_role("button", name="Send my answer").click()
        await expect(page.get_by_role("heading")).to_have_text("Not sent yet")
        await _looks_right(page, "kept", width, scheme)
    await page.context.close()


async def test_without_scripts_a_customer_answers_completes_changes_and_stops(survey: Survey) -> None:
    token = await survey.service.asked()
    page = await survey.page(scripts=False)
    await page.goto(f"{survey.url}/s/{token}")
    await page.get_by_role("button", name="Send my answer").click()
    assert (await page.title()).startswith("Error: ")
    await page.get_by_role("link", name="Choose one number from 0 to 10").click()

    await page.get_by_role("radio", name="2", exact=True).check()
    await page.get_by_role("button", name="Send my answer").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your 2 is saved")
    await expect(page.get_by_text("When suits you?")).to_be_hidden()
    await page.get_by_label("What is the main reason").fill("I waited too long")
    await page.get_by_role("radio", name="No", exact=True).check()
    await page.get_by_role("radio", name="Yes, call me").check()
    await page.get_by_role("checkbox", name="Morning, 9 to 12").check()
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. A person from our team will call you.")

    await page.get_by_role("link", name="Change my answer").click()
    await expect(page.get_by_role("radio", name="2", exact=True)).to_be_checked()
    await page.get_by_role("radio", name="4", exact=True).check()
    await page.get_by_role("button", name="Save the change").click()
    await expect(page.get_by_text("Your score")).to_be_visible()

    assert [(told.score, told.revision, told.resolved, told.callback) for told in await survey.service.told()] == [
        (2, 1, "unanswered", "unanswered"),
        (2, 2, "no", "yes"),
        (4, 3, "no", "yes"),
    ]
    assert await page.context.cookies() == []


async def test_without_scripts_an_answer_the_database_missed_is_sent_by_one_button(survey: Survey) -> None:
    token = await survey.service.asked()
    page = await survey.page(scripts=False)
    await page.goto(f"{survey.url}/s/{token}")
    await page.get_by_role("radio", name="3", exact=True).check()
    async with survey.without_database():
        await page.get_by_role("button", name="Send my answer").click()
        await expect(page.get_by_text("Your 3 is kept on this page.")).to_be_visible()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Not sent yet")
    await page.get_by_role("button", name="Send it now").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Your 3 is saved")
    assert [told.score for told in await survey.service.told()] == [3]


async def test_the_keyboard_and_a_screen_reader_find_eleven_named_choices_and_nothing_is_sent_by_arrows(survey: Survey) -> None:
    token = await survey.service.asked()
    page = await survey.page()
    await page.goto(f"{survey.url}/s/{token}")
    group = page.get_by_role("group", name="After your recent contact, how likely are you to recommend Larkfield to a friend or colleague?")
    await expect(group.get_by_role("radio")).to_have_count(11)
    await expect(group.get_by_role("radio", name="0 , not at all likely")).to_have_count(1)
    await expect(group.get_by_role("radio", name="10 , extremely likely")).to_have_count(1)

    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Español")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    for _ in range(7):
        await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="7", exact=True)).to_be_checked()
    assert await survey.service.answers() == []
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your 7 is saved")


async def test_an_answer_that_could_not_be_sent_stays_in_this_browser_and_is_tried_again(survey: Survey) -> None:
    token = await survey.service.asked()
    page = await survey.page()
    await page.clock.install()
    await page.goto(f"{survey.url}/s/{token}")
    await page.get_by_role("radio", name="3", exact=True).check()
    async with survey.without_database():
        await page.get_by_role("button", name="Send my answer").click()
        await expect(page.get_by_text("Your 3 is kept in this browser. We try again by ourselves, next in 10 seconds.")).to_be_visible()
        await page.clock.fast_forward(11_000)
        await expect(page.get_by_text("next in 30 seconds")).to_be_visible()
        assert "score=3" in str(await page.evaluate("localStorage.getItem('aftercall-answer')"))
    await page.clock.fast_forward(31_000)

    await expect(page.get_by_role("heading", level=1)).to_have_text("Your 3 is saved")
    assert await page.evaluate("localStorage.getItem('aftercall-answer')") is None
    assert [told.score for told in await survey.service.told()] == [3]


async def test_an_answer_kept_by_a_closed_page_is_sent_when_it_is_opened_again(survey: Survey) -> None:
    token = await survey.service.asked()
    page = await survey.page()
    await page.goto(f"{survey.url}/s/{token}")
    await page.get_by_role("radio", name="8", exact=True).check()
    await page.context.set_offline(offline=True)
    await page.get_by_role("button", name="Send my answer").click()
    await expect(page.get_by_role("heading")).to_have_text("Not sent yet")
    await page.context.set_offline(offline=False)

    await page.goto(f"{survey.url}/s/{token}")

    await expect(page.get_by_role("heading", level=1)).to_have_text("Your 8 is saved")
    assert [told.score for told in await survey.service.told()] == [8]


@pytest.mark.parametrize(
    "changed",
    [
        "document.documentElement.dir = 'rtl'",
        "document.documentElement.style.fontSize = '200%'",
    ],
    ids=["right to left", "text at 200 %"],
)
async def test_a_small_phone_holds_right_to_left_and_text_twice_as_large(survey: Survey, changed: str) -> None:
    page = await survey.page()
    states = await survey.states()
    for state in ("ask", "more", "thanks", "amend", "answered", "stop"):
        await page.goto(survey.url + states[state])
        await page.evaluate(changed)
        await _looks_right(page, f"{state}-{'rtl' if 'rtl' in changed else 'zoom'}", 320, "light")


async def test_right_to_left_the_scale_begins_at_the_right(survey: Survey) -> None:
    token = await survey.service.asked()
    page = await survey.page()
    await page.goto(f"{survey.url}/s/{token}")
    await page.evaluate("document.documentElement.dir = 'rtl'")

    zero, one = await page.get_by_text("0", exact=True).bounding_box(), await page.get_by_text("1", exact=True).bounding_box()
    assert zero is not None
    assert one is not None
    assert zero["x"] > one["x"]


async def test_in_forced_colours_the_chosen_number_is_still_marked(survey: Survey) -> None:
    token = await survey.service.asked()
    page = await survey.page()
    await page.emulate_media(forced_colors="active")
    await page.goto(f"{survey.url}/s/{token}?score=7")

    outline = await page.get_by_text("7", exact=True).evaluate("face => getComputedStyle(face).outlineWidth")
    assert outline == "4px"

"""The dead-letter pages in a real browser: no barrier, no sideways scroll, by keyboard, with a run's progress in place."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect
from prometheus_client import CollectorRegistry

from shared.runtime import http
from shared.runtime.access import COOKIE
from shared.runtime.broker import Record
from shared.runtime.clearing import Clearing, Replays
from shared.runtime.database import run
from shared.runtime.dead_letters import Letter, bury
from shared.runtime.memory import MemoryBroker
from shared.runtime.rights import ALL_TEAMS, Principal
from shared.runtime.serving import Http
from shared.runtime.settings import ServiceSettings
from tests.support.toy import INPUT, Toy, create_tables

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("SHOTS")


@pytest.fixture
async def toy(database_url: str) -> AsyncIterator[tuple[Toy, Clearing, str, str]]:
    """Thirty answers of one fault and one of another, a stopped topic, and where an admin finds them."""
    await create_tables(database_url)
    toy = Toy(database_url, MemoryBroker())
    async with toy.database.transaction() as unit:
        bodies = [b'{"answer_id": "a-%d", "channel": "sms", "token": "t", "score": "ten", "by": [{"name": "x"}]}' % n for n in range(30)]
        records = [Record(INPUT, 0, n, b"k", body, (("ce_id", b"x"),), unit.now) for n, body in enumerate([*bodies, b"{"])]
        letters = [Letter(record, "int_type", "score") for record in records[:30]] + [Letter(records[30], "json_invalid")]
        await bury(unit.tx, letters, toy.sealer)
        await run(unit.tx, "insert into topic_cap (topic, reason) values (:topic, 'in_a_row')", topic=INPUT)
    edges = http.edges(ServiceSettings(), toy.database, registry=CollectorRegistry(), package=None)
    app = http.create_internal(edges)
    app.state.replays = replays = Replays(toy.database, toy.sealer, {INPUT: toy.dispatch})
    server, stop = Http(app, host="127.0.0.1", port=0, grace_s=2.0), asyncio.Event()
    serving = asyncio.create_task(server.run(stop))
    admin = Principal("person", "admin-1", "Ada", frozenset({"admin"}), ALL_TEAMS)
    yield toy, Clearing(replays, interval=0.1), f"http://127.0.0.1:{server.port}", edges.access.session(admin)
    stop.set()
    await serving
    await toy.database.close()


async def _page(browser: Browser, url: str, cookie: str, *, width: int, scheme: Literal["light", "dark"]) -> Page:
    context = await browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    await context.add_cookies([{"name": COOKIE, "value": cookie, "url": url}])
    return await context.new_page()


async def _no_barrier(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=str(Path(SHOTS) / f"dead-letters-{name}.png"), full_page=True)
    found = await Axe().run(page)
    assert [violation["id"] for violation in found.response["violations"]] == [], name
    assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
async def test_the_pages_have_no_barrier(
    toy: tuple[Toy, Clearing, str, str], browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    _, _, url, cookie = toy
    page = await _page(browser, url, cookie, width=width, scheme=scheme)
    await page.goto(f"{url}/dead-letters")
    await _no_barrier(page, f"all-{width}")
    await page.get_by_role("link", name="int type").click()
    await _no_barrier(page, f"cause-{width}")
    await page.get_by_role("row").nth(4).get_by_role("link").click()
    await _no_barrier(page, f"one-{width}")
    await page.go_back()
    await page.get_by_role("button", name="Discard").click()
    await page.get_by_role("button", name="Discard 30").click()
    await expect(page.get_by_role("alert")).to_contain_text("Say in a few words why")
    await _no_barrier(page, f"ask-{width}")


async def test_a_chosen_message_is_discarded_by_keyboard_and_the_run_is_seen_to_end(
    toy: tuple[Toy, Clearing, str, str], browser: Browser
) -> None:
    _, clearing, url, cookie = toy
    page = await _page(browser, url, cookie, width=1280, scheme="light")
    await page.goto(f"{url}/dead-letters")
    await page.get_by_role("link", name="json invalid").click()
    await page.locator("table").last.get_by_role("link").first.focus()
    await page.keyboard.press("x")
    await page.keyboard.press("d")
    await page.get_by_label("Why, for the audit log").fill("a test of the bridge")
    await page.get_by_role("button", name="Discard 1").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Discarding 0 of 1")
    await clearing.once()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Discarded 1 of 1")
    await _no_barrier(page, "run")

"""`/explain` in a real browser: paste, press, read; no barrier, no sideways scroll."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from shared.runtime.access import COOKIE
from shared.runtime.rights import ALL_TEAMS, Principal
from shared.runtime.serving import Http
from tests.support.ingest import PHONE, call, ingest

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("SHOTS")
_TO_THE_END_OF_THE_BAR = """(name) => {
  const bar = name.closest("header"), right = (box) => box.getBoundingClientRect().right;
  return Math.round(right(bar) - parseFloat(getComputedStyle(bar).paddingRight) - right(name));
}"""


async def _no_barrier(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=str(Path(SHOTS) / f"explain-{name}.png"), full_page=True)
    found = await Axe().run(page)
    assert [violation["id"] for violation in found.response["violations"]] == [], name
    assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
async def test_a_pasted_contact_is_explained_without_a_barrier(
    ingest_database: str, browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    async with ingest(ingest_database) as running:
        app = running.service.public
        server, stop = Http(app, host="127.0.0.1", port=0, grace_s=2.0), asyncio.Event()
        serving = asyncio.create_task(server.run(stop))
        url = f"http://127.0.0.1:{server.port}"
        context = await browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        admin = app.state.access.session(Principal("person", "admin-1", "Ada", frozenset({"admin"}), ALL_TEAMS))
        await context.add_cookies([{"name": COOKIE, "value": admin, "url": url}])
        page = await context.new_page()
        await page.goto(f"{url}/explain")
        assert await page.locator(".me").evaluate(_TO_THE_END_OF_THE_BAR) == 0, "a name beside the links looks like one of them"
        await _no_barrier(page, f"empty-{width}")
        contact = call("c-1", start=datetime.now(UTC) - timedelta(hours=1), customer={"phone": PHONE}, agents=("a-1", "a-2"))
        await page.get_by_role("textbox", name="Payload").fill("\n".join(map(json.dumps, contact)))
        await page.get_by_role("button", name="Explain").click()
        await expect(page.get_by_role("heading", name="A leg ends, and another follows")).to_be_visible()
        await expect(page.get_by_text("Another one")).to_be_visible()
        await _no_barrier(page, f"told-{width}")
        await context.close()
        stop.set()
        await serving

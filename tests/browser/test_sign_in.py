"""The pages every service has, in a real browser: no barrier, no sideways scroll, in both schemes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from shared.runtime.serving import Http
from tests.support.edges import edged

pytestmark = pytest.mark.browser


@pytest.fixture
async def address(database_url: str) -> AsyncIterator[str]:
    """Where the toy's public port is served."""
    async with edged(database_url) as toy:
        server, stop = Http(toy.public, host="127.0.0.1", port=0, grace_s=2.0), asyncio.Event()
        serving = asyncio.create_task(server.run(stop))
        yield f"http://127.0.0.1:{server.port}"
        stop.set()
        await serving


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_signing_in_and_a_missing_page_have_no_barrier(
    address: str, browser: Browser, scheme: Literal["light", "dark"], width: int
) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)
    for path in ("/sign-in", "/sign-in?link=old", "/console/nothing"):
        await page.goto(address + path)
        found = await Axe().run(page)
        assert [violation["id"] for violation in found.response["violations"]] == [], path
        assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path

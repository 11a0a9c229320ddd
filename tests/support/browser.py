"""A real Chromium, driven by Playwright's own driver: Debian's program, no downloaded browser."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox",  # root, as in a container, has no user namespace to sandbox in
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser; skipped, loudly, where there is none; with `CI` or `REQUIRE_BROWSER` set that is a failure.

    The asynchronous driver, because the synchronous one keeps a loop running that no other test could share.
    """
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        _refuse()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        await browser.close()


def _refuse() -> None:
    sentence = f"NOT TESTED IN A BROWSER: none of {', '.join(PROGRAMS)} found; install Debian's `chromium`."
    if os.environ.get("CI") or os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(sentence)
    pytest.skip(sentence)

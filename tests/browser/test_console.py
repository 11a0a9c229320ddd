"""The console in a real browser: on a small phone and a wide screen, light and dark, by keyboard, without script, and live."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from deploy.guardian import free_ports
from routing.cases.model import State
from shared.runtime.access import COOKIE
from shared.runtime.memory import MemoryBroker
from shared.runtime.process import serve
from shared.schemas import Leg
from tests.support.cases import MARIA, Routing, routing
from tests.support.console import BIRCH, always_open, claimed, session, tried, waiting_case

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Scheme = Literal["light", "dark"]
SHOTS = os.environ.get("SHOTS")
"""A folder to leave pictures in, for looking at."""

MINUTE = timedelta(minutes=1)
WORDS = "I was passed on twice and had to explain everything again. Nobody could tell me why the amount changed."


@dataclass
class Console:
    """The whole service behind a real port, and a browser."""

    desk: Routing
    browser: Browser
    url: str

    async def page(
        self,
        *roles: str,
        ref: str = "ana",
        width: int = 1280,
        scheme: Scheme = "light",
        scripts: bool = True,
        teams: frozenset[str] = BIRCH,
    ) -> Page:
        context = await self.browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts, reduced_motion="reduce"
        )
        cookie = session(self.desk, *(roles or ("guide",)), ref=ref, teams=teams)
        await context.add_cookies([{"name": COOKIE, "value": cookie, "url": self.url}])
        return await context.new_page()


@pytest.fixture
async def console(routing_database: str, browser: Browser) -> AsyncIterator[Console]:
    public, internal = free_ports(2)
    desk = always_open(routing(routing_database, public_port=public, internal_port=internal, stop_s=5.0, timer_interval=0.2))
    async with _served(desk):
        yield Console(desk, browser, f"http://127.0.0.1:{public}")


@asynccontextmanager
async def _served(desk: Routing) -> AsyncIterator[None]:
    stop = asyncio.Event()
    serving = asyncio.create_task(serve([desk.service], stop=stop))
    while not isinstance(desk.service.broker, MemoryBroker) or not desk.service.broker.logs:
        await asyncio.sleep(0)
        if serving.done():
            serving.result()
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(15):
            code = await serving
    assert code == 0


async def a_full_queue(desk: Routing) -> None:
    """As on a busy afternoon."""
    await waiting_case(desk, due_in=34 * MINUTE, score=3, comment="I will call my lawyer", resolved="no")
    late = await waiting_case(desk, due_in=-12 * MINUTE, score=2, comment=WORDS, resolved="no", callback="yes", contact=transferred(desk))
    await tried(desk, await claimed(desk, late), "no_answer")
    taken = await waiting_case(desk, due_in=18 * MINUTE, score=0, resolved="no", callback="yes", contact={"channel": "chat"})
    await claimed(desk, taken, MARIA)
    await waiting_case(desk, due_in=42 * MINUTE, score=4, resolved="no")
    await claimed(desk, await waiting_case(desk, due_in=58 * MINUTE, score=3, resolved="no", contact={"channel": "web"}))
    await waiting_case(desk, due_in=110 * MINUTE, score=5, contact={"contacts_7d": 3})
    await waiting_case(desk, due_in=133 * MINUTE, score=1, resolved="no")
    await waiting_case(desk, due_in=timedelta(hours=30), score=6, resolved="no")


def transferred(desk: Routing) -> dict[str, object]:
    """A call that went through three hands."""
    began = datetime.now(UTC) - timedelta(minutes=50)
    legs = (
        Leg(queue="Menu", from_=began, to=began + timedelta(seconds=48)),
        Leg(agent="tom", agent_name="Tom", team="birch", queue="Billing", from_=began + MINUTE, to=began + 12 * MINUTE, end="transferred"),
        Leg(agent="priya", agent_name="Priya", team="birch", queue="Account changes", from_=began + 12 * MINUTE, to=began + 20 * MINUTE),
    )
    return {"legs": legs, "transfers": 2, "contacts_7d": 2, "agent": "priya"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1280])
async def test_queue_and_case_have_no_barrier_and_no_sideways_scroll(console: Console, width: int, scheme: Scheme) -> None:
    await a_full_queue(console.desk)
    mine = (await console.desk.cases())[1]
    page = await console.page("guide", "supervisor", width=width, scheme=scheme)
    paths = {
        "queue": "/console",
        "done": "/console?view=done",
        "unclaimed": f"/console/cases/{mine.number + 2}",
        "case": f"/console/cases/{mine.number}",
    }
    for name, path in paths.items():
        await _fits(page, console.url + path, name=f"{name}-{width}-{scheme}")


async def _fits(page: Page, address: str, *, name: str) -> None:
    await page.goto(address)
    await _fits_now(page, name=name)


async def _fits_now(page: Page, *, name: str) -> None:
    await expect(page.locator(".bar .live")).to_have_text("Live")
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"console-{name}.png", full_page=True)
    found = await Axe().run(page)
    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == [], name
    assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")])
async def test_every_other_state_has_no_barrier_either(console: Console, width: int, scheme: Scheme) -> None:
    mine = await claimed(console.desk, await waiting_case(console.desk, due_in=20 * MINUTE, comment=WORDS))
    await waiting_case(console.desk, due_in=50 * MINUTE, callback="no")
    ended = await tried(
        console.desk, await claimed(console.desk, await waiting_case(console.desk, due_in=50 * MINUTE)), "reached", resolved=True
    )
    page = await console.page("guide", "supervisor", width=width, scheme=scheme)
    case = f"{console.url}/console/cases/{mine.number}"
    shown = f"{width}-{scheme}"

    await _fits(page, f"{console.url}/console?view=waiting", name=f"empty-{shown}")
    await _fits(page, f"{console.url}/console/cases/{ended.number}?done={ended.number}", name=f"ended-{shown}")
    await _fits(page, f"{console.url}/console/cases/{mine.number + 1}", name=f"review-{shown}")
    await page.goto(f"{console.url}/console")
    await page.get_by_role("link", name="Show the").first.click()
    await _fits_now(page, name=f"alert-{shown}")
    await page.keyboard.press("?")
    await _fits_now(page, name=f"keys-{shown}")

    await page.goto(case)
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("#number")).to_have_text("+12125550112")
    await page.get_by_label("Call again later").check()
    await _fits_now(page, name=f"number-{shown}")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#errors")).to_be_focused()
    await _fits_now(page, name=f"error-{shown}")
    await page.get_by_label("Reached, solved").check()
    await tried(console.desk, mine, "no_answer")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#conflict")).to_be_focused()
    await _fits_now(page, name=f"conflict-{shown}")


async def test_a_case_is_claimed_called_and_resolved_by_keyboard_alone(console: Console) -> None:
    first = await waiting_case(console.desk, due_in=20 * MINUTE, comment=WORDS)
    second = await waiting_case(console.desk, due_in=40 * MINUTE)
    page = await console.page()
    await page.goto(f"{console.url}/console")

    await page.keyboard.press("n")
    await expect(page).to_have_url(f"{console.url}/console/cases/{first.number}")
    await page.keyboard.press("1")
    await page.keyboard.press("w")
    await expect(page.locator("#save")).to_contain_text("Save and resolve")
    await page.keyboard.press("Enter")

    await expect(page).to_have_url(f"{console.url}/console/cases/{second.number}?done={first.number}")
    await expect(page.get_by_text(f"{first.number} resolved.")).to_be_visible()
    done = (await console.desk.cases())[0]
    assert (done.state, done.root_cause, done.owner) == (State.RESOLVED, "transfers", "ana")


async def test_the_queue_is_walked_by_keyboard_and_keys_can_be_turned_off(console: Console) -> None:
    for minutes in (20, 40):
        await waiting_case(console.desk, due_in=minutes * MINUTE)
    page = await console.page()
    await page.goto(f"{console.url}/console")

    await page.keyboard.press("j")
    await expect(page.locator(".case-row[aria-current]")).to_have_id("case-10002")
    await page.keyboard.press("c")
    await expect(page.locator("#case-10002 .owner")).to_contain_text("You")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Turn single keys off").click()
    await page.keyboard.press("n")

    assert [case.owner for case in await console.desk.cases()] == [None, "ana"]


async def test_a_letter_in_a_note_is_a_letter(console: Console) -> None:
    case = await claimed(console.desk, await waiting_case(console.desk, due_in=20 * MINUTE))
    page = await console.page()
    await page.goto(f"{console.url}/console/cases/{case.number}")

    await page.get_by_label("Note, if it helps").fill("")
    await page.get_by_label("Note, if it helps").press_sequentially("u1c")

    await expect(page.get_by_label("Note, if it helps")).to_have_value("u1c")
    assert (await console.desk.case()).owner == "ana"


async def test_without_script_everything_works_as_forms_and_links(console: Console) -> None:
    case = await waiting_case(console.desk, due_in=20 * MINUTE)
    page = await console.page(scripts=False)
    await page.goto(f"{console.url}/console")

    await page.get_by_role("button", name="Claim case 10001").click()
    await page.locator(".who a").click()
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("#number")).to_have_text("+12125550112")
    await page.get_by_label("Reached, solved").check()
    await page.get_by_label("Waited too long").check()
    await page.get_by_role("button", name="Save").click()

    await expect(page).to_have_url(f"{console.url}/console?done={case.number}")
    await expect(page.get_by_text("10001 resolved.")).to_be_visible()
    await expect(page.locator(".bar .live")).to_have_count(0)


async def test_a_new_case_waits_in_a_pill_and_a_claim_by_another_changes_the_row_in_place(console: Console) -> None:
    first = await waiting_case(console.desk, due_in=40 * MINUTE)
    page = await console.page()
    await page.goto(f"{console.url}/console")
    await expect(page.locator(".bar .live")).to_have_text("Live")

    await waiting_case(console.desk, due_in=20 * MINUTE)
    await expect(page.locator("#pill a")).to_contain_text("1 new case")
    await expect(page.locator(".case-row")).to_have_count(1)

    await claimed(console.desk, first, MARIA)
    await expect(page.locator(f"#case-{first.number} .owner")).to_contain_text("Maria")
    await expect(page.locator(f"#case-{first.number} button")).to_have_count(0)
    await page.keyboard.press(".")
    await expect(page.locator(".case-row")).to_have_count(2)


async def test_what_somebody_types_is_not_swapped_when_the_case_changes(console: Console) -> None:
    case = await claimed(console.desk, await waiting_case(console.desk, due_in=40 * MINUTE))
    page = await console.page()
    await page.goto(f"{console.url}/console/cases/{case.number}")
    await expect(page.locator(".bar .live")).to_have_text("Live")
    await page.get_by_label("Note, if it helps").fill("Half a sente")

    await tried(console.desk, case, "no_answer")

    await expect(page.locator("#story")).to_contain_text("no answer")
    await expect(page.locator("#changed")).to_be_visible()
    await expect(page.get_by_label("Note, if it helps")).to_have_value("Half a sente")


async def test_a_console_that_stays_open_does_not_hold_up_the_end_of_the_process(routing_database: str, browser: Browser) -> None:
    public, internal = free_ports(2)
    desk = always_open(routing(routing_database, public_port=public, internal_port=internal, stop_s=5.0))
    console = Console(desk, browser, f"http://127.0.0.1:{public}")
    async with _served(desk):
        page = await console.page()
        await page.goto(f"{console.url}/console")
        await expect(page.locator(".bar .live")).to_have_text("Live")
        began = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - began < 4
    with suppress(Exception):
        await page.close()

"""`make smoke`: the demo without a person. One contact goes through survey, answer, case, callback and recovery, over HTTP alone.

Prints one JSON line: seconds from the start of make (or of this process) to each milestone. Ends with 1 where one is missed.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from deploy.demo.forms import Page, visit

T = TypeVar("T")
EACH_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1


class Missed(RuntimeError):
    def __init__(self, what: str) -> None:
        super().__init__(f"Not within {EACH_WITHIN_S:.0f} s: {what}")


@dataclass(slots=True)
class Clock:
    """Milestones, in seconds since make began."""

    made_at: float
    seconds: dict[str, float] = field(default_factory=dict)

    def reached(self, milestone: str) -> None:
        self.seconds[milestone] = round(time.time() - self.made_at, 2)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a browser: the session of the printed link, and where the links of the home page lead."""

    client: httpx.AsyncClient
    home: str
    scoring: str
    routing: str

    async def read(self, url: str, **query: str) -> Any:
        answer = await self.client.get(url, params=query)
        answer.raise_for_status()
        return answer.json()


async def smoke(broker: str, clock: Clock) -> None:
    async with _demo(broker) as link, _signed_in(link) as visitor:
        clock.reached("ready")
        survey = await _until("the question on the phone", lambda: _survey(visitor, besides=""))
        clock.reached("survey")
        await _answer(visitor, survey, score="2", resolved="no", callback="yes")
        clock.reached("answer")
        case = await _until("the case in the queue", lambda: _case(visitor))
        clock.reached("case")
        await _call_back(visitor, case)
        clock.reached("callback")
        again = await _until("the second question on the phone", lambda: _survey(visitor, besides=survey))
        await _answer(visitor, again, score="9")
        await _until("the recovery in its rate", lambda: _recovered(visitor))
        clock.reached("recovery")


async def _survey(visitor: Visitor, *, besides: str) -> str | None:
    """The address in the newest message on the phone."""
    phone = await visit(visitor.client, visitor.home)
    links = [link for link in phone.links if "/s/" in link]
    return links[-1] if links and links[-1] != besides else None


async def _answer(visitor: Visitor, survey: str, *, score: str, **more: str) -> None:
    """On the page, as its forms ask: the score first, the rest after."""
    asked = await visit(visitor.client, survey)
    page = await asked.send(asked.form("score"), score=score)
    if more:
        page = await page.send(page.form(*more), comment="Waited too long, nobody could help.", **more)
    _expect_thanks(page)


def _expect_thanks(page: Page) -> None:
    if not re.search(r"thank", page.text, re.IGNORECASE):
        raise Missed(f"thanks on {page.url}")


async def _case(visitor: Visitor) -> Any:
    """The case, once it knows everything the customer said."""
    found = await visitor.read(f"{visitor.routing}/v1/cases")
    return next((case for case in found["cases"] if (case["resolved"], case["callback"]) == ("no", "yes")), None)


async def _call_back(visitor: Visitor, case: Any) -> None:
    """As a guide: claim in the queue, open the case, say how the call went, save."""
    number = case["number"]
    queue = await visit(visitor.client, f"{visitor.routing}/console")
    await queue.send(queue.form("revision", action=f"/console/cases/{number}/claim"))
    page = await visit(visitor.client, f"{visitor.routing}/console/cases/{number}")
    await page.send(page.form("outcome", "revision"), outcome="reached_resolved", root_cause="wait", note="Sorted out.")
    told = await visitor.read(f"{visitor.routing}/v1/cases/{number}")
    if told["case"]["state"] != "resolved":
        raise Missed(f"a resolved case: it is {told['case']['state']}")


async def _recovered(visitor: Visitor) -> bool:
    rate = await visitor.read(f"{visitor.routing}/v1/recovery")
    return bool(rate["all"]["answered"] == rate["all"]["recovered"] == 1)


async def _until(what: str, look: Callable[[], Awaitable[T | None]]) -> T:
    """Look again until there is something to see."""
    try:
        async with asyncio.timeout(EACH_WITHIN_S):
            while not (seen := await look()):
                await asyncio.sleep(LOOK_EVERY_S)
            return seen
    except TimeoutError:
        raise Missed(what) from None


@asynccontextmanager
async def _demo(broker: str) -> AsyncIterator[str]:
    """The demo as a person starts it, without the extras; yields the link it prints."""
    command = [sys.executable, "-m", "deploy.demo", "--alone"]
    demo = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env={**os.environ, "BROKER": broker})
    try:
        yield await _printed_link(demo)
    finally:
        with suppress(ProcessLookupError):
            demo.terminate()
        await demo.communicate()


async def _printed_link(demo: asyncio.subprocess.Process) -> str:
    assert demo.stdout is not None
    async for line in demo.stdout:
        if found := re.search(r"http://\S+/sign-in\S+", line.decode()):
            return found[0]
    raise Missed("the demo's address; what it said stands above")


@asynccontextmanager
async def _signed_in(link: str) -> AsyncIterator[Visitor]:
    async with httpx.AsyncClient(follow_redirects=True, timeout=10, headers={"Accept": "text/html, application/json"}) as client:
        home = await visit(client, link)
        at = {name: next(link for link in home.links if link.endswith(name)) for name in ("/inbox", "/console")}
        yield Visitor(client, home.url, at["/inbox"].removesuffix("/inbox"), at["/console"].removesuffix("/console"))


def main() -> int:
    broker = os.environ.get("BROKER", "memory")
    began = time.time()
    clock = Clock(float(os.environ.get("MADE_AT", began)))
    clock.seconds["install"] = round(began - clock.made_at, 2)
    try:
        asyncio.run(smoke(broker, clock))
    except (Missed, httpx.HTTPError, LookupError) as missed:
        print(f"{type(missed).__name__}: {missed}", file=sys.stderr)
        return 1
    finally:
        print(json.dumps({"broker": broker, "seconds": clock.seconds}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

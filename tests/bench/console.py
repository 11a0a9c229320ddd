"""From a customer's answer to the event by which an open console shows its case."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from uuid import UUID

import httpx
import jiter

from routing.console.pages import QUEUE
from routing.settings import Settings
from shared.runtime.access import ALL_TEAMS, COOKIE, Access, Principal
from shared.runtime.broker import Outgoing
from shared.runtime.database import Database
from shared.runtime.settings import load
from shared.schemas import PlatformRef, SurveyAnswered
from tests.bench.goals import Figure, Goal, percentile
from tests.bench.latency import Missing
from tests.bench.load import PER_CUSTOMER, SCORING
from tests.bench.plan import Plan
from tests.bench.servers import Servers
from tests.bench.stage import Meter, offer, put, stage
from tests.support.fleet import POLICIES, Fleet, Replica
from tests.support.ledger import response

GOAL_S = Goal(1, at_most=True)
ASKED = "select count(*) from scoring.survey where state = 'sent'"
CASES = "select id, customer_id, extract(epoch from opened_at) as opened from routing.cases"
WORST = 0
"""A score that opens a case."""


def answer_to_console(servers: Servers, plan: Plan, said: Callable[[str], None]) -> list[Figure]:
    waits = asyncio.run(_waits(servers, plan))
    said(f"console: {len(waits):,} cases at {plan.answers_per_second}/s")
    facts = {"per_second": plan.answers_per_second, "answers": len(waits), "p50_ms": round(percentile(waits, 0.5) * 1e3)}
    meaning = f"from when an answer was due, {plan.answers_per_second} a second, by way of its score and its case to a browser's event"
    return [Figure("answer to console p99", percentile(waits, 0.99), "s", GOAL_S, meaning, facts)]


async def _waits(servers: Servers, plan: Plan) -> list[float]:
    answers = plan.answers_per_second * plan.answer_seconds
    contacts = list(itertools.islice(SCORING.records(PER_CUSTOMER * answers), answers))
    url = servers.databases.fresh("scoring", "routing")
    async with stage(servers, url, "scoring", "routing", settings={"SCORING_FIRST_POLICIES": json.dumps(POLICIES)}) as fleet:
        started = await fleet.start_all("scoring", "routing")
        broker, screen = fleet.broker(), Screen()
        await Meter(fleet, "scoring", SCORING.topic).shared_by(1)
        await put(broker, contacts)
        await fleet.until(ASKED, answers, seconds=300)
        async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=60), headers={"cookie": _cookie(fleet)}) as browser:
            watching = asyncio.create_task(screen.watch(browser, started["routing"]))
            await asyncio.wait_for(screen.open.wait(), 30)
            due = await offer(broker, [_answer(each) for each in contacts], per_second=plan.answers_per_second)
            await fleet.until("select count(*) from routing.cases", answers)
            shown = await _shown(fleet, screen)
            watching.cancel()
            await asyncio.wait([watching])
        await broker.stop()
    customers = [str(UUID((each.key or b"").decode())) for each in contacts]
    return [shown[customer] - at for customer, at in zip(customers, due, strict=True)]


def _answer(contact: Outgoing) -> Outgoing:
    over = jiter.from_json(contact.value or b"")
    of = PlatformRef(platform=over["platform"], account=over["account"], ref=over["ref"])
    return response(SurveyAnswered(answer_id=f"answer-{over['ref']}", contact=of, channel="sms", score=WORST))


class Screen:
    """What a browser is told. A `reload`, sent in place of events that do not fit the queue of a connection, shows whatever is there."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.cases: dict[str, float] = {}
        self.reloads: list[float] = []

    async def watch(self, browser: httpx.AsyncClient, routing: Replica) -> None:
        async with browser.stream("GET", f"{routing.url}{QUEUE}/live") as stream:
            stream.raise_for_status()
            event = ""
            async for line in stream.aiter_lines():
                self.open.set()
                event = line.removeprefix("event:").strip() if line.startswith("event:") else event
                if line.startswith("data:"):
                    self._hear(event, line.removeprefix("data:"))

    def _hear(self, event: str, data: str) -> None:
        if event == "case":
            self.cases.setdefault(jiter.from_json(data.encode())["case"], time.time())
        elif event == "reload":
            self.reloads.append(time.time())

    def shows(self, case: str, *, since: float) -> float | None:
        """When it first did; `since` is when the case was opened."""
        return min((at for at in (self.cases.get(case), *self.reloads) if at is not None and at >= since), default=None)


async def _shown(fleet: Fleet, screen: Screen, *, within: float = 60) -> dict[str, float]:
    """When each customer's case was on the screen."""
    cases = [(str(each["customer_id"]), str(each["id"]), float(str(each["opened"]))) for each in await fleet.rows(CASES)]
    shown: dict[str, float] = {}
    try:
        async with asyncio.timeout(within):
            while len(shown) < len(cases):
                await asyncio.sleep(0.1)
                shown = {who: at for who, case, opened in cases if (at := screen.shows(case, since=opened)) is not None}
    except TimeoutError:
        raise Missing("events of cases", len(cases) - len(shown)) from None
    return shown


def _cookie(fleet: Fleet) -> str:
    """Of somebody who sees every team's cases."""
    settings = load(Settings, database_url=fleet.database_url)
    access = Access(settings, Database(fleet.database_url, schema="routing", pool_size=1))
    return f"{COOKIE}={access.session(Principal('person', 'bench', 'Bench', frozenset({'supervisor'}), ALL_TEAMS))}"

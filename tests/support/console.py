"""People at the console: signed in, with a browser's headers, reading pages and sending their forms."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx

from routing.cases.model import By, Case
from routing.cases.work import handle as work
from routing.cases.work.handle import Seen
from routing.cases.work.model import Call
from routing.rota.model import Rota
from shared.runtime.access import COOKIE, Access, Principal, Teams
from shared.runtime.database import run
from shared.schemas import Customer
from tests.support.cases import ANA, ROTA, Routing, a_contact, a_customer, an_answer

BIRCH = frozenset({"birch"})


def session(desk: Routing, *roles: str, ref: str = "ana", teams: frozenset[str] = BIRCH) -> str:
    """The cookie of somebody signed in."""
    access: Access = desk.service.public.state.access
    return access.session(Principal("person", ref, ref.capitalize(), frozenset(roles), Teams(teams)))


@dataclass
class Visit:
    """One person's browser without a screen."""

    client: httpx.AsyncClient

    async def get(self, address: str) -> httpx.Response:
        return await self.client.get(address)

    async def send(self, page: httpx.Response, action: str, **filled: str) -> httpx.Response:
        """Send the form of a page that posts to `action`, its hidden fields with it, and follow where it leads."""
        form = forms(page.text)[action]
        return await self.client.post(action, data={**form, **filled}, follow_redirects=True)


@asynccontextmanager
async def signed_in(desk: Routing, *roles: str, ref: str = "ana", teams: frozenset[str] = BIRCH) -> AsyncIterator[Visit]:
    app = desk.service.public
    app.state.deps = desk.deps
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://console.example.com",
        cookies={COOKIE: session(desk, *roles, ref=ref, teams=teams)},
        headers={"accept": "text/html"},
    ) as client:
        yield Visit(client)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._now: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._now = self.found.setdefault(given.get("action", ""), {})
        if tag == "input" and given.get("type") == "hidden" and self._now is not None:
            self._now[given["name"]] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._now = None


def forms(html: str) -> Mapping[str, Mapping[str, str]]:
    """The hidden fields of every form, by where it posts to."""
    parser = _Forms()
    parser.feed(html)
    return parser.found


ROUND_THE_CLOCK = {"daily": "00:00-24:00"}
CALLABLE = timedelta(hours=3)


def always_open(desk: Routing) -> Routing:
    """The same service with a rota and a policy that never close, so that a test means the same at any hour."""
    teams = [team.model_copy(update={"hours": ROUND_THE_CLOCK, "holidays": (), "zone": "America/New_York"}) for team in ROTA.teams]
    policy = desk.deps.policy.model_copy(update={"call_hours": ROUND_THE_CLOCK, "team_hours": ROUND_THE_CLOCK})
    deps = replace(desk.deps, rota=Rota(teams=tuple(teams)), policy=policy)
    desk.service.public.state.deps = deps
    return Routing(replace(desk.service, deps=deps))


async def waiting_case(desk: Routing, *, due_in: timedelta, score: int = 3, comment: str | None = None, **given: Any) -> Case:
    """A case that falls due in so long, by the database's clock, and can be called for another three hours."""
    async with desk.deps.database.transaction() as unit:
        now = unit.now
    contact = a_contact(started_at=now - timedelta(minutes=50), ended_at=now - timedelta(minutes=30), **given.pop("contact", {}))
    customer = given.pop("customer", None) or a_reachable_customer(desk)
    answer = an_answer(
        score, customer=customer, contact=contact, answered_at=now, comment=desk.sealed(comment) if comment else None, **given
    )
    await desk.hear(answer)
    window = [{"from": (now - CALLABLE).isoformat(), "to": (now + CALLABLE).isoformat()}]
    async with desk.deps.database.transaction() as unit:
        sql = """update cases set due_at = :due, overdue_on = null, windows = cast(:windows as jsonb)
          where survey_ids @> jsonb_build_array(cast(:survey as text))"""
        await run(unit.tx, sql, due=now + due_in, windows=json.dumps(window), survey=str(answer.survey_id))
    return next(case for case in await desk.cases() if answer.survey_id in case.survey_ids)


def a_reachable_customer(desk: Routing, *, phone: str = "+12125550112", name: str = "Rosa") -> Customer:
    """Somebody with a number and a name, both sealed."""
    customer = a_customer()
    private = {"given_name": name, "addresses": {customer.points[0].ref: phone}}
    return customer.model_copy(update={"private": desk.deps.sealer.seal(private)})


async def claimed(desk: Routing, case: Case, by: By = ANA) -> Case:
    async with desk.deps.database.transaction() as unit:
        return await work.claim(unit, desk.deps, Seen(case.number, case.revision, by, teams=None))


async def tried(desk: Routing, case: Case, outcome: str, by: By = ANA, **given: Any) -> Case:
    async with desk.deps.database.transaction() as unit:
        call = Call(attempt_id=f"a-{case.number}-{case.revision}", outcome=outcome, **given)
        return await work.log_call(unit, desk.deps, Seen(case.number, case.revision, by, teams=None), call)

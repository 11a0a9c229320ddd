"""A scoring service that has asked somebody, seen from outside: the customer's browser and the SMS provider."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

import scoring.listen.pages
import scoring.listen.receive
import scoring.score.api
from scoring.listen.handle import token_hash
from scoring.score import store as scores
from shared.runtime.access import ALL_TEAMS, COOKIE, Access, Principal, Teams
from shared.runtime.database import run
from shared.runtime.http import create_app, edges
from shared.schemas import Customer, FeedbackScored
from shared.twilio import signature
from tests.support.asking import SEALER, Scoring, completed, customer, phone

NUMBER = "+12025550143"
REF = SEALER.ref("phone", "", NUMBER)
SECRET = "an auth token that only the provider knows"
PROVIDER = "https://surveys.example.com"
_SURVEY = ("asked_at", "sent_at", "expires_at")
HEADERS = {"accept": "text/html", "accept-language": "en-US,en;q=0.9"}


def person(one: int = 1, *, at: str = NUMBER, **changes: Any) -> Customer:
    """A customer with one mobile number."""
    point = phone(ref=SEALER.ref("phone", "", at))
    private = SEALER.seal({"given_name": "Ada", "addresses": {point.ref: at}})
    return customer(**{"customer_id": UUID(int=one), "points": (point,), "private": private, **changes})


@dataclass
class Listening:
    """The service, its public application, and a browser that follows nothing by itself."""

    service: Scoring
    app: FastAPI
    browser: httpx.AsyncClient

    async def asked(self, who: Customer | None = None, **contact: Any) -> str:
        """A contact ends and its customer is asked by SMS; the token of the link that was sent."""
        someone = who or person()
        before = len(self.service.gateway.delivered)
        await self.service.deliver(completed(someone, point_ref=someone.points[0].ref, **contact))
        await self.service.send()
        (message,) = self.service.gateway.delivered[before:]
        return message.body.partition("/s/")[2].split()[0].rstrip(".")

    async def post(self, path: str, *, follow: bool = False, **fields: object) -> httpx.Response:
        answer = await self.browser.post(path, data=fields, headers=HEADERS)
        return await self.get(answer.headers["location"]) if follow and answer.status_code == 303 else answer

    async def get(self, path: str) -> httpx.Response:
        return await self.browser.get(path, headers=HEADERS)

    async def sms(self, text: str, *, sender: str = NUMBER, message_id: str = "SM1", secret: str = SECRET) -> httpx.Response:
        return await self.signed("/v1/replies/sms", [("Body", text), ("From", sender), ("MessageSid", message_id)], secret=secret)

    async def signed(self, path: str, fields: Sequence[tuple[str, str]], *, secret: str = SECRET) -> httpx.Response:
        """As the provider posts: signed over the address it was told."""
        text = PROVIDER + path + "".join(name + value for name, value in sorted(fields))
        headers = {"x-twilio-signature": signature(text, secret), "content-type": "application/x-www-form-urlencoded"}
        return await self.browser.post(path, content=urlencode(fields), headers=headers)

    async def consents(self) -> list[tuple[str | None, str, str, str]]:
        """Address, channel, purpose and state of every consent."""
        found = await self.service.rows("select address_ref, channel, purpose, state from consent order by channel")
        return [(each["address_ref"], each["channel"], each["purpose"], each["state"]) for each in found]

    async def told(self) -> list[FeedbackScored]:
        return await self.service.sent_messages(FeedbackScored)

    async def answers(self) -> list[tuple[str, int | None]]:
        """What became of every answer, and its score, in order of arrival."""
        return [
            (each["became"], each["score"])
            for each in await self.service.rows("select became, score from answer order by received_at, number")
        ]

    async def counts_are_right(self) -> bool:
        """The kept counts equal a recount of the scores."""
        async with self.service.database.transaction() as unit:
            return await scores.recount(unit.tx) == await scores.kept_counts(unit.tx)

    async def pass_time(self, **passed: float) -> None:
        """Every survey and its answers lie that much further back."""
        for survey in await self.service.surveys():
            await self._move_back(survey["id"], timedelta(**passed))

    async def pass_time_of(self, token: str, **passed: float) -> None:
        """One survey and its answers lie that much further back."""
        (survey,) = await self.service.rows("select id from survey where token_hash = :token_hash", token_hash=token_hash(token))
        await self._move_back(survey["id"], timedelta(**passed))

    async def _move_back(self, survey_id: UUID, ago: timedelta) -> None:
        moved = {"survey": _SURVEY, "feedback": ("answered_at", "amendable_until"), "answer": ("answered_at", "received_at")}
        async with self.service.database.transaction() as unit:
            for table, columns in moved.items():
                changed = ", ".join(f"{column} = {column} - :ago" for column in columns)
                key = "id" if table == "survey" else "survey_id"
                await run(unit.tx, f"update {table} set {changed} where {key} = :id", ago=ago, id=survey_id)

    def cookie(self, *roles: str, teams: Teams = ALL_TEAMS) -> dict[str, str]:
        access: Access = self.app.state.access
        return {"cookie": f"{COOKIE}={access.session(Principal('person', 'p-1', 'Maria Lopez', frozenset(roles), teams))}"}


@asynccontextmanager
async def listening(url: str, **settings: Any) -> AsyncIterator[Listening]:
    service = Scoring(url, sms_secret=SECRET, sms_url=PROVIDER, brand="Larkfield", **settings)
    app = application(service)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://surveys.test") as browser:
        yield Listening(service, app, browser)
    await service.close()


def application(service: Scoring) -> FastAPI:
    made = edges(service.settings, service.database, registry=CollectorRegistry(), package="scoring")
    routers = [scoring.listen.pages.router, scoring.listen.receive.router, scoring.score.api.router]
    app = create_app(made, routers)
    app.state.deps = service.deps
    return app

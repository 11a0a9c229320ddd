"""Invented answers, customers and cases, and a routing service to hand them to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import count
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import RowMapping

from routing.app import build
from routing.cases.model import By, Case
from routing.cases.policy import CasePolicy
from routing.cases.queue import store as queue
from routing.cases.store import case_of
from routing.cases.terms import Terms
from routing.cases.work.handle import Seen
from routing.deps import Deps
from routing.handle import HANDLERS
from routing.rota.model import Rota
from routing.settings import Settings
from routing.timers import TIMERS
from shared import nps
from shared.runtime.broker import Record
from shared.runtime.database import Unit, rows, run
from shared.runtime.delivery import Delivery
from shared.runtime.handling import Batch
from shared.runtime.memory import MemoryBroker
from shared.runtime.process import Service
from shared.schemas import Consent, Contact, Customer, FeedbackScored, Message, Point, Sealed

NOW = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
"""A Tuesday, 10:00 in New York."""

POLICY = CasePolicy.model_validate(json.loads(files("routing").joinpath("cases/policy.json").read_text("utf-8")))
ROTA = Rota.model_validate(
    {
        "teams": [
            {
                "code": "birch",
                "name": "Birch",
                "zone": "America/New_York",
                "hours": {"mon-fri": "09:00-17:00"},
                "holidays": ["2026-03-05"],
                "people": [{"ref": "ana", "name": "Ana"}, {"ref": "maria", "name": "Maria", "shifts": {"mon": "09:00-12:00"}}],
            },
            {"code": "cedar", "name": "Cedar", "zone": "Asia/Kolkata", "hours": {"daily": "10:00-18:00"}, "languages": ["es"]},
        ]
    }
)
ANA, MARIA = By("guide", "ana", "Ana"), By("guide", "maria", "Maria")
_numbers = count(1)


def terms(*, now: datetime = NOW, rota: Rota = ROTA, **policy: object) -> Terms:
    """The shipped policy and the rota above, with what a test changes."""
    return Terms(POLICY.model_copy(update=policy), rota, zones=("America/New_York",), company_zone="America/New_York", now=now)


def a_customer(**given: Any) -> Customer:
    """Somebody in New York with one number."""
    customer_id = given.pop("customer_id", None) or uuid4()
    fields: dict[str, Any] = {
        "customer_id": customer_id,
        "number": next(_numbers),
        "version": 1,
        "known": True,
        "language": "en",
        "candidate_zones": ("America/New_York",),
        "segment": "unknown",
        "flags": (),
        "traits": {},
        "points": (a_point(f"phone-{customer_id}"),),
        "consents": (),
    }
    return Customer.model_validate(fields | given)


def a_point(ref: str, **given: Any) -> Point:
    return Point.model_validate({"ref": ref, "kind": "phone", "can": ("voice", "sms"), "dead": False} | given)


def refusal(customer_id: UUID | None = None, *, at: datetime, **given: Any) -> Consent:
    """No calls back, please."""
    fields = {"customer_id": customer_id, "channel": "voice", "purpose": "callback", "state": "refused", "at": at, "source": "test"}
    return Consent.model_validate(fields | given)


def a_contact(**given: Any) -> Contact:
    fields = {
        "interaction_id": uuid4(),
        "revision": 1,
        "standing": "over",
        "platform": "native",
        "account": "-",
        "ref": "c-1",
        "episode": 0,
        "channel": "phone",
        "medium": "voice",
        "direction": "inbound",
        "purpose": "service",
        "outcome": "handled",
        "started_at": NOW - timedelta(minutes=40),
        "ended_at": NOW - timedelta(minutes=20),
        "received_at": NOW - timedelta(minutes=20),
        "clock_suspect": False,
        "transfers": 0,
        "contacts_7d": 1,
        "legs": (),
        "team": "birch",
        "catalogue_version": 1,
        "traits": {},
    }
    return Contact.model_validate(fields | given)


def an_answer(
    score: int = 2, *, customer: Customer | None = None, survey_id: UUID | None = None, revision: int = 1, **given: Any
) -> FeedbackScored:
    """An answer about a phone call; `contact` and everything else may be given."""
    answered_at = given.get("answered_at", NOW)
    fields = {
        "survey_id": survey_id or uuid4(),
        "revision": revision,
        "kind": "tnps",
        "anchor": uuid4(),
        "origin": "ours",
        "score": score,
        "band": nps.band(score),
        "counted": True,
        "scoring_version": 1,
        "answered_by": "page",
        "answered_at": answered_at,
        "amendable_until": answered_at + timedelta(minutes=15),
        "resolved": "unanswered",
        "callback": "unanswered",
        "contact": a_contact(),
        "customer": customer,
    }
    return FeedbackScored.model_validate(fields | given)


@dataclass
class Routing:
    """A routing service over a real database. What is handed in goes through the handlers as from a topic."""

    service: Service

    @property
    def deps(self) -> Deps:
        deps: Deps = self.service.deps
        return deps

    async def hand(self, topic: str, *messages: Message) -> list[str]:
        """One batch, in one transaction; the reasons of what was refused."""
        async with self.deps.database.transaction() as unit:
            return await self.hand_within(unit, topic, *messages)

    async def hand_within(self, unit: Unit, topic: str, *messages: Message) -> list[str]:
        """The same in a transaction that is still to be committed."""
        batch: Batch[Any] = Batch(unit, [_delivery(topic, message) for message in messages])
        await HANDLERS[topic].handle(batch, self.deps)
        return [letter.reason for letter in batch.letters]

    async def hear(self, *answers: FeedbackScored) -> None:
        assert await self.hand("feedback.scored", *answers) == []

    async def cases(self) -> list[Case]:
        """All cases, oldest number first."""
        async with self.deps.database.transaction() as unit:
            return [case_of(each) for each in await rows(unit.tx, "select * from cases order by number")]

    async def case(self) -> Case:
        """The only one."""
        (only,) = await self.cases()
        return only

    async def changes(self, case: Case) -> list[str]:
        async with self.deps.database.transaction() as unit:
            return [step.change for step in await queue.history(unit.tx, case.id)]

    async def sent(self, kind: str) -> list[dict[str, Any]]:
        """Messages of a type waiting to leave, in order."""
        async with self.deps.database.transaction() as unit:
            found: Sequence[RowMapping] = await rows(
                unit.tx, "select payload from outbox where type = :type order by seq", type=f"aftercall.{kind}.v1"
            )
        return [json.loads(each["payload"]) for each in found]

    async def move_due(self, column: str, *, case: Case) -> None:
        """As if the time had come."""
        async with self.deps.database.transaction() as unit:
            await run(unit.tx, f"update cases set {column} = now() - interval '1 second' where id = :id", id=case.id)

    async def tick(self, timer: str) -> int:
        return await TIMERS[timer].round(self.deps.database, self.deps)

    def sealed(self, text: str) -> Sealed:
        return self.deps.sealer.seal(text)


def seen(case: Case, by: By = ANA, *, teams: frozenset[str] | None = frozenset({"birch"})) -> Seen:
    """The case as this person saw it."""
    return Seen(key=case.number, revision=case.revision, by=by, teams=teams)


def routing(url: str, **given: Any) -> Routing:
    """A service whose rota is the one above."""
    service = build(Settings(database_url=url, **given), broker=MemoryBroker())
    return Routing(_with_rota(service))


def _with_rota(service: Service) -> Service:
    deps = replace(service.deps, rota=ROTA)
    service.public.state.deps = deps
    return replace(service, deps=deps)


def _delivery(topic: str, message: Message) -> Delivery[Any]:
    identity = str(uuid5(UUID(int=0), message.encode().decode()))
    record = Record(topic, 0, next(_numbers), None, message.encode(), (), NOW)
    return Delivery(message, identity, f"/{topic}", None, None, record)

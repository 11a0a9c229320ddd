"""A contact center with its own record: numbered contacts, a customer each, and what must come of every one of them."""

import asyncio
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import uuid4

import httpx

from deploy.demo import center
from deploy.demo.people import Person, person
from shared.runtime.broker import Broker, BrokerAway, Outgoing
from shared.schemas import FeedbackScored, PlatformRef, SurveyAnswered
from tests.support.fake_gateway import FakeGateway

ACCOUNT = "faults"
SCORES = (2, 8, 10, 5, 9, 10, 0, 7, 10, 10)
CHUNK = 500
CONTACTS = 2_004
"""Of these, 10,000 events: three of a native contact, six of one of Connect's."""


def score_of(number: int) -> int:
    """What customer `number` answers."""
    return SCORES[number % len(SCORES)]


def is_detractor(number: int) -> bool:
    return score_of(number) <= 6


@dataclass(frozen=True, slots=True)
class Told:
    """One contact as its platform tells it."""

    number: int
    platform: str
    account: str
    ref: str
    phone: str
    records: tuple[Outgoing, ...]


def native(number: int, *, ended: datetime) -> Told:
    """Three events of our own shape, known by a member id."""
    return native_of(number, ref=f"call-{number}", number=number, ended=ended)


def native_of(who_number: int, *, ref: str, number: int, ended: datetime | None = None) -> Told:
    """A contact of somebody who may have others."""
    who, ended = person(who_number), ended or datetime.now(UTC)
    began = ended - timedelta(seconds=300)
    steps = (("started", began), ("connected", began + timedelta(seconds=20)), ("ended", ended))
    records = tuple(_native(ref, who, event=event, at=at) for event, at in steps)
    return Told(number, "native", ACCOUNT, ref, who.phone, records)


def connect(number: int, *, ended: datetime) -> Told:
    """Amazon Connect's contact events and its contact record, known by a phone number."""
    who = person(number)
    contact = center.short_call(who, ended=ended, rng=random.Random(number))
    records = tuple(Outgoing(each.topic, each.key.encode(), each.value, ()) for each in contact.emissions)
    return Told(number, contact.platform, contact.account, contact.ref, who.phone, records)


def _native(ref: str, who: Person, *, event: str, at: datetime) -> Outgoing:
    said = {
        "id": f"{ref}-{event}",
        "account": ACCOUNT,
        "contact": ref,
        "event": event,
        "at": at.isoformat(),
        "channel": "phone",
        "direction": "inbound",
        "customer": {"member_id": who.member_id, "phone": who.phone},
    }
    if event != "started":
        said["agent"] = {"id": "agent-ana", "name": "Ana"}
    return Outgoing("interactions.phone", ref.encode(), json.dumps(said).encode(), ())


@dataclass
class Ledger:
    """What was told and answered. `events` counts every event once, `repeats` what was sent again."""

    broker: Broker
    told: dict[int, Told] = field(default_factory=dict)
    answered: dict[int, int] = field(default_factory=dict)
    events: int = 0
    repeats: int = 0

    async def tell(self, numbers: Sequence[int], *, repeating: int = 20) -> None:
        """Every third contact is a native one, the others are Connect's; every event of each `repeating`-th contact is sent twice."""
        fresh = self._note(numbers)
        twice = [each for each in fresh if repeating and each.number % repeating == 0]
        self.repeats += sum(len(each.records) for each in twice)
        await self.publish(record for each in (*fresh, *twice) for record in each.records)

    async def post(self, numbers: Sequence[int], url: str, key: str) -> int:
        """The same over HTTP: how many contacts, once ingest says that it has stored them all."""
        fresh = self._note(numbers)
        body = b"[" + b",".join(record.value or b"" for each in fresh for record in each.records) + b"]"
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.post(f"{url}/v1/events", content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        assert answer.json()["accepted"] == sum(len(each.records) for each in fresh), answer.text
        return len(fresh)

    def _note(self, numbers: Sequence[int]) -> list[Told]:
        ended = datetime.now(UTC)
        return [self.note((native if number % 3 == 0 else connect)(number, ended=ended)) for number in numbers]

    def note(self, told: Told) -> Told:
        """Enter it in the record."""
        self.told[told.number] = told
        self.events += len(told.records)
        return told

    async def answer(self, gateway: FakeGateway) -> None:
        """Until cancelled: each customer who is asked answers at once, every tenth twice over."""
        seen = 0
        while True:
            by_phone = {each.phone: each for each in self.told.values()}
            fresh, seen = gateway.delivered[seen:], len(gateway.delivered)
            numbers = [by_phone[each.to].number for each in fresh if by_phone[each.to].number not in self.answered]
            self.answered |= {number: score_of(number) for number in numbers}
            await self.publish(self.answer_of(number) for number in (*numbers, *(n for n in numbers if n % 10 == 0)))
            await asyncio.sleep(0.1)

    def answer_of(self, number: int, *, score: int | None = None) -> Outgoing:
        """What customer `number` says, under the id it always has."""
        of = self.told[number]
        said = SurveyAnswered(
            answer_id=f"answer-{number}",
            contact=PlatformRef(platform=of.platform, account=of.account, ref=of.ref),
            channel="sms",
            score=score_of(number) if score is None else score,
        )
        return response(said)

    async def publish(self, records: Iterable[Outgoing]) -> None:
        left = iter(records)
        while owed := list(islice(left, CHUNK)):
            await self._insist(owed)

    async def _insist(self, owed: Sequence[Outgoing]) -> None:
        """A platform too keeps what its broker did not take, and sends it again; some of it may then be there twice."""
        while True:
            try:
                return await self.broker.publish(owed)
            except BrokerAway:
                await asyncio.sleep(0.5)

    @property
    def refs(self) -> set[tuple[str, str, str]]:
        return {(each.platform, each.account, each.ref) for each in self.told.values()}

    @property
    def detractors(self) -> list[int]:
        return [number for number in self.told if is_detractor(number)]


def scored(answer: FeedbackScored) -> Outgoing:
    """An answer as scoring tells of it, under another message id and another key each time."""
    headers = {"ce_specversion": "1.0", "ce_source": "/aftercall/scoring", "ce_type": FeedbackScored.TYPE, "ce_id": str(uuid4())}
    return Outgoing("feedback.scored", uuid4().bytes, answer.encode(), tuple((name, value.encode()) for name, value in headers.items()))


def response(said: SurveyAnswered) -> Outgoing:
    """An answer as an outsider writes it to `survey.responses`."""
    headers = {"ce_specversion": "1.0", "ce_id": str(uuid4()), "ce_source": "/faults/phone", "ce_type": said.TYPE}
    body = said.model_dump_json(by_alias=True, exclude_none=True).encode()
    key = said.answer_id or "answer"
    return Outgoing("survey.responses", key.encode(), body, tuple((name, value.encode()) for name, value in headers.items()))

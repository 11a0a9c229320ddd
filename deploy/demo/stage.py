"""The contact center at work: publishes what its platforms emit, and what customers answer elsewhere."""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from deploy.demo import center
from deploy.demo.emission import Contact, Emission
from deploy.demo.journey import Counts, Journey
from deploy.demo.people import person
from shared.runtime.broker import Broker, Outgoing, Record
from shared.runtime.delivery import envelope
from shared.schemas import MESSAGES, Message, PlatformRef, SurveyAnswered
from shared.topics import topic_of

Tell = Callable[..., Contact]
PAUSE_S = 4.0
ANSWERING = 0.4
"""How many of the customers nobody plays answer by themselves, at the end of their call."""
SCORES = (0, 2, 3, 5, 6, 7, 8, 8, 9, 9, 9, 10, 10, 10)
PHONES, EXTRAS = range(100), range(100, 2400)
"""Whose phone is shown, and who only fills the center."""
BY_TYPE = {message.TYPE: message for message in MESSAGES}


@dataclass(frozen=True, slots=True)
class Alert:
    """What a team was told, and where it looks."""

    words: str
    link: str


@dataclass(slots=True)
class Stage:
    """What goes on now. `journey` follows the contact of the person whose phone is shown."""

    broker: Broker
    rng: random.Random = field(default_factory=lambda: random.Random(uuid4().int))
    counts: Counts = field(default_factory=Counts)
    journey: Journey | None = None
    replies: list[str] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    _phones: int = 0
    _extras: int = 0

    async def play(self, tell: Tell, *, times: int = 1) -> Journey:
        """Another customer takes the phone, whose contact just ended; `times`: how often the platform says so."""
        who = person(PHONES[self._phones % len(PHONES)])
        self._phones += 1
        self.replies.clear()
        ended = datetime.now(UTC)
        contact = tell(who, ended=ended, rng=self.rng)
        self.journey = Journey(contact, who, ended)
        await self.publish([center.profile(who, at=ended), *contact.emissions * times])
        return self.journey

    async def walk_on(self, tell: Tell, *, score: int | None = None) -> None:
        """Somebody nobody watches; with a score they answer by themselves."""
        who = person(EXTRAS[self._extras % len(EXTRAS)])
        self._extras += 1
        ended = datetime.now(UTC)
        contact = tell(who, ended=ended, rng=self.rng)
        await self.publish([center.profile(who, at=ended), *contact.emissions])
        if score is not None:
            named = PlatformRef(platform=contact.platform, account=contact.account, ref=contact.ref)
            await self.answer(SurveyAnswered(answer_id=str(uuid4()), contact=named, channel="ivr", score=score, callback="yes"))

    async def storm(self, size: int) -> None:
        for _ in range(size):
            await self.walk_on(center.short_call, score=self.rng.choice((0, 1, 2, 3)))

    async def broken(self) -> None:
        await self.publish([center.broken(rng=self.rng)])

    async def reply(self, words: str) -> None:
        """What the person on the phone texts back."""
        assert self.journey is not None
        self.replies.append(words)
        await self.answer(SurveyAnswered(answer_id=str(uuid4()), address=self.journey.person.phone, channel="sms", text=words))

    async def answer(self, answered: SurveyAnswered) -> None:
        headers = (("ce_specversion", "1.0"), ("ce_id", answered.answer_id), ("ce_source", "/larkfield/phone"), ("ce_type", answered.TYPE))
        body = answered.model_dump_json(by_alias=True, exclude_none=True).encode()
        await self.publish([Emission(topic_of(answered.TYPE), answered.answer_id, body, headers)])

    async def publish(self, emissions: Iterable[Emission]) -> None:
        await self.broker.publish([_outgoing(each) for each in emissions])

    async def go_on(self) -> None:
        """Contacts that come and go, for ever."""
        while True:
            tell = self.rng.choice((center.short_call, center.short_call, center.chat, center.visit, center.abandoned_call))
            answers = tell is not center.abandoned_call and self.rng.random() < ANSWERING
            await self.walk_on(tell, score=self.rng.choice(SCORES) if answers else None)
            await asyncio.sleep(self.rng.uniform(0.5, 1.5) * PAUSE_S)

    async def watch(self, topic: str) -> None:
        """Counts what the services say in a topic, and follows the contact on stage."""
        async for record in self.broker.tail(topic):
            message = _message(record)
            if message is not None:
                self.counts.saw(message)
                if self.journey is not None:
                    self.journey.saw(message, at=datetime.now(UTC))


def _message(record: Record) -> Message | None:
    """None for what is only there for compaction."""
    if record.value is None:
        return None
    told = envelope(record)
    return BY_TYPE[told.attributes["type"]].model_validate_json(told.data)


def _outgoing(emission: Emission) -> Outgoing:
    headers = tuple((name, value.encode()) for name, value in emission.headers)
    return Outgoing(emission.topic, emission.key.encode(), emission.value, headers)

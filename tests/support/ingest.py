"""Ingest over a real database and the in-memory broker, without its loops: a test says when a batch comes and when time has passed."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event

from ingest.app import build
from ingest.contacts.handle import close_due
from ingest.deps import Deps
from ingest.settings import Settings
from shared.runtime.applying import Applied
from shared.runtime.broker import Progress, Record
from shared.runtime.database import Database, as_json, rows, run
from shared.runtime.handling import Dispatch
from shared.runtime.keys import NewKey, create_key
from shared.runtime.measures import Measures
from shared.runtime.memory import MemoryBroker
from shared.runtime.process import Service
from shared.runtime.rights import Principal

PHONE = "+12125550142"
OTHER_PHONE = "+14155550137"
EMAIL = "ana.lopez@example.com"
Json = dict[str, Any]


@dataclass
class Running:
    """One replica. `owner` owns every partition it was handed a record of."""

    service: Service
    deps: Deps
    database: Database
    dispatch: Dispatch[Deps]
    owner: UUID = field(default_factory=uuid4)
    offsets: "itertools.count[int]" = field(default_factory=itertools.count)

    async def feed(self, *events: Json | bytes, topic: str = "interactions.phone", logged: datetime | None = None) -> Applied:
        """One polled batch of one partition, read to its end."""
        place = (topic, 0)
        records = [record(each, topic, next(self.offsets), logged=logged) for each in events]
        await self.own(place)
        progress = Progress(self.owner, {place: records[-1].offset + 1}, {place: records[-1].logged})
        return await self.deps.door(records, progress)

    async def say(self, topic: str, *bodies: Json, **headers: str) -> Applied:
        """A batch of our own messages, by the consumer's dispatch."""
        said = {"ce_specversion": "1.0", "ce_source": "/test", "ce_id": str(uuid4())} | headers
        encoded = tuple((name, value.encode()) for name, value in said.items())
        records = [Record(topic, 0, next(self.offsets), None, as_json(body).encode(), encoded, datetime.now(UTC)) for body in bodies]
        await self.own((topic, 0))
        return await self.dispatch(records, Progress(self.owner, {(topic, 0): records[-1].offset + 1}, {(topic, 0): records[-1].logged}))

    async def own(self, *places: tuple[str, int]) -> None:
        await self.sql(
            "insert into consumer_offset (topic, partition, owner) select topic, partition, :owner "
            "from jsonb_to_recordset(cast(:places as jsonb)) as p(topic text, partition int) "
            "on conflict (topic, partition) do update set owner = excluded.owner",
            places=as_json([{"topic": topic, "partition": partition} for topic, partition in places]),
            owner=self.owner,
        )

    async def close(self, *, after: timedelta = timedelta(hours=30)) -> int:
        """Judge everything as if that much time had passed since it came."""
        await self.pass_time(after)
        return await self.judge()

    async def judge(self) -> int:
        """Judge what is due now: how many contacts. Safe beside others, as moving the clock is not."""
        async with self.database.transaction() as unit:
            return await close_due(unit, self.deps.closing)

    async def pass_time(self, length: timedelta) -> None:
        """The clock cannot be moved, so what it is compared with moves back; partitions are read to now."""
        await self.sql("update event set received = received - :length", length=length)
        await self.sql("update contact set due = due - :length", length=length)
        await self.sql("update consumer_offset set read_to = clock_timestamp(), read_at = clock_timestamp()")

    async def sql(self, statement: str, **parameters: object) -> None:
        async with self.database.transaction() as unit:
            await run(unit.tx, statement, **parameters)

    async def rows(self, statement: str, **parameters: object) -> list[Json]:
        async with self.database.transaction() as unit:
            return [dict(each) for each in await rows(unit.tx, statement, **parameters)]

    async def interactions(self) -> list[Json]:
        """The latest revision of every interaction, as it was sent."""
        found = await self.rows("select distinct on (id) payload from interaction order by id, revision desc")
        return sorted((each["payload"] for each in found), key=lambda each: (str(each["ref"]), each["episode"]))

    async def sent(self, topic: str) -> list[Json]:
        """The messages, without the nulls that are only compaction's business."""
        found = await self.rows("select payload from outbox where topic = :topic and payload <> '' order by seq", topic=topic)
        return [json.loads(each["payload"]) for each in found]

    async def key(self, *scopes: str, platform: str | None = None, account: str | None = None) -> dict[str, str]:
        """Headers of a machine."""
        made = await create_key(self.database, NewKey("test", scopes, platform=platform, account=account))
        return {"authorization": f"Bearer {made}"}

    def cookie(self, *roles: str) -> dict[str, str]:
        """Headers of a signed-in person."""
        access = self.service.public.state.access
        return {"cookie": f"aftercall_session={access.session(Principal('person', 'p-1', 'Ada', frozenset(roles)))}"}


@asynccontextmanager
async def ingest(url: str, **given: Any) -> AsyncIterator[Running]:
    settings = Settings(database_url=url, **given)
    service = build(settings, broker=MemoryBroker())
    assert service.sealer
    measures = service.measures or Measures(service.internal.state.edges.registry)
    dispatch = Dispatch(service.database, service.handlers, service.deps, sealer=service.sealer, measures=measures)
    try:
        yield Running(service, service.deps, service.database, dispatch)
    finally:
        await service.database.close()


def record(said: Json | bytes, topic: str, offset: int, *, logged: datetime | None = None) -> Record:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Record(topic, 0, offset, None, body, (), logged or datetime.now(UTC))


def call(
    contact: str,
    *,
    start: datetime,
    customer: Json | None = None,
    agents: Sequence[str] = ("a-1",),
    channel: str = "phone",
    minutes: float = 5,
    **more: Any,
) -> list[Json]:
    """The events of one contact: one leg per agent, each but the last transferred to the next."""
    events, at = [], start
    for n, agent in enumerate(agents):
        last = n == len(agents) - 1
        leg = {"contact": contact, "leg": f"{contact}-{n}", "channel": channel, "account": "main", "direction": "inbound", **more}
        steps = ["started", "connected", "ended" if last else "transferred"]
        for step, offset in zip(steps, (0, 0.2, minutes), strict=True):
            said = {**leg, "id": f"{contact}-{n}-{step}", "event": step, "at": (at + timedelta(minutes=offset)).isoformat()}
            if step == "connected":
                said["agent"] = {"id": agent, "name": f"Agent {agent}"}
            if customer and step == "started":
                said["customer"] = customer
            events.append(said)
        at += timedelta(minutes=minutes)
    return events


@contextmanager
def listening(running: Running) -> Iterator[list[str]]:
    """Every statement sent while it lasts."""
    statements: list[str] = []

    def heard(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    engine = running.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", heard)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", heard)


async def until_somebody_waits(running: Running) -> None:
    """Until a connection of this database waits for a lock."""
    waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with asyncio.timeout(10):
        while not await running.rows(waiting):  # noqa: ASYNC110  # it waits inside the database
            await asyncio.sleep(0.01)

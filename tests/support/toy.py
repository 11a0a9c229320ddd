"""A toy service over the real runtime: each answer makes one row and one message. Nothing but the runtime keeps it from making two.

`python -m tests.support.toy DATABASE_URL BOOTSTRAP PREFIX` runs it as a process that tests may kill.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from prometheus_client import CollectorRegistry
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.runtime.broker import Broker, Outgoing
from shared.runtime.consumer import Consumer
from shared.runtime.database import Database, as_json, rows, run
from shared.runtime.handling import Batch, Dispatch, Handler
from shared.runtime.kafka import KafkaBroker
from shared.runtime.measures import Measures
from shared.runtime.reading import Reading
from shared.runtime.relay import Relay
from shared.runtime.sealing import Sealer
from shared.runtime.tables import runtime_tables
from shared.schemas import Consent, ConsentChanged, SurveyAnswered

RELAY_BATCH = 100
"""Messages that a toy process publishes at once, so that it can be killed between batches."""

INPUT = "survey.responses"
OUTPUT = "consents.changed"
WHEN = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
KEYS = "toy:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

_EFFECT = """
insert into effect (answer, score) select answer, score from jsonb_to_recordset(cast(:answers as jsonb)) as a(answer text, score int)"""


@dataclass
class Deps:
    """`poisoned` answers break the handler; `unknown` ones wait."""

    poisoned: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


async def answered(batch: Batch[SurveyAnswered], deps: Deps) -> None:
    if any(item.message.answer_id in deps.poisoned for item in batch.items):
        raise KeyError("poisoned")
    for item in [item for item in batch.items if item.message.answer_id in deps.unknown]:
        batch.wait_for(item, item.message.answer_id)
    known = [item for item in batch.items if item.message.answer_id not in deps.unknown]
    await run(batch.unit.tx, _EFFECT, answers=as_json([{"answer": i.message.answer_id, "score": i.message.score} for i in known]))
    for item in known:
        consent = Consent(channel="sms", purpose="survey", state="granted", at=WHEN, source="toy", address_ref=item.message.answer_id)
        key = (item.record.key or b"none").decode()
        batch.unit.send(ConsentChanged(consent=consent), key=key, correlation=item.id)


def answer(number: int, *, key: str | None = None, score: int = 7, name: str | None = None) -> Outgoing:
    """Answer `number`, as an outsider would write it."""
    message = SurveyAnswered(answer_id=name or f"a-{number}", survey_id=uuid4(), channel="sms", score=score)
    return wire(message.model_copy(update={"survey_id": None, "token": f"t-{number}"}).encode(), key=key or f"k-{number % 50}")


def wire(body: bytes | None, *, key: str = "k", **headers: str) -> Outgoing:
    said = {"ce_specversion": "1.0", "ce_id": "x", "ce_source": "/outsider", "ce_type": SurveyAnswered.TYPE} | headers
    return Outgoing(INPUT, key.encode(), body, tuple((name, value.encode()) for name, value in said.items()))


class Toy:
    """One replica. A test reads `database` and `broker` as it likes."""

    def __init__(
        self, url: str, broker: Broker, *, deps: Deps | None = None, reading: Reading | None = None, relay_limit: int = 1000
    ) -> None:
        self.database = Database(url, schema="public", pool_size=4)
        self.broker, self.deps = broker, deps or Deps()
        self.registry = CollectorRegistry()
        self.measures = Measures(self.registry)
        self.sealer = Sealer(KEYS, "a pepper that is long enough for a toy")
        handlers = {INPUT: Handler(SurveyAnswered, answered, inbox=True, identity=lambda m: m.answer_id)}
        self.dispatch = Dispatch(self.database, handlers, self.deps, sealer=self.sealer, measures=self.measures)
        self.consumer = Consumer(
            group="toy",
            topics=[INPUT],
            apply=self.dispatch,
            reading=reading,
            broker=broker,
            database=self.database,
            sealer=self.sealer,
            measures=self.measures,
        )
        self.relay = Relay(
            database=self.database, broker=broker, sealer=self.sealer, measures=self.measures, claim_every=0.5, limit=relay_limit
        )

    @asynccontextmanager
    async def running(self, *, relay: bool = True) -> AsyncIterator["Toy"]:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.consumer.run(stop))
            if relay:
                group.create_task(self.relay.run(stop))
            try:
                yield self
            finally:
                stop.set()
        await self.database.close()

    async def effects(self) -> dict[str, int]:
        """How often each answer took effect."""
        async with self.database.transaction() as unit:
            found = await rows(unit.tx, "select answer, count(*) as times from effect group by answer")
        return {each["answer"]: each["times"] for each in found}

    async def count(self, sql: str) -> int:
        async with self.database.transaction() as unit:
            return int((await rows(unit.tx, sql))[0]["count"])

    async def until(self, sql: str, wanted: int, *, seconds: float = 30) -> None:
        """Wait until a count is what it should be."""
        async with asyncio.timeout(seconds):
            while (last := await self.count(sql)) != wanted:  # noqa: ASYNC110  # the row is written elsewhere
                await asyncio.sleep(0.05)
        assert last == wanted


async def create_tables(url: str) -> None:
    metadata = MetaData()
    runtime_tables(metadata)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(text("create table effect (n bigint generated always as identity, answer text not null, score int)"))
    await engine.dispose()


async def _main(url: str, bootstrap: str, prefix: str) -> None:
    toy = Toy(url, KafkaBroker(bootstrap, prefix=prefix, session_s=6), reading=Reading(batch=100), relay_limit=RELAY_BATCH)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with toy.running():
        print("ready", flush=True)
        await stopped.wait()
    await toy.broker.stop()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:4]))

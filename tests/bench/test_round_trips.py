"""How often a batch waits for the database. It does not grow with the batch, and unlike a speed it can be a test."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from shared.runtime.applying import Apply
from shared.runtime.broker import Progress, Record
from shared.runtime.database import Database, run
from shared.runtime.handling import Dispatch
from shared.runtime.memory import MemoryBroker
from tests.bench import ours
from tests.bench.load import INGEST, SCORING, Shape
from tests.bench.seeds import seed_scoring
from tests.support.round_trips import round_trips

LYING = 1_200
INGEST_TRIPS = 1
SCORING_TRIPS = 2
"""Of customers who read as they are known, or are new, some of them invited: what there is to know, and what was decided."""


@dataclass
class Reader:
    """One that owns a partition of the shape's topic."""

    shape: Shape
    database: Database
    apply: Apply
    owner: UUID = field(default_factory=uuid4)
    offset: int = 0

    def __post_init__(self) -> None:
        self._lying = self.shape.records(LYING)

    async def take(self, events: int) -> None:
        """The next so many of the topic."""
        place = (self.shape.topic, 0)
        sent = enumerate(itertools.islice(self._lying, events), start=self.offset)
        records = [Record(*place, offset, each.key, each.value, each.headers, datetime.now(UTC)) for offset, each in sent]
        self.offset += len(records)
        applied = await self.apply(records, Progress(self.owner, {place: self.offset}, {place: records[-1].logged}))
        assert applied.owned == {place}
        assert not applied.dead


@asynccontextmanager
async def reading(shape: Shape, url: str) -> AsyncIterator[Reader]:
    service = ours.BUILT[shape.service](url, MemoryBroker())
    assert service.sealer
    assert service.measures
    dispatch = Dispatch(service.database, service.handlers, service.deps, sealer=service.sealer, measures=service.measures)
    reader = Reader(shape, service.database, service.applies.get(shape.topic, dispatch))
    async with service.database.transaction() as unit:
        taken = "insert into consumer_offset (topic, partition, owner) values (:topic, 0, :owner)"
        await run(unit.tx, taken, topic=shape.topic, owner=reader.owner)
    yield reader
    await service.database.close()


@pytest.mark.parametrize("events", [40, 400])
async def test_a_batch_of_events_is_stored_by_one_statement(ingest_database: str, events: int) -> None:
    async with reading(INGEST, ingest_database) as reader:
        await reader.take(8)
        async with round_trips(reader.database) as trips:
            await reader.take(events)

            assert trips.count() == INGEST_TRIPS


@pytest.mark.parametrize("events", [30, 300])
async def test_a_batch_of_contacts_is_decided_in_as_many_round_trips_however_long_it_is(scoring_database: str, events: int) -> None:
    await seed_scoring(scoring_database, events=LYING)
    async with reading(SCORING, scoring_database) as reader:
        await reader.take(3)
        async with round_trips(reader.database) as trips:
            await reader.take(events)

            assert trips.count() == SCORING_TRIPS

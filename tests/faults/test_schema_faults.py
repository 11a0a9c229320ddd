"""What a database refuses and lets pass later: transactions in conflict, a schema under migration. And an outbox grown long."""

import asyncio
import time
from collections.abc import Sequence
from statistics import median

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.broker import Outgoing
from shared.runtime.database import SHARDS, run
from shared.runtime.memory import MemoryBroker
from tests.support.checking import judged, settle
from tests.support.fleet import SERVICES, Fleet, Replica
from tests.support.ledger import CONTACTS
from tests.support.outsiders import answering, ready
from tests.support.scene import Scene
from tests.support.toy import Toy, create_tables
from tests.support.verdicts import VERDICTS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

_REFUSE = """
create sequence {table}_writes;
create function {table}_refuse() returns trigger language plpgsql security definer as $$
begin
  case nextval('{table}_writes') % 24
    when 3 then raise exception using errcode = 'serialization_failure';
    when 15 then raise exception using errcode = 'deadlock_detected';
    else null;
  end case;
  return null;
end $$;
create trigger refuse after insert or update on {table} for each statement execute function {table}_refuse()"""
WRITTEN = ("ingest.event", "ingest.interaction", "scoring.decision", "scoring.survey", "scoring.feedback", "routing.cases")


async def test_c5_deadlocks_and_serialization_failures_are_tried_again(scene: Scene) -> None:
    """One write in twelve of every busy table fails; what fails is tried again, counted, and nothing happens twice."""
    for table in WRITTEN:
        await scene.fleet.run(_REFUSE.format(table=table))
    running = await scene.fleet.start_all()
    async with answering(scene):
        await scene.ledger.tell(range(CONTACTS))
        await settle(scene.fleet, scene.ledger)
    assert all(replica.alive for replica in running.values())
    tried = {service: await _tried_again(replica) for service, replica in running.items()}
    assert min(tried.values()) > 0, tried
    assert await running["ingest"].metric("aftercall_consumer_retries_total", cause="DeadlockDetected") > 0
    assert await running["ingest"].metric("aftercall_consumer_retries_total", cause="SerializationFailure") > 0
    await judged("C5", scene.fleet, scene.ledger, began=scene.began, tried_again=tried)


async def _tried_again(replica: Replica) -> int:
    consumed, timed = "aftercall_consumer_retries_total", "aftercall_timer_retries_total"
    return int(await replica.metric(consumed) + await replica.metric(timed))


BUSY = ("ingest.event", "ingest.contact", "scoring.decision", "scoring.survey", "routing.cases", "routing.answer")
TAKEN_AWAY = {"ingest.contact": "due", "scoring.survey": "due", "routing.cases": "overdue_on", "routing.answer": "band"}


async def test_c6_an_old_version_goes_on_through_a_newer_ones_migration_and_waits_out_one_that_came_too_early(scene: Scene) -> None:
    """Under load: columns are added, as expanding does, and the database says that it is a newer version's. Then columns are away for five
    seconds, as if contracting had come before the old version was gone. Replicas join in each state; nobody ends, and nothing is buried."""
    running = await scene.fleet.start_all()
    async with answering(scene):
        await scene.ledger.tell(range(CONTACTS // 3))
        for table in BUSY:
            await scene.fleet.run(f"alter table {table} add column of_a_newer_version text default 'new'")
        for service in SERVICES:
            await scene.fleet.run(f"update {service}.alembic_version set version_num = 'newer_' || version_num")
        joined = [await (await scene.fleet.start(service)).ready() for service in SERVICES]
        await scene.ledger.tell(range(CONTACTS // 3, 2 * CONTACTS // 3))
        await _take_away(scene.fleet)
        await scene.ledger.tell(range(2 * CONTACTS // 3, CONTACTS))
        away = time.monotonic()
        while time.monotonic() - away < 5:
            assert all(replica.alive for replica in (*running.values(), *joined))
            await asyncio.sleep(0.5)
        await _bring_back(scene.fleet)
        await settle(scene.fleet, scene.ledger)
    everybody = [*running.values(), *joined]
    assert [await ready(replica) for replica in everybody] == [True] * len(everybody)
    waited = sum([await _tried_again(replica) for replica in everybody])
    assert waited > 0
    buried = {each: await scene.fleet.count(f"select count(*) from {each}.dead_letter where reason <> 'conflict'") for each in SERVICES}
    assert not any(buried.values()), buried
    await judged("C6", scene.fleet, scene.ledger, began=scene.began, replicas=len(everybody), tried_again=waited, dead_letters=buried)


async def _take_away(fleet: Fleet) -> None:
    for table, column in TAKEN_AWAY.items():
        await fleet.run(f"alter table {table} rename column {column} to {column}_taken_away")


async def _bring_back(fleet: Fleet) -> None:
    for table, column in TAKEN_AWAY.items():
        await fleet.run(f"alter table {table} rename column {column}_taken_away to {column}")


OWED = 1_000_000
BATCH, BATCHES = 500, 100
_FILL = """
insert into outbox (shard, topic, key, type, correlation, payload)
select n % 16, 'consents.changed', 'key-' || n % 1000, 'toy', 'c', '{"n": ' || n || '}' from generate_series(1, :owed) n"""


_LOOKED_AT = "select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as count from pg_stat_user_tables where relname = 'outbox'"


class Acknowledging(MemoryBroker):
    """Keeps only how many it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        self.given += len(messages)


async def test_c7_a_million_messages_owed_leave_in_even_batches(database_url: str) -> None:
    """Neither reading a batch nor deleting it looks at the rows behind it."""
    began = time.monotonic()
    await create_tables(database_url)
    broker, seconds = Acknowledging(), []
    toy = Toy(database_url, broker, relay_limit=BATCH)
    async with toy.database.autocommit() as session:
        await run(session, _FILL, owed=OWED)
        await run(session, "vacuum analyze outbox")
        toy.relay.shards.update(range(SHARDS))
        before = await _looked_at(toy, session)
        for _ in range(BATCHES):
            at = time.perf_counter()
            assert await toy.relay.publish_once(session) == BATCH
            seconds.append(1000 * (time.perf_counter() - at))
        looked_at = (await _looked_at(toy, session) - before) / BATCHES
    left = await toy.count("select count(*) from outbox")
    await toy.database.close()
    assert looked_at <= 3 * BATCH, f"a batch looks at {looked_at:.0f} rows"
    VERDICTS.say(
        "C7",
        events=broker.given,
        lost=OWED - left - broker.given,
        duplicates={},
        began=began,
        owed=OWED,
        rows_looked_at_by_a_batch=round(looked_at),
        batch_ms={"median": round(median(seconds), 1), "slowest": round(max(seconds), 1)},
    )


async def _looked_at(toy: Toy, session: AsyncConnection) -> int:
    """How many rows of the outbox PostgreSQL has taken into its hands so far, that session's counted."""
    await run(session, "select pg_stat_force_next_flush()")
    await run(session, "select 1")
    return await toy.count(_LOOKED_AT)

"""A toy over the real runtime killed at the worst lines, on Apache Kafka and real PostgreSQL: the short parts of the cases."""

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from shared.runtime.broker import Record
from shared.runtime.kafka import KafkaBroker
from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.toy import INPUT, OUTPUT, RELAY_BATCH, Toy, answer, create_tables
from tests.support.verdicts import VERDICTS
from tests.support.whole import read_all

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.short]

EVENTS = int(os.environ.get("FAULT_EVENTS", "2000"))


@dataclass
class Ledger:
    """What was sent, and where to look for what became of it."""

    url: str
    bootstrap: str
    prefix: str = field(default_factory=lambda: f"f{uuid4().hex[:8]}.")
    kills: int = 0
    started: list[asyncio.subprocess.Process] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def broker(self) -> KafkaBroker:
        return KafkaBroker(self.bootstrap, prefix=self.prefix)

    async def prepare(self) -> None:
        await create_tables(self.url)
        await self.broker().create([TOPICS[INPUT], TOPICS[OUTPUT], DEAD_TOPICS[INPUT + ".dead"]])

    async def send(self, numbers: Sequence[int]) -> None:
        broker = self.broker()
        for at in range(0, len(numbers), 500):
            await broker.publish([answer(n) for n in numbers[at : at + 500]])
        await broker.stop()

    async def start(self, failpoints: str = "") -> asyncio.subprocess.Process:
        environment = {**os.environ, "AFTERCALL_FAILPOINTS": failpoints}
        command = (sys.executable, "-m", "tests.support.toy", self.url, self.bootstrap, self.prefix)
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)
        self.started.append(process)
        return process

    async def die_at(self, failpoint: str, *, times: int) -> None:
        """Start, be killed at the failpoint, start again …; every process dies of SIGKILL at that line."""
        for _ in range(times):
            process = await self.start(f"{failpoint}=kill@2")
            assert await asyncio.wait_for(process.wait(), 90) == -signal.SIGKILL
            self.kills += 1

    async def finish(self, expected: int) -> None:
        """A process nobody kills does the rest."""
        process = await self.start()
        toy = Toy(self.url, self.broker())
        await toy.until("select count(distinct answer) from effect", expected, seconds=120)
        await toy.until("select count(*) from outbox", 0, seconds=60)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0
        await toy.database.close()

    async def check(self, case: str, expected: int) -> dict[str, Any]:
        """0 lost, 0 double effects, or the test fails; the rest is printed."""
        toy = Toy(self.url, self.broker())
        effects = await toy.effects()
        wire = [json.loads(record.value or b"")["consent"]["address_ref"] for record in await self.output()]
        await toy.database.close()
        return VERDICTS.say(
            case,
            events=expected,
            lost=expected - len(effects) + (expected - len(set(wire))),
            duplicates={"duplicate_effects": sum(times - 1 for times in effects.values())},
            began=self.began,
            service="toy",
            wire_duplicates=sum(times - 1 for times in Counter(wire).values()),
            kills=self.kills,
        )

    async def output(self) -> list[Record]:
        return await read_all(self.broker(), OUTPUT)


@pytest.fixture
async def ledger(database_url: str, kafka_servers: str) -> AsyncIterator[Ledger]:
    made = Ledger(database_url, kafka_servers)
    await made.prepare()
    yield made
    for process in made.started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a1_killed_after_the_database_commit_before_the_offset_commit(ledger: Ledger) -> None:
    await ledger.send(range(EVENTS))
    await ledger.die_at("public.after_db_commit", times=4)
    await ledger.finish(EVENTS)
    assert (await ledger.check("A1", EVENTS))["kills"] == 4


async def test_a2_killed_inside_the_database_transaction(ledger: Ledger) -> None:
    await ledger.send(range(EVENTS))
    await ledger.die_at("public.before_db_commit", times=4)
    await ledger.finish(EVENTS)
    await ledger.check("A2", EVENTS)


async def test_a3_killed_between_commit_and_publish(ledger: Ledger) -> None:
    await ledger.send(range(EVENTS))
    await ledger.die_at("public.relay.before_publish", times=4)
    await ledger.finish(EVENTS)
    await ledger.check("A3", EVENTS)


async def test_a4_killed_after_the_brokers_ack_before_the_row_is_gone(ledger: Ledger) -> None:
    await ledger.send(range(EVENTS))
    await ledger.die_at("public.relay.after_ack", times=4)
    await ledger.finish(EVENTS)
    found = await ledger.check("A4", EVENTS)
    assert 0 < found["wire_duplicates"] <= RELAY_BATCH * found["kills"]


async def test_b6_a_commit_refused_after_a_rebalance_drops_the_batch_and_the_new_owner_goes_on(ledger: Ledger) -> None:
    """Replicas come and go while events flow: each joining and leaving takes partitions away in the middle of the work."""
    process = await ledger.start()
    for chunk in range(4):
        await ledger.send(range(chunk * EVENTS // 4, (chunk + 1) * EVENTS // 4))
        second = await ledger.start()
        await asyncio.sleep(4)
        second.kill()
        await second.wait()
        ledger.kills += 1
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 60) == 0
    await ledger.finish(EVENTS)
    await ledger.check("B6", EVENTS)


async def test_b7_the_same_ids_again_at_other_offsets_and_partitions(ledger: Ledger) -> None:
    await ledger.send(range(EVENTS))
    broker = ledger.broker()
    await broker.publish([answer(n, key=f"elsewhere-{n}") for n in range(0, EVENTS, 10)])
    await broker.stop()
    await ledger.finish(EVENTS)
    await ledger.send([EVENTS])
    await ledger.finish(EVENTS + 1)
    await ledger.check("B7", EVENTS + 1)


async def test_b8_the_same_ids_with_other_bodies_are_kept_as_conflicts(ledger: Ledger) -> None:
    await ledger.send(range(EVENTS))
    broker = ledger.broker()
    await broker.publish([answer(n, score=1) for n in range(0, EVENTS, 100)])
    await broker.stop()
    await ledger.finish(EVENTS)
    toy = Toy(ledger.url, ledger.broker())
    process = await ledger.start()
    await toy.until("select coalesce(sum(count), 0) as count from dead_letter where reason = 'conflict'", -(-EVENTS // 100), seconds=60)
    process.terminate()
    await process.wait()
    assert await toy.count("select count(*) from effect where score <> 7") == 0
    await toy.database.close()
    await ledger.check("B8", EVENTS)

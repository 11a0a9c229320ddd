"""Replicas that come, go and stand still while events flow, and topics that grow, on the real services."""

import asyncio
import signal
import time
from datetime import UTC, datetime

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from shared.runtime.reading import Reading
from shared.topics import TOPICS
from tests.support.checking import judged, settle
from tests.support.fleet import GRACE_S, SERVICES, Replica
from tests.support.ledger import CONTACTS
from tests.support.outsiders import answering, steadily
from tests.support.scene import Scene

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

BATCH = Reading().batch
PHONE = "interactions.phone"
TURN_S, TURNS = 15.0, 12
STILL_S = 20
"""Longer than a session, and than it takes the group to notice."""


async def read_again(*replicas: Replica) -> int:
    """Events that these have read although they were stored or another replica's."""
    repeated = [await each.metric("aftercall_ingest_events_repeated_total") for each in replicas]
    others = [await each.metric("aftercall_consumer_records_total", result="not_ours") for each in replicas]
    return int(sum(repeated) + sum(others))


async def test_b4_a_second_replica_joins_and_leaves_every_fifteen_seconds(scene: Scene) -> None:
    """For three minutes, by turns with SIGTERM and SIGKILL. A rebalance may have at most one batch read again."""
    first = (await scene.fleet.start_all("ingest"))["ingest"]
    again, began = 0, time.monotonic()
    telling = asyncio.create_task(steadily(scene.ledger, range(CONTACTS), a_second=CONTACTS // int(TURN_S * TURNS), repeating=0))
    for turn in range(TURNS):
        second = await (await scene.fleet.start("ingest")).ready()
        await asyncio.sleep(began + TURN_S * (turn + 0.7) - time.monotonic())
        again += await read_again(second)
        if turn % 2:
            await second.kill()
            scene.fleet.kills += 1
        else:
            assert await second.stop() == 0, second.said()
        await asyncio.sleep(began + TURN_S * (turn + 1) - time.monotonic())
    await telling
    await settle(scene.fleet, scene.ledger, "ingest")
    assert first.alive
    again += await read_again(first)
    rebalances = 2 * TURNS
    await judged("B4", scene.fleet, scene.ledger, "ingest", began=scene.began, joined=TURNS, rebalances=rebalances, read_again=again)
    assert again <= rebalances * BATCH


async def test_a8_sigterm_under_load_and_during_a_rebalance(scene: Scene) -> None:
    """Each service in turn, in the middle of its work; then ingest again, while a second replica of it is joining."""
    running, stopped = await scene.fleet.start_all(), dict[str, float]()
    async with answering(scene):
        await scene.ledger.tell(range(CONTACTS // 2), repeating=0)
        for service in SERVICES:
            await scene.fleet.until(f"select least(1, sum(next)) from {service}.consumer_offset", 1)
            stopped[service] = await _stopped(running[service])
            running[service] = await (await scene.fleet.start(service)).ready()
        second = await scene.fleet.start("ingest")
        await scene.ledger.tell(range(CONTACTS // 2, CONTACTS), repeating=0)
        await second.ready()
        stopped["ingest while another joins"] = await _stopped(running["ingest"])
        await settle(scene.fleet, scene.ledger)
    again = await read_again(second)
    await judged("A8", scene.fleet, scene.ledger, began=scene.began, stopped_after_s=stopped, read_again=again)
    assert again <= BATCH


async def _stopped(replica: Replica) -> float:
    """Seconds from SIGTERM to exit code 0, within the grace period."""
    began = time.monotonic()
    assert await replica.stop() == 0, replica.said()
    assert time.monotonic() - began < GRACE_S
    return round(time.monotonic() - began, 1)


async def test_b6_a_reader_that_stood_still_while_the_group_went_on_drops_its_batch(scene: Scene) -> None:
    """Still in the middle of a batch for longer than its session, once right before it is stored: the group gives all of it to another,
    who reads on. When it goes on, the broker refuses its commit, the database refuses its batch, and it lives."""
    first = await (await scene.fleet.start("ingest", failpoints=f"ingest.before_db_commit=block:{STILL_S}@2")).ready()
    second = await (await scene.fleet.start("ingest")).ready()
    await scene.both_have_partitions("ingest", PHONE)
    owners = await _owners(scene)
    telling = asyncio.create_task(scene.ledger.tell(range(CONTACTS // 4), repeating=0))
    await scene.fleet.until(f"select count(distinct owner) from ingest.consumer_offset where topic = '{PHONE}'", 1)
    assert await _owners(scene) < owners
    await telling
    await scene.both_have_partitions("ingest", PHONE)
    refused = await first.metric("aftercall_consumer_lost_partitions_total")
    assert refused > 0
    for chunk in range(1, 4):
        stands_still = (first, second)[chunk % 2]
        owners, numbers = await _owners(scene), range(chunk * CONTACTS // 4, (chunk + 1) * CONTACTS // 4)
        telling = asyncio.create_task(scene.ledger.tell(numbers, repeating=0))
        await scene.fleet.until(f"select least(count(*), 1) from ingest.event where received > '{datetime.now(UTC)}'", 1)
        stands_still.process.send_signal(signal.SIGSTOP)
        await scene.fleet.until(f"select count(distinct owner) from ingest.consumer_offset where topic = '{PHONE}'", 1)
        assert await _owners(scene) < owners
        await telling
        stands_still.process.send_signal(signal.SIGCONT)
        await scene.both_have_partitions("ingest", PHONE)
    await settle(scene.fleet, scene.ledger, "ingest")
    assert first.alive
    assert second.alive
    lost = [await each.metric("aftercall_consumer_lost_partitions_total") for each in (first, second)]
    told = {"stood_still": 4, "batches_refused_for_partitions": int(sum(lost)), "read_again": await read_again(first, second)}
    await judged("B6", scene.fleet, scene.ledger, "ingest", began=scene.began, **told)


async def _owners(scene: Scene) -> set[object]:
    found = await scene.fleet.rows(f"select distinct owner from ingest.consumer_offset where topic = '{PHONE}'")
    return {each["owner"] for each in found}


async def test_b13_partitions_doubled_while_running(scene: Scene) -> None:
    """A topic that grows under its reader: keys move to other partitions, and the new ones are read as the old ones are."""
    await scene.fleet.start_all("ingest")
    await scene.ledger.tell(range(CONTACTS // 2))
    await settle(scene.fleet, scene.ledger, "ingest")
    doubled = 2 * TOPICS[PHONE].partitions
    await _grow(scene, PHONE, doubled)
    grown, writer = time.monotonic(), scene.fleet.broker()
    scene.ledger.broker = writer  # one that has never known the topic smaller
    await scene.ledger.tell(range(CONTACTS // 2, CONTACTS))
    read = f"select count(*) from ingest.consumer_offset where topic = '{PHONE}' and next > 0"
    await scene.fleet.until(read, doubled, seconds=300)
    read_after = round(time.monotonic() - grown, 1)
    await settle(scene.fleet, scene.ledger, "ingest")
    await judged("B13", scene.fleet, scene.ledger, "ingest", began=scene.began, partitions=doubled, all_read_after_s=read_after)
    await writer.stop()


async def _grow(scene: Scene, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=scene.fleet.bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({scene.fleet.prefix + topic: NewPartitions(partitions)})
    finally:
        await admin.close()

"""The real services, a process each: started without what they need, standing still, and with a backlog that does not fit into memory."""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psutil
import pytest

from shared.runtime.broker import Outgoing
from tests.support.checking import judged, settle
from tests.support.fleet import SERVICES, Replica, platform_key
from tests.support.ledger import ACCOUNT, CONTACTS
from tests.support.outsiders import answering, ready
from tests.support.scene import Scene
from tests.support.verdicts import VERDICTS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

NOBODY_LISTENS = "127.0.0.1:9"
BLOCKED_S = 20
BACKLOG = 300_000
MEMORY_MIB = 512


async def test_b5_a_handler_that_blocks_the_loop_for_twenty_seconds(scene: Scene) -> None:
    """Longer than a session, in a transaction of each service. The batch is applied once, the delay is seen, nobody ends."""
    running = [await scene.fleet.start(each, failpoints=f"{each}.before_db_commit=block:{BLOCKED_S}@2") for each in SERVICES]
    async with answering(scene):
        await scene.ledger.tell(range(CONTACTS))
        await settle(scene.fleet, scene.ledger)
    lags = {each.service: await each.metric("aftercall_event_loop_lag_max_seconds") for each in running}
    assert all(each.alive for each in running)
    assert min(lags.values()) > 15, lags
    await judged("B5", scene.fleet, scene.ledger, began=scene.began, loop_lag_s={name: round(lag, 1) for name, lag in lags.items()})


async def test_b12_without_their_broker_services_wait_serve_and_tell_later(scene: Scene) -> None:
    """What comes over HTTP meanwhile is stored. They are stopped, and with the broker there all of it is told."""
    scene.fleet.variables["AFTERCALL_KAFKA_BOOTSTRAP"] = NOBODY_LISTENS
    alone, key = await scene.fleet.start_all(), await platform_key(scene.fleet)
    for at in range(0, CONTACTS, 100):
        await scene.ledger.post(range(at, min(at + 100, CONTACTS)), alone["ingest"].url, key)
    assert [await ready(replica) for replica in alone.values()] == [True] * len(alone)
    codes = [await replica.stop() for replica in alone.values()]
    assert codes == [0] * len(alone), [replica.said() for replica in alone.values()]
    del scene.fleet.variables["AFTERCALL_KAFKA_BOOTSTRAP"]
    await scene.fleet.start_all()
    async with answering(scene):
        await settle(scene.fleet, scene.ledger)
    await judged("B12", scene.fleet, scene.ledger, began=scene.began, without="broker", exit_codes=codes)


async def test_b12_without_their_topics_services_end_and_name_the_command_that_mends_it(scene: Scene) -> None:
    scene.fleet.prefix = f"none{uuid4().hex[:8]}."
    started = [await scene.fleet.start(service) for service in SERVICES]
    codes = [await asyncio.wait_for(replica.process.wait(), 90) for replica in started]
    assert codes == [1] * len(started)
    assert all("python -m shared.runtime.kafka create-topics" in replica.said() for replica in started)
    VERDICTS.say("B12", events=0, lost=0, duplicates={}, began=scene.began, without="topics", exit_codes=codes)


async def test_b15_a_backlog_of_three_hundred_thousand_is_read_in_little_memory(scene: Scene) -> None:
    """The kernel gives the process no more. What it uses while it reads the last third is what it used before."""
    told = time.monotonic()
    await scene.ledger.publish(_backlog())
    publishing = round(time.monotonic() - told, 1)
    ingest = await scene.fleet.start("ingest", data_mib=MEMORY_MIB)
    began = time.monotonic()
    used = [await _used_until(scene, ingest, events=BACKLOG * third // 3) for third in (1, 2, 3)]
    seconds = time.monotonic() - began
    stored = await scene.fleet.count("select count(distinct (root, leg, kind)) from ingest.event")
    assert await ingest.stop() == 0, ingest.said()
    assert used[2] < 1.25 * used[1], used
    VERDICTS.say(
        "B15",
        events=BACKLOG,
        lost=BACKLOG - stored,
        duplicates={"duplicate_events": await scene.fleet.count("select count(*) from ingest.event") - stored},
        began=scene.began,
        most_mib_by_third=[round(each) for each in used],
        published_in_s=publishing,
        caught_up_in_s=round(seconds, 1),
        events_per_s=round(BACKLOG / seconds),
    )


async def _used_until(scene: Scene, replica: Replica, *, events: int) -> float:
    """The most memory the process used until so many events were stored, in MiB."""
    process, most = psutil.Process(replica.process.pid), 0.0
    async with asyncio.timeout(600):
        while await scene.fleet.count("select count(*) from ingest.event") < events:
            assert replica.alive, replica.said()
            most = max(most, process.memory_info().rss / 1_048_576)
            await asyncio.sleep(0.5)
    return most


def _backlog() -> Iterator[Outgoing]:
    """Three events each of a hundred thousand contacts, whose times are an hour ago."""
    began = datetime.now(UTC) - timedelta(hours=1)
    steps = [("started", began), ("connected", began + timedelta(seconds=20)), ("ended", began + timedelta(seconds=300))]
    for number in range(BACKLOG // len(steps)):
        ref = f"backlog-{number}"
        said = {"account": ACCOUNT, "contact": ref, "channel": "phone", "direction": "inbound", "customer": {"member_id": f"M-{number}"}}
        for event, at in steps:
            body = {**said, "id": f"{ref}-{event}", "event": event, "at": at.isoformat()}
            yield Outgoing("interactions.phone", ref.encode(), json.dumps(body).encode(), ())

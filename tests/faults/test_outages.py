"""The broker, the database and the network gone and back again under the real services, which nobody restarts."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.support.checking import judged, settle
from tests.support.fault_proxy import fault_proxy
from tests.support.fleet import SERVICES, Replica, platform_key
from tests.support.kafka_behind_proxy import TwoDoors
from tests.support.ledger import Ledger
from tests.support.postgres import Databases
from tests.support.scene import Scene

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

DOWN_S = 30.0


@asynccontextmanager
async def answering(scene: Scene) -> AsyncIterator[None]:
    """Customers answer as they are asked."""
    task = asyncio.create_task(scene.ledger.answer(scene.gateway))
    try:
        yield
    finally:
        task.cancel()


async def steadily(ledger: Ledger, numbers: range, *, a_second: int) -> None:
    """So many contacts begin and end every second."""
    for at in range(numbers.start, numbers.stop, a_second):
        await ledger.tell(range(at, min(at + a_second, numbers.stop)))
        await asyncio.sleep(1)


async def test_a7_every_service_killed_every_ten_seconds_under_load(scene: Scene) -> None:
    """Forty seconds of it, not three minutes. A failed service is started again at once, as a supervisor would."""
    running = await scene.fleet.start_all()
    rng = random.Random(7)
    async with answering(scene):
        telling, first = asyncio.create_task(steadily(scene.ledger, range(600), a_second=16)), time.monotonic()
        for _ in range(4):
            await asyncio.sleep(6)
            for service in rng.sample(SERVICES, 3):
                await asyncio.sleep(1.3)
                await running[service].kill()
                scene.fleet.kills += 1
                running[service] = await scene.fleet.start(service)
        killed_for = round(time.monotonic() - first, 1)
        await telling
        last = time.monotonic()
        await settle(scene.fleet, scene.ledger)
        caught_up = round(time.monotonic() - last, 1)
    await judged("A7", scene.fleet, scene.ledger, began=scene.began, killed_for_s=killed_for, caught_up_s=caught_up)


async def test_a9_postgres_stopped_immediately_under_load(scene: Scene, databases: Databases) -> None:
    """Not ready meanwhile, and no service is restarted."""
    running = await scene.fleet.start_all()
    async with answering(scene):
        telling = asyncio.create_task(steadily(scene.ledger, range(300), a_second=20))
        for _ in range(2):
            await asyncio.sleep(4)
            await asyncio.to_thread(databases.server.kill)
            scene.fleet.kills += 1
            assert not await ready(running["scoring"])
            await asyncio.sleep(2)
            await asyncio.to_thread(databases.server.start)
        await telling
        await settle(scene.fleet, scene.ledger)
    assert all(replica.alive for replica in running.values())
    for replica in running.values():
        await replica.ready()
    await judged("A9", scene.fleet, scene.ledger, began=scene.began)


async def test_b1_the_broker_down_for_half_a_minute(scene: Scene, broker_with_two_doors: TwoDoors) -> None:
    """Nobody ends, `/readyz` stays 200, what comes over HTTP is stored and told later."""
    running = await scene.fleet.start_all()
    key = await platform_key(scene.fleet)
    async with answering(scene):
        await scene.ledger.tell(range(100))
        await asyncio.sleep(3)
        await asyncio.to_thread(broker_with_two_doors.kill)
        down = time.monotonic()
        accepted = 0
        while time.monotonic() - down < DOWN_S:
            if accepted < 100:
                accepted += await scene.ledger.post(range(100 + accepted, 110 + accepted), running["ingest"].url, key)
            assert [await ready(replica) for replica in running.values()] == [True] * 3
            assert await page_served(scene, running["scoring"])
            await asyncio.sleep(1)
        await asyncio.to_thread(broker_with_two_doors.start)
        back = time.monotonic()
        await settle(scene.fleet, scene.ledger)
        caught_up = round(time.monotonic() - back, 1)
    assert all(replica.alive for replica in running.values())
    await judged("B1", scene.fleet, scene.ledger, began=scene.began, down_s=DOWN_S, posted_meanwhile=accepted, caught_up_s=caught_up)


async def test_b2_the_broker_restarted_while_consumers_idle(scene: Scene, broker_with_two_doors: TwoDoors) -> None:
    """The next event is read within 30 seconds."""
    running = await scene.fleet.start_all("ingest")
    await scene.ledger.tell(range(3))
    await settle(scene.fleet, scene.ledger, "ingest")
    await asyncio.to_thread(broker_with_two_doors.kill)
    await asyncio.to_thread(broker_with_two_doors.start)
    await scene.ledger.tell(range(3, 6))
    told = time.monotonic()
    await scene.fleet.until("select count(distinct root) from ingest.event", 6, seconds=150)
    read_after = round(time.monotonic() - told, 1)
    await settle(scene.fleet, scene.ledger, "ingest")
    assert running["ingest"].alive
    await judged("B2", scene.fleet, scene.ledger, "ingest", began=scene.began, read_after_s=read_after)


async def test_b3_the_way_to_the_broker_a_black_hole(scene: Scene, broker_with_two_doors: TwoDoors) -> None:
    """Sixty seconds in which bytes vanish and no connection ends; then everything goes on by itself."""
    async with fault_proxy("127.0.0.1", broker_with_two_doors.inner, listen=broker_with_two_doors.front) as proxy:
        scene.fleet.variables["AFTERCALL_KAFKA_BOOTSTRAP"] = f"127.0.0.1:{proxy.port}"
        running = await scene.fleet.start_all("ingest")
        await scene.ledger.tell(range(300))
        await asyncio.sleep(1)
        proxy.black_hole()
        await scene.ledger.tell(range(300, 600))
        await asyncio.sleep(60)
        assert await ready(running["ingest"])
        proxy.mend()
        mended = time.monotonic()
        await settle(scene.fleet, scene.ledger, "ingest")
        caught_up = round(time.monotonic() - mended, 1)
        assert running["ingest"].alive
        await judged("B3", scene.fleet, scene.ledger, "ingest", began=scene.began, black_hole_s=60, caught_up_s=caught_up)


async def test_b4_a_second_replica_joins_and_leaves(scene: Scene) -> None:
    """Three times, by turns with SIGTERM and SIGKILL."""
    first = (await scene.fleet.start_all("ingest"))["ingest"]
    telling = asyncio.create_task(steadily(scene.ledger, range(900), a_second=30))
    for turn in range(3):
        second = await scene.fleet.start("ingest")
        await second.ready()
        await asyncio.sleep(5)
        if turn % 2:
            await second.kill()
            scene.fleet.kills += 1
        else:
            assert await second.stop() == 0, second.said()
        await asyncio.sleep(2)
    await telling
    await settle(scene.fleet, scene.ledger, "ingest")
    assert first.alive
    await judged("B4", scene.fleet, scene.ledger, "ingest", began=scene.began, joined=3)


async def ready(replica: Replica) -> bool:
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(f"{replica.internal_url}/readyz")).is_success


async def page_served(scene: Scene, scoring: Replica) -> bool:
    """A customer's link still opens."""
    link = scene.gateway.delivered[0].body.partition("/s/")[2].split()[0].rstrip(".")
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(f"{scoring.url}/s/{link}")).is_success

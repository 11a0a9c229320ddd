"""The broker, the database and the network gone and back again under the real services, which nobody restarts."""

import asyncio
import json
import random
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.bench.goals import percentile
from tests.support.checking import judged, settle
from tests.support.fault_proxy import fault_proxy
from tests.support.fleet import SERVICES, Replica, platform_key
from tests.support.kafka_behind_proxy import TwoDoors
from tests.support.ledger import CONTACTS
from tests.support.outsiders import SIGNED, answering, ready, signing, steadily
from tests.support.postgres import Databases
from tests.support.scene import Scene

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

DOWN_S = 120.0
FIRST, POSTED, HOOKED = 402, 600, 390
"""Contacts of B1: told before by Kafka; then twice, with the broker and without, by HTTP with a key and in a signed webhook each."""
BLACK_HOLE_S = 60.0
KILLING_S = 180.0


async def test_a7_every_service_killed_every_ten_seconds_under_load(scene: Scene) -> None:
    """Three minutes at a hundred records a second, a third of them told twice. A failed service is started again at once, as a supervisor
    would."""
    running = await scene.fleet.start_all()
    async with answering(scene):
        told = steadily(scene.ledger, range(13 * int(KILLING_S)), a_second=13, repeating=2)
        telling, first = asyncio.create_task(told), time.monotonic()
        await _kill_in_turn(scene, running, seconds=KILLING_S)
        last = time.monotonic()
        await telling
        await settle(scene.fleet, scene.ledger)
        caught_up = round(time.monotonic() - last, 1)
    killed_for = round(last - first, 1)
    await judged(
        "A7", scene.fleet, scene.ledger, began=scene.began, repeats=scene.ledger.repeats, killed_for_s=killed_for, caught_up_s=caught_up
    )
    assert caught_up <= 5 * 60


async def _kill_in_turn(scene: Scene, running: dict[str, Replica], *, seconds: float) -> None:
    """Each of the three once in every ten seconds, in another order every time."""
    rng, began = random.Random(7), time.monotonic()
    for turn in range(int(seconds / 10)):
        for place, service in enumerate(rng.sample(SERVICES, 3)):
            await asyncio.sleep(began + 10 * turn + 10 * (place + 1) / 3 - time.monotonic())
            await running[service].kill()
            scene.fleet.kills += 1
            running[service] = await scene.fleet.start(service)


async def test_a9_postgres_stopped_immediately_under_load(scene: Scene, databases: Databases) -> None:
    """Not ready meanwhile, and no service is restarted."""
    running = await scene.fleet.start_all()
    async with answering(scene):
        telling = asyncio.create_task(steadily(scene.ledger, range(CONTACTS), a_second=80))
        for _ in range(3):
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


async def test_b1_the_broker_down_for_two_minutes(scene: Scene, broker_with_two_doors: TwoDoors) -> None:
    """Nobody ends, `/readyz` stays 200, the survey page is served, what comes over HTTP is stored and told later. Two minutes of the same
    with the broker there come first, so that it shows what a signed webhook takes without it."""
    scene.fleet.variables["INGEST_WEBHOOK_SOURCES"] = json.dumps([SIGNED.model_dump(exclude_defaults=True)])
    running, key = await scene.fleet.start_all(), await platform_key(scene.fleet)
    async with answering(scene):
        await scene.ledger.tell(range(FIRST))
        await scene.fleet.until("select least(count(*), 100) from scoring.survey where state = 'sent'", 100)
        there = await accepting(scene, running, key, first=FIRST)
        async with away(broker_with_two_doors):
            gone = await accepting(scene, running, key, first=FIRST + POSTED + HOOKED)
        back = time.monotonic()
        await settle(scene.fleet, scene.ledger)
        caught_up = round(time.monotonic() - back, 1)
    assert all(replica.alive for replica in running.values())
    took = {"webhook_ms_broker_there": in_ms(there), "webhook_ms_broker_away": in_ms(gone)}
    meanwhile = {"down_s": DOWN_S, "posted_meanwhile": POSTED, "webhooks_meanwhile": len(gone), "caught_up_s": caught_up}
    await judged("B1", scene.fleet, scene.ledger, began=scene.began, repeats=scene.ledger.repeats, **meanwhile, **took)
    assert statistics.median(gone) <= 5 * statistics.median(there)
    assert max(gone) < 5


async def accepting(scene: Scene, running: dict[str, Replica], key: str, *, first: int) -> list[float]:
    """For as long as the broker is away what comes over HTTP is taken, six contacts at a time with a key and one by one in signed webhooks:
    the seconds that each of these took."""
    keyed, hooked, url = range(first, first + POSTED), range(first + POSTED, first + POSTED + HOOKED), running["ingest"].url
    async with asyncio.TaskGroup() as group:
        hooks = group.create_task(signing(scene.ledger, hooked, url, a_second=HOOKED / DOWN_S))
        began, posted = time.monotonic(), 0
        while time.monotonic() - began < DOWN_S or posted < POSTED:
            due = keyed[posted : posted + 6]
            posted += await scene.ledger.post(due, url, key) if due else 0
            assert [await ready(replica) for replica in running.values()] == [True] * 3
            assert await page_served(scene, running["scoring"])
            await asyncio.sleep(1 if time.monotonic() - began < DOWN_S else 0)
    return hooks.result()


def in_ms(seconds: Sequence[float]) -> dict[str, float]:
    return {"median": round(1e3 * statistics.median(seconds), 1), "p99": round(1e3 * percentile(seconds, 0.99), 1)}


async def test_b2_the_broker_restarted_while_consumers_idle(scene: Scene, broker_with_two_doors: TwoDoors) -> None:
    """The next event is read within 30 seconds."""
    running = await scene.fleet.start_all("ingest")
    await scene.ledger.tell(range(3))
    await settle(scene.fleet, scene.ledger, "ingest")
    async with away(broker_with_two_doors):
        assert await ready(running["ingest"])
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
        await scene.ledger.tell(range(CONTACTS // 2))
        await scene.fleet.until("select least(count(*), 500) from ingest.event", 500)
        proxy.black_hole()
        gone = time.monotonic()
        await scene.ledger.tell(range(CONTACTS // 2, CONTACTS))
        while time.monotonic() - gone < BLACK_HOLE_S:
            assert await ready(running["ingest"])
            await asyncio.sleep(1)
        proxy.mend()
        mended = time.monotonic()
        await settle(scene.fleet, scene.ledger, "ingest")
        caught_up = round(time.monotonic() - mended, 1)
        assert running["ingest"].alive
        await judged("B3", scene.fleet, scene.ledger, "ingest", began=scene.began, black_hole_s=BLACK_HOLE_S, caught_up_s=caught_up)


@asynccontextmanager
async def away(broker: TwoDoors) -> AsyncIterator[None]:
    """Cut down, and there again afterwards, however it went: the cases that follow need it."""
    await asyncio.to_thread(broker.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(broker.start)


async def page_served(scene: Scene, scoring: Replica) -> bool:
    """A customer's link still opens."""
    link = scene.gateway.delivered[0].body.partition("/s/")[2].split()[0].rstrip(".")
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(f"{scoring.url}/s/{link}")).is_success

"""A whole process against Apache Kafka: stopped under load, started without its broker, started without its topics."""

import asyncio
import json
import os
import signal
import sys
import time
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.runtime.database import rows
from shared.runtime.kafka import KafkaBroker
from shared.topics import TOPICS
from tests.support.toy import INPUT, OUTPUT, Toy, answer, create_tables
from tests.support.verdicts import VERDICTS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.short]

EVENTS = 3_000
GRACE_S = 30.0


async def _start(url: str, bootstrap: str, prefix: str) -> asyncio.subprocess.Process:
    variables = {"AFTERCALL_DATABASE_URL": url, "AFTERCALL_KAFKA_BOOTSTRAP": bootstrap, "AFTERCALL_TOPIC_PREFIX": prefix}
    ports = {"TOY_PUBLIC_PORT": "0", "TOY_INTERNAL_PORT": "0"}
    command = (sys.executable, "-m", "tests.support.served", "run")
    return await asyncio.create_subprocess_exec(*command, env={**os.environ, **variables, **ports}, stderr=asyncio.subprocess.PIPE)


async def _port(process: asyncio.subprocess.Process, name: str) -> int:
    """From the line in which the process says where it serves."""
    assert process.stderr is not None
    async for line in process.stderr:
        said = json.loads(line)
        if said["event"] == "serving" and said["task"] == name:
            return int(said["port"])
    raise AssertionError("the process ended without serving")


async def _committed(bootstrap: str, prefix: str) -> dict[int, int | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=f"{prefix}aftercall-toy", enable_auto_commit=False)
    await consumer.start()
    places = [TopicPartition(prefix + INPUT, number) for number in range(TOPICS[INPUT].partitions)]
    found = {place.partition: await consumer.committed(place) for place in places}
    await consumer.stop()
    return found


async def test_a8_sigterm_under_load_exits_with_0_and_nothing_is_read_twice(database_url: str, kafka_servers: str) -> None:
    prefix, began = f"s{uuid4().hex[:8]}.", time.monotonic()
    await create_tables(database_url)
    toy = Toy(database_url, KafkaBroker(kafka_servers, prefix=prefix))
    await toy.broker.create([TOPICS[INPUT], TOPICS[OUTPUT]])
    process = await _start(database_url, kafka_servers, prefix)
    for at in range(0, EVENTS, 500):
        await toy.broker.publish([answer(number) for number in range(at, at + 500)])
    async with asyncio.timeout(60):
        while not await toy.count("select count(*) from effect"):  # noqa: ASYNC110  # the row is written by the process
            await asyncio.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, logged = await asyncio.wait_for(process.communicate(), GRACE_S)
    assert process.returncode == 0, logged.decode()

    async with toy.database.transaction() as unit:
        stored = {each["partition"]: each["next"] for each in await rows(unit.tx, "select partition, next from consumer_offset")}
    committed = await _committed(kafka_servers, prefix)
    assert {place: offset for place, offset in stored.items() if offset} == {place: offset for place, offset in committed.items() if offset}

    again = await _start(database_url, kafka_servers, prefix)
    await toy.until("select count(distinct answer) from effect", EVENTS, seconds=90)
    again.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(again.wait(), GRACE_S) == 0
    effects = await toy.effects()
    VERDICTS.say(
        "A8",
        events=EVENTS,
        lost=EVENTS - len(effects),
        duplicates={"duplicate_effects": sum(effects.values()) - len(effects)},
        began=began,
        service="toy",
    )
    await toy.database.close()
    await toy.broker.stop()


async def test_b12_without_its_broker_a_process_waits_and_serves(database_url: str) -> None:
    began = time.monotonic()
    await create_tables(database_url)
    process = await _start(database_url, "127.0.0.1:9", "x.")
    port = await asyncio.wait_for(_port(process, "internal"), 30)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/readyz")).json()["ready"]
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), GRACE_S)
    assert process.returncode == 0
    VERDICTS.say("B12", events=0, lost=0, duplicates={}, began=began, service="toy", without="broker", exit_code=process.returncode)


async def test_b12_without_its_topics_a_process_ends_and_names_the_command_that_mends_it(database_url: str, kafka_servers: str) -> None:
    began = time.monotonic()
    await create_tables(database_url)
    process = await _start(database_url, kafka_servers, f"none{uuid4().hex[:8]}.")
    _, logged = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    died = next(line for line in map(json.loads, logged.splitlines()) if line["event"] == "task died")
    assert (died["error"], INPUT in died["sentence"], "create-topics" in died["sentence"]) == ("TopicMissing", True, True)
    VERDICTS.say("B12", events=0, lost=0, duplicates={}, began=began, service="toy", without="topics", exit_code=process.returncode)

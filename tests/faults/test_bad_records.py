"""Records that cannot be read, and offsets that are no longer there, under the real services."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from shared.runtime.broker import Outgoing
from shared.schemas import SurveyAnswered
from shared.topics import TOPICS
from tests.support.checking import judged, settle
from tests.support.fleet import Fleet, Replica
from tests.support.ledger import CONTACTS, native
from tests.support.outsiders import answering
from tests.support.scene import Scene
from tests.support.whole import read_all

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

PHONE = "interactions.phone"
_OUT_OF_RANGE = "aftercall_consumer_out_of_range_total"


async def test_b11_offsets_out_of_range_are_read_from_the_earliest_and_said_loudly(scene: Scene) -> None:
    """While ingest is down the log loses its beginning, as retention does; then the topic is made anew, so that its offsets begin at 0."""
    ingest = (await scene.fleet.start_all("ingest"))["ingest"]
    await scene.ledger.tell(range(800), repeating=0)
    await settle(scene.fleet, scene.ledger, "ingest")
    assert await ingest.stop() == 0
    await scene.ledger.publish(record for number in range(10_000, 10_200) for record in native(number, ended=datetime.now(UTC)).records)
    await _cut_away(scene.fleet, PHONE)
    await scene.ledger.tell(range(800, 1_600), repeating=0)

    cut = (await scene.fleet.start_all("ingest"))["ingest"]
    await settle(scene.fleet, scene.ledger, "ingest")
    said_when_cut = await cut.metric(_OUT_OF_RANGE, topic=PHONE)
    assert said_when_cut > 0
    assert "out of range" in cut.said()
    assert await cut.stop() == 0

    await _make_anew(scene.fleet, PHONE)
    await scene.ledger.tell(range(1_600, CONTACTS), repeating=0)
    anew = (await scene.fleet.start_all("ingest"))["ingest"]
    await settle(scene.fleet, scene.ledger, "ingest")
    said_when_anew = await anew.metric(_OUT_OF_RANGE, topic=PHONE)
    assert said_when_anew > 0
    told = {"said_when_cut": said_when_cut, "said_when_made_anew": said_when_anew}
    await judged("B11", scene.fleet, scene.ledger, "ingest", began=scene.began, **told)


async def test_b16_a_topic_of_invalid_records_stops_survives_restarts_and_is_resumed(scene: Scene) -> None:
    """Twenty in a row; HTTP is still served and other topics are still read."""
    ingest = (await scene.fleet.start_all("ingest"))["ingest"]
    await scene.ledger.tell(range(100))
    await settle(scene.fleet, scene.ledger, "ingest")
    await scene.ledger.publish(Outgoing(PHONE, b"one", f'{{"broken": {n}, '.encode(), ()) for n in range(60))
    await scene.fleet.until("select count(*) from ingest.topic_cap", 1)
    await scene.ledger.tell(range(100, 200))
    await asyncio.sleep(3)
    assert await _serves(ingest)
    assert await ingest.stop() == 0

    again = (await scene.fleet.start_all("ingest"))["ingest"]
    await asyncio.sleep(5)
    assert await _serves(again)
    read_while_stopped = await scene.fleet.count("select count(distinct root) from ingest.event") - 100
    assert read_while_stopped == 0
    assert await again.metric("aftercall_consumer_capped", topic=PHONE) == 1

    resumed = 0
    while await scene.fleet.count("select count(distinct root) from ingest.event") < 200:
        await _command(scene.fleet, "ingest", "dead-letters", "resume", PHONE)
        resumed += 1
        assert resumed < 6
        await asyncio.sleep(4)
    await settle(scene.fleet, scene.ledger, "ingest")
    buried = await scene.fleet.count("select count(*) from ingest.dead_letter where reason <> 'conflict'")
    assert buried == 60
    await judged("B16", scene.fleet, scene.ledger, "ingest", began=scene.began, invalid=60, dead_letters=buried, resumed=resumed)


async def test_b17_null_values_null_keys_and_odd_headers_never_crash_a_service(scene: Scene) -> None:
    """Between good records, to the raw topic and to one of ours: a dead letter, or a meaning, and the rest is processed."""
    running = await scene.fleet.start_all()
    odd = [_odd(topic, number) for topic in (PHONE, "survey.responses") for number in range(4)]
    await _publish_nothing(scene.fleet, PHONE, "survey.responses")
    async with answering(scene):
        await scene.ledger.publish(odd)
        await scene.ledger.tell(range(60))
        await scene.ledger.publish(odd)
        await settle(scene.fleet, scene.ledger)
    assert all(replica.alive for replica in running.values())
    letters: dict[str, int] = {}
    for service in ("ingest", "scoring"):
        found = await scene.fleet.rows(
            f"select topic, reason, path, sum(count) as times from {service}.dead_letter group by 1, 2, 3 order by 1, 2, 3"
        )
        letters |= {f"{each['topic']} {each['reason']} {each['path'] or ''}".strip(): int(str(each["times"])) for each in found}
    assert set(letters) >= {f"{PHONE} empty", "survey.responses null_value", "survey.responses not_utf8 headers.x-none"}, letters
    copies = [each for topic in (PHONE, "survey.responses") for each in await read_all(scene.ledger.broker, f"{topic}.dead")]
    assert len(copies) >= len(letters)
    await judged("B17", scene.fleet, scene.ledger, began=scene.began, odd=2 * len(odd) + 2, dead_letters=letters)


def _odd(topic: str, number: int) -> Outgoing:
    answer = SurveyAnswered(answer_id=f"odd-{uuid4()}", token=f"nobody-{number}", channel="sms", score=5)
    ours = (("ce_specversion", b"1.0"), ("ce_id", b"x"), ("ce_source", b"/odd"), ("ce_type", SurveyAnswered.TYPE.encode()))
    headers = ours if topic == "survey.responses" else (("x-odd", b"1"),)
    body = answer.encode() if topic == "survey.responses" else json.dumps({"id": str(uuid4()), "contact": "odd"}).encode()
    return (
        Outgoing(topic, b"key", None, ()),
        Outgoing(topic, None, body, (*headers, (headers[-1][0], b"another"))),
        Outgoing(topic, b"\xff\xfe", body, (("x-none", b"\xff\xfe"), *headers)),
        Outgoing(topic, b"", b"", headers),
    )[number]


async def _publish_nothing(fleet: Fleet, *topics: str) -> None:
    """Records with neither key nor value, which a producer only writes as a batch of its own."""
    async with AIOKafkaProducer(bootstrap_servers=fleet.bootstrap) as producer:
        for topic in topics:
            batch = producer.create_batch()
            batch.append(key=None, value=None, timestamp=None)
            await (await producer.send_batch(batch, fleet.prefix + topic, partition=0))


async def _cut_away(fleet: Fleet, topic: str) -> None:
    """Everything there is now, from the beginning of each partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=fleet.bootstrap)
    await admin.start()
    try:
        places = [TopicPartition(fleet.prefix + topic, number) for number in range(TOPICS[topic].partitions)]
        await admin.delete_records({place: RecordsToDelete(before_offset=-1) for place in places})
    finally:
        await admin.close()


async def _make_anew(fleet: Fleet, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=fleet.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([fleet.prefix + topic])
    finally:
        await admin.close()
    await asyncio.sleep(2)
    broker = fleet.broker()
    await broker.create([TOPICS[topic]])
    await broker.stop()


async def _serves(ingest: Replica) -> bool:
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(f"{ingest.internal_url}/readyz")).is_success and (
            await client.get(f"{ingest.url}/openapi.json")
        ).is_success


async def _command(fleet: Fleet, service: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", service, *arguments, env=fleet.environment(), stdout=asyncio.subprocess.PIPE
    )
    await asyncio.wait_for(process.communicate(), 60)

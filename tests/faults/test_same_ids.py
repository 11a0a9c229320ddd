"""The same ids again, with the same words and with others, and records too large: what real services make of them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from shared.runtime.broker import Outgoing
from tests.support.checking import effects, judged, settle
from tests.support.fleet import SERVICES, Fleet, platform_key
from tests.support.ledger import ACCOUNT, CONTACTS
from tests.support.outsiders import answering
from tests.support.scene import Scene
from tests.support.whole import read_all

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

PHONE, ANSWERS = "interactions.phone", "survey.responses"
_READ = "select coalesce(sum(next), 0) from {service}.consumer_offset where topic = '{topic}'"


async def test_b7_the_same_ids_again_at_other_offsets_in_other_partitions_and_days_later(scene: Scene) -> None:
    """Every tenth contact and every tenth answer: at once under other keys, and once more when all that was stored is six days old."""
    await scene.fleet.start_all()
    async with answering(scene):
        await scene.ledger.tell(range(CONTACTS), repeating=0)
        await settle(scene.fleet, scene.ledger)
    before = await effects(scene.fleet)
    events = [_elsewhere(record) for n in range(0, CONTACTS, 10) for record in scene.ledger.told[n].records]
    answers = [_elsewhere(scene.ledger.answer_of(n)) for n in range(0, CONTACTS, 10)]
    for days in (0, 6):
        await _grow_old(scene.fleet, days=days)
        await _publish_and_read(scene, (*events, *answers))
    assert await effects(scene.fleet) == before
    await judged("B7", scene.fleet, scene.ledger, began=scene.began, again=2 * (len(events) + len(answers)))


async def test_b8_the_same_ids_with_other_bodies_are_kept_as_conflicts_and_the_first_wins(scene: Scene) -> None:
    """Another agent, another time inside, another score."""
    await scene.fleet.start_all()
    async with answering(scene):
        await scene.ledger.tell(range(CONTACTS))
        await settle(scene.fleet, scene.ledger)
    before = await effects(scene.fleet)
    natives = [record for n in range(0, CONTACTS, 30) for record in scene.ledger.told[n].records]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    others = [_with(record, agent={"id": "agent-else"}) for record in natives] + [_with(record, at=later) for record in natives]
    scores = [scene.ledger.answer_of(n, score=1) for n in range(2, CONTACTS, 30)]
    await _publish_and_read(scene, (*others, *scores))
    conflicts = "select coalesce(sum(count), 0) from {service}.dead_letter where reason = 'conflict'"
    await scene.fleet.until(conflicts.format(service="ingest"), len(others))
    await scene.fleet.until(conflicts.format(service="scoring"), len(scores))
    assert await effects(scene.fleet) == before
    await judged("B8", scene.fleet, scene.ledger, began=scene.began, conflicts=len(others) + len(scores))


async def test_b14_a_record_over_the_limit_is_refused_by_http_and_a_dead_letter_from_kafka(scene: Scene) -> None:
    """The records before and after it in its partition are read as if it were not there."""
    limit = 100_000
    ingest = await (await scene.fleet.start("ingest", INGEST_RECORD_LIMIT=str(limit), INGEST_BODY_LIMIT=str(limit))).ready()
    await scene.ledger.tell(range(CONTACTS // 2))
    large = [_large(n, size=2 * limit) for n in range(10)]
    await scene.ledger.publish(large)
    await scene.ledger.tell(range(CONTACTS // 2, CONTACTS))
    headers = {"authorization": f"Bearer {await platform_key(scene.fleet)}", "content-type": "application/json"}
    async with httpx.AsyncClient(timeout=30) as client:
        refused = [await client.post(f"{ingest.url}/v1/events", content=each.value or b"", headers=headers) for each in large]
    assert {each.status_code for each in refused} == {413}
    await settle(scene.fleet, scene.ledger, "ingest")
    await scene.fleet.until("select count(*) from ingest.dead_letter where reason = 'too_large'", len(large))
    copies = await read_all(scene.ledger.broker, f"{PHONE}.dead")
    assert sorted(each.value or b"" for each in copies) == sorted(each.value or b"" for each in large)
    await judged("B14", scene.fleet, scene.ledger, "ingest", began=scene.began, too_large=len(large), refused_by_http=len(refused))


def _large(number: int, *, size: int) -> Outgoing:
    said = {"id": f"large-{number}", "account": ACCOUNT, "contact": f"large-{number}", "event": "ended", "channel": "phone"}
    body = json.dumps({**said, "at": datetime.now(UTC).isoformat(), "attributes": {"words": "x" * size}})
    return Outgoing(PHONE, f"call-{3 * number}".encode(), body.encode(), ())


def _with(record: Outgoing, **changed: object) -> Outgoing:
    return Outgoing(record.topic, record.key, json.dumps({**json.loads(record.value or b""), **changed}).encode(), record.headers)


def _elsewhere(record: Outgoing) -> Outgoing:
    """In another partition."""
    return Outgoing(record.topic, uuid4().bytes, record.value, record.headers)


async def _grow_old(fleet: Fleet, *, days: int) -> None:
    """As if what was received had been received so many days ago."""
    for table in ("ingest.event", *(f"{service}.inbox" for service in SERVICES)):
        await fleet.run(f"update {table} set received = received - interval '{days} days'")


async def _publish_and_read(scene: Scene, records: Iterable[Outgoing]) -> None:
    """Until the services have read it all."""
    places = [("ingest", topic) for topic in (PHONE, "interactions.chat", "interactions.web")] + [("scoring", ANSWERS)]
    read = " + ".join(f"({_READ.format(service=service, topic=topic)})" for service, topic in places)
    owed = list(records)
    before = await scene.fleet.count(f"select {read}")
    await scene.ledger.publish(owed)
    await scene.fleet.until(f"select {read}", before + len(owed))

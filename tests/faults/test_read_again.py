"""Read again, read late, read in another order: the real services end where they would have ended anyway."""

import asyncio
import itertools
import json
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.people import person
from shared.runtime.broker import Outgoing
from tests.support.checking import effects, judged, settle
from tests.support.fleet import SERVICES, Fleet
from tests.support.ledger import CONTACTS, Told, connect
from tests.support.outsiders import answering
from tests.support.postgres import Databases
from tests.support.scene import Scene
from tests.support.whole import read_all

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

STILL_S = 60
_BEHIND = "select count(*) from {service}.consumer_offset o join {service}.offset_before b using (topic, partition) where o.next < b.next"


async def test_b9_every_topic_read_again_from_offset_0_has_no_new_effect(scene: Scene) -> None:
    """All three services at once. What they did before, they did not do again, and nothing new is on the wire."""
    running = await scene.fleet.start_all()
    await scene.ledger.tell(range(CONTACTS))
    told = time.monotonic()
    async with answering(scene):
        await settle(scene.fleet, scene.ledger)
    live = time.monotonic() - told
    for replica in running.values():
        assert await replica.stop() == 0
    before = await effects(scene.fleet)
    wire = {
        topic: len(await read_all(scene.ledger.broker, topic))
        for topic in ("interactions.completed", "survey.decisions", "feedback.scored")
    }
    for service in SERVICES:
        await scene.fleet.run(f"create table {service}.offset_before as select topic, partition, next from {service}.consumer_offset")
        await scene.fleet.run(f"update {service}.consumer_offset set next = 0")
    records = sum([await scene.fleet.count(f"select sum(next) from {service}.offset_before") for service in SERVICES])
    await scene.fleet.start_all()
    again = time.monotonic()
    for service in SERVICES:
        await scene.fleet.until(_BEHIND.format(service=service), 0, seconds=120)
    replayed = time.monotonic() - again
    await asyncio.sleep(2)
    assert await effects(scene.fleet) == before
    assert {topic: len(await read_all(scene.ledger.broker, topic)) for topic in wire} == wire
    rates = {"live_per_s": round(records / live), "replayed_per_s": round(records / replayed), "records_replayed": records}
    await judged("B9", scene.fleet, scene.ledger, began=scene.began, **rates)


async def test_b10_the_events_of_a_contact_in_every_order_end_the_same(scene: Scene) -> None:
    """Two legs, five events, 120 orders, each as a contact of its own."""
    await scene.fleet.start_all("ingest")
    ended = datetime.now(UTC)
    orders = list(itertools.permutations(range(5)))
    contacts = [_two_legs(number, order, ended=ended) for number, order in enumerate(orders)]
    for told in contacts:
        scene.ledger.note(told)
    await scene.ledger.publish(record for told in contacts for record in told.records)
    await settle(scene.fleet, scene.ledger, "ingest")
    found = await scene.fleet.rows("select distinct on (id) root, payload from ingest.interaction order by id, revision desc")
    ends = {json.dumps(_without_names(each["payload"]), sort_keys=True) for each in found}
    assert len(ends) == 1, sorted(ends)[:2]
    await judged("B10", scene.fleet, scene.ledger, "ingest", began=scene.began, orders=len(orders), different_ends=len(ends) - 1)


async def test_h5_a_contact_record_that_comes_late_brings_the_customer(scene: Scene) -> None:
    """Contact events first: the contact waits for an address. Then its record: one interaction, one decision, a customer."""
    scene.fleet.variables["INGEST_ADDRESS_WAIT_S"] = "900"
    await scene.fleet.start_all("ingest", "scoring")
    ended = datetime.now(UTC)
    contacts = [scene.ledger.note(connect(number, ended=ended)) for number in range(60)]
    await scene.ledger.publish(record for told in contacts for record in told.records[:-1])
    await scene.fleet.until("select count(*) from ingest.contact where waits_for = 'address'", 60)
    assert await scene.fleet.count("select count(*) from ingest.interaction") == 0
    await scene.ledger.publish(told.records[-1] for told in contacts)
    await settle(scene.fleet, scene.ledger, "ingest", "scoring")
    assert await scene.fleet.count("select count(*) from ingest.interaction where customer_id is null or revision > 1") == 0
    assert await scene.fleet.count("select count(*) from scoring.decision") == 60
    await judged("H5", scene.fleet, scene.ledger, "ingest", "scoring", began=scene.began)


async def test_h6_no_contact_is_completed_before_its_later_legs_are_read(scene: Scene) -> None:
    """A backlog of a day; the legs of a contact are in two topics, and one of the two replicas stands still for a minute."""
    scene.fleet.variables["AFTERCALL_KAFKA_SESSION_S"] = str(3 * STILL_S)
    replicas = [await scene.fleet.start("ingest"), await scene.fleet.start("ingest")]
    await asyncio.gather(*(replica.ready() for replica in replicas))
    await scene.both_have_partitions("ingest", "interactions.phone")
    replicas[1].process.send_signal(signal.SIGSTOP)
    ended = datetime.now(UTC) - timedelta(hours=20)
    contacts = [_legs_apart(number, ended=ended) for number in range(CONTACTS)]
    for told in contacts:
        scene.ledger.note(told)
    await scene.ledger.publish(record for told in contacts for record in told.records)
    stood = time.monotonic()
    while time.monotonic() - stood < STILL_S:
        early = await scene.fleet.count("select count(*) from ingest.interaction where jsonb_array_length(payload->'legs') < 2")
        assert early == 0
        await asyncio.sleep(1)
    read = await scene.fleet.count("select count(*) from ingest.event")
    assert 0 < read < scene.ledger.events
    replicas[1].process.send_signal(signal.SIGCONT)
    await settle(scene.fleet, scene.ledger, "ingest")
    half = await scene.fleet.count("select count(*) from ingest.interaction where jsonb_array_length(payload->'legs') <> 2")
    assert half == 0
    await judged(
        "H6", scene.fleet, scene.ledger, "ingest", began=scene.began, still_s=STILL_S, read_meanwhile=read, completed_too_early=half
    )


async def test_h11_a_database_restored_from_a_backup_reads_again_what_it_lacks(scene: Scene, databases: Databases) -> None:
    """The backup is older than what the group has told Kafka."""
    first = (await scene.fleet.start_all("ingest"))["ingest"]
    await scene.ledger.tell(range(CONTACTS // 2))
    await settle(scene.fleet, scene.ledger, "ingest")
    assert await first.stop() == 0
    backup = databases.copy(scene.fleet.database_url)
    second = (await scene.fleet.start_all("ingest"))["ingest"]
    await scene.ledger.tell(range(CONTACTS // 2, CONTACTS))
    await settle(scene.fleet, scene.ledger, "ingest")
    assert await second.stop() == 0
    lacking = await _events(scene.fleet)
    scene.fleet.database_url = backup
    try:
        lacking -= await _events(scene.fleet)
        assert lacking > 0
        third = (await scene.fleet.start_all("ingest"))["ingest"]
        await settle(scene.fleet, scene.ledger, "ingest")
        await judged("H11", scene.fleet, scene.ledger, "ingest", began=scene.began, events_the_backup_lacked=lacking)
        assert await third.stop() == 0
    finally:
        await scene.fleet.end()
        databases.drop(backup)


async def _events(fleet: Fleet) -> int:
    return await fleet.count("select count(*) from ingest.event")


def _two_legs(number: int, order: tuple[int, ...], *, ended: datetime) -> Told:
    ref, who = f"order-{number}", person(number)
    began = ended - timedelta(seconds=300)
    steps = (("1", "started", 0), ("1", "connected", 20), ("1", "transferred", 120), ("2", "connected", 130), ("2", "ended", 300))
    told = [_said(ref, who.member_id, who.phone, leg=leg, event=event, at=began + timedelta(seconds=after)) for leg, event, after in steps]
    records = tuple(Outgoing("interactions.phone", ref.encode(), json.dumps(told[place]).encode(), ()) for place in order)
    return Told(number, "native", "orders", ref, who.phone, records)


def _legs_apart(number: int, *, ended: datetime) -> Told:
    """The first leg, which ends, in the topic of phone calls; the second in the topic of chats."""
    ref, who = f"apart-{number}", person(number)
    began = ended - timedelta(seconds=300)
    first = [("1", "started", 0), ("1", "connected", 20), ("1", "ended", 120)]
    second = [("2", "started", 125), ("2", "connected", 130), ("2", "ended", 300)]
    records = tuple(
        Outgoing(
            topic,
            f"{topic}-{ref}".encode(),
            json.dumps(_said(ref, who.member_id, who.phone, leg=leg, event=event, at=began + timedelta(seconds=after))).encode(),
            (),
        )
        for topic, steps in (("interactions.phone", first), ("interactions.chat", second))
        for leg, event, after in steps
    )
    return Told(number, "native", "orders", ref, who.phone, records)


def _said(ref: str, member_id: str, phone: str, *, leg: str, event: str, at: datetime) -> dict[str, object]:
    said: dict[str, object] = {
        "id": f"{ref}-{leg}-{event}",
        "account": "orders",
        "contact": ref,
        "leg": f"{ref}-{leg}",
        "event": event,
        "at": at.isoformat(),
        "channel": "phone",
        "direction": "inbound",
        "customer": {"member_id": member_id, "phone": phone},
    }
    return said | ({"agent": {"id": f"agent-{leg}", "name": f"Agent {leg}"}} if event == "connected" else {})


def _without_names(payload: object) -> dict[str, object]:
    """What of an interaction does not name this very contact, its customer, or when and how often it was told."""
    assert isinstance(payload, dict)
    own = {"interaction_id", "ref", "customer", "point_ref", "received_at", "revision"}
    return {name: value for name, value in payload.items() if name not in own}

"""The real services killed at the worst lines, on Apache Kafka and real PostgreSQL."""

import time

import pytest

from tests.support.checking import compare, judged, settle
from tests.support.ledger import CONTACTS
from tests.support.outsiders import answering
from tests.support.scene import Scene
from tests.support.verdicts import VERDICTS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

RELAY_BATCH = 1_000
"""What a relay publishes at once."""


async def test_a1_ingest_killed_after_the_database_commit_before_the_offset_commit(scene: Scene) -> None:
    await scene.ledger.tell(range(CONTACTS))
    await scene.fleet.die_at("ingest", "ingest.after_db_commit", times=3)
    await scene.fleet.start("ingest")
    await settle(scene.fleet, scene.ledger, "ingest")
    await judged("A1", scene.fleet, scene.ledger, "ingest", began=scene.began)


async def test_a2_ingest_killed_inside_the_transaction_of_a_batch_and_of_closing(scene: Scene) -> None:
    await scene.ledger.tell(range(CONTACTS))
    await scene.fleet.die_at("ingest", "ingest.before_db_commit", times=2)
    await scene.fleet.die_at("ingest", "ingest.contacts_closed", times=2, passing=1)
    await scene.fleet.start("ingest")
    await settle(scene.fleet, scene.ledger, "ingest")
    await judged("A2", scene.fleet, scene.ledger, "ingest", began=scene.began)


async def test_a3_scoring_killed_between_commit_and_publish(scene: Scene) -> None:
    """The outbox is empty again within five seconds of a restart; asserted: within 25."""
    await scene.fleet.start("ingest")
    for chunk in range(3):
        await scene.ledger.tell(range(chunk * CONTACTS // 3, (chunk + 1) * CONTACTS // 3))
        await scene.fleet.die_at("scoring", "scoring.relay.before_publish", times=1, passing=1)
    async with answering(scene):
        await scene.fleet.start("scoring")
        again = time.monotonic()
        await scene.fleet.until("select count(*) from scoring.outbox where created < now() - interval '1 second'", 0, seconds=25)
        emptied = round(time.monotonic() - again, 1)
        await scene.fleet.start("routing")
        await settle(scene.fleet, scene.ledger)
    await judged("A3", scene.fleet, scene.ledger, began=scene.began, outbox_empty_after_s=emptied)


async def test_a4_each_relay_killed_after_the_brokers_acknowledgement_before_its_rows_are_gone(scene: Scene) -> None:
    """What was acknowledged comes once more on the wire, and has no second effect."""
    await scene.ledger.tell(range(CONTACTS))
    await scene.fleet.die_at("ingest", "ingest.relay.after_ack", times=3)
    await scene.fleet.start("ingest")
    async with answering(scene):
        await scene.fleet.die_at("scoring", "scoring.relay.after_ack", times=3)
        await scene.fleet.start("scoring")
        await scene.fleet.die_at("routing", "routing.relay.after_ack", times=2, passing=1)
        await scene.fleet.start("routing")
        await settle(scene.fleet, scene.ledger)
    found = await judged("A4", scene.fleet, scene.ledger, began=scene.began)
    assert 0 < found.wire_duplicates <= 3 * RELAY_BATCH


async def test_a5_scoring_killed_after_the_gateway_accepted_with_keys(scene: Scene) -> None:
    """Sent again under the same key: the customer gets one message."""
    await scene.ledger.tell(range(CONTACTS))
    await scene.fleet.start("ingest")
    await scene.fleet.die_at("scoring", "scoring.after_gateway_accepted", times=3, passing=7)
    await scene.fleet.start("scoring")
    await settle(scene.fleet, scene.ledger, "ingest", "scoring")
    again = len(scene.gateway.received) - len(scene.gateway.delivered)
    assert again > 0, "no message was repeated under its key, so that nothing was shown"
    await judged("A5", scene.fleet, scene.ledger, "ingest", "scoring", began=scene.began, mode="keys", repeated_under_their_key=again)


async def test_a5_scoring_killed_after_the_gateway_accepted_without_keys(scene: Scene) -> None:
    """Nobody knows whether those left: their state is `unknown`, they are not sent again, and a metric counts them."""
    scene.gateway.keeps_keys = False
    await scene.ledger.tell(range(CONTACTS))
    await scene.fleet.start("ingest")
    await scene.fleet.die_at("scoring", "scoring.after_gateway_accepted", times=3, passing=7)
    scoring = await scene.fleet.start("scoring")
    await settle(scene.fleet, scene.ledger, "ingest", "scoring")
    unknown = await scene.fleet.rows("select due, lease_until from scoring.survey where state = 'unknown'")
    assert unknown
    assert all(each["due"] is None and each["lease_until"] is None for each in unknown)
    assert await scoring.metric("aftercall_invitations_total", result="lost") > 0
    assert len(scene.gateway.received) == len(scene.gateway.asked()), "a message left twice"
    unheard = len(unknown) - (
        len(scene.gateway.asked()) - await scene.fleet.count("select count(*) from scoring.survey where state = 'sent'")
    )
    found = await compare(scene.fleet, scene.ledger, "ingest", "scoring")
    assert found.lost["surveys"] == unheard, "only what nobody knows of may be missing"
    VERDICTS.say(
        "A5",
        events=scene.ledger.events,
        lost=found.lost["interactions"] + found.lost["messages"],
        duplicates={"duplicate_surveys": found.duplicate_surveys},
        began=scene.began,
        mode="no keys",
        kills=scene.fleet.kills,
        unknown=len(unknown),
        unknown_and_not_delivered=unheard,
    )


async def test_a6_routing_killed_between_a_case_and_its_alert(scene: Scene) -> None:
    """Every case once, an alert for each, and what an SLA counts from stays what it was."""
    await scene.ledger.tell(range(CONTACTS))
    async with answering(scene):
        await scene.fleet.start("ingest")
        await scene.fleet.start("scoring")
        await scene.fleet.die_at("routing", "routing.after_db_commit", times=2, passing=1)
        await scene.fleet.die_at("routing", "routing.before_alert", times=1, passing=1)
        await scene.fleet.die_at("routing", "routing.after_alert_accepted", times=1, passing=1)
        started = await scene.fleet.rows("select id, opened_at, first_answered_at, due_at from routing.cases order by id")
        assert started
        await scene.fleet.start("routing")
        await settle(scene.fleet, scene.ledger)
        await scene.fleet.until("select count(*) from routing.alert where told < count", 0)
    ids = ", ".join(f"'{each['id']}'" for each in started)
    assert (
        await scene.fleet.rows(f"select id, opened_at, first_answered_at, due_at from routing.cases where id in ({ids}) order by id")
        == started
    )
    assert scene.gateway.alerts
    await judged("A6", scene.fleet, scene.ledger, began=scene.began, alerts=len(scene.gateway.alerts))

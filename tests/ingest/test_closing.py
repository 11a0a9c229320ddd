"""From events in the database to interactions, over a real PostgreSQL."""

import asyncio
import hashlib
import json
import random
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from deploy.demo.center import transferred_call
from deploy.demo.people import Person
from ingest.contacts.handle import close_due
from tests.support.ingest import EMAIL, OTHER_PHONE, PHONE, Json, Running, call, ingest, listening, until_somebody_waits
from tests.support.postgres import Databases

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
MINE = ("customer_id", "number", "version", "consents", "private", "points", "candidate_zones")


async def test_a_call_becomes_one_interaction_with_its_customer(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer={"phone": "(212) 555-0142", "name": "Ana Lopez"}, queue="q-1"))

        assert await running.close() == 1

        (told,) = await running.sent("interactions.completed")
        assert (told["revision"], told["standing"], told["outcome"], told["channel"]) == (1, "over", "handled", "phone")
        assert told["point_ref"] == running.deps.desk.sealer.ref("phone", "", PHONE) == told["customer"]["points"][0]["ref"]
        assert told["contacts_7d"] == 1
        assert told["customer"]["candidate_zones"] == ["America/New_York"]


async def test_nothing_is_told_before_the_hold_off_has_passed(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE}))

        await running.close(after=timedelta(seconds=100))
        assert await running.sent("interactions.completed") == []

        await running.close(after=timedelta(seconds=30))
        assert len(await running.sent("interactions.completed")) == 1


async def test_a_contact_without_an_address_waits_and_takes_the_number_that_comes_late(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        events = call("c-1", start=START)
        await running.feed(*events)
        await running.close(after=timedelta(minutes=10))
        assert await running.sent("interactions.completed") == []
        assert (await running.rows("select waits_for from contact"))[0]["waits_for"] == "address"

        await running.feed({**events[2], "id": "c-1-record", "customer": {"phone": PHONE}})
        await running.close(after=timedelta(minutes=5))

        (told,) = await running.sent("interactions.completed")
        assert told["customer"] is not None


async def test_connects_events_and_its_records_ten_minutes_later_are_one_interaction_with_a_customer(ingest_database: str) -> None:
    """Contact events carry no address of the customer, the contact record does."""
    caller = Person("M-1", "Ana Lopez", phone=PHONE, email=EMAIL, zone="America/New_York", segment="family")
    said = transferred_call(caller, ended=START, rng=random.Random(4)).emissions
    records = [each.value for each in said if b"AWSContactTraceRecordFormatVersion" in each.value]
    events = [each.value for each in said if each.value not in records]
    async with ingest(ingest_database) as running:
        await running.feed(*events)
        await running.close(after=timedelta(minutes=10))
        assert await running.sent("interactions.completed") == []

        await running.feed(*records, *events)
        await running.close(after=timedelta(minutes=10))

        (told,) = await running.sent("interactions.completed")
        assert (told["outcome"], told["transfers"], len(told["legs"]), told["platform"]) == ("handled", 1, 2, "amazon-connect")
        assert told["point_ref"] == running.deps.desk.sealer.ref("phone", "", PHONE)
        assert told["customer"] is not None


async def test_a_contact_that_never_names_anybody_is_told_without_a_customer(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START))

        await running.close(after=timedelta(minutes=18))

        (told,) = await running.sent("interactions.completed")
        assert told["no_customer"] == "none"
        assert told.get("customer") is None


async def test_three_agents_in_any_order_are_one_interaction_of_the_last(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        events = call("c-1", start=START, customer={"phone": PHONE}, agents=("a-1", "a-2", "a-3"))
        random.Random(7).shuffle(events)
        for event in events:
            await running.feed(event)

        await running.close()

        (told,) = await running.sent("interactions.completed")
        assert (told["agent"], told["transfers"], len(told["legs"])) == ("a-3", 2, 3)


async def test_a_thread_reopened_within_the_gap_is_a_revision_and_later_a_new_interaction(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        thread = {"contact": "t-1", "channel": "chat", "account": "main"}
        begun = START - timedelta(days=7)

        def spoke(n: int, hours: float, event: str) -> Json:
            return {
                **thread,
                "id": f"{n}",
                "event": event,
                "at": (begun + timedelta(hours=hours)).isoformat(),
                "customer": {"email": EMAIL},
            }

        await running.feed(spoke(1, 0, "started"), spoke(2, 0.2, "ended"))
        await running.close()
        await running.feed(spoke(3, 1, "reopened"))
        await running.close(after=timedelta(minutes=1))
        await running.feed(spoke(4, 1.2, "ended"))
        await running.close()
        await running.feed(spoke(5, 81.5, "reopened"), spoke(6, 82, "ended"))
        await running.close()

        told = [(each["episode"], each["revision"], each["standing"]) for each in await running.sent("interactions.completed")]
        assert told == [(0, 1, "over"), (0, 2, "reopened"), (0, 3, "over"), (1, 1, "over")]


async def test_what_comes_before_the_first_episode_ever_told_renumbers_nothing(ingest_database: str) -> None:
    """It is days late and nobody would be asked for it: its facts are kept, the interactions keep their ids."""
    async with ingest(ingest_database) as running:
        thread: Json = {"channel": "chat", "customer": {"email": EMAIL}}
        await running.feed(*call("t-1", start=START, **thread))
        await running.close()
        early = [{**each, "id": f"early-{each['id']}", "leg": "early"} for each in call("t-1", start=START - timedelta(days=20), **thread)]
        await running.feed(*early)
        await running.close()

        assert [(each["episode"], each["revision"]) for each in await running.sent("interactions.completed")] == [(0, 1)]
        assert await running.rows("select count(*) from event") == [{"count": 6}]


async def test_an_event_that_comes_while_its_contact_is_judged_is_judged_afterwards(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        events = call("c-1", start=START, customer={"phone": PHONE})
        await running.feed(*events)
        await running.pass_time(timedelta(hours=1))

        async with running.database.transaction() as unit:
            await close_due(unit, running.deps.closing)
            late = asyncio.create_task(running.feed({**events[1], "id": "late", "agent": {"id": "a-9", "name": "Agent a-9"}}))
            await until_somebody_waits(running)
        await late
        assert (await running.rows("select due is not null as armed from contact")) == [{"armed": True}]
        await running.close()

        (seen,) = await running.rows("select count(*) from event")
        assert seen["count"] == 4
        assert [each["revision"] for each in await running.sent("interactions.completed")] == [1, 2]


async def test_what_was_stored_between_the_lock_and_the_reading_is_seen(ingest_database: str) -> None:
    """The read is a statement of its own: it sees what committed after the snapshot that found the contact due."""
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE}))
        await running.pass_time(timedelta(hours=1))
        with listening(running) as statements:
            async with running.database.transaction() as unit:
                await close_due(unit, running.deps.closing)

        (locked,) = [n for n, each in enumerate(statements) if "skip locked" in each]
        (read,) = [n for n, each in enumerate(statements) if "from event" in each]
        assert locked < read


@pytest.mark.parametrize("order", ["as they came", "twice", "reversed", "interleaved"])
async def test_the_same_events_in_any_order_end_in_the_same_interactions(databases: Databases, order: str) -> None:
    """Ids of rows and times of receipt left out."""
    expected, url = databases.fresh("ingest"), databases.fresh("ingest")
    async with ingest(expected) as running:
        await running.feed(*_day())
        await running.close()
        plain = await _hash(running)
    async with ingest(url) as running:
        for batch in _batches(order):
            await running.feed(*batch)
        await running.close()

        assert await _hash(running) == plain
        assert len(await running.interactions()) == 5
    databases.drop(expected)
    databases.drop(url)


async def test_a_second_look_at_the_same_facts_tells_nothing(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        events = call("c-1", start=START, customer={"phone": PHONE})
        await running.feed(*events)
        await running.close()
        await running.sql("update contact set due = now()")

        assert await running.close() == 1
        assert len(await running.sent("interactions.completed")) == 1


async def test_closing_waits_for_the_slowest_partition(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE}))
        await running.own(("interactions.chat", 3))
        await running.sql("update event set received = received - interval '1 hour'")
        await running.sql("update contact set due = due - interval '1 hour'")
        await running.sql(
            "update consumer_offset set read_at = clock_timestamp(), read_to = clock_timestamp() - interval '2 hours' where partition = 3"
        )

        assert await _close_now(running) == 0

        await running.sql("update consumer_offset set read_to = clock_timestamp()")
        assert await _close_now(running) == 1


async def test_a_partition_nobody_reads_stops_holding_back_after_a_while(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE}))
        await running.own(("interactions.chat", 3))
        await running.pass_time(timedelta(hours=1))
        await running.sql(
            "update consumer_offset set read_at = clock_timestamp() - interval '6 minutes', read_to = '-infinity' where partition = 3"
        )

        assert await _close_now(running) == 1


async def test_a_contact_that_cannot_be_judged_is_set_aside_and_the_others_are_told(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("bad", start=START, customer={"phone": PHONE}), *call("good", start=START, customer={"phone": PHONE}))
        await running.sql("update event set facts = facts || '{\"wait_s\": \"soon\"}' where root = 'bad'")

        await running.close()

        assert [each["ref"] for each in await running.sent("interactions.completed")] == ["good"]
        assert await running.rows("select waits_for, due from contact where root = 'bad'") == [{"waits_for": "unprocessable", "due": None}]


async def test_the_catalogue_in_force_names_team_queue_and_moment_and_stays_with_the_revision(ingest_database: str) -> None:
    catalogue = {
        "teams": {"elm": "Elm"},
        "queues": {"q-claims": "elm"},
        "queue_names": {"q-claims": "Claims"},
        "moments": [{"moment": "claim", "queue": "q-claims"}],
        "moment_else": "other",
    }
    async with ingest(ingest_database) as running:
        await running.sql(
            "insert into catalogue_version (version, body, created_by, active_from) values (4, cast(:body as jsonb), 'test', now())",
            body=json.dumps(catalogue),
        )
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE}, queue="q-claims"))
        await running.close()

        (told,) = await running.sent("interactions.completed")
        assert (told["team"], told["queue"], told["moment"], told["catalogue_version"]) == ("elm", "Claims", "claim", 4)
        assert told["legs"][0]["team"] == "elm"


async def test_a_number_of_ours_says_what_the_contact_was_for_and_is_nobodys(ingest_database: str) -> None:
    async with ingest(ingest_database, own_numbers={"(415) 555-0137": "survey"}) as running:
        await running.feed(*call("c-1", start=START, customer={"phone": OTHER_PHONE}))
        await running.close()

        (told,) = await running.sent("interactions.completed")
        assert (told["purpose"], told["no_customer"]) == ("survey", "none")


async def test_contacts_of_the_last_seven_days_are_counted(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        for n, days in enumerate((10, 2, 1)):
            await running.feed(*call(f"c-{n}", start=START - timedelta(days=days), customer={"phone": PHONE}))
            await running.close()

        assert [each["contacts_7d"] for each in await running.sent("interactions.completed")] == [1, 1, 2]


async def _close_now(running: Running) -> int:
    async with running.database.transaction() as unit:
        return await close_due(unit, running.deps.closing)


def _day() -> list[Json]:
    one = call("c-1", start=START, customer={"phone": PHONE, "name": "Ana Lopez"}, agents=("a-1", "a-2"))
    two = call("c-2", start=START + timedelta(hours=3), customer={"phone": PHONE})
    three = call("w-1", start=START, customer={"email": EMAIL, "language": "es"}, channel="chat", agents=("a-3", "a-1", "a-2"))
    four = call("w-2", start=START, channel="web")
    five = call("c-5", start=START + timedelta(hours=1), customer={"member_id": "M-77", "phone": OTHER_PHONE})
    return [*one, *two, *three, *four, *five]


def _batches(order: str) -> list[list[Json]]:
    events = _day()
    match order:
        case "twice":
            return [events, events]
        case "reversed":
            return [[event] for event in reversed(events)]
        case "interleaved":
            return [list(chain.from_iterable((events[n::4]) for n in range(4)))]
        case _:
            return [[event] for event in events]


async def _hash(running: Running) -> str:
    told = [_anonymous(each) for each in await running.interactions()]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _anonymous(told: Json) -> Json:
    customer = {name: value for name, value in (told.get("customer") or {}).items() if name not in MINE}
    return {name: value for name, value in told.items() if name not in ("received_at", "customer")} | {"customer": customer}

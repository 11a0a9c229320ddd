"""Contacts that keep their id over transfers, from what the platforms send to one interaction, over a real PostgreSQL."""

import random
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.ingest import Json, Running, ingest
from tests.support.readings import payload

DAY = (datetime.now(UTC) - timedelta(days=3)).date()
FIXTURES_DAY = datetime(2027, 5, 11, tzinfo=UTC)
GENESYS = ("customer-start", "acd-end", "user-end", "acw", "second-acd-end", "second-user-end", "customer-end")
TWILIO = (
    *("task-created", "task-queue-entered", "reservation-accepted", "reservation-wrapup", "transfer-completed"),
    *("second-reservation-accepted", "second-reservation-wrapup", "task-completed"),
)


def on_our_day(name: str) -> bytes:
    """A fixture moved to a day that has been: written times by their date, counted ones by as many milliseconds."""
    back = int((FIXTURES_DAY - datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)).total_seconds() * 1000)
    said = payload(name).decode().replace(f"{FIXTURES_DAY:%Y-%m-%d}", DAY.isoformat())
    return re.sub(r"(?<![\w.-])18100\d{8}\b", lambda found: str(int(found.group()) - back), said).encode()


async def told(running: Running) -> Json:
    await running.close()
    (interaction,) = await running.sent("interactions.completed")
    return interaction


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("platform", "names"), [("genesys-cloud/invented-call", GENESYS), ("twilio/invented-stream", TWILIO)], ids=["genesys", "twilio"]
)
async def test_a_transfer_is_told_once_in_any_order_and_twice_as_many(
    ingest_database: str, platform: str, names: tuple[str, ...], seed: int
) -> None:
    sent = [on_our_day(f"{platform}-{name}") for name in names] * 2
    random.Random(seed).shuffle(sent)  # a seeded shuffle keeps no secret
    async with ingest(ingest_database) as running:
        await running.feed(*sent[: len(names)])
        await running.feed(*sent[len(names) :])
        interaction = await told(running)

        assert (interaction["outcome"], interaction["transfers"], interaction["channel"]) == ("handled", 1, "phone")
        assert len([leg for leg in interaction["legs"] if leg.get("agent")]) == 2
        assert interaction["customer"]["points"]
        assert await running.rows("select count(*) from event") == [{"count": len(names)}]
        assert await running.rows("select 1 from dead_letter") == []


async def test_a_record_of_a_whole_conversation_is_stored_leg_by_leg_and_told_once(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        for _ in range(2):
            await running.feed(on_our_day("genesys-cloud/invented-analytics-call-transferred"))
        interaction = await told(running)

        assert (interaction["outcome"], interaction["transfers"], interaction["hold_s"]) == ("handled", 1, 30)
        assert await running.rows("select count(distinct leg) legs, count(*) from event") == [{"legs": 6, "count": 6}]

"""Consuming over real PostgreSQL and the in-memory broker: once, in order, and nothing held up by what is broken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from shared.runtime.broker import Outgoing, Record
from shared.runtime.cap import Cap, Limits
from shared.runtime.database import rows, run
from shared.runtime.handling import Batch, Dispatch, Handler
from shared.runtime.memory import MemoryBroker
from shared.runtime.reading import Reading
from shared.schemas import CustomerChanged
from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.toy import INPUT, OUTPUT, WHEN, Deps, Toy, answer, create_tables, wire

EFFECTS = "select count(*) from effect"
OUTBOX = "select count(*) from outbox"
WAITING_LETTERS = "select count(*) from dead_letter where state = 'waiting'"


async def a_broker() -> MemoryBroker:
    broker = MemoryBroker()
    await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
    return broker


@pytest.fixture
async def toy(database_url: str) -> Toy:
    await create_tables(database_url)
    return Toy(database_url, await a_broker())


def another(toy: Toy, *, deps: Deps | None = None, reading: Reading | None = None) -> Toy:
    """A second process over the same database and broker."""
    url = toy.database.engine.url.render_as_string(hide_password=False)
    return Toy(url, toy.broker, deps=deps, reading=reading)


def published(toy: Toy, topic: str) -> list[Record]:
    assert isinstance(toy.broker, MemoryBroker)
    return [record for (name, _), log in toy.broker.logs.items() if name == topic for record in log]


@asynccontextmanager
async def settled(toy: Toy, *, effects: int) -> AsyncIterator[Toy]:
    async with toy.running():
        await toy.until(EFFECTS, effects)
        yield toy


async def test_every_message_takes_effect_once_and_causes_one_message_that_names_its_cause(toy: Toy) -> None:
    await toy.broker.publish([answer(n) for n in range(1000)])
    async with settled(toy, effects=1000):
        await toy.until(OUTBOX, 0)
        assert set((await toy.effects()).values()) == {1}
    out = published(toy, OUTPUT)
    assert len(out) == 1000
    headers = dict(out[0].headers)
    assert headers["ce_source"] == b"/aftercall/public"
    assert headers["ce_type"] == b"aftercall.consent-changed.v1"
    assert (headers["ce_correlationid"] or b"").startswith(b"a-")


async def test_a_message_sent_twice_takes_effect_once_wherever_it_comes_again(toy: Toy) -> None:
    await toy.broker.publish([answer(1, key="a"), answer(1, key="a")])
    async with settled(toy, effects=1):
        await toy.broker.publish([answer(1, key="another partition"), answer(2)])
        await toy.until(EFFECTS, 2)
        assert await toy.effects() == {"a-1": 1, "a-2": 1}
        assert await toy.count(WAITING_LETTERS) == 0


async def test_the_same_id_with_another_body_is_kept_as_a_conflict_and_the_first_wins(toy: Toy) -> None:
    await toy.broker.publish([answer(1, score=9), answer(1, score=2), answer(1, score=2)])
    async with settled(toy, effects=1):
        await toy.broker.publish([answer(1, score=0), answer(2)])
        await toy.until(EFFECTS, 2)
        async with toy.database.transaction() as unit:
            assert [each["score"] for each in await rows(unit.tx, "select score from effect where answer = 'a-1'")] == [9]
            kept = await rows(unit.tx, "select reason, count from dead_letter order by count")
        assert [(each["reason"], each["count"]) for each in kept] == [("conflict", 1), ("conflict", 2)]


async def test_one_bad_record_of_a_batch_costs_the_others_nothing(database_url: str) -> None:
    await create_tables(database_url)
    toy = Toy(database_url, await a_broker(), deps=Deps(poisoned={"a-250"}))
    await toy.broker.publish([answer(n, key="one partition") for n in range(500)])
    async with settled(toy, effects=499):
        await toy.until(OUTBOX, 0)
        assert set((await toy.effects()).values()) == {1}
        async with toy.database.transaction() as unit:
            letter = (await rows(unit.tx, "select reason, state, body from dead_letter"))[0]
            offset = (await rows(unit.tx, "select max(next) as next from consumer_offset"))[0]["next"]
        assert (letter["reason"], letter["state"]) == ("failed:KeyError", "waiting")
        assert b"a-250" not in letter["body"]
        assert offset == 500
    copy = published(toy, f"{INPUT}.dead")[0]
    assert b'"a-250"' in (copy.value or b"")
    assert dict(copy.headers)["dlq-reason"] == b"failed:KeyError"


BROKEN = {
    "not json": (b"{", {}, "json_invalid"),
    "a missing field": (b'{"answer_id": "x", "channel": "sms", "score": 1}', {}, "value_error"),
    "a wrong type": (b'{"answer_id": "x", "channel": "sms", "score": "nine", "token": "t"}', {}, "int_type"),
    "no type": (b"{}", {"ce_type": ""}, "missing"),
    "null": (None, {}, "null_value"),
    "depth": (b"[" * 100_000, {}, "json_invalid"),
    "nul": (b'{"answer_id": "x\\u0000", "channel": "sms", "score": 1, "token": "t"}', {}, "nul_character"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_message_becomes_a_dead_letter_that_names_the_fault_and_the_next_one_is_taken(toy: Toy, name: str) -> None:
    body, headers, reason = BROKEN[name]
    bad = wire(body, key="same", **headers)
    if name == "no type":
        bad = Outgoing(INPUT, b"same", body, (("ce_id", b"\xff\xfe"),))
        reason = "not_utf8"
    await toy.broker.publish([bad, answer(1, key="same")])
    async with settled(toy, effects=1):
        async with toy.database.transaction() as unit:
            letters = await rows(unit.tx, "select reason, path from dead_letter")
        assert len(letters) == 1
        assert letters[0]["reason"].startswith(reason)


async def test_an_unknown_type_is_counted_and_ignored(toy: Toy) -> None:
    await toy.broker.publish([wire(b"{}", ce_type="aftercall.something-new.v1"), answer(1)])
    async with settled(toy, effects=1):
        assert await toy.count(WAITING_LETTERS) == 0
        assert toy.measures.records.labels(INPUT, "ignored_type")._value.get() == 1


async def test_a_null_on_a_compacted_topic_is_compactions_business(toy: Toy) -> None:
    async def never(batch: Batch[CustomerChanged], deps: Deps) -> None:
        raise AssertionError("a null is no message")

    handlers = {"customers.changed": Handler(CustomerChanged, never)}
    dispatch = Dispatch(toy.database, handlers, toy.deps, sealer=toy.sealer, measures=toy.measures)
    tombstone = Record("customers.changed", 0, 0, b"customer", None, (), WHEN)
    assert (await dispatch([tombstone], None)).dead == frozenset()
    await toy.database.close()


async def test_a_structured_cloudevent_is_read_like_a_binary_one(toy: Toy) -> None:
    plain = answer(5).value or b""
    body = b'{"specversion": "1.0", "id": "s-1", "source": "/x", "type": "aftercall.survey-answered.v1", "data": ' + plain + b"}"
    headers = (("content-type", b"application/cloudevents+json; charset=utf-8"),)
    await toy.broker.publish([Outgoing(INPUT, None, body, headers)])
    async with settled(toy, effects=1):
        assert await toy.effects() == {"a-5": 1}


async def test_reading_a_whole_topic_again_has_no_new_effect(toy: Toy) -> None:
    await toy.broker.publish([answer(n) for n in range(300)])
    async with settled(toy, effects=300):
        pass
    again = another(toy)
    async with again.database.transaction() as unit:
        await run(unit.tx, "update consumer_offset set next = 0")
    await again.broker.publish([answer(300)])
    async with settled(again, effects=301):
        assert set((await again.effects()).values()) == {1}


async def test_what_a_restored_database_lacks_is_read_again(toy: Toy) -> None:
    await toy.broker.publish([answer(n) for n in range(100)])
    async with settled(toy, effects=100):
        pass
    older = another(toy)
    async with older.database.transaction() as unit:
        await run(unit.tx, "delete from effect where n > 40")
        await run(unit.tx, "delete from inbox where id not in (select answer from effect)")
        await run(unit.tx, "update consumer_offset set next = 0")
    async with settled(older, effects=100):
        assert set((await older.effects()).values()) == {1}


async def test_a_schema_in_the_middle_of_a_migration_is_waited_for_and_nothing_becomes_a_dead_letter(toy: Toy) -> None:
    async with toy.running():
        await _alter(toy, "alter table effect rename column score to rating")
        await toy.broker.publish([answer(n) for n in range(20)])
        async with asyncio.timeout(20):
            while not toy.registry.get_sample_value("aftercall_consumer_retries_total", {"cause": "UndefinedColumn"}):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await _alter(toy, "alter table effect rename column rating to score")
        await toy.until(EFFECTS, 20)
    assert await toy.count("select count(*) from dead_letter") == 0


async def _alter(toy: Toy, statement: str) -> None:
    async with toy.database.transaction() as unit:
        await run(unit.tx, statement)


async def test_a_reader_that_lost_its_partition_in_the_database_drops_the_batch_and_starts_over(toy: Toy) -> None:
    await toy.broker.publish([answer(n, key="one") for n in range(10)])
    async with settled(toy, effects=10):
        async with toy.database.transaction() as unit:
            await run(unit.tx, "update consumer_offset set owner = :other", other=uuid4())
        await toy.broker.publish([answer(n, key="one") for n in range(10, 20)])
        await toy.until(EFFECTS, 20)
        assert toy.measures.lost._value.get() == 1
        assert set((await toy.effects()).values()) == {1}


async def test_two_replicas_share_the_work_and_nothing_is_done_twice(toy: Toy) -> None:
    second = another(toy)
    await toy.broker.publish([answer(n) for n in range(400)])
    async with toy.running(), second.running():
        await toy.broker.publish([answer(n) for n in range(400, 800)])
        await toy.until(EFFECTS, 800)
        assert set((await toy.effects()).values()) == {1}


async def test_too_many_dead_letters_stop_the_topic_over_restarts_until_it_is_resumed(toy: Toy) -> None:
    reading = Reading(batch=10, look_every=0.1)
    first = another(toy, reading=reading)
    await toy.broker.publish([wire(f"bad {n}".encode(), key="one") for n in range(60)])
    await toy.broker.publish([answer(1, key="one")])
    async with first.running():
        await first.until("select count(*) from topic_cap", 1)
    stopped_at = await toy.count(WAITING_LETTERS)
    assert 20 <= stopped_at < 40
    second = another(toy, reading=Reading(batch=10, look_every=0.1, limits=Limits(in_a_row=1000)))
    async with second.running():
        await asyncio.sleep(0.5)
        assert await second.count(WAITING_LETTERS) == stopped_at
        assert second.registry.get_sample_value("aftercall_consumer_lag_records", {"topic": INPUT}) == 61 - stopped_at
        async with second.database.transaction() as unit:
            await run(unit.tx, "delete from topic_cap")
        await second.until(EFFECTS, 1)
        assert await second.count(WAITING_LETTERS) == 60


async def test_a_message_about_something_unknown_waits_and_is_taken_when_it_is_known(database_url: str) -> None:
    await create_tables(database_url)
    toy = Toy(database_url, await a_broker(), deps=Deps(unknown={"a-1", "a-2"}), reading=Reading(look_every=0.1))
    await toy.broker.publish([answer(n) for n in range(4)])
    async with settled(toy, effects=2):
        await toy.until("select count(*) from waiting", 2)
        toy.deps.unknown.discard("a-1")
        async with toy.database.transaction() as unit:
            await run(unit.tx, "update waiting set due = now(), until = case when reference = 'a-2' then now() else until end")
        await toy.until("select count(*) from waiting", 0)
        assert await toy.effects() == {"a-0": 1, "a-1": 1, "a-3": 1}
        async with toy.database.transaction() as unit:
            assert [each["reason"] for each in await rows(unit.tx, "select reason from dead_letter")] == ["unknown_reference"]


def test_the_cap_stops_at_twenty_in_a_row_or_a_tenth_of_what_was_read() -> None:
    row, share = Cap(Limits()), Cap(Limits())
    for _ in range(19):
        row.saw(dead=True)
    assert row.reason() is None
    row.saw(dead=True)
    assert row.reason() == "in_a_row"
    for n in range(99):
        share.saw(dead=n % 5 == 0)
    assert share.reason() is None
    share.saw(dead=False)
    assert share.reason() == "share"

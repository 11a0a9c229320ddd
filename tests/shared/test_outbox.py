"""Publishing over real PostgreSQL: nothing skipped, nothing overtaken, one relay per shard."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from uuid import UUID, uuid4

import pytest

from shared.runtime.broker import BrokerAway, Outgoing
from shared.runtime.database import Database, Unit, as_json, run, shard_of
from shared.runtime.errors import Unprocessable
from shared.runtime.memory import MemoryBroker
from shared.schemas import Consent, ConsentChanged
from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.toy import OUTPUT, WHEN, Toy, create_tables


@pytest.fixture
async def toy(database_url: str) -> Toy:
    await create_tables(database_url)
    broker = MemoryBroker()
    await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
    return Toy(database_url, broker)


async def lock(unit: Unit, key: str) -> None:
    await run(unit.tx, "select pg_advisory_xact_lock(hashtext(:key))", key=key)


def say(unit: Unit, key: str, word: str) -> None:
    consent = Consent(channel="sms", purpose="survey", state="granted", at=WHEN, source="toy", address_ref=word)
    unit.send(ConsentChanged(consent=consent), key=key, correlation=word)


def said(toy: Toy, key: str) -> list[str]:
    assert isinstance(toy.broker, MemoryBroker)
    logs = [log for (topic, _), log in toy.broker.logs.items() if topic == OUTPUT]
    mine = [record for log in logs for record in log if record.key == key.encode()]
    return [ConsentChanged.model_validate_json(record.value or b"").consent.address_ref or "" for record in mine]


async def test_a_transaction_that_commits_late_is_published_and_nothing_of_a_key_overtakes(toy: Toy) -> None:
    async with toy.running():
        async with toy.database.transaction() as early:
            await lock(early, "a")
            say(early, "a", "a1")
            await early.flush()

            async def same_key() -> None:
                async with toy.database.transaction() as later:
                    await lock(later, "a")
                    say(later, "a", "a2")

            waiting = asyncio.create_task(same_key())
            async with toy.database.transaction() as later:
                await lock(later, "b")
                say(later, "b", "b1")
            await until(toy, "b", ["b1"])
            assert said(toy, "a") == []
        await waiting
        await until(toy, "a", ["a1", "a2"])


async def say_and_fail(toy: Toy, *, counted: list[str]) -> None:
    async with toy.database.transaction() as unit:
        unit.when_committed(partial(counted.append, "never"))
        say(unit, "a", "never")
        await unit.flush()
        raise KeyError


async def test_what_rolls_back_is_never_published_and_never_counted(toy: Toy) -> None:
    counted: list[str] = []
    async with toy.running():
        with pytest.raises(KeyError):
            await say_and_fail(toy, counted=counted)
        async with toy.database.transaction() as unit:
            say(unit, "a", "kept")
            unit.when_committed(partial(counted.append, "kept"))
            assert counted == []
        assert counted == ["kept"]
        await until(toy, "a", ["kept"])


async def test_two_relays_publish_each_message_once_and_the_second_takes_over(toy: Toy) -> None:
    url = toy.database.engine.url.render_as_string(hide_password=False)
    second = Toy(url, toy.broker)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(second.running())
        async with toy.running():
            for n in range(60):
                async with toy.database.transaction() as unit:
                    await lock(unit, "k")
                    say(unit, "k", str(n))
            await until(toy, "k", [str(n) for n in range(60)])
            assert not toy.relay.shards & second.relay.shards
        third = Database(url, schema="public")
        async with third.transaction() as unit:
            await lock(unit, "k")
            say(unit, "k", "after")
        await third.close()
        await until(toy, "k", [*(str(n) for n in range(60)), "after"], seconds=10)


class AwayAtFirst(MemoryBroker):
    """Does not answer the first times it is given something to publish."""

    def __init__(self, *, times: int) -> None:
        super().__init__()
        self.times = times

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        if self.times:
            self.times -= 1
            raise BrokerAway("away")
        await super().publish(messages)


async def test_a_relay_goes_on_when_the_broker_is_back_whatever_connection_it_gets(database_url: str) -> None:
    await create_tables(database_url)
    broker = AwayAtFirst(times=3)
    await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
    toy = Toy(database_url, broker)
    async with toy.running():
        async with toy.database.transaction(), toy.database.transaction():
            pass  # the pool has others to hand out
        async with toy.database.transaction() as unit:
            say(unit, "k", "kept")
        await until(toy, "k", ["kept"], seconds=20)


async def until(toy: Toy, key: str, wanted: list[str], *, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while said(toy, key) != wanted:  # noqa: ASYNC110  # the relay is not asked to tell us
            await asyncio.sleep(0.02)


def test_a_nul_is_the_messages_fault_and_the_six_letters_that_spell_it_are_not() -> None:
    with pytest.raises(Unprocessable):
        as_json({"words": "a\x00b"})
    assert as_json({"words": "a\\u0000b"})


def test_identifiers_times_and_bytes_travel_in_one_json_parameter() -> None:
    name = UUID("019ab3a4-0000-7000-8000-000000000001")
    assert (
        as_json({"id": name, "at": WHEN, "hash": b"\x01\xff"}) == f'{{"id":"{name}","at":"2026-03-02T15:00:00+00:00","hash":"\\\\x01ff"}}'
    )


def test_a_key_always_leaves_by_the_same_shard() -> None:
    keys = [str(uuid4()) for _ in range(500)]
    assert {shard_of(key) for key in keys} == set(range(16))
    assert shard_of("case-1") == 6


def test_half_a_surrogate_pair_is_the_messages_fault_too() -> None:
    with pytest.raises(Unprocessable):
        as_json([{"words": "\ud800"}])

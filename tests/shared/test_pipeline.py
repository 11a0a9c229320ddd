"""Several statements in one round trip, on real PostgreSQL: what they see, what goes wrong in them, and what is left afterwards."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from shared.runtime.database import Database, rows, run, worlds_fault
from shared.runtime.pipeline import NotAsked, Row, Statement, ask_the_rested, owe, settle, together
from tests.support.round_trips import round_trips


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, schema="public", pool_size=3)
    async with database.autocommit() as tx:
        await run(tx, "create table word (word text primary key, at timestamptz default now())")
    yield database
    await database.close()


def add(word: str) -> Statement[int]:
    return Statement("insert into word (word) values (:word)", len, word=word)


def words() -> Statement[list[str]]:
    return Statement("select word from word order by word", _first)


def _first(found: Sequence[Row]) -> list[str]:
    return [word for (word,) in found]


async def kept(database: Database) -> list[str]:
    async with database.autocommit() as tx:
        return [each["word"] for each in await rows(tx, "select word from word order by word")]


async def test_statements_are_done_in_order_and_each_has_its_own_result(database: Database) -> None:
    before, after = words(), words()
    async with database.transaction() as unit:
        await together(unit.tx, before, add("50 %"), after)

    assert (before.result, after.result) == ([], ["50 %"])


async def test_a_result_is_not_there_before_it_was_asked_for() -> None:
    with pytest.raises(NotAsked, match="select"):
        _ = words().result


async def test_begin_and_the_first_statements_are_one_round_trip_and_what_is_owed_and_the_commit_another(database: Database) -> None:
    async with round_trips(database) as trips:
        found = words()
        async with database.transaction(add("a"), found) as unit:
            assert trips.count() == 1
            owe(unit.tx, "insert into word (word) values (:word)", word="b")
            owe(unit.tx, "insert into word (word) values (:word)", word="c")
        assert trips.count() == 2

    assert found.result == ["a"]
    assert await kept(database) == ["a", "b", "c"]


async def test_what_is_owed_is_done_before_anything_else_is_asked(database: Database) -> None:
    async with database.transaction() as unit:
        owe(unit.tx, "insert into word (word) values ('a')")
        assert len(await rows(unit.tx, "select word from word")) == 1
        owe(unit.tx, "insert into word (word) values ('b')")
        found = words()
        await together(unit.tx, found)
        assert found.result == ["a", "b"]
        owe(unit.tx, "insert into word (word) values ('c')")
        await settle(unit.tx)
        assert not unit.tx.owed


async def test_a_read_after_a_lock_sees_what_was_committed_while_the_lock_was_waited_for(database: Database) -> None:
    await _keep(database, "a")
    lock = Statement("select word from word where word = 'a' for no key update", len)
    found = words()
    async with database.transaction() as other:
        await run(other.tx, "update word set at = now() where word = 'a'")
        waiting = asyncio.create_task(_in_a_transaction(database, lock, found))
        await _until_somebody_waits(database)
        await run(other.tx, "insert into word (word) values ('b')")
    await waiting

    assert found.result == ["a", "b"]


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_what_is_refused_rolls_back_all_of_it_and_leaves_the_connection_usable(
    database: Database, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    statements = [add("a"), add("b")]
    statements.insert(place, Statement("select cast(:secret as uuid)", len, secret="+12125550123"))

    with pytest.raises(DataError) as refused:
        await _in_a_transaction(database, *statements)

    assert not worlds_fault(refused.value)
    assert "as uuid" in str(refused.value.statement)
    assert not caplog.records, "nothing is logged of what was given"
    assert await kept(database) == []
    await _keep(database, "still usable")


async def test_what_postgres_cannot_store_is_the_messages_fault_before_it_is_sent(database: Database) -> None:
    with pytest.raises(DataError) as refused:
        await _in_a_transaction(database, add("a"), add("nul \0"))

    assert not worlds_fault(refused.value)
    assert await kept(database) == []


async def test_what_is_owed_and_refused_rises_at_the_commit_which_does_not_happen(database: Database) -> None:
    told: list[str] = []

    async def owing() -> None:
        async with database.transaction() as unit:
            unit.when_committed(lambda: told.append("committed"))
            owe(unit.tx, "insert into word (word) values ('b')")
            owe(unit.tx, "insert into word (word) values ('a')")

    await _keep(database, "a")
    with pytest.raises(IntegrityError):
        await owing()

    assert await kept(database) == ["a"]
    assert told == []


async def test_a_deadlock_and_a_lost_connection_are_the_worlds_fault_and_the_next_transaction_has_a_new_one(database: Database) -> None:
    with pytest.raises(DBAPIError) as lost:
        await _in_a_transaction(database, add("a"), Statement("select pg_terminate_backend(pg_backend_pid())", len), add("b"))

    assert worlds_fault(lost.value)
    assert lost.value.connection_invalidated
    await _keep(database, "c")
    assert await kept(database) == ["c"]


async def test_a_time_out_inside_is_the_worlds_fault(database: Database) -> None:
    impatient = Statement("set local lock_timeout = '1ms'", len)
    await _keep(database, "a")
    async with database.transaction() as other:
        await run(other.tx, "update word set at = now()")
        with pytest.raises(DBAPIError) as late:
            await _in_a_transaction(database, impatient, Statement("update word set at = now()", len))

    assert worlds_fault(late.value)
    assert not late.value.connection_invalidated


async def test_who_gives_up_half_way_leaves_no_half_used_connection(database: Database) -> None:
    async with database.transaction() as other:
        await run(other.tx, "lock table word")
        waiting = asyncio.create_task(_in_a_transaction(database, add("a")))
        await _until_somebody_waits(database)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    await _keep(database, "b")
    assert await kept(database) == ["b"]


async def test_a_connection_used_just_now_is_not_asked_whether_it_lives(database: Database) -> None:
    async with round_trips(database) as trips:
        await kept(database)
        await kept(database)

        assert trips.count() == 2


async def test_a_rested_connection_that_died_is_replaced_before_it_is_used(database: Database, database_url: str) -> None:
    service = Database(database_url, schema="public", pool_size=2)
    ask_the_rested(service.engine, rested_s=0)
    dead = await _both_backends(service)
    async with database.autocommit() as tx:
        for each in dead:
            await run(tx, "select pg_terminate_backend(:pid, 5000)", pid=each)

    assert dead.isdisjoint(await _both_backends(service))
    await service.close()


async def _both_backends(service: Database) -> set[int]:
    async with service.transaction() as one, service.transaction() as other:
        return {each["pid"] for tx in (one.tx, other.tx) for each in await rows(tx, "select pg_backend_pid() as pid")}


async def _in_a_transaction(database: Database, *statements: Statement[object]) -> None:
    async with database.transaction() as unit:
        await together(unit.tx, *statements)


async def _keep(database: Database, word: str) -> None:
    await _in_a_transaction(database, add(word))


async def _until_somebody_waits(database: Database) -> None:
    waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with asyncio.timeout(10), database.autocommit() as tx:
        while not await rows(tx, waiting):  # noqa: ASYNC110  # it waits inside the database
            await asyncio.sleep(0.01)

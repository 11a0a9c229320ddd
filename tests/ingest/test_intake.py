"""The one door for events: what is stored of a batch, what becomes a dead letter, and what another reader keeps from us."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared.runtime.broker import Progress
from tests.support.ingest import EMAIL, PHONE, call, ingest, listening, record

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)


async def test_a_batch_is_one_statement(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.own(("interactions.phone", 0))
        records = [record(each, "interactions.phone", n) for n, each in enumerate(call("c-1", start=START, customer={"phone": PHONE}))]
        with listening(running) as statements:
            await running.deps.door(records, Progress(running.owner, {("interactions.phone", 0): 3}, {}))

        assert len(statements) == 1
        assert "insert into event" in statements[0]


async def test_a_message_sent_twice_is_stored_once_whatever_its_place(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        events = call("c-1", start=START)
        await running.feed(*events, topic="interactions.phone")
        await running.feed(*events, topic="interactions.chat")

        assert await running.rows("select count(*) from event") == [{"count": 3}]
        assert _sample(running, "aftercall_ingest_events_repeated_total") == 3


async def test_the_first_body_under_an_id_wins_and_the_other_is_kept_as_a_conflict(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        first, *rest = call("c-1", start=START)
        await running.feed(first)
        applied = await running.feed({**first, "at": START.replace(year=2020).isoformat()}, *rest)

        stored = await running.rows("select at from event where kind = 'started'")
        assert stored == [{"at": START}]
        assert await running.rows("select reason, count from dead_letter") == [{"reason": "conflict", "count": 1}]
        assert await running.rows("select count(*) from event") == [{"count": 3}]
        assert applied.dead == frozenset()
        assert _sample(running, "aftercall_ingest_event_conflicts_total") == 1


async def test_of_one_identity_twice_in_a_batch_the_first_stays(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        first = call("c-1", start=START)[0]
        await running.feed(first, {**first, "queue": "other"})

        assert await running.rows("select facts ->> 'queue' as queue from event") == [{"queue": None}]
        assert await running.rows("select reason from dead_letter") == [{"reason": "conflict"}]


async def test_a_bad_record_becomes_a_dead_letter_that_names_the_field_and_the_others_are_stored(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        good = call("c-1", start=START)
        applied = await running.feed(good[0], {**good[1], "at": None}, b"{not json", good[2])

        assert await running.rows("select count(*) from event") == [{"count": 2}]
        letters = await running.rows("select reason, path from dead_letter order by 1")
        assert {"reason": "missing", "path": "at"} in letters
        assert len(letters) == len(applied.dead) == 2
        assert len(await running.rows("select 1 from outbox where topic = 'interactions.phone.dead'")) == 2


async def test_what_says_nothing_of_a_contact_is_counted_and_never_a_dead_letter(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed({**call("c-1", start=START)[0], "event": "somebody_sneezed"})

        assert await running.rows("select 1 from dead_letter") == []
        assert _sample(running, "aftercall_ingest_events_ignored_total", platform="native", reason="unknown_event") == 1


async def test_a_reader_that_lost_its_partition_stores_nothing_of_it(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(call("c-1", start=START)[0])
        mine, other = running.owner, uuid4()
        running.owner = other
        await running.own(("interactions.phone", 0))
        late = [record(call("c-2", start=START)[0], "interactions.phone", 9)]

        applied = await running.deps.door(late, Progress(mine, {("interactions.phone", 0): 10}, {}))

        assert applied.owned == frozenset()
        assert await running.rows("select count(*) from event") == [{"count": 1}]
        assert (await running.rows("select next from consumer_offset"))[0]["next"] == 1


async def test_offsets_move_with_the_events(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        logged = datetime.now(UTC) - timedelta(minutes=3)
        await running.feed(*call("c-1", start=START), logged=logged)

        (offset,) = await running.rows("select next, read_to from consumer_offset")
        assert offset == {"next": 3, "read_to": logged}


async def test_a_contact_is_due_once_its_hold_off_is_over_by_the_clock_of_our_own_however_old_its_records_are(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START), logged=datetime.now(UTC) - timedelta(minutes=3))

        (waits,) = await running.rows("select due - (select max(received) from event) as early from contact")
        hold_off = running.deps.closing.patience.hold_off_of("phone")
        assert hold_off <= waits["early"] < hold_off + timedelta(seconds=1)


async def test_a_record_over_the_limit_is_a_dead_letter(ingest_database: str) -> None:
    async with ingest(ingest_database, record_limit=200) as running:
        await running.feed({**call("c-1", start=START)[0], "team": "x" * 300})

        assert await running.rows("select reason from dead_letter") == [{"reason": "too_large"}]


async def test_a_mended_body_is_taken_without_a_fence(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        mended = record(call("c-1", start=START)[0], "interactions.phone", -1)._replace(partition=-1)

        applied = await running.deps.door([mended], None, again=True)

        assert applied.dead == frozenset()
        assert await running.rows("select count(*) from event") == [{"count": 1}]


async def test_nothing_personal_rests_in_the_open(ingest_database: str) -> None:
    canaries = {"phone": PHONE, "email": EMAIL, "name": "Anastasia Canary", "postal_code": "10001-7777", "member_id": "M-canary-9"}
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer=canaries))
        await running.feed({**call("c-2", start=START, customer=canaries)[0], "at": None})
        await running.close()
        tables = await running.rows("select table_name from information_schema.tables where table_schema = 'ingest'")
        text = ""
        for table in tables:
            text += str(await running.rows(f"select * from {table['table_name']}"))

        assert "c-1" in text
        for canary in (*canaries.values(), PHONE[2:]):
            assert canary not in text


def _sample(running: object, name: str, **labels: str) -> float | None:
    value: float | None = running.service.internal.state.edges.registry.get_sample_value(name, labels)  # type: ignore[attr-defined]
    return value

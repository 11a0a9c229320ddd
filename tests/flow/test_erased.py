"""Somebody who asks to be forgotten is forgotten by the whole product, and reading everything again brings nobody back."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from deploy.demo.settings import SERVICES
from deploy.demo.stack import Stack, running
from deploy.postgres.roles import as_role
from ingest.settings import Settings
from shared.runtime.broker import Outgoing
from shared.runtime.database import Database, rows
from shared.runtime.keys import NewKey, create_key
from shared.runtime.memory import MemoryBroker
from shared.runtime.sealing import Sealer
from shared.runtime.settings import load
from shared.schemas import CallbackAttempted, ProfileGiven, SurveyAnswered
from shared.topics import DEAD
from tests.support.remains import remains

PHONE, EMAIL, MEMBER, NAME, WORDS = "+12125550199", "canary.bird@example.com", "M-CANARY-77", "Canary Bird", "canary words"
CANARIES = (PHONE, EMAIL, MEMBER, NAME, WORDS, "(212) 555-0199", "2125550199")
WRITTEN_BY_OUTSIDERS = (
    "interactions.phone",
    "interactions.web",
    "interactions.chat",
    "customers.profiles",
    "survey.responses",
    "callbacks.outcomes",
)
TALLY = "select day, kind, channel, segment, moment, promoters, passives, detractors from tally_by_segment"
CUSTOMER = {"member_id": MEMBER, "phone": "(212) 555-0199", "email": EMAIL, "name": NAME}
CALL: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("started", 300, {"customer": CUSTOMER}),
    ("connected", 280, {"agent": {"id": "agent-ana", "name": "Ana"}}),
    ("ended", 0, {}),
)


def contact(ref: str, ended: datetime) -> list[Outgoing]:
    common = {"contact": ref, "leg": ref, "channel": "phone", "account": "main", "direction": "inbound", "queue": "billing-line"}
    said = [{**common, "id": f"{ref}-{step}", "event": step, "at": _before(ended, seconds), **more} for step, seconds, more in CALL]
    return [Outgoing("interactions.phone", PHONE.encode(), json.dumps(each).encode(), ()) for each in said]


def _before(ended: datetime, seconds: int) -> str:
    return (ended - timedelta(seconds=seconds)).isoformat()


def profile() -> Outgoing:
    given = {"profile_id": f"crm-{MEMBER}", "member_id": MEMBER, "at": "2026-11-01T10:00:00Z", "name": NAME}
    return _ours("customers.profiles", ProfileGiven.TYPE, given | {"addresses": [{"kind": "phone", "value": PHONE}]})


def answer(ref: str) -> Outgoing:
    named = {"platform": "native", "account": "main", "ref": ref}
    said = {"answer_id": f"a-{ref}", "contact": named, "channel": "ivr", "score": 2, "resolved": "no", "callback": "yes", "comment": WORDS}
    return _ours("survey.responses", SurveyAnswered.TYPE, said)


def broken(case_id: object) -> list[Outgoing]:
    """A message for each service that none of them can take."""
    answer = {"answer_id": "a-2", "address": "(212) 555-0199", "channel": "ivr", "score": "two", "comment": WORDS}
    call = {"attempt_id": "t-1", "case_id": str(case_id), "outcome": "no_answer", "note": WORDS}
    return [
        Outgoing("interactions.phone", None, f'{{"{PHONE}'.encode(), ()),
        _ours("survey.responses", SurveyAnswered.TYPE, answer),
        _ours("callbacks.outcomes", CallbackAttempted.TYPE, call),
    ]


def _ours(topic: str, kind: str, said: dict[str, Any]) -> Outgoing:
    headers = {"ce_id": f"{topic}-1", "ce_source": "/outsider", "ce_type": kind}
    return Outgoing(topic, MEMBER.encode(), json.dumps(said).encode(), tuple((name, value.encode()) for name, value in headers.items()))


@pytest.mark.slow
async def test_an_erased_person_is_in_no_database_no_topic_of_ours_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "aftercall")
    async with running("memory") as stack:
        databases = {each: Database(as_role(stack.database_url, each), schema=each, pool_size=1) for each in SERVICES}
        settings = load(Settings)
        sealer = Sealer(settings.seal_keys, settings.pepper)
        ask = _asker(databases)
        await stack.broker.publish([profile(), *contact("c-1", datetime.now(UTC))])
        await _until(lambda: ask("scoring", "select 1 from survey where state = 'sent'"))
        await stack.broker.publish([answer("c-1")])
        (case,) = await _until(lambda: ask("routing", "select id from cases"))
        await stack.broker.publish(broken(case["id"]))
        for service in SERVICES:
            await _until(partial(ask, service, "select 1 from dead_letter"))
        tally = await ask("scoring", TALLY)
        assert all([await remains(databases[each], sealer, CANARIES) for each in SERVICES])

        erasure = await _erased(stack, databases["ingest"])
        assert {each["service"]: each["state"] for each in erasure["services"]} == dict.fromkeys(SERVICES, "done")
        assert await _left(databases, sealer) == {each: [] for each in SERVICES}
        assert _in_topics(_log(stack)) == []

        await _read_everything_again(_log(stack), databases)
        assert await _left(databases, sealer) == {each: [] for each in SERVICES}
        assert _in_topics(_log(stack)) == []
        assert await ask("ingest", "select 1 from customer where snapshot is not null or profile is not null") == []
        assert await ask("ingest", "select 1 from holding") == []
        assert await ask("scoring", TALLY) == tally
        assert [each["detractors"] for each in tally] == [1]
        logged = str([vars(each) for each in caplog.records])
        assert not [each for each in CANARIES if each in logged]
        for database in databases.values():
            await database.close()


def _log(stack: Stack) -> MemoryBroker:
    assert isinstance(stack.broker, MemoryBroker)
    return stack.broker


def _asker(databases: dict[str, Database]) -> Callable[[str, str], Awaitable[list[dict[str, Any]]]]:
    async def ask(service: str, sql: str) -> list[dict[str, Any]]:
        async with databases[service].transaction() as unit:
            return [dict(each) for each in await rows(unit.tx, sql)]

    return ask


async def _until(look: Callable[[], Awaitable[Any]]) -> Any:
    for _ in range(900):
        if seen := await look():
            return seen
        await asyncio.sleep(0.1)
    raise AssertionError("not within 90 s")


async def _erased(stack: Stack, ingest: Database) -> dict[str, Any]:
    """Asked for by the directory's key, until every service has reported."""
    key = await create_key(ingest, NewKey("crm", ["crm"]))
    async with httpx.AsyncClient(base_url=stack.ports.url("ingest"), headers={"authorization": f"Bearer {key}"}) as client:
        made = (await client.post("/v1/erasures", json={"member_id": MEMBER})).json()

        async def done() -> dict[str, Any] | None:
            shown: dict[str, Any] = (await client.get(f"/v1/erasures/{made['request_id']}")).json()
            return shown if shown["state"] == "done" else None

        found: dict[str, Any] = await _until(done)
        return found


async def _left(databases: dict[str, Database], sealer: Sealer) -> dict[str, list[str]]:
    return {each: await remains(database, sealer, CANARIES) for each, database in databases.items()}


def _in_topics(broker: MemoryBroker) -> list[str]:
    """Our own topics that hold a canary in the open. Those that outsiders write to keep their bytes until `clean_by`, and so do copies."""
    found: set[str] = set()
    for (topic, _), log in broker.logs.items():
        if topic in WRITTEN_BY_OUTSIDERS or topic.endswith(DEAD):
            continue
        for record in log:
            parts = [record.key or b"", record.value or b"", *(value or b"" for _, value in record.headers)]
            found.update(topic for part in parts for canary in CANARIES if canary.encode() in part)
    return sorted(found)


async def _read_everything_again(broker: MemoryBroker, databases: dict[str, Database]) -> None:
    """Every record of every topic once more, in the order it stands in, until all of it was read."""
    records = [record for (topic, _), log in broker.logs.items() if not topic.endswith(DEAD) for record in log]
    await broker.publish(
        [Outgoing(each.topic, each.key, each.value, tuple((name, value or b"") for name, value in each.headers)) for each in records]
    )

    async def read() -> bool:
        return all([await _all_read(broker, database) for database in databases.values()])

    await _until(read)


async def _all_read(broker: MemoryBroker, database: Database) -> bool:
    async with database.transaction() as unit:
        read = await rows(unit.tx, "select topic, partition, next from consumer_offset")
        waiting = await rows(unit.tx, "select 1 from outbox")
    behind = [each for each in read if len(broker.logs[each["topic"], each["partition"]]) > each["next"]]
    return not behind and not waiting

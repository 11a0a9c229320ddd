"""Dead letters in the hands of an admin, over HTTP and real PostgreSQL."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from prometheus_client import CollectorRegistry

from shared.runtime import http
from shared.runtime.access import COOKIE
from shared.runtime.clearing import Replays
from shared.runtime.database import rows
from shared.runtime.memory import MemoryBroker
from shared.runtime.resolving import masked
from shared.runtime.rights import ALL_TEAMS, Principal
from shared.runtime.settings import ServiceSettings
from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.toy import INPUT, Deps, Toy, answer, create_tables, wire

ADMIN = Principal("person", "admin-1", "An admin", frozenset({"admin"}), ALL_TEAMS)
GUIDE = Principal("person", "guide-1", "A guide", frozenset({"guide"}), ALL_TEAMS)


@pytest.fixture
async def toy(database_url: str) -> AsyncIterator[Toy]:
    await create_tables(database_url)
    broker = MemoryBroker()
    await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
    made = Toy(database_url, broker, deps=Deps(poisoned={"a-1"}))
    async with made.running():
        yield made


@pytest.fixture
async def client(toy: Toy) -> AsyncIterator[httpx.AsyncClient]:
    edges = http.edges(ServiceSettings(), toy.database, registry=CollectorRegistry(), package=None)
    app = http.create_internal(edges)
    app.state.replays = Replays(toy.database, toy.sealer, {INPUT: toy.dispatch})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://internal", headers={"origin": "http://internal"}) as made:
        made.cookies.set(COOKIE, edges.access.session(ADMIN))
        made.headers["x-guide"] = edges.access.session(GUIDE)
        yield made


async def the_letter(client: httpx.AsyncClient) -> dict[str, object]:
    items: list[dict[str, object]] = (await client.get("/v1/dead-letters")).json()["items"]
    assert len(items) == 1
    return items[0]


async def test_a_discard_says_why_in_more_than_spaces(toy: Toy, client: httpx.AsyncClient) -> None:
    await toy.broker.publish([wire(b"{")])
    await toy.until("select count(*) from dead_letter", 1)
    letter = await the_letter(client)
    cause = {"topic": letter["topic"], "reason": letter["reason"]}

    one = await client.post(f"/v1/dead-letters/{letter['id']}/discard", json={"reason": "    "})
    many = await client.post("/v1/dead-letters/runs", json={"action": "discard", "note": "    ", **cause})

    assert [each.json()["errors"] for each in (one, many)] == [
        [{"path": path, "reason": "string_too_short"}] for path in ("reason", "note")
    ]
    assert (await the_letter(client))["id"] == letter["id"]


async def test_a_letter_is_listed_and_looked_at_with_its_values_masked(toy: Toy, client: httpx.AsyncClient) -> None:
    await toy.broker.publish([wire(b'{"answer_id": "x", "channel": "sms", "token": "secret words", "score": "ten"}')])
    await toy.until("select count(*) from dead_letter", 1)
    letter = await the_letter(client)
    assert (letter["topic"], letter["reason"], letter["path"]) == (INPUT, "int_type", "score")
    look = (await client.get(f"/v1/dead-letters/{letter['id']}")).text
    assert "token" in look
    assert "secret words" not in look


async def test_a_mended_message_takes_effect_once_however_often_it_is_replayed(toy: Toy, client: httpx.AsyncClient) -> None:
    await toy.broker.publish([wire(b'{"answer_id": "a-9", "channel": "sms", "token": "t", "score": "ten"}')])
    await toy.until("select count(*) from dead_letter", 1)
    path = f"/v1/dead-letters/{(await the_letter(client))['id']}/replay"
    assert (await client.post(path, json={})).json() == {"taken": False, "reason": "still_at_fault"}
    mended = '{"answer_id": "a-9", "channel": "sms", "token": "t", "score": 10}'
    for _ in range(2):
        assert (await client.post(path, json={"body": mended})).json()["taken"] is True
    assert await toy.effects() == {"a-9": 1}
    assert (await client.get("/v1/dead-letters")).json()["items"] == []
    async with toy.database.transaction() as unit:
        done = await rows(unit.tx, "select what, by_ref, detail from audit order by id")
    assert [(each["what"], each["by_ref"]) for each in done] == [("dead-letter.replay", "admin-1")] * 3
    assert [each["detail"]["mended"] for each in done] == [False, True, True]


async def test_a_message_that_broke_the_handler_is_taken_when_the_handler_is_mended(toy: Toy, client: httpx.AsyncClient) -> None:
    await toy.broker.publish([answer(1), answer(2)])
    await toy.until("select count(*) from dead_letter", 1)
    letter = await the_letter(client)
    assert letter["reason"] == "failed:KeyError"
    still = await client.post(f"/v1/dead-letters/{letter['id']}/replay", json={})
    assert still.json() == {"taken": False, "reason": "failed:KeyError"}
    toy.deps.poisoned.clear()
    assert (await client.post(f"/v1/dead-letters/{letter['id']}/replay", json={})).json()["taken"] is True
    assert await toy.effects() == {"a-1": 1, "a-2": 1}


async def test_a_mended_message_that_cannot_be_stored_is_told_why(toy: Toy, client: httpx.AsyncClient) -> None:
    await toy.broker.publish([wire(b'{"answer_id": "a-9", "channel": "sms", "token": "t", "score": "ten"}')])
    await toy.until("select count(*) from dead_letter", 1)
    mended = '{"answer_id": "a\\u0000", "channel": "sms", "token": "t", "score": 10}'
    answer = await client.post(f"/v1/dead-letters/{(await the_letter(client))['id']}/replay", json={"body": mended})
    assert answer.json() == {"taken": False, "reason": "nul_character"}


async def test_a_discarded_letter_is_gone_from_the_list_and_kept_with_its_reason(toy: Toy, client: httpx.AsyncClient) -> None:
    await toy.broker.publish([wire(b"{")])
    await toy.until("select count(*) from dead_letter", 1)
    letter = await the_letter(client)
    await client.post(f"/v1/dead-letters/{letter['id']}/discard", json={"reason": "a test of the bridge"})
    assert (await client.get("/v1/dead-letters")).json()["items"] == []
    assert await toy.count("select count(*) from dead_letter where state = 'discarded'") == 1


async def test_only_an_admin_may(toy: Toy, client: httpx.AsyncClient) -> None:
    client.cookies.set(COOKIE, client.headers["x-guide"], domain="internal")
    client.cookies.clear()
    assert (await client.get("/v1/dead-letters")).status_code == 401
    client.cookies.set(COOKIE, client.headers["x-guide"])
    assert (await client.get("/v1/dead-letters")).status_code == 403
    assert (await client.post(f"/v1/dead-letters/{uuid4()}/replay", json={})).status_code == 403


async def test_resuming_a_topic_that_is_not_stopped_says_so(client: httpx.AsyncClient) -> None:
    refused = await client.post("/v1/dead-letters/resume", json={"topic": INPUT})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_stopped")


def test_masking_keeps_keys_and_types_and_nothing_else() -> None:
    assert masked({"name": "x", "list": [1, None, {"deep": True}]}) == {
        "name": "••• (str)",
        "list": ["••• (int)", None, {"deep": "••• (bool)"}],
    }

"""`/explain`: what a payload means and what would come of it, over a real database, where nothing of it stays."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest

from ingest.explain.pages import headers_of
from ingest.normalise.model import Raw
from ingest.normalise.used import used
from shared.runtime.access import COOKIE
from shared.runtime.rights import ALL_TEAMS, Principal
from tests.support.ingest import PHONE, Running, call, ingest
from tests.support.readings import payload

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
KEPT = ("event", "contact", "interaction", "customer", "handle", "outbox", "dead_letter")


@dataclass
class Desk:
    running: Running
    client: httpx.AsyncClient

    async def explain(self, *events: object, headers: str = "") -> str:
        payload = events[0] if isinstance(events[0], str) else "\n".join(map(json.dumps, events))
        answer = await self.client.post("/explain", data={"payload": payload, "headers": headers})
        assert answer.status_code == 200
        return " ".join(unescape(answer.text).split())

    async def counts(self) -> list[int]:
        return [(await self.running.rows(f"select count(*) from {table}"))[0]["count"] for table in KEPT]


@pytest.fixture
async def desk(ingest_database: str) -> AsyncIterator[Desk]:
    async with ingest(ingest_database) as running:
        transport = httpx.ASGITransport(running.service.public, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest.example.com", follow_redirects=True) as client:
            admin = Principal("person", "admin-1", "Ada", frozenset({"admin"}), ALL_TEAMS)
            client.cookies.set(COOKIE, running.service.public.state.access.session(admin))
            yield Desk(running, client)


async def test_an_end_says_when_the_contact_would_be_told_of_and_of_whom_and_nothing_stays(desk: Desk) -> None:
    before = await desk.counts()
    said = await desk.explain(*call("c-1", start=START, customer={"phone": PHONE}))
    assert "A leg begins" in said
    assert "A leg ends" in said
    assert "It would be stored." in said
    assert "is over, unless another leg comes by then" in said
    assert "provisional" in said
    assert "revision 1" in said
    assert PHONE not in said.split("Another one")[0]
    assert await desk.counts() == before


async def test_times_lengths_and_traits_are_shown_as_people_read_them(desk: Desk) -> None:
    said = await desk.explain(*call("c-1", start=START))
    assert "<dt>talk</dt><dd>288 s</dd>" in said
    task = await desk.explain(payload("twilio/invented-stream-task-completed").decode())
    assert "<dt>started</dt><dd>Tue 11 May 2027 " in task
    assert "<dt>traits</dt><dd>product_line: medicare</dd>" in task
    assert "<dt>handled</dt><dd>yes</dd>" in task


async def test_what_is_stored_already_and_another_body_under_its_id_are_told_apart(desk: Desk) -> None:
    event = call("c-1", start=START)[0]
    await desk.running.feed(event)
    before = await desk.counts()
    assert "It is stored already, word for word" in await desk.explain(event)
    assert "Another body is stored under its id" in await desk.explain({**event, "queue": "another"})
    assert await desk.counts() == before


async def test_a_later_leg_is_judged_together_with_what_is_stored_of_the_contact(desk: Desk) -> None:
    *first, end = call("c-1", start=START)
    await desk.running.feed(*first)
    said = await desk.explain(end)
    assert "handled" in said


async def test_what_is_not_ours_and_what_is_at_fault_say_why(desk: Desk) -> None:
    stranger = {"specversion": "1.0", "id": "1", "source": "/a", "type": "weather.changed", "data": {}}
    assert "Not ours: ignored: <code>unknown_type</code>" in await desk.explain(stranger)
    said = await desk.explain({**call("c-1", start=START)[0], "contact": None})
    assert "At fault: a dead letter: <code>contact missing</code>" in said
    assert "At fault" in await desk.explain('{"id": NaN}')
    assert "There is nothing to read" not in await desk.explain("   ")


async def test_headers_are_read_as_kafka_would_have_carried_them(desk: Desk) -> None:
    headers = "ce_id: e-1\nce_source: /pbx\nce_type: contact.event\nce_specversion: 1.0\ncontent-type: application/json"
    assert "cloudevents" in await desk.explain(call("c-1", start=START)[0], headers=headers)


async def test_more_than_is_read_at_once_is_said(desk: Desk) -> None:
    events = [each for number in range(7) for each in call(f"c-{number}", start=START)]

    assert "Only the first 20 were read" in await desk.explain(*events)
    assert "Only the first" not in await desk.explain(*events[:20])


async def test_only_an_admin_finds_it(desk: Desk) -> None:
    guide = Principal("person", "g", "Gil", frozenset({"guide"}), ALL_TEAMS)
    desk.client.cookies.clear()
    desk.client.cookies.set(COOKIE, desk.running.service.public.state.access.session(guide))
    assert (await desk.client.get("/explain", headers={"accept": "text/html"})).status_code == 404


def test_lines_that_are_no_headers_say_nothing() -> None:
    assert headers_of("A: 1\nno colon\n: x\na: 2\n\nB:") == {"a": "1", "b": ""}


def test_the_fields_a_reading_rests_on_are_those_it_would_miss() -> None:
    event = call("c-1", start=START)[-1]
    rests_on = used(Raw(json.dumps({**event, "nobody": "reads this", "nor": {"this": [1, 2]}}).encode()))
    assert rests_on is not None
    assert {"id", "contact", "event", "at"} <= set(rests_on)
    assert not any(path.startswith(("nobody", "nor")) for path in rests_on)


def test_a_text_that_is_json_is_looked_into() -> None:
    inner = json.dumps(call("c-1", start=START)[0])
    rests_on = used(Raw(json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:x:1:t", "MessageId": "m", "Message": inner}).encode()))
    assert rests_on is not None
    assert "Message→contact" in rests_on


def test_no_json_has_no_fields() -> None:
    assert used(Raw(b"{")) is None
    assert used(Raw(None)) is None

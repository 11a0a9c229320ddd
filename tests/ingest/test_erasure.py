"""Somebody who asks to be forgotten is, under every id and handle they had, and neither a replay nor a late event brings them back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from ingest.contacts import store as contacts
from ingest.contacts.handle import close
from ingest.erasure import handle as erasure
from ingest.erasure.search import handle as search
from shared.runtime.audit import CommandLine
from shared.schemas import ErasureReported
from tests.support.ingest import EMAIL, OTHER_PHONE, PHONE, Json, Running, call, ingest, until_somebody_waits
from tests.support.remains import remains

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
ANA = {"phone": PHONE, "email": EMAIL, "member_id": "M-ANA-1", "name": "Ana Lopez"}


def profile(member: str, *phones: str, at: str = "2026-11-01T10:00:00Z", **more: Any) -> Json:
    addresses = [{"kind": "phone", "value": phone} for phone in phones]
    return {"profile_id": f"{member}@{at}", "member_id": member, "at": at, "addresses": addresses, **more}


@asynccontextmanager
async def served(url: str) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    async with ingest(url) as running:
        transport = httpx.ASGITransport(running.service.public, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://a", headers=await running.key("crm")) as client:
            yield running, client


async def erase(running: Running, member: str) -> UUID:
    async with running.database.transaction() as unit:
        request = await erasure.erase_member(unit, running.deps.office, member, basis="request", by=CommandLine())
    await look_through(running)
    return request


async def look_through(running: Running) -> None:
    """As the timer does, until nothing is left."""
    again = 1
    while again:
        async with running.database.transaction() as unit:
            again = await search.search(unit, running.deps.office)


async def left_of(running: Running, *values: str) -> list[str]:
    """The tables that hold one of these values, or an HMAC of one. What is on its way to topics is not looked at."""
    sought = [*values, *(_ref(running, value) for value in values)]
    return await remains(running.database, running.deps.desk.sealer, sought, besides=["outbox"])


def _ref(running: Running, value: str) -> str:
    kind = "email" if "@" in value else "phone" if value.startswith("+") else "member"
    return running.deps.desk.sealer.ref(kind, "", value)


async def test_nothing_leads_to_an_erased_person_while_their_contacts_stay(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-ANA-1", PHONE, name="Ana Lopez"))
        await running.feed(*call("c-1", start=START, customer=ANA))
        await running.close()
        await running.feed(*call("c-2", start=START + timedelta(hours=1), customer={"email": EMAIL, "name": "Ana Lopez"})[:2])
        await running.feed(b'{"half": "(212) 555-0142', json.dumps({"odd": True, "mail": EMAIL.upper()}).encode())
        assert await left_of(running, PHONE, EMAIL, "M-ANA-1", "Ana Lopez")

        await erase(running, "M-ANA-1")

        told = await running.interactions()
        assert await left_of(running, PHONE, EMAIL, "M-ANA-1", "Ana Lopez") == ["handle", "handle", "handle"]
        assert [(each["ref"], each.get("customer"), each["no_customer"], each["agent"]) for each in told] == [("c-1", None, "none", "a-1")]
        assert await running.rows("select count(*) from event") == [{"count": 5}]
        assert await running.rows("select distinct state, key, headers::text from dead_letter") == [
            {"state": "discarded", "key": None, "headers": "[]"}
        ]


async def test_everybody_is_told_under_every_id_the_person_had(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE}), *call("c-2", start=START, customer={"email": EMAIL}))
        await running.close()
        await running.say("customers.profiles", profile("M-ANA-1", PHONE) | {"addresses": _both()})
        merged = (await running.sent("customers.changed"))[-1]
        (alias,), customer = merged["supersedes"], merged["customer"]["customer_id"]

        answer = await client.post("/v1/erasures", json={"customer_id": alias, "basis": "right_to_be_forgotten"})

        (told,) = await running.sent("customers.erased")
        assert (answer.status_code, answer.json()["customer_ids"]) == (202, [customer, alias])
        assert (told["customer_ids"], told["basis"]) == ([customer, alias], "right_to_be_forgotten")
        nulls = await running.rows("select key from outbox where topic = 'customers.changed' and payload = '' order by seq")
        assert [each["key"] for each in nulls][-2:] == [customer, alias]
        audited = await running.rows("select what, subject from audit where by_kind = 'key'")
        assert audited == [{"what": "customer.erased", "subject": customer}]


def _both() -> list[Json]:
    return [{"kind": "email", "value": EMAIL}, {"kind": "phone", "value": PHONE}]


async def test_a_full_replay_finds_no_person(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        events = call("c-1", start=START, customer=ANA, agents=("a-1", "a-2"))
        await running.say("customers.profiles", profile("M-ANA-1", PHONE, name="Ana Lopez"))
        await running.feed(*events, b"{half " + PHONE.encode())
        await running.close()
        await erase(running, "M-ANA-1")
        before = await running.rows("select count(*) from interaction")

        await running.feed(*events, b"{half " + PHONE.encode())
        await running.say("customers.profiles", profile("M-ANA-1", PHONE, name="Ana Lopez"))
        await running.say("customers.profiles", profile("M-ANA-1", PHONE, name="Ana Lopez", at="2026-11-02T10:00:00Z"))
        await running.close()

        assert await left_of(running, PHONE, EMAIL, "M-ANA-1", "Ana Lopez") == ["handle", "handle", "handle"]
        assert await running.rows("select count(*) from interaction") == before
        assert await running.rows("select count(*) from customer where snapshot is not null or profile is not null") == [{"count": 0}]
        assert await running.rows("select count(*) from holding") == [{"count": 0}]


async def test_a_late_event_of_an_erased_person_is_nobodys_and_its_handles_go(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        first, second, last = call("c-1", start=START, customer={"phone": PHONE})
        await running.say("customers.profiles", profile("M-ANA-1", PHONE))
        await running.feed(first, last)
        await running.close()
        await erase(running, "M-ANA-1")

        await running.feed({**second, "customer": ANA}, *call("c-9", start=START, customer=ANA))
        await running.close()

        told = {each["ref"]: each for each in await running.interactions()}
        assert {ref: (each["no_customer"], each.get("point_ref")) for ref, each in told.items()} == {
            "c-1": ("none", None),
            "c-9": ("none", None),
        }
        assert await running.rows("select count(*) from event where handles is not null or refs is not null") == [{"count": 0}]
        assert await running.rows("select count(*) from customer where erasure is null") == [{"count": 0}]


async def test_whoever_shares_the_number_keeps_it_and_is_not_taken_for_the_erased(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-ANA-1", PHONE), profile("M-BO-2", PHONE, name="Bo"))
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE, "member_id": "M-BO-2"})[:2])
        await erase(running, "M-ANA-1")

        await running.feed(call("c-1", start=START)[2], *call("c-2", start=START, customer={"phone": PHONE}))
        await running.close()
        await running.say("customers.profiles", profile("M-BO-2", PHONE, name="Bo", at="2026-11-09T10:00:00Z", language="es"))

        told = {each["ref"]: each for each in await running.interactions()}
        assert (told["c-1"]["customer"]["known"], told["c-2"]["no_customer"]) == (True, "none")
        assert await running.rows("select count(*) from holding where kind = 'phone'") == [{"count": 1}]
        assert (await running.sent("customers.changed"))[-1]["customer"]["language"] == "es"


async def test_the_same_person_asked_for_twice_at_once_is_one_request(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        await running.say("customers.profiles", profile("M-ANA-1", PHONE))
        customer = (await running.sent("customers.changed"))[-1]["customer"]["customer_id"]
        asked: list[Json] = [{"member_id": "M-ANA-1"}, {"customer_id": customer}, {"member_id": "M-ANA-1"}]

        answers = await asyncio.gather(*(client.post("/v1/erasures", json=each) for each in asked))

        assert [each.status_code for each in answers] == [202] * 3
        assert len({each.json()["request_id"] for each in answers}) == 1
        assert len(await running.sent("customers.erased")) == 1


async def test_whoever_is_erased_while_their_contacts_are_judged_on_two_replicas_is_gone_in_the_end(ingest_database: str) -> None:
    async with ingest(ingest_database, close_batch=1) as one, ingest(ingest_database, close_batch=1) as two:
        await one.say("customers.profiles", profile("M-ANA-1", PHONE))
        for n in range(6):
            await one.feed(*call(f"c-{n}", start=START, customer=ANA))
        await one.pass_time(timedelta(hours=1))

        async def judge(running: Running) -> None:
            while await running.judge():
                pass

        await asyncio.gather(judge(one), judge(two), erase(one, "M-ANA-1"))
        await look_through(one)

        assert len(await one.interactions()) == 6
        assert await left_of(one, PHONE, EMAIL, "M-ANA-1", "Ana Lopez") == ["handle", "handle", "handle"]
        assert await one.rows("select count(*) from customer where erasure is null") == [{"count": 0}]


async def test_an_erasure_takes_no_handle_of_a_person_whose_contact_is_being_judged(ingest_database: str) -> None:
    """Who judges holds the contact, then asks for the handles: the other way round the two would wait for each other."""
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer=ANA))
        await running.close()
        await running.feed(*call("c-1", start=START, agents=("a-1", "a-2"))[3:])
        await running.pass_time(timedelta(hours=30))

        async with running.database.transaction() as unit:
            due = await contacts.claim(unit.tx, ("native", "main", "c-1"))
            erasing = asyncio.create_task(erase(running, "M-ANA-1"))
            await until_somebody_waits(running)
            await close(unit, due, running.deps.closing)
        await erasing

        assert await left_of(running, PHONE, EMAIL, "M-ANA-1", "Ana Lopez") == ["handle", "handle", "handle"]


async def test_an_address_that_came_with_their_member_id_is_theirs_before_anybody_knew(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-ANA-1", PHONE), profile("M-BO-2", OTHER_PHONE))
        await running.feed(*call("c-1", start=START, customer={"email": EMAIL})[:2])
        await running.feed(*call("c-2", start=START, customer=ANA | {"phone": OTHER_PHONE})[:2])

        await erase(running, "M-ANA-1")
        await running.feed(*call("c-1", start=START)[2:], *call("c-3", start=START, customer={"phone": OTHER_PHONE}))
        await running.close()

        told = {each["ref"]: each for each in await running.interactions()}
        assert {ref: each.get("no_customer") for ref, each in told.items()} == {"c-1": "none", "c-2": "none", "c-3": None}
        assert await left_of(running, PHONE, EMAIL, "M-ANA-1", "Ana Lopez") == ["handle", "handle", "handle"]


async def test_somebody_we_never_had_is_erased_before_their_contact_is_over(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer={"member_id": "M-ANA-1", "name": "Ana Lopez"}))
        await erase(running, "M-ANA-1")

        await running.close()

        (told,) = await running.sent("interactions.completed")
        assert told["no_customer"] == "none"
        assert await left_of(running, "M-ANA-1", "Ana Lopez") == ["handle"]


async def test_each_services_report_is_shown_and_who_is_late_is_seen(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        await running.say("customers.profiles", profile("M-ANA-1", PHONE))
        made = (await client.post("/v1/erasures", json={"member_id": "M-ANA-1"})).json()
        assert [(each["service"], each["state"]) for each in made["services"]] == [
            ("ingest", "working"),
            ("scoring", "waiting"),
            ("routing", "waiting"),
        ]
        await look_through(running)
        await running.say("customers.erased", _report(made["request_id"], "scoring"), ce_type=ErasureReported.TYPE)
        await running.sql("update erasure set requested_at = requested_at - interval '2 hours'")
        await _measure(running)

        shown = (await client.get(f"/v1/erasures/{made['request_id']}")).json()

        assert [(each["service"], each["state"], each["late"]) for each in shown["services"]] == [
            ("ingest", "done", False),
            ("scoring", "done", False),
            ("routing", "waiting", True),
        ]
        assert shown["services"][0]["counts"]["customers"] == 1
        assert (shown["state"], shown["clean_by"]) == ("in_progress", "2027-01-01T00:00:00Z")
        assert _unreported(running) == {"ingest": 0, "scoring": 0, "routing": 1}

        await running.say("customers.erased", _report(made["request_id"], "routing"), ce_type=ErasureReported.TYPE)
        await _measure(running)

        assert (await client.get(f"/v1/erasures/{made['request_id']}")).json()["state"] == "done"
        assert _unreported(running) == {"ingest": 0, "scoring": 0, "routing": 0}


def _report(request: str, service: str) -> Json:
    return {"request_id": request, "service": service, "counts": {"surveys": 2}, "clean_by": "2027-01-01T00:00:00Z", "done": True}


async def _measure(running: Running) -> None:
    async with running.database.transaction() as unit:
        await erasure.measure(unit, running.deps.office)


def _unreported(running: Running) -> dict[str, float]:
    (metric,) = running.deps.office.metrics.erasures_unreported.collect()
    return {each.labels["service"]: each.value for each in metric.samples}


async def test_a_report_on_a_request_we_never_made_is_a_dead_letter(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.erased", _report(str(uuid4()), "scoring"), ce_type=ErasureReported.TYPE)

        assert await running.rows("select reason, path from dead_letter") == [{"reason": "unknown_request", "path": "request_id"}]


async def test_a_refusal_outlives_the_person_and_a_grant_does_not(ingest_database: str) -> None:
    refused = {"channel": "any", "purpose": "survey", "state": "refused", "at": "2026-11-01T10:00:00Z", "source": "page"}
    granted = {"channel": "email", "purpose": "any", "state": "granted", "at": "2026-11-01T10:00:00Z", "source": "crm"}
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-BO-2", OTHER_PHONE))
        await running.say("customers.profiles", profile("M-ANA-1", PHONE, OTHER_PHONE, consents=[refused, granted]))
        await erase(running, "M-ANA-1")

        kept = await running.rows("select customer_id, address_ref, channel, purpose, state from consent")
        told = (await running.sent("consents.changed"))[-1]["consent"]
        alone = _ref(running, PHONE)
        assert kept == [{"customer_id": None, "address_ref": alone, "channel": "any", "purpose": "survey", "state": "refused"}]
        assert (told["address_ref"], told["state"]) == (alone, "refused")


async def test_a_dead_letter_that_names_them_by_our_own_id_is_emptied(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer=ANA))
        await running.close()
        (customer,) = await running.rows("select id from customer")
        for named in (customer["id"], uuid4()):
            await running.say("consents.changed", {"consent": {"customer_id": str(named), "state": "denied"}})

        await erase(running, "M-ANA-1")

        letters = await running.rows("select body, state from dead_letter order by id")
        opened = [(running.deps.desk.sealer.unseal_bytes(each["body"]) == b"", each["state"]) for each in letters]
        assert opened == [(True, "discarded"), (False, "waiting")]


async def test_a_late_consent_of_an_erased_customer_is_left_out(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-ANA-1", PHONE))
        customer = (await running.sent("customers.changed"))[-1]["customer"]["customer_id"]
        await erase(running, "M-ANA-1")

        late = {
            "channel": "sms",
            "purpose": "any",
            "state": "granted",
            "at": "2026-11-02T10:00:00Z",
            "source": "t",
            "customer_id": customer,
        }
        await running.say("consents.changed", {"consent": late})

        assert await running.rows("select 1 from consent union all select 1 from dead_letter") == []


async def test_handles_may_name_somebody_again_when_their_time_has_come(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-ANA-1", PHONE), profile("M-BO-2", PHONE))
        await erase(running, "M-ANA-1")
        await running.sql("update handle set due = due - interval '35 days 1 second'")

        async with running.database.transaction() as unit:
            assert await erasure.forget_marks(unit, running.deps.office) == 2
        await running.say("customers.profiles", profile("M-ANA-1", OTHER_PHONE, at="2026-12-24T10:00:00Z"))

        assert len({each["customer"]["customer_id"] for each in await running.sent("customers.changed") if each}) == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"member_id": "M-1", "customer_id": str(uuid4())}, 422),
        ({"customer_id": str(uuid4())}, 404),
        ({"member_id": "  "}, 422),
        ({"member_id": "M-1", "basis": "ana@example.com wrote to us"}, 422),
        ({"member_id": " M-1 ", "basis": "GDPR"}, 202),
        ({"member_id": "M\u0000"}, 202),
    ],
)
async def test_a_request_names_one_person(ingest_database: str, body: Json, status: int) -> None:
    async with served(ingest_database) as (running, client):
        assert (await client.post("/v1/erasures", json=body)).status_code == status
        assert (await client.post("/v1/erasures", json=body, headers=await running.key("platform"))).status_code == 403
        assert (await client.get(f"/v1/erasures/{uuid4()}")).status_code == 404


async def test_a_profile_of_an_erased_member_is_refused_for_a_while(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        await running.say("customers.profiles", profile("M-ANA-1", PHONE))
        await erase(running, "M-ANA-1")

        put = await client.put("/v1/customers/M-ANA-1", json={"name": "Ana"})
        lines = await client.post("/v1/customers", content=json.dumps(profile("M-ANA-1", PHONE)))

        assert (put.status_code, put.json()["code"]) == (409, "erased")
        assert (lines.json()["accepted"], [each["reason"] for each in lines.json()["rejected"]]) == (0, ["erased"])

"""Ingest over HTTP: events, what became of them, customers, the catalogue; and who may do it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.runtime.access import undeclared_routes
from tests.support.ingest import EMAIL, PHONE, Json, Running, call, ingest

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)


@asynccontextmanager
async def served(url: str) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    async with ingest(url) as running:
        transport = httpx.ASGITransport(running.service.public, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest.example.com") as client:
            yield running, client


async def test_one_event_without_a_content_type_is_accepted_when_stored(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        answer = await client.post("/v1/events", content=json.dumps(call("c-1", start=START)[0]), headers=await running.key("platform"))

        assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "duplicate": 0, "ignored": 0, "rejected": []})
        assert await running.rows("select count(*) from event") == [{"count": 1}]


@pytest.mark.parametrize("shape", ["array", "lines", "batch"])
async def test_many_events_are_told_apart_and_each_fault_is_named_by_its_place(ingest_database: str, shape: str) -> None:
    events = call("c-1", start=START)
    wrong = {**events[0], "id": "bad", "contact": None}
    many = [*events, wrong, events[0]]
    async with served(ingest_database) as (running, client):
        headers = await running.key("platform")
        if shape == "array":
            body = json.dumps(many)
        elif shape == "lines":
            body = "\n".join(map(json.dumps, many)) + "\n"
        else:
            headers["content-type"] = "application/cloudevents-batch+json"
            cloud = {"specversion": "1.0", "source": "/crm", "type": "contact.event"}
            body = json.dumps([{**cloud, "id": str(n), "data": each} for n, each in enumerate(many)])
        answer = (await client.post("/v1/events", content=body, headers=headers)).json()

        assert (answer["accepted"], answer["duplicate"]) == (3, 1)
        ((index, reason, path),) = ((each["index"], each["reason"], each["path"]) for each in answer["rejected"])
        assert (index, reason) == (3, "missing")
        assert path.endswith("contact")
        assert await running.rows("select 1 from dead_letter") == []


NOTHING = {"accepted": 0, "duplicate": 0, "ignored": 0, "rejected": []}


@pytest.mark.parametrize("kind", ["application/cloudevents-batch+json; charset=UTF-8", "application/json"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[]", NOTHING),
        ("[7]", {**NOTHING, "rejected": [{"index": 0, "path": None, "reason": "not_an_object"}]}),
        ("[[]]", {**NOTHING, "rejected": [{"index": 0, "path": None, "reason": "not_an_object"}]}),
        ("7", {**NOTHING, "rejected": [{"index": 0, "path": None, "reason": "not_an_object"}]}),
        ("[", {**NOTHING, "rejected": [{"index": 0, "path": None, "reason": "invalid_json"}]}),
    ],
)
async def test_a_batch_without_events_is_answered_by_what_is_in_it(ingest_database: str, kind: str, body: str, said: Json) -> None:
    async with served(ingest_database) as (running, client):
        headers = await running.key("platform") | {"content-type": kind}
        answer = await client.post("/v1/events", content=body, headers=headers)

        assert (answer.status_code, answer.json()) == (202, said)
        assert await running.rows("select 1 from event") == []


async def test_of_a_batch_good_and_bad_each_event_is_answered_in_its_place(ingest_database: str) -> None:
    started, connected, ended = call("c-1", start=START)
    cloud = {"specversion": "1.0", "id": "1", "source": "/crm", "type": "contact.event"}
    batch = [
        {**cloud, "data": started},
        None,
        {**cloud, "data": connected, "id": ""},
        cloud,
        {**cloud, "data": {**connected, "contact": None}},
        {**cloud, "data": connected, "data_base64": "e30="},
        {**cloud, "type": "com.example.shop.ordered", "data": {"order": 1}},
        {**cloud, "data": started},
        {"specversion": "1.0", "data": ended},
        {**cloud, "data": ended},
    ]
    async with served(ingest_database) as (running, client):
        headers = await running.key("platform") | {"content-type": "application/cloudevents-batch+json"}
        answer = await client.post("/v1/events", json=batch, headers=headers)

        said = answer.json()
        assert (answer.status_code, said["accepted"], said["duplicate"], said["ignored"]) == (202, 2, 1, 1)
        assert [(each["index"], each["path"], each["reason"]) for each in said["rejected"]] == [
            (1, None, "not_an_object"),
            (2, "id", "missing"),
            (3, "data", "missing"),
            (4, "data.contact", "missing"),
            (5, "data", "both_data_and_data_base64"),
            (8, "id", "missing"),
        ]
        assert await running.rows("select kind from event order by kind") == [{"kind": "ended"}, {"kind": "started"}]


async def test_a_binary_cloudevent_is_read_from_its_headers(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        said = {
            "ce-specversion": "1.0",
            "ce-id": "7",
            "ce-source": "/shop",
            "ce-type": "contact.started",
            "content-type": "application/json",
        }
        answer = await client.post("/v1/events", json=call("c-1", start=START)[0], headers=await running.key("platform") | said)

        assert answer.json()["accepted"] == 1


async def test_a_conflict_over_http_is_answered(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        headers, first = await running.key("platform"), call("c-1", start=START)[0]
        await client.post("/v1/events", json=first, headers=headers)
        answer = await client.post("/v1/events", json={**first, "queue": "q-2"}, headers=headers)

        assert answer.json()["rejected"] == [{"index": 0, "path": None, "reason": "conflict"}]


async def test_a_key_of_one_account_can_neither_send_nor_see_another_ones(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        mine = await running.key("platform", platform="native", account="main")
        others = await running.key("platform", platform="native", account="elsewhere")
        sent = await client.post("/v1/events", json=call("c-1", start=START), headers=mine)
        refused = await client.post("/v1/events", json=call("c-2", start=START), headers=others)

        assert sent.json()["accepted"] == 3
        assert [each["reason"] for each in refused.json()["rejected"]] == ["not_your_account"] * 3
        query = {"platform": "native", "ref": "c-1"}
        assert len((await client.get("/v1/interactions", params=query, headers=mine)).json()["contacts"]) == 1
        assert (await client.get("/v1/interactions", params=query, headers=others)).json() == {"contacts": []}


async def test_what_is_awaited_and_what_was_told_can_be_asked(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        headers = await running.key("platform")
        await client.post("/v1/events", json=call("c-1", start=START, customer={"phone": PHONE}), headers=headers)
        query = {"platform": "native", "account": "main", "ref": "c-1"}
        (before,) = (await client.get("/v1/interactions", params=query, headers=headers)).json()["contacts"]
        await running.close()
        (after,) = (await client.get("/v1/interactions", params=query, headers=headers)).json()["contacts"]
        told = after["revisions"][0]
        by_id = await client.get(f"/v1/interactions/{told['interaction_id']}", headers=running.cookie("admin"))

        assert ([each["kind"] for each in before["events"]], before["revisions"]) == (["started", "connected", "ended"], [])
        assert datetime.fromisoformat(before["look_again_at"]) > datetime.now(UTC)
        assert (after["waits_for"], after["look_again_at"]) == (None, None)
        assert told["interaction"]["agent"] == "a-1"
        assert by_id.json() == after
        assert PHONE not in by_id.text


async def test_a_member_is_put_and_bad_addresses_are_named(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        headers = await running.key("crm")
        profile = {
            "name": "Ana Lopez",
            "addresses": [{"kind": "phone", "value": PHONE}, {"kind": "phone", "value": "12"}],
            "zone": "America/Denver",
        }
        first = await client.put("/v1/customers/M-1", json=profile, headers=headers)
        again = await client.put("/v1/customers/M-1", json={"segment": "family"}, headers=headers)

        assert first.status_code == 200
        assert [each["path"] for each in first.json()["left_out"]] == ["addresses.1.value"]
        assert first.json()["customer_id"] == again.json()["customer_id"]
        assert again.json()["version"] == first.json()["version"] + 1


async def test_a_member_with_an_unknown_zone_is_refused_by_name(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        answer = await client.put("/v1/customers/M-1", json={"zone": "Mars/Olympus"}, headers=await running.key("crm"))

        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"path": "zone", "reason": "unknown_zone"}]


async def test_lines_of_profiles_are_stored_but_for_the_bad_ones(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        good = {"profile_id": "1", "member_id": "M-1", "at": "2026-11-01T10:00:00Z", "addresses": [{"kind": "email", "value": EMAIL}]}
        lines = "\n".join([json.dumps(good), "{", json.dumps({**good, "member_id": "M-2", "at": "yesterday"})])
        answer = (await client.post("/v1/customers", content=lines, headers=await running.key("crm"))).json()

        assert answer["accepted"] == 1
        assert [(each["index"], each["path"]) for each in answer["rejected"]] == [(1, None), (2, "at")]
        assert await running.rows("select count(*) from customer") == [{"count": 1}]


async def test_a_misspelled_moment_puts_no_catalogue_in_force(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        admin = running.cookie("admin")
        await client.post("/v1/catalogue/versions", json={"catalogue": {"teams": {"elm": "Elm"}}}, headers=admin)

        refused = await client.post("/v1/catalogue/versions/1/activate", json={"form": "2027-01-01T00:00:00Z"}, headers=admin)

        assert (refused.status_code, refused.json()["errors"]) == (422, [{"path": "form", "reason": "extra_forbidden"}])
        assert (await client.get("/v1/catalogue/versions", headers=admin)).json()["active"] == 0


async def test_a_catalogue_is_drafted_activated_and_brought_back(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        admin = running.cookie("admin")
        one = await client.post("/v1/catalogue/versions", json={"catalogue": {"teams": {"elm": "Elm"}}, "note": "first"}, headers=admin)
        two = await client.post("/v1/catalogue/versions", json={"catalogue": {"teams": {"oak": "Oak"}}}, headers=admin)
        assert (one.status_code, one.json()["version"], one.json()["active_from"], two.json()["version"]) == (201, 1, None, 2)

        for number in (1, 2, 1):
            assert (await client.post(f"/v1/catalogue/versions/{number}/activate", headers=admin)).status_code == 200
            assert (await client.get("/v1/catalogue/versions", headers=admin)).json()["active"] == number
        assert (await client.get("/v1/catalogue/versions/2", headers=admin)).json()["catalogue"]["teams"] == {"oak": "Oak"}
        assert [each["what"] for each in await running.rows("select what from audit order by at")].count("catalogue.activated") == 3


async def test_a_draft_is_checked_and_compared_before_it_is_put_in_force_at_its_hour(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        admin, first = running.cookie("admin"), {"teams": {"elm": "Elm"}, "queues": {"q-1": "elm"}}
        second = first | {"queues": {"q-1": "oak"}}
        later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        await client.post("/v1/catalogue/versions", json={"catalogue": first}, headers=admin)
        await client.post("/v1/catalogue/versions/1/activate", headers=admin)

        checked = (await client.post("/v1/catalogue/check", json={"catalogue": second}, headers=admin)).json()
        await client.post("/v1/catalogue/versions", json={"catalogue": second | {"teams": {"oak": "Oak"}}}, headers=admin)
        compared = (await client.get("/v1/catalogue/versions/2/changes", headers=admin)).json()
        back = (await client.get("/v1/catalogue/versions/2/changes?against=0", headers=admin)).json()
        activated = [
            await client.post(f"/v1/catalogue/versions/{number}/activate", json={"from": since}, headers=admin)
            for number, since in ((2, "2020-01-01T00:00:00Z"), (1, later), (9, later), (2, later))
        ]

        assert checked["faults"] == [{"path": "queues.q-1", "reason": "unknown_team"}]
        assert (checked["against"], checked["changes"]) == (
            1,
            [{"path": "queues.q-1", "change": "changed", "before": "elm", "after": "oak"}],
        )
        assert [(each["path"], each["change"]) for each in compared["changes"]] == [
            ("teams.elm", "removed"),
            ("teams.oak", "added"),
            ("queues.q-1", "changed"),
        ]
        assert (back["against"], len(back["changes"])) == (0, 2)
        assert [each.status_code for each in activated] == [422, 409, 404, 200]
        assert (await client.get("/v1/catalogue/versions", headers=admin)).json()["active"] == 1
        said = await running.rows("select what, subject from audit order by id")
        assert [(each["what"], each["subject"]) for each in said] == [
            ("catalogue.drafted", "1"),
            ("catalogue.activated", "1"),
            ("catalogue.drafted", "2"),
            ("catalogue.activated", "2"),
        ]


async def test_a_catalogue_that_contradicts_itself_is_refused_place_by_place(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        catalogue = {"teams": {"elm": "Elm"}, "queues": {"q-1": "oak"}, "moments": [{"moment": "claim", "team": "ash"}]}
        answer = await client.post("/v1/catalogue/versions", json={"catalogue": catalogue}, headers=running.cookie("admin"))

        assert answer.status_code == 422
        assert [each["path"] for each in answer.json()["errors"]] == ["catalogue.queues.q-1", "catalogue.moments.0.team"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/events", "crm"),
        ("GET", "/v1/interactions?platform=native&ref=c", "crm"),
        ("PUT", "/v1/customers/M-1", "platform"),
        ("POST", "/v1/customers", "platform"),
        ("GET", "/v1/catalogue/versions", "platform"),
        ("POST", "/v1/catalogue/versions", "platform"),
        ("POST", "/v1/catalogue/check", "crm"),
        ("GET", "/v1/catalogue/versions/1/changes", "crm"),
        ("POST", "/v1/catalogue/versions/1/activate", "dialer"),
    ],
)
async def test_nobody_and_the_wrong_key_are_turned_away(ingest_database: str, method: str, path: str, scope: str) -> None:
    async with served(ingest_database) as (running, client):
        nobody = await client.request(method, path, json={})
        wrong = await client.request(method, path, json={}, headers=await running.key(scope))

        assert (nobody.status_code, wrong.status_code) == (401, 403)


async def test_every_route_says_who_may_use_it(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        assert undeclared_routes(running.service.public) == []
        assert undeclared_routes(running.service.internal) == []


async def test_a_body_over_the_limit_is_too_large(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        answer = await client.post("/v1/events", content=b"[" + b" " * 1_048_577, headers=await running.key("platform"))

        assert answer.status_code == 413


async def test_without_a_database_the_sender_is_told_when_to_come_back() -> None:
    async with served("postgresql+psycopg://nobody@127.0.0.1:1/nothing") as (_, client):
        headers = {"authorization": "Bearer ak_0123456789ab_secret"}
        answer = await client.post("/v1/events", json=call("c-1", start=START), headers=headers)

        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


async def test_an_unreadable_body_is_answered_and_not_stored(ingest_database: str) -> None:
    async with served(ingest_database) as (running, client):
        answer = await client.post("/v1/events", content=b"{half", headers=await running.key("platform"))

        assert (answer.status_code, answer.json()["accepted"], len(answer.json()["rejected"])) == (202, 0, 1)
        assert await running.rows("select 1 from dead_letter") == []

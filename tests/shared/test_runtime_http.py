"""The HTTP edge: every error is a problem, every answer is guarded, nothing personal in logs or metrics."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from openapi_spec_validator import validate

from shared.runtime.guard import Bounded, Limits
from shared.runtime.logging import JsonLines
from shared.runtime.problems import Problem
from tests.support.edges import CANARY, Edged, edged

PAGE = {"accept": "text/html,*/*"}


@pytest.fixture
async def toy(database_url: str) -> AsyncIterator[Edged]:
    async with edged(database_url) as made:
        yield made


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


async def test_every_answer_has_the_security_headers_and_a_request_id(toy: Edged) -> None:
    for path in ("/v1/odd", "/nowhere", "/v1/broken/x"):
        headers = (await toy.client.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"], headers["x-frame-options"]) == (
            "nosniff",
            "no-referrer",
            "DENY",
        )
        assert headers["cache-control"] == "no-store"
        assert len(headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("method", "path", "status", "code"), [("GET", "/nowhere", 404, "not_found"), ("DELETE", "/v1/odd", 405, "method_not_allowed")]
)
async def test_the_frameworks_refusals_are_problems(toy: Edged, method: str, path: str, status: int, code: str) -> None:
    reply = await toy.client.request(method, path)
    assert (reply.status_code, reply.headers["content-type"], reply.json()["code"]) == (status, "application/problem+json", code)
    assert reply.json()["request_id"] == reply.headers["x-request-id"]


async def test_a_wrong_field_is_named_and_its_value_is_not(toy: Edged) -> None:
    reply = await toy.client.post("/v1/answers/t", json={"score": f"ten {CANARY}", "phone": 5})
    assert reply.status_code == 422
    assert reply.json()["errors"] == [{"path": "score", "reason": "int_parsing"}, {"path": "phone", "reason": "string_type"}]
    assert CANARY not in reply.text


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"score": 1', b"[" * 5_000])
async def test_a_body_that_is_no_json_is_refused_as_a_problem(toy: Edged, body: bytes) -> None:
    reply = await toy.client.post("/v1/answers/t", content=body)
    assert reply.status_code in (400, 422)
    assert reply.headers["content-type"] == "application/problem+json"


async def test_json_without_a_content_type_is_read(toy: Edged) -> None:
    reply = await toy.client.post("/v1/answers/t", content=b'{"score": 9}')
    assert (reply.status_code, reply.json()["score"]) == (200, 9)


async def test_what_a_message_would_be_refused_for_is_a_422(toy: Edged) -> None:
    reply = await toy.client.get("/v1/odd")
    assert (reply.status_code, reply.json()["code"]) == (422, "time_missing")
    assert reply.json()["errors"] == [{"path": "legs.0.from", "reason": "time_missing"}]


async def test_a_value_that_postgresql_cannot_hold_is_the_senders_fault(toy: Edged) -> None:
    assert (await toy.client.get("/v1/found/oak")).json() == {"there": True}
    reply = await toy.client.get("/v1/found/o%00ak")
    assert (reply.status_code, reply.json()["code"]) == (422, "value_not_possible")


async def test_a_bug_is_a_500_that_says_nothing_and_a_log_line_that_says_where(toy: Edged, logged: io.StringIO) -> None:
    reply = await toy.client.get(f"/v1/broken/{CANARY}")
    assert (reply.status_code, reply.json()["code"]) == (500, "internal_error")
    assert CANARY not in reply.text
    assert CANARY not in logged.getvalue()
    assert '"error": "KeyError"' in logged.getvalue()


async def test_requests_are_logged_and_counted_by_the_routes_template(toy: Edged, logged: io.StringIO) -> None:
    await toy.client.post(f"/v1/answers/{CANARY}", json={"score": 3})
    await toy.client.get(f"/nowhere/{CANARY}")
    assert CANARY not in logged.getvalue()
    assert '"route": "/v1/answers/{token}"' in logged.getvalue()
    labels = {"port": "public", "method": "POST", "route": "/v1/answers/{token}"}
    assert toy.sample("aftercall_http_requests_total", **labels, status="200") == 1
    assert toy.sample("aftercall_http_request_duration_seconds_count", **labels) == 1
    exposed = (await toy.inside.get("/metrics")).text
    assert CANARY not in exposed
    assert 'route="unmatched"' in exposed


async def test_a_body_over_the_limit_is_refused_also_when_chunked(database_url: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    async with edged(database_url, body_limit=1_000) as toy:
        whole = await toy.client.post("/v1/answers/t", content=b"x" * 1_001)
        chunked = await toy.client.post("/v1/cases", content=chunks(), headers=toy.cookie("guide"))
    assert (whole.status_code, whole.json()["code"]) == (413, "too_large")
    assert (chunked.status_code, chunked.json()["code"]) == (413, "too_large")


async def test_when_all_connections_are_taken_the_answer_is_503_after_a_bounded_wait(database_url: str) -> None:
    async with edged(database_url, pool_size=1) as toy, toy.database.transaction():
        reply = await asyncio.wait_for(toy.client.get("/v1/stored"), 5.0)
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    assert int(reply.headers["retry-after"]) > 0


async def test_when_the_database_is_away_the_answer_is_503_and_the_service_lives_but_is_not_ready() -> None:
    async with edged("postgresql+psycopg://nobody@127.0.0.1:9/nothing", tables=False) as toy:
        assert (await toy.client.get("/v1/stored")).status_code == 503
        ready = await toy.inside.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert (await toy.inside.get("/livez")).status_code == 200


async def test_ready_tells_details_that_do_not_judge_and_ends_when_stopping(toy: Edged) -> None:
    health = toy.internal.state.health
    health.details["broker"] = lambda: "away"
    assert (await toy.inside.get("/readyz")).json() == {"ready": True, "why": None, "broker": "away"}
    health.stopping = True
    assert (await toy.inside.get("/readyz")).json()["why"] == "stopping"


async def test_what_has_ended_makes_the_process_not_alive(toy: Edged) -> None:
    toy.internal.state.health.stuck = lambda: ["toy.relay"]
    reply = await toy.inside.get("/livez")
    assert (reply.status_code, reply.json()["stuck"]) == (503, ["toy.relay"])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://toy.example.com"}, 200),
        ({"origin": "http://evil.example.com"}, 403),
        ({"origin": "null"}, 403),
        ({}, 200),
    ],
)
async def test_a_signed_in_browser_changes_things_only_from_our_own_pages(toy: Edged, headers: dict[str, str], status: int) -> None:
    reply = await toy.client.post("/v1/cases", headers={**headers, **toy.cookie("guide")})
    assert reply.status_code == status


async def test_a_page_that_is_not_there_is_a_page(toy: Edged) -> None:
    reply = await toy.client.get("/nowhere", headers=PAGE)
    assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page" in reply.text


async def test_static_files_are_cached_for_ever_under_the_hash_of_their_content(toy: Edged) -> None:
    address = toy.public.state.templates.globals["asset"]("style.css")
    reply = await toy.client.get(address)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in reply.headers["cache-control"]
    assert (await toy.client.get("/static/0000000000000000/style.css")).status_code == 404
    assert (await toy.client.get("/static/0000000000000000/../../access.py")).status_code == 404


async def test_the_api_describes_itself(toy: Edged) -> None:
    described = (await toy.client.get("/openapi.json")).json()
    assert "/v1/events" in described["paths"]
    assert "/sign-in" not in described["paths"]
    refusals = described["paths"]["/v1/answers/{token}"]["post"]["responses"]
    assert {status: list(told["content"]) for status, told in refusals.items() if status != "200"} == {
        "422": ["application/problem+json"],
        "default": ["application/problem+json"],
    }
    validate(described)


async def test_a_body_that_does_not_arrive_is_not_waited_for(toy: Edged) -> None:
    async def never() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    bounded = Bounded(never, Limits(10, 0.01))
    with pytest.raises(Problem) as refused:
        await bounded()
    assert refused.value.status_code == 408

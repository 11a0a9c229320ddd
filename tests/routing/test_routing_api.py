"""The API of cases, recovery and the rota: who may do what, what a conflict says, how pages of a list join."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from routing.cases.model import Case
from shared.runtime.access import ALL_TEAMS, COOKIE, Principal, Teams, declared, undeclared_routes
from shared.runtime.database import rows, run
from tests.support.cases import NOW, Routing, a_customer, an_answer


class People:
    """Sends requests as somebody."""

    def __init__(self, desk: Routing, client: httpx.AsyncClient) -> None:
        self._access, self._client = desk.service.public.state.access, client

    async def ask(
        self, method: str, path: str, *roles: str, teams: frozenset[str] = Teams({"birch"}), ref: str = "ana", **given: Any
    ) -> httpx.Response:
        person = Principal("person", ref, ref.title(), frozenset(roles), teams)
        headers = {"cookie": f"{COOKIE}={self._access.session(person)}", "origin": "http://test"} if roles else {}
        return await self._client.request(method, path, headers=headers, **given)


@pytest.fixture
async def people(desk: Routing) -> AsyncIterator[People]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.service.public), base_url="http://test") as client:
        yield People(desk, client)


CALL = {"revision": 1, "attempt_id": "a", "outcome": "busy"}


async def opened(desk: Routing, **given: object) -> Case:
    await desk.hear(an_answer(2, customer=a_customer(), **given))  # type: ignore[arg-type]
    return (await desk.cases())[-1]


RIGHTS = {
    "claim": {"guide", "supervisor"},
    "attempts": {"guide", "supervisor"},
    "reveal": {"guide", "supervisor"},
    "release": {"guide", "supervisor", "admin"},
    "resolve": {"guide", "supervisor", "admin"},
    "reopen": {"guide", "supervisor", "admin"},
    "assign": {"supervisor", "admin"},
    "close": {"supervisor", "admin"},
}


@pytest.mark.parametrize("move", RIGHTS)
async def test_every_role_may_do_what_the_contract_says_and_nothing_else(desk: Routing, people: People, move: str) -> None:
    case = await opened(desk)

    for role in ("guide", "supervisor", "admin", "analyst"):
        answer = await people.ask("POST", f"/v1/cases/{case.number}/{move}", role, json={})
        assert (answer.status_code == 403) == (role not in RIGHTS[move]), (role, answer.status_code)
    assert (await people.ask("POST", f"/v1/cases/{case.number}/{move}", json={})).status_code == 401


def test_every_route_names_its_permission(desk: Routing) -> None:
    assert undeclared_routes(desk.service.public) == []
    moves = {
        path.rsplit("/", 1)[1]: permission.roles for _, path, permission in declared(desk.service.public) if permission and "{key}/" in path
    }
    assert moves == RIGHTS


async def test_a_case_of_another_team_does_not_exist_but_an_admin_sees_it(desk: Routing, people: People) -> None:
    case = await opened(desk)
    cedar = Teams({"cedar"})

    hidden = await people.ask("GET", f"/v1/cases/{case.number}", "supervisor", teams=cedar)
    nothing = await people.ask("GET", "/v1/cases/99999999", "supervisor", teams=cedar)
    claimed = await people.ask("POST", f"/v1/cases/{case.id}/claim", "guide", teams=cedar, json={"revision": 1})

    assert (hidden.status_code, nothing.status_code, claimed.status_code) == (404, 404, 404)
    assert {**hidden.json(), "request_id": ""} == {**nothing.json(), "request_id": ""}
    assert (await people.ask("GET", f"/v1/cases/{case.id}", "admin", teams=cedar)).status_code == 200
    assert (await people.ask("GET", "/v1/cases/no-such-thing", "admin")).status_code == 404


async def test_an_admins_reach_does_not_widen_what_a_guide_may_claim(desk: Routing, people: People) -> None:
    case = await opened(desk)

    answer = await people.ask("POST", f"/v1/cases/{case.number}/claim", "guide", "admin", teams=Teams({"cedar"}), json={"revision": 1})

    assert answer.status_code == 404


async def test_whoever_is_slower_learns_who_was_faster_and_when(desk: Routing, people: People) -> None:
    case = await opened(desk)
    path = f"/v1/cases/{case.number}/claim"

    won = await people.ask("POST", path, "guide", ref="maria", json={"revision": 1})
    lost = await people.ask("POST", path, "guide", json={"revision": 1})

    assert (won.status_code, won.json()["revision"], won.json()["owner_name"]) == (200, 2, "Maria")
    assert lost.status_code == 409
    problem = lost.json()
    assert (problem["code"], problem["by"], problem["by_ref"], problem["revision"], problem["change"]) == (
        "changed",
        "Maria",
        "maria",
        2,
        "assigned",
    )
    assert problem["at"].endswith("Z")
    too_late = await people.ask("POST", path, "guide", json={"revision": 2})
    assert (too_late.status_code, too_late.json()["code"], too_late.json()["by"], too_late.json()["at"]) == (
        409,
        "claimed",
        "Maria",
        problem["at"],
    )


async def test_a_case_goes_from_claim_to_closed_over_http(desk: Routing, people: People) -> None:
    case = await opened(desk)

    async def post(move: str, revision: int, **body: object) -> dict[str, Any]:
        answer = await people.ask("POST", f"/v1/cases/{case.number}/{move}", "supervisor", json={"revision": revision, **body})
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    given = await post("assign", 1, owner="maria")
    back = await post("release", given["revision"])
    claimed = await post("claim", back["revision"])
    solved = await post(
        "attempts", claimed["revision"], attempt_id="a-1", outcome="reached", resolved=True, root_cause="wait", note="sorry\x00 said\u0085"
    )
    closed = await post("close", solved["revision"])
    reopened = await post("reopen", closed["revision"])

    assert [each["state"] for each in (claimed, solved, closed, reopened)] == ["assigned", "resolved", "closed", "open"]
    told = (await people.ask("GET", f"/v1/cases/{case.number}", "guide")).json()
    assert [step["change"] for step in told["history"]] == [
        "opened",
        "assigned",
        "released",
        "assigned",
        "attempted",
        "resolved",
        "closed",
        "reopened",
    ]
    assert told["attempts"][0]["note"] == "sorry said"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "revision"),
        ({"revision": 0}, "revision"),
        ({"revision": 1, "attempt_id": "a", "outcome": "Reached!"}, "outcome"),
        ({"revision": 1, "attempt_id": "a", "outcome": "reached", "mood": "good"}, "mood"),
        ({**CALL, "started_at": "2026-11-24T15:00:00Z", "ended_at": "2026-11-24T14:59:59.999Z"}, "ended_at"),
        ({**CALL, "started_at": "2026-11-24T15:00:00Z", "ended_at": "2026-11-24T15:59:59+01:00"}, "ended_at"),
    ],
)
async def test_a_body_that_does_not_fit_names_the_field(desk: Routing, people: People, body: dict[str, object], path: str) -> None:
    case = await opened(desk)

    answer = await people.ask("POST", f"/v1/cases/{case.number}/attempts", "guide", json=body)

    assert answer.status_code == 422
    assert path in [each["path"] for each in answer.json()["errors"]]


async def test_a_call_may_end_the_moment_it_began(desk: Routing, people: People) -> None:
    case = await opened(desk)
    moment = case.opened_at.isoformat()
    given = {**CALL, "started_at": moment, "ended_at": moment}

    answer = await people.ask("POST", f"/v1/cases/{case.number}/attempts", "guide", json=given)

    assert answer.status_code == 200, answer.text


async def test_what_the_table_refuses_is_a_conflict_with_a_sentence(desk: Routing, people: People) -> None:
    case = await opened(desk)

    answer = await people.ask("POST", f"/v1/cases/{case.number}/close", "supervisor", json={"revision": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_possible_in_state")
    assert "must be resolved" in answer.json()["detail"]


async def test_pages_of_the_queue_join_without_gap_or_repeat_and_carry_nothing_personal(desk: Routing, people: People) -> None:
    for hours in range(5):
        await opened(desk, answered_at=NOW - timedelta(hours=hours), callback="no", comment=desk.sealed("canary words"))

    found: list[int] = []
    cursor: str | None = None
    while True:
        asked = {"view": "review", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await people.ask("GET", "/v1/cases", "guide", params=asked)
        assert "canary" not in page.text
        found += [each["number"] for each in page.json()["cases"]]
        cursor = page.json()["next"]
        if cursor is None:
            break

    assert found == [case.number for case in sorted(await desk.cases(), key=lambda case: (case.due_at, -case.priority, case.number))]
    assert (await people.ask("GET", "/v1/cases", "guide", params={"cursor": "bm9uc2Vuc2U="})).status_code == 422


async def test_recovery_is_counted_by_arm_and_by_reached_with_an_interval(desk: Routing, people: People) -> None:
    cases = [await opened(desk) for _ in range(4)]
    async with desk.deps.database.transaction() as unit:
        await run(unit.tx, "update cases set reached = true where number <= :number", number=cases[2].number)
        now = unit.now
    for case, score in zip(cases, (9, 8, 3, 6), strict=True):
        assert case.customer is not None
        await desk.hear(an_answer(score, customer=case.customer, kind="recovery", anchor=case.id, answered_at=now))

    told = (await people.ask("GET", "/v1/recovery", "supervisor", params={"window": "7d"})).json()
    others = (await people.ask("GET", "/v1/recovery", "supervisor", teams=Teams({"cedar"}))).json()

    assert (told["all"]["answered"], told["all"]["recovered"], told["all"]["rate"]) == (4, 2, 0.5)
    assert told["all"]["low"] < 0.5 < told["all"]["high"]
    assert [(each["arm"], each["reached"], each["rate"]["answered"], each["rate"]["recovered"]) for each in told["cells"]] == [
        ("call", False, 1, 0),
        ("call", True, 3, 2),
    ]
    assert others["all"] == {"answered": 0, "recovered": 0, "rate": None, "low": None, "high": None}


async def test_a_rota_is_drafted_checked_and_activated(desk: Routing, people: People) -> None:
    team = {
        "code": "willow",
        "name": "Willow",
        "zone": "America/Denver",
        "hours": {"daily": "00:00-24:00"},
        "people": [{"ref": "ana", "name": "Ana"}],
    }
    wrong = {"teams": [team, team | {"code": "elm", "zone": "America/Atlantis"}]}

    refused = await people.ask("POST", "/v1/rota/versions", "admin", json=wrong)
    drafted = await people.ask("POST", "/v1/rota/versions", "admin", json={"teams": [team]})
    before = await opened(desk)
    activated = await people.ask("POST", "/v1/rota/versions/1/activate", "admin")
    after = await opened(desk)

    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "teams.1.zone")
    assert (drafted.status_code, drafted.json(), activated.status_code) == (201, {"version": 1}, 200)
    assert after.due_at != before.due_at
    assert (await people.ask("POST", "/v1/rota/versions/7/activate", "admin")).status_code == 404
    assert (await people.ask("GET", "/v1/rota/versions", "supervisor", teams=ALL_TEAMS)).json()[0]["activated_by"] == "ana"
    assert (await people.ask("GET", "/v1/rota/versions/1", "supervisor")).json()["teams"][0]["code"] == "willow"
    async with desk.deps.database.transaction() as unit:
        audited = await rows(unit.tx, "select by_kind, by_ref, what, subject from audit order by id")
    assert [tuple(each.values()) for each in audited] == [("person", "ana", "rota.drafted", "1"), ("person", "ana", "rota.activated", "1")]


async def test_metrics_count_without_naming_anybody(desk: Routing, people: People) -> None:
    someone = a_customer()
    await desk.hear(an_answer(2, customer=someone, survey_id=uuid4()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.service.internal), base_url="http://test") as inside:
        told = (await inside.get("/metrics")).text

    assert 'aftercall_cases_opened_total{level="normal",route="call"} 1.0' in told
    assert 'aftercall_case_changes_total{change="opened"} 1.0' in told
    assert str(someone.customer_id) not in told

"""Dialers claim the next due case, get number, name and words, and tell what came of the call: by API and by topic."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from routing.cases.model import Case, Route, State
from routing.cases.work import handle as work
from shared.runtime.access import COOKIE
from shared.runtime.database import as_json, rows, run
from shared.runtime.keys import NewKey, create_key
from shared.schemas import CallbackAttempted, ConsentChanged, CustomerChanged, CustomerErased
from tests.support.cases import ANA, NOW, Routing, a_contact, a_customer, a_point, an_answer, refusal, seen
from tests.support.console import session

NUMBER = "+12025550147"


class Dialer:
    """Sends requests with a key."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client, self._headers = client, {"authorization": f"Bearer {key}"}

    async def next(self, **wants: str) -> httpx.Response:
        return await self.post("/v1/dialer/next", json=wants or None)

    async def claim(self, case: Case | UUID) -> httpx.Response:
        return await self.post(f"/v1/dialer/cases/{case.id if isinstance(case, Case) else case}/claim")

    async def tell(self, case: Case | UUID, outcome: str, *, attempt_id: str = "d-1", **given: Any) -> httpx.Response:
        path = f"/v1/dialer/cases/{case.id if isinstance(case, Case) else case}/attempts"
        return await self.post(path, json={"attempt_id": attempt_id, "outcome": outcome, **given})

    async def post(self, path: str, **given: Any) -> httpx.Response:
        return await self._client.post(path, headers=self._headers, **given)


class Floor:
    """Two dialers at one desk."""

    def __init__(self, client: httpx.AsyncClient, keys: list[str]) -> None:
        self.first, self.second = (Dialer(client, key) for key in keys)


@pytest.fixture
async def floor(desk: Routing) -> AsyncIterator[Floor]:
    keys = [await create_key(desk.deps.database, NewKey(name, ["dialer"])) for name in ("north", "south")]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.service.public), base_url="http://test") as client:
        yield Floor(client, keys)


async def waiting(desk: Routing, *, team: str = "birch", **given: Any) -> Case:
    """An open case whose customer may be called right now."""
    known = {case.id for case in await desk.cases()}
    point = a_point(f"phone-{uuid4()}")
    private = desk.deps.sealer.seal({"given_name": "Rosalind", "addresses": {point.ref: NUMBER}})
    customer = given.pop("customer", None) or a_customer(points=(point,), private=private)
    await desk.hear(an_answer(2, customer=customer, contact=a_contact(team=team), **given))
    case = next(case for case in await desk.cases() if case.id not in known)
    await callable_now(desk, case)
    return (await find(desk, case.id)) or case


async def callable_now(desk: Routing, case: Case, *, opens_in: timedelta = timedelta(hours=-1)) -> None:
    async with desk.deps.database.transaction() as unit:
        window = [{"from": unit.now + opens_in, "to": unit.now + opens_in + timedelta(hours=4)}]
        await run(unit.tx, "update cases set windows = cast(:windows as jsonb) where id = :id", windows=as_json(window), id=case.id)


async def find(desk: Routing, case_id: UUID) -> Case | None:
    return next((case for case in await desk.cases() if case.id == case_id), None)


async def page(desk: Routing, case: Case) -> str:
    cookies = {COOKIE: session(desk, "supervisor", ref="priya", teams=frozenset({"birch"}))}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.service.public), base_url="http://test", cookies=cookies) as client:
        return (await client.get(f"/console/cases/{case.number}", headers={"accept": "text/html"})).text


async def standings(desk: Routing) -> list[str]:
    return [each["standing"] for each in await desk.sent("callback-requested")]


async def audited(desk: Routing) -> list[tuple[str, str]]:
    async with desk.deps.database.transaction() as unit:
        found = await rows(unit.tx, "select by_kind, what from audit where what <> 'api-key.created' order by id")
    return [(each["by_kind"], each["what"]) for each in found]


async def test_the_next_due_case_comes_with_number_name_and_words_and_is_audited(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk, comment=desk.sealed("I waited an hour"))

    answer = await floor.first.next()

    held = answer.json()
    assert (answer.status_code, held["number"], held["name"]) == (200, NUMBER, "Rosalind")
    assert [(each["score"], each["comment"]) for each in held["said"]] == [(2, "I waited an hour")]
    assert (held["case"]["id"], held["case"]["state"], held["case"]["owner_name"]) == (str(case.id), "assigned", "north")
    assert await audited(desk) == [("dialer", "case.shown_to_dialer")]
    assert (await floor.second.next()).status_code == 204


async def test_nothing_due_is_204_and_nothing_is_audited(desk: Routing, floor: Floor) -> None:
    early = await waiting(desk)
    await callable_now(desk, early, opens_in=timedelta(hours=1))

    answer = await floor.first.next()

    assert (answer.status_code, answer.content) == (204, b"")
    assert await audited(desk) == []


async def test_critical_cases_go_first_and_a_dialer_may_ask_for_team_skill_and_language(desk: Routing, floor: Floor) -> None:
    plain = await waiting(desk, answered_at=NOW - timedelta(days=1))
    critical = await waiting(desk, comment=desk.sealed("I am in danger"))
    cedar = await waiting(desk, team="cedar")

    assert (await floor.first.next(team="cedar")).json()["case"]["id"] == str(cedar.id)
    assert (await floor.first.next(team="cedar")).status_code == 204
    assert (await floor.first.next(skill="nobody_has_it")).status_code == 204
    assert (await floor.first.next(language="fr")).status_code == 204
    assert [(await floor.first.next()).json()["case"]["id"] for _ in range(2)] == [str(critical.id), str(plain.id)]


async def test_many_who_ask_at_once_get_a_case_each_and_none_twice(desk: Routing, floor: Floor) -> None:
    cases = {str((await waiting(desk)).id) for _ in range(4)}

    answers = await asyncio.gather(*(dialer.next() for dialer in (floor.first, floor.second) * 4))

    taken = [answer.json()["case"]["id"] for answer in answers if answer.status_code == 200]
    assert len(taken) == len(set(taken))
    assert set(taken) <= cases
    while (rest := await floor.first.next()).status_code == 200:
        taken.append(rest.json()["case"]["id"])
    assert sorted(taken) == sorted(cases)


async def test_of_two_dialers_that_claim_one_case_one_wins_and_the_other_sees_who(desk: Routing, floor: Floor) -> None:
    await waiting(desk)
    (request,) = await desk.sent("callback-requested")

    answers = await asyncio.gather(*(each.post(request["claim"]) for each in (floor.first, floor.second)))

    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 409)
    assert (lost.json()["code"], lost.json()["by"]) == ("claimed", won.json()["case"]["owner_name"])
    assert lost.json()["at"] == won.json()["case"]["owner_since"][:23] + "Z"
    assert NUMBER not in lost.text


async def test_a_case_a_guide_has_is_refused_and_one_claimed_again_answers_the_same(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)
    first, again = await floor.first.claim(case), await floor.first.claim(case)
    other = await waiting(desk)
    async with desk.deps.database.transaction() as unit:
        await work.claim(unit, desk.deps, seen(other))

    refused = await floor.first.claim(other)

    assert first.json() == again.json()
    assert (refused.status_code, refused.json()["by"]) == (409, "Ana")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("route = 'review'", "not_for_calls"),
        ("route = 'hold_out'", "not_for_calls"),
        ("state = 'reached'", "not_possible_in_state"),
        ("state = 'closed'", "not_possible_in_state"),
        ("next_at = now() + interval '1 hour'", "not_yet"),
        ("windows = '[]'", "outside_hours"),
        ("customer = jsonb_set(customer, '{points}', '[]')", "not_for_calls"),
    ],
)
async def test_what_may_not_be_called_now_is_neither_claimed_nor_shown(desk: Routing, floor: Floor, change: str, code: str) -> None:
    case = await waiting(desk)
    async with desk.deps.database.transaction() as unit:
        await run(unit.tx, f"update cases set {change}")

    refused, nothing = await floor.first.claim(case), await floor.first.next()

    assert (refused.status_code, refused.json()["code"], nothing.status_code) == (409, code, 204)
    assert ((await desk.case()).owner, await audited(desk)) == (None, [])


async def test_an_outcome_counts_once_and_gives_the_case_back(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)
    await floor.first.claim(case)

    told = [await floor.first.tell(case, "no_answer", note="rang long") for _ in range(2)]

    assert [(each.status_code, each.json()["attempts"], each.json()["owner"]) for each in told] == [(200, 1, None)] * 2
    assert await desk.changes(case) == ["opened", "assigned", "attempted"]
    assert (await floor.second.next()).json()["case"]["id"] == str(case.id)


async def test_reached_and_solved_ends_the_case_and_the_request(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)
    await floor.first.claim(case)

    told = await floor.first.tell(case, "reached", resolved=True, root_cause="wait")

    assert (told.json()["state"], told.json()["owner"]) == ("resolved", None)
    assert await standings(desk) == ["wanted", "withdrawn"]


async def test_a_call_that_was_made_is_kept_whoever_has_the_case(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)
    async with desk.deps.database.transaction() as unit:
        await work.claim(unit, desk.deps, seen(case))

    told = await floor.first.tell(case, "busy")

    assert (told.status_code, told.json()["attempts"], told.json()["owner"]) == (200, 1, "ana")


async def test_an_outcome_that_makes_no_sense_says_why(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)

    answers = [
        await floor.first.tell(uuid4(), "busy"),
        await floor.first.tell(case, "reschedule"),
        await floor.first.tell(case, "busy", started_at="0001-01-01T00:00:00Z"),
        await floor.first.tell(case, "busy", attempt_id="a\x00b"),
        await floor.first.tell(case, "busy", colour="red"),
        await floor.first.tell(case, "busy", started_at="2026-11-24T15:00:00Z", ended_at="2026-11-24T14:00:00Z"),
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers[:2]] == [(404, "not_found"), (409, "next_at_missing")]
    assert [each.status_code for each in answers[2:]] == [422, 422, 422, 422]
    assert answers[-1].json()["errors"] == [{"path": "ended_at", "reason": "before_started_at"}]
    assert (await desk.case()).attempts == 0


async def test_a_dialer_that_dies_does_not_keep_the_case(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)
    await floor.first.claim(case)
    assert await desk.tick("leases") == 0

    await desk.move_due("lease_until", case=case)

    assert await desk.tick("leases") == 1
    assert await desk.tick("leases") == 0
    back = await desk.case()
    assert (back.state, back.owner, back.lease_until) == (State.OPEN, None, None)
    assert await desk.changes(case) == ["opened", "assigned", "released"]
    assert await standings(desk) == ["wanted", "wanted"]
    assert "Given back</strong>, the dialer told no outcome in time" in await page(desk, case)
    late = await floor.first.tell(case, "no_answer")
    assert (late.status_code, late.json()["attempts"]) == (200, 1)


async def test_a_guides_claim_is_no_lease(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)
    async with desk.deps.database.transaction() as unit:
        mine = await work.claim(unit, desk.deps, seen(case))

    assert mine.lease_until is None
    assert (await floor.first.next()).status_code == 204


async def test_a_supervisor_may_take_a_case_from_a_dialer_and_it_hears_of_it(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)
    await floor.first.claim(case)
    async with desk.deps.database.transaction() as unit:
        await work.assign(unit, desk.deps, seen(await desk.case(), teams=None), "maria")

    assert ((await desk.case()).owner, (await desk.case()).lease_until) == ("maria", None)
    assert await standings(desk) == ["wanted", "withdrawn"]


async def test_a_dialers_whole_life_by_topic(desk: Routing, floor: Floor) -> None:
    """It hears of the case, claims by the path it was told, reports by topic under its key's name, three times."""
    case = await waiting(desk)
    assert case.expires_on is not None
    later = case.expires_on - timedelta(hours=1)
    calls: list[tuple[str, dict[str, Any]]] = [("no_answer", {}), ("reschedule", {"next_at": later}), ("reached", {"resolved": True})]
    for turn, (outcome, given) in enumerate(calls):
        request = (await desk.sent("callback-requested"))[-1]
        assert (request["standing"], request["attempt"], request["case_id"]) == ("wanted", turn + 1, str(case.id))
        await callable_now(desk, case)
        async with desk.deps.database.transaction() as unit:
            await run(unit.tx, "update cases set next_at = null")
        assert (await floor.first.post(request["claim"])).status_code == 200
        assert await desk.hand("callbacks.outcomes", outcome_of(case, outcome, f"t-{turn}", **given)) == []
        assert (await desk.case()).owner is None

    done = await desk.case()
    assert (done.state, done.attempts) == (State.RESOLVED, 3)
    assert await standings(desk) == ["wanted", "wanted", "wanted", "withdrawn"]
    assert [each["revision"] for each in await desk.sent("callback-requested")] == [1, 2, 3, 4]


def outcome_of(case: Case, outcome: str, attempt_id: str, **given: Any) -> CallbackAttempted:
    said = {"attempt_id": attempt_id, "case_id": case.id, "by": {"kind": "dialer", "ref": "north"}, "started_at": NOW, "outcome": outcome}
    return CallbackAttempted.model_validate(said | given)


async def test_an_outcome_told_again_after_a_merge_counts_once(desk: Routing, floor: Floor) -> None:
    older = await waiting(desk)
    younger = await waiting(desk)
    await floor.first.tell(younger, "busy")
    await merge(desk, older, younger)

    again = await floor.first.tell(younger, "busy")
    new = [await floor.first.tell(younger, "busy", attempt_id="d-2") for _ in range(2)]

    assert (again.json()["id"], again.json()["attempts"]) == (str(older.id), 0)
    assert [each.json()["attempts"] for each in new] == [1, 1]


async def test_the_windows_told_begin_at_the_time_the_customer_named(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)
    later = case.windows[0].from_ + timedelta(hours=3)

    await floor.first.tell(case, "reschedule", next_at=later.isoformat(), started_at=NOW.isoformat())

    request = (await desk.sent("callback-requested"))[-1]
    assert request["windows"][0]["from"] == later.isoformat(timespec="milliseconds")[:23] + "Z"


# ---- called off -------------------------------------------------------------------------------------------------------------------


async def opt_out(desk: Routing, case: Case) -> None:
    await desk.hand("consents.changed", ConsentChanged(consent=refusal(case.customer_id, at=NOW + timedelta(hours=1))))


async def erase(desk: Routing, case: Case) -> None:
    assert case.customer_id
    erased = CustomerErased(request_id=uuid4(), customer_ids=(case.customer_id,), requested_at=NOW, basis="request")
    await desk.hand("customers.erased", erased)


async def merge_away(desk: Routing, case: Case) -> None:
    """Into an older case, which is not what this one was about."""
    async with desk.deps.database.transaction() as unit:
        await run(unit.tx, "update cases set opened_at = now() + interval '1 hour' where id = :id", id=case.id)
    await merge(desk, await waiting(desk), case)


async def merge(desk: Routing, stays: Case, ends: Case) -> None:
    assert stays.customer
    assert ends.customer_id
    newer = stays.customer.model_copy(update={"version": 2})
    await desk.hand("customers.changed", CustomerChanged(customer=newer, change="merged", at=NOW, supersedes=(ends.customer_id,)))


async def expire(desk: Routing, case: Case) -> None:
    await desk.move_due("expires_on", case=case)
    await desk.tick("expiry")


async def decline(desk: Routing, case: Case) -> None:
    assert await desk.hand("callbacks.outcomes", outcome_of(case, "declined", "t-1")) == []


async def no_number(desk: Routing, case: Case) -> None:
    assert await desk.hand("callbacks.outcomes", outcome_of(case, "wrong_number", "t-1")) == []


async def unreachable(desk: Routing, case: Case) -> None:
    opened_at = case.opened_at - timedelta(days=3)
    async with desk.deps.database.transaction() as unit:
        await run(unit.tx, "update cases set opened_at = :at where id = :id", at=opened_at, id=case.id)
    tries = [outcome_of(case, "busy", f"t-{turn}", started_at=opened_at + timedelta(days=turn)) for turn in range(3)]
    assert await desk.hand("callbacks.outcomes", *tries) == []


async def claim_elsewhere(desk: Routing, case: Case) -> None:
    async with desk.deps.database.transaction() as unit:
        now_is = await find(desk, case.id)
        assert now_is
        if now_is.owner is None:
            await work.claim(unit, desk.deps, seen(now_is, ANA))
        else:
            await work.assign(unit, desk.deps, seen(now_is, ANA), "ana")


ENDS = (opt_out, erase, merge_away, expire, decline, no_number, unreachable, claim_elsewhere)


@pytest.mark.parametrize("held", [False, True], ids=["waiting", "held"])
@pytest.mark.parametrize("happens", ENDS, ids=lambda each: each.__name__)
async def test_a_call_no_longer_wanted_is_called_off_once_also_while_a_dialer_has_the_case(
    desk: Routing, floor: Floor, happens: Any, *, held: bool
) -> None:
    case = await waiting(desk)
    if held:
        assert (await floor.first.claim(case)).status_code == 200

    await happens(desk, case)

    told = [each for each in await desk.sent("callback-requested") if each["case_id"] == str(case.id)]
    assert [each["standing"] for each in told] == ["wanted", "withdrawn"]
    assert [each["revision"] for each in told] == [1, 2]
    assert (await floor.second.claim(case)).status_code == 409


async def test_nobody_is_asked_to_call_who_is_not_to_be_called(desk: Routing) -> None:
    customer = a_customer()
    await desk.hear(an_answer(2, customer=customer, callback="no"), an_answer(1))

    assert {case.route for case in await desk.cases()} == {Route.REVIEW}
    assert await standings(desk) == []


async def test_a_later_wish_is_a_new_request(desk: Routing) -> None:
    survey, customer = uuid4(), a_customer()
    await desk.hear(an_answer(2, customer=customer, survey_id=survey))
    (first,) = await desk.sent("callback-requested")
    lawful = datetime.fromisoformat(first["windows"][1]["from"])
    wish = [{"from": lawful + timedelta(hours=5), "to": lawful + timedelta(hours=6)}]
    await desk.hear(an_answer(2, customer=customer, survey_id=survey, revision=2, callback="yes", callback_wish=wish))

    requests = await desk.sent("callback-requested")
    assert [(each["standing"], each["revision"]) for each in requests] == [("wanted", 1), ("wanted", 2)]
    (window,) = requests[1]["windows"]
    assert {name: datetime.fromisoformat(at) for name, at in window.items()} == wish[0]


async def test_only_a_dialers_key_may_ask(desk: Routing, floor: Floor) -> None:
    case = await waiting(desk)
    other = await create_key(desk.deps.database, NewKey("crm", ["crm", "platform"]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.service.public), base_url="http://test") as client:
        stranger = Dialer(client, other)
        answers = [await stranger.next(), await stranger.claim(case), await stranger.tell(case, "busy")]

    assert [answer.status_code for answer in answers] == [403, 403, 403]

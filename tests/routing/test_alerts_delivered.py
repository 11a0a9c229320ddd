"""Alerts over a real database and a real receiver: at once, grouped, signed, again when they did not arrive, seen by somebody."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import standardwebhooks

from routing.alerts import store as alerts
from routing.alerts.model import Standing, Try
from routing.alerts.timers import ALERT_TIMERS
from shared.runtime.access import COOKIE
from shared.runtime.database import rows, run
from tests.support.cases import Routing, a_contact, a_customer, an_answer, routing
from tests.support.console import session
from tests.support.receiver import Receiver, receiver


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as listening:
        yield listening


@pytest.fixture
async def alerting(routing_database: str, hook: Receiver) -> AsyncIterator[Routing]:
    """A service that tells `hook`."""
    made = routing(routing_database, alert_webhook_url=hook.url, outbound_allow=[f"127.0.0.1:{hook.port}"])
    yield made
    await made.deps.outbound.close()
    await made.deps.database.close()


async def unhappy(desk: Routing, count: int = 1, *, channel: str = "phone", team: str = "birch", words: str | None = None) -> None:
    comment = desk.sealed(words) if words else None
    contact = a_contact(channel=channel, team=team)
    await desk.hear(*(an_answer(2, customer=a_customer(), contact=contact, comment=comment) for _ in range(count)))


async def kept(desk: Routing) -> list[Standing]:
    async with desk.deps.database.transaction() as unit:
        return await alerts.newest(unit.tx, teams=None, limit=50)


async def move(desk: Routing, column: str) -> None:
    """As if its time had come."""
    async with desk.deps.database.transaction() as unit:
        await run(unit.tx, f"update alert set {column} = now() - interval '1 second' where {column} is not null")


async def test_the_first_is_told_at_once_and_signed(alerting: Routing, hook: Receiver) -> None:
    await unhappy(alerting)

    assert await alerting.tick("alerts") == 1

    ((headers, body),) = hook.received
    standardwebhooks.Webhook(alerting.deps.settings.alert_webhook_secret).verify(body, headers)  # raises where it is not signed
    (told,) = hook.told
    assert (told["team"], told["channel"], told["level"], told["count"]) == ("birch", "phone", "normal", 1)
    assert told["oldest_due_at"] is not None


async def test_a_thousand_in_a_minute_are_a_thousand_cases_and_two_messages(alerting: Routing, hook: Receiver) -> None:
    await unhappy(alerting)
    await alerting.tick("alerts")
    for _ in range(4):
        await unhappy(alerting, 250)
        await alerting.tick("alerts")
    assert len(hook.received) == 1

    await move(alerting, "next_on")
    await alerting.tick("alerts")

    assert [(told["count"], told["new"]) for told in hook.told] == [(1, 1), (1001, 1000)]
    assert len(await alerting.cases()) == 1001
    assert [(each.alert.messages, each.alert.next_on, each.waiting) for each in await kept(alerting)] == [(2, None, 1001)]


async def test_critical_cases_are_told_one_by_one(alerting: Routing, hook: Receiver) -> None:
    await unhappy(alerting, 3, words="I am in danger")

    await alerting.tick("alerts")

    assert [(told["kind"], told["count"]) for told in hook.told] == [("critical", 1)] * 3


async def test_teams_and_channels_have_messages_of_their_own(alerting: Routing, hook: Receiver) -> None:
    await unhappy(alerting, 2)
    await unhappy(alerting, channel="chat")
    await unhappy(alerting, team="cedar")

    await alerting.tick("alerts")

    assert sorted((told["team"], told["channel"], told["count"]) for told in hook.told) == [
        ("birch", "chat", 1),
        ("birch", "phone", 2),
        ("cedar", "phone", 1),
    ]


async def test_what_did_not_arrive_is_sent_again_under_the_same_id(alerting: Routing, hook: Receiver) -> None:
    hook.answers += [500]
    await unhappy(alerting)
    await alerting.tick("alerts")
    assert await alerting.tick("alerts") == 0

    await move(alerting, "next_on")
    await alerting.tick("alerts")

    assert len({headers["webhook-id"] for headers, _ in hook.received}) == 1
    assert len(hook.received) == 2
    (standing,) = await kept(alerting)
    assert (standing.alert.messages, standing.alert.attempts, standing.alert.next_on) == (1, 0, None)


async def test_an_expired_lease_is_sent_again_and_its_late_report_changes_nothing(alerting: Routing, hook: Receiver) -> None:
    await unhappy(alerting)
    timer = ALERT_TIMERS["alerts"]
    async with alerting.deps.database.transaction() as unit:
        (first,) = await timer.claim(unit, alerting.deps)
    assert await alerting.tick("alerts") == 0

    await move(alerting, "lease_until")
    assert await alerting.tick("alerts") == 1
    async with alerting.deps.database.transaction() as unit:
        await timer.record(unit, first, (Try("webhook", "answered_error"),), alerting.deps)

    (standing,) = await kept(alerting)
    assert (standing.alert.messages, standing.alert.attempts) == (1, 0)


async def test_nothing_personal_is_told(alerting: Routing, hook: Receiver) -> None:
    await unhappy(alerting, words="Please ask for Rosalind at 212 555 0112, I will sue")
    await alerting.tick("alerts")

    (case,) = await alerting.cases()
    said = str(hook.told)
    assert case.customer is not None
    assert all(hidden not in said for hidden in ("Rosalind", "5550112", "555 0112", "will sue", str(case.customer_id), str(case.id)))


async def test_an_answer_handed_in_twice_alerts_once(alerting: Routing, hook: Receiver) -> None:
    answer = an_answer(2, customer=a_customer())
    await alerting.hear(answer)
    await alerting.hear(answer)

    assert [each.alert.count for each in await kept(alerting)] == [1]


async def ask(desk: Routing, method: str, path: str, *roles: str, teams: frozenset[str] = frozenset({"birch"})) -> httpx.Response:
    app = desk.service.public
    app.state.deps = desk.deps
    cookies = {COOKIE: session(desk, *roles, ref="priya", teams=teams)}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a", cookies=cookies) as client:
        return await client.request(method, path)


async def test_a_supervisor_sees_the_alerts_of_own_teams_page_by_page_and_acknowledges_once(alerting: Routing) -> None:
    for channel in ("phone", "chat", "web"):
        await unhappy(alerting, channel=channel)
    await unhappy(alerting, team="cedar")

    first = (await ask(alerting, "GET", "/v1/alerts?limit=2", "supervisor")).json()
    second = (await ask(alerting, "GET", f"/v1/alerts?limit=2&cursor={first['next']}", "supervisor")).json()
    alert = first["alerts"][0]
    seen: list[dict[str, Any]] = [
        (await ask(alerting, "POST", f"/v1/alerts/{alert['id']}/acknowledge", role)).json() for role in ("supervisor", "admin")
    ]

    assert [each["channel"] for each in (*first["alerts"], *second["alerts"])] == ["web", "chat", "phone"]
    assert second["next"] is None
    assert seen[0]["acknowledged"]["name"] == "Priya"
    assert seen[0]["acknowledged"] == seen[1]["acknowledged"]
    async with alerting.deps.database.transaction() as unit:
        audited = await rows(unit.tx, "select by_ref, what from audit")
    assert [(each["by_ref"], each["what"]) for each in audited] == [("priya", "alert.acknowledged")]


async def test_another_teams_alert_does_not_exist_and_a_guide_reads_none(alerting: Routing) -> None:
    await unhappy(alerting, team="cedar")
    (standing,) = await kept(alerting)

    assert (await ask(alerting, "POST", f"/v1/alerts/{standing.alert.id}/acknowledge", "supervisor")).status_code == 404
    assert (await ask(alerting, "GET", "/v1/alerts", "guide")).status_code == 403
    assert (await ask(alerting, "GET", "/v1/alerts?cursor=bm9uc2Vuc2U=", "supervisor")).status_code == 422

"""The parts of the demo that can be tried without starting it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.demo import center
from deploy.demo.forms import NoSuchForm, visit
from deploy.demo.journey import STEPS, Counts, Journey
from deploy.demo.mailbox import Mailbox, cut
from deploy.demo.people import person
from shared.schemas import Customer, InteractionCompleted, SurveyDecided

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
PAGE = """<form action="/next"><button>Next</button></form>
<form method="post" action="/s/abc/more"><input type="hidden" name="revision" value="1"><textarea name="comment"></textarea>
<input type="radio" name="resolved" value="yes"><input type="radio" name="resolved" value="no" checked>
<a href="/s/abc/stop">Stop</a></form>"""


def _client(serve: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(serve))


async def test_a_form_is_sent_as_a_browser_would_send_it() -> None:
    posted: list[bytes] = []

    def serve(request: httpx.Request) -> httpx.Response:
        posted.append(request.content)
        return httpx.Response(200, text=PAGE)

    async with _client(serve) as client:
        page = await visit(client, "http://survey.example/s/abc/more")
        await page.send(page.form("comment"), comment="late")

    assert page.links == ["http://survey.example/s/abc/stop"]
    assert posted[-1] == b"revision=1&resolved=no&comment=late"


async def test_a_form_that_is_not_there_is_named() -> None:
    async with _client(lambda _: httpx.Response(200, text=PAGE)) as client:
        page = await visit(client, "http://survey.example/")

    with pytest.raises(NoSuchForm, match="score"):
        page.form("score")


async def test_the_mailbox_reads_every_message_once_and_keeps_those_of_a_busy_day() -> None:
    sent = [_message(number, to=f"+1212555{number % 3:04d}") for number in range(250)]
    asked: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("before", ""))
        newest_first = sent[::-1]
        start = next((n + 1 for n, each in enumerate(newest_first) if each["id"] == asked[-1]), 0)
        page = newest_first[start : start + 100]
        return httpx.Response(200, json={"messages": page, **({"next": page[-1]["id"]} if len(page) == 100 else {})})

    async with _client(serve) as client:
        mailbox = Mailbox(client, "http://scoring.example/v1/inbox")
        first = await mailbox.to("+12125550001")
        asked.clear()
        sent.append(_message(250, to="+12125550001"))
        second = await mailbox.to("+12125550001")

    assert [bubble.at for bubble in first] == sorted(bubble.at for bubble in first)
    assert len(first) == len([each for each in sent[:250] if each["to"] == "+12125550001"])
    assert len(second) == len(first) + 1
    assert asked == [""], "what was read is not read again"


def test_the_address_of_a_survey_is_cut_out_of_the_words_around_it() -> None:
    assert cut("Ask? http://127.0.0.1:8002/s/k3-v_9 Reply STOP.") == ("Ask? ", "http://127.0.0.1:8002/s/k3-v_9", " Reply STOP.")
    assert cut("No address here") == ("No address here", None, "")


def test_a_journey_marks_what_its_own_contact_reached_and_waits_for_the_next_step() -> None:
    journey = Journey(center.transferred_call(person(1), ended=NOW, rng=Random(1)), person(1), NOW)
    completed = _completed(journey)
    journey.saw(completed.model_copy(update={"ref": "another"}), at=NOW)
    journey.saw(completed, at=NOW + timedelta(seconds=2))
    journey.saw(_decided(completed, outcome="invited", reason="eligible"), at=NOW + timedelta(seconds=3))

    steps = {step.name: step for step in journey.steps()}

    assert list(steps) == list(STEPS)
    assert (steps["joined"].seconds, steps["decided"].seconds) == (2.0, 3.0)
    assert [name for name, step in steps.items() if step.current] == ["sent"]


def test_a_contact_that_is_not_asked_about_says_why_and_waits_for_nothing() -> None:
    journey = Journey(center.abandoned_call(person(1), ended=NOW, rng=Random(1)), person(1), NOW)
    completed = _completed(journey)
    journey.saw(completed, at=NOW)
    journey.saw(_decided(completed, outcome="suppressed", reason="outcome"), at=NOW)

    assert journey.over == "Not asked: outcome"
    assert not any(step.current for step in journey.steps())


def test_a_second_revision_is_counted_once() -> None:
    journey = Journey(center.short_call(person(1), ended=NOW, rng=Random(1)), person(1), NOW)
    completed = _completed(journey)
    counts = Counts()

    counts.saw(completed)
    counts.saw(completed.model_copy(update={"revision": 2}))

    assert counts.shown()["contacts"] == 1


def _message(number: int, *, to: str) -> dict[str, Any]:
    at = (NOW + timedelta(seconds=number)).isoformat()
    return {"id": f"m{number}", "to": to, "channel": "sms", "body": "Ask? http://x/s/abc", "received_at": at}


def _completed(journey: Journey) -> InteractionCompleted:
    contact = journey.contact
    nothing: dict[str, Any] = {"candidate_zones": (), "flags": (), "traits": {}, "points": (), "consents": ()}
    customer = Customer(customer_id=uuid4(), number=1, version=1, known=True, segment="family", **nothing)
    facts: dict[str, Any] = {
        "interaction_id": uuid4(), "revision": 1, "standing": "over", "platform": contact.platform, "account": contact.account,
        "ref": contact.ref, "episode": 0, "channel": "phone", "medium": "phone", "direction": "inbound", "purpose": "service",
        "outcome": "handled", "started_at": NOW, "ended_at": NOW, "received_at": NOW, "clock_suspect": False, "transfers": 1,
        "contacts_7d": 1, "legs": (), "catalogue_version": 1, "traits": {}, "customer": customer,
    }  # fmt: skip
    return InteractionCompleted(**facts)


def _decided(completed: InteractionCompleted, *, outcome: Any, reason: str) -> SurveyDecided:
    return SurveyDecided(
        decision_id=uuid4(), revision=1, kind="tnps", anchor=completed.interaction_id, outcome=outcome, reason=reason,
        phase="decide", verdicts=(), policy_version=1, decided_at=NOW,
    )  # fmt: skip

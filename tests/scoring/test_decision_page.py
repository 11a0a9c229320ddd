"""The page that says why a customer was asked, or not."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from scoring.decide.explain import because, clock, headline, lines
from scoring.decide.judge import decide
from scoring.decide.policy import RULES
from scoring.decide.story import Revision, RuleVerdict
from scoring.decide.words import WORDS, span
from shared.runtime.access import Teams
from shared.schemas import CustomerErased
from tests.support.asking import NOON, asked, completed, consent, customer, facts, policy
from tests.support.scoring_http import Served, served

NEW_YORK = ZoneInfo("America/New_York")
HTML = {"accept": "text/html"}


def told(history: tuple[Any, ...] = (), **changes: Any) -> Revision:
    decision = decide(facts(**changes), history, policy=policy(version=12), now=NOON)
    named = [
        RuleVerdict(rule=rule, verdict=verdict, detail=detail) for rule, (verdict, detail) in zip(RULES, decision.verdicts, strict=True)
    ]
    drawn = decision.draw
    return Revision(
        revision=1,
        outcome=decision.outcome,
        reason=decision.reason,
        phase="decide",
        policy_version=12,
        decided_at=NOON,
        verdicts=named,
        facts={},
        draw=drawn.value if drawn else None,
        rate=drawn.rate if drawn else None,
        send_at=decision.send_at,
        retry_at=decision.retry_at,
    )


def test_every_rule_has_words_for_what_it_may_see() -> None:
    assert tuple(WORDS) == RULES
    hard: list[dict[str, Any]] = [
        {},
        {"customer": None},
        {"customer": None, "contact": {"no_customer": "ambiguous"}},
        {"customer": {"flags": ("test", "employee"), "candidate_zones": (), "points": ()}},
        {"consents": (consent(channel="any"),), "open_callback": True, "own_call": True},
        {"contact": {"outcome": "a_code_of_tomorrow", "started_at": NOON - timedelta(hours=5)}},
    ]
    for changes in hard:
        assert all(line.saw and line.passes for line in lines(told((asked(0.2), asked(12)), **changes), policy().terms))


def test_a_contact_in_quarantine_is_explained_in_one_sentence() -> None:
    revision = told((asked(12),))

    assert headline(revision, who="Customer 7106", zone=NEW_YORK) == "Customer 7106 was not asked"
    assert because(revision, policy().terms) == "Quarantine, any survey: Asked 12 days ago. Policy 12 passes: 30 days or more."


def test_only_the_first_stop_stopped_it() -> None:
    marks = {line.title: line.mark for line in lines(told((asked(12),), open_callback=True), policy().terms)}

    assert marks["Quarantine, any survey"] == "stopped"
    assert marks["Quarantine, this kind"] == marks["Open callback"] == "too"
    assert marks["Customer"] == "passed"


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "Customer 1 is asked, from Tuesday 3 March, 12:09"),
        ({"customer": {"candidate_zones": ()}}, "Customer 1 cannot be decided about yet, next look Tuesday 3 March, 12:15"),
    ],
)
def test_the_title_is_the_verdict(changes: dict[str, Any], title: str) -> None:
    assert headline(told(**changes), who="Customer 1", zone=NEW_YORK) == title


def test_no_moment_is_no_time() -> None:
    assert clock(None, NEW_YORK) == "-"


@pytest.mark.parametrize(
    ("seconds", "words"), [(45, "45 s"), (372, "6 min 12 s"), (3_600, "1 h"), (11_100, "3 h 5 min"), (172_800, "2 days")]
)
def test_a_span_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.fixture
async def service(scoring_database: str) -> AsyncIterator[Served]:
    async with served(scoring_database) as made:
        yield made


async def test_the_page_shows_every_rule_the_draw_and_how_it_went(service: Served) -> None:
    contact = completed(customer(segment="<b>family</b>"), moment="claim")
    birch = {**service.cookie("supervisor", teams=Teams({"birch"})), **HTML}
    await service.scoring.deliver(contact)
    await service.scoring.deliver(contact.model_copy(update={"revision": 2, "standing": "reopened"}))

    page = await service.http.get(f"/decisions/{contact.interaction_id}", headers=birch)

    assert page.status_code == 200
    assert "Customer 4821 was not asked" in page.text
    assert page.text.count('<tr role="row"') == 20
    assert "Stopped here" in page.text
    assert "The draw" in page.text
    assert ": invited</li>" in page.text
    assert "&lt;b&gt;family&lt;/b&gt;" in page.text
    assert "<b>family" not in page.text
    assert "claim" not in page.text, "never the reason of the contact"


async def test_a_contact_is_found_by_id_and_by_the_platforms_reference(service: Served) -> None:
    contact = completed(customer())
    await service.scoring.deliver(contact)
    admin = {**service.cookie("admin"), **HTML}

    for q in (contact.ref, str(contact.interaction_id)):
        found = await service.http.get("/decisions", params={"q": q}, headers=admin)
        assert (found.status_code, found.headers["location"]) == (303, f"/decisions/{contact.interaction_id}")

    unknown = await service.http.get("/decisions", params={"q": "<i>nothing</i>"}, headers=admin)
    assert unknown.status_code == 404
    assert "<i>nothing" not in unknown.text
    assert (await service.http.get("/decisions", headers=admin)).status_code == 200


async def test_what_an_erased_customer_was_is_gone_and_the_rules_stay(service: Served) -> None:
    contact = completed(customer())
    await service.scoring.deliver(contact)
    await service.scoring.deliver(
        CustomerErased(request_id=uuid4(), customer_ids=(customer().customer_id,), requested_at=datetime.now(UTC), basis="request")
    )

    page = await service.http.get(f"/decisions/{contact.interaction_id}", headers={**service.cookie("admin"), **HTML})

    assert "This customer is asked" in page.text
    assert page.text.count('<tr role="row"') == 20
    assert "Removed at the customer's wish" in page.text
    assert "family" not in page.text.replace("phone:family", "")


async def test_another_teams_contact_does_not_exist(service: Served) -> None:
    contact = completed(customer())
    await service.scoring.deliver(contact)
    stranger = {**service.cookie("supervisor", teams=Teams({"oak"})), **HTML}

    assert (await service.http.get(f"/decisions/{contact.interaction_id}", headers=stranger)).status_code == 404
    assert (await service.http.get("/decisions", params={"q": contact.ref}, headers=stranger)).status_code == 404

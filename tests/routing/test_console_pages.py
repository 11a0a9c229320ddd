"""The console's pages over a real database: what each shows, to whom, and what its forms do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from routing.cases.model import State
from shared.runtime.database import rows
from shared.schemas import DecisionStory
from tests.support.cases import MARIA, Routing, a_contact, an_answer, routing
from tests.support.console import a_reachable_customer, always_open, claimed, forms, signed_in, tried, waiting_case

MINUTE = timedelta(minutes=1)
HOSTILE = """<script>alert(1)</script>"><img src=x onerror=alert(2)> & 'x'"""


@pytest.fixture
async def open_desk(routing_database: str) -> AsyncIterator[Routing]:
    """A service that is open at any hour."""
    made = always_open(routing(routing_database))
    yield made
    await made.deps.database.close()


async def test_the_queue_shows_no_name_number_or_words(open_desk: Routing) -> None:
    customer = a_reachable_customer(open_desk, name="Rosalind")
    await waiting_case(open_desk, due_in=30 * MINUTE, customer=customer, comment="I waited for ages")
    async with signed_in(open_desk, "guide") as ana:
        page = (await ana.get("/console")).text

    assert f"Customer {customer.number}" in page
    assert all(hidden not in page for hidden in ("Rosalind", "2125550112", "ending 12", "waited for"))


async def test_people_see_their_own_teams_and_admins_all_without_a_button(open_desk: Routing) -> None:
    await waiting_case(open_desk, due_in=30 * MINUTE, contact={"team": "cedar"})
    async with signed_in(open_desk, "guide") as ana:
        assert "Nobody is waiting." in (await ana.get("/console")).text
        assert (await ana.get("/console/cases/10001")).status_code == 404
    async with signed_in(open_desk, "admin", ref="root") as root:
        queue, case = (await root.get("/console")).text, (await root.get("/console/cases/10001")).text
    assert "case-10001" in queue
    assert "Claim" not in queue
    assert "Claim" not in case


async def test_an_admin_who_is_also_a_guide_calls_only_for_the_own_team(open_desk: Routing) -> None:
    await waiting_case(open_desk, due_in=30 * MINUTE, contact={"team": "cedar"})
    async with signed_in(open_desk, "admin", "guide") as ana:
        queue = await ana.get("/console")
        after = await ana.send(queue, "/console/next")
        claim = await ana.client.post("/console/cases/10001/claim", data={"revision": "1"})

    assert "case-10001" in queue.text
    assert "/console/cases/10001/claim" not in queue.text
    assert after.url.path == "/console"
    assert claim.status_code == 404
    assert (await open_desk.case()).owner is None


@pytest.mark.parametrize("path", ["/console", "/console/cases/10001", "/console/fragment", "/"])
async def test_for_an_analyst_there_is_no_console_and_a_stranger_signs_in(open_desk: Routing, path: str) -> None:
    await waiting_case(open_desk, due_in=30 * MINUTE)
    async with signed_in(open_desk, "analyst") as visit:
        assert (await visit.get(path)).status_code == 404
        visit.client.cookies.clear()
        away = await visit.get(path)
    assert (away.status_code, away.headers["location"].split("?")[0]) == (303, "/sign-in")


async def test_claiming_from_the_queue_stays_in_the_queue(open_desk: Routing) -> None:
    await waiting_case(open_desk, due_in=30 * MINUTE)
    async with signed_in(open_desk, "guide") as ana:
        after = await ana.send(await ana.get("/console"), "/console/cases/10001/claim")

    assert after.url.path == "/console"
    assert "You" in after.text
    assert (await open_desk.case()).owner == "ana"


async def test_who_is_slower_is_told_who_was_faster_and_nothing_is_overwritten(open_desk: Routing) -> None:
    case = await waiting_case(open_desk, due_in=30 * MINUTE)
    async with signed_in(open_desk, "guide") as ana:
        seen = await ana.get("/console")
        await claimed(open_desk, case, MARIA)
        lost = await ana.send(seen, "/console/cases/10001/claim")

    assert lost.status_code == 409
    assert "Maria claimed this case" in lost.text
    assert (await open_desk.case()).owner == "maria"


async def test_claim_next_opens_the_critical_case_first_and_the_queue_when_nobody_waits(open_desk: Routing) -> None:
    await waiting_case(open_desk, due_in=-10 * MINUTE)
    critical = await waiting_case(open_desk, due_in=50 * MINUTE, comment="I will call my lawyer")
    async with signed_in(open_desk, "guide") as ana:
        first = await ana.send(await ana.get("/console"), "/console/next")
        await ana.send(await ana.get("/console"), "/console/next")
        none = await ana.send(await ana.get("/console"), "/console/next")

    assert first.url.path == f"/console/cases/{critical.number}"
    assert none.url.path == "/console"


async def test_the_case_shows_the_words_and_hides_the_number_until_its_owner_asks(open_desk: Routing) -> None:
    case = await claimed(open_desk, await waiting_case(open_desk, due_in=30 * MINUTE, comment="I waited for ages"))
    async with signed_in(open_desk, "guide") as ana:
        page = await ana.get("/console/cases/10001")
        shown = await ana.send(page, "/console/cases/10001/attempts")
        revealed = await ana.client.post("/console/cases/10001/number", data={"note": "half a note", "attempt_id": "a-1"})
    async with open_desk.deps.database.transaction() as unit:
        audit = await rows(unit.tx, "select what, subject, by_ref from audit")

    assert "I waited for ages" in page.text
    assert "12125550112" not in page.text
    assert shown.status_code == 422
    assert "+12125550112" in revealed.text
    assert "half a note" in revealed.text
    assert [tuple(each.values()) for each in audit] == [("case.number_shown", str(case.id), "ana")]


async def test_who_has_not_claimed_the_case_gets_no_number(open_desk: Routing) -> None:
    await claimed(open_desk, await waiting_case(open_desk, due_in=30 * MINUTE), MARIA)
    async with signed_in(open_desk, "guide") as ana:
        refused = await ana.client.post("/console/cases/10001/number")

    assert refused.status_code == 409
    assert "12125550112" not in refused.text


async def test_an_attempt_is_saved_with_its_note_and_leads_to_the_next_due_case(open_desk: Routing) -> None:
    await claimed(open_desk, await waiting_case(open_desk, due_in=10 * MINUTE))
    await waiting_case(open_desk, due_in=20 * MINUTE)
    async with signed_in(open_desk, "guide") as ana:
        page = await ana.get("/console/cases/10001")
        after = await ana.send(
            page, "/console/cases/10001/attempts", outcome="reached_resolved", root_cause="wait", note="Explained the bill."
        )
        story = (await ana.get("/console/cases/10001")).text

    assert after.url.path == "/console/cases/10002"
    assert "10001 resolved." in after.text
    assert "Explained the bill." in story
    assert (await open_desk.cases())[0].state is State.RESOLVED
    async with signed_in(open_desk, "guide") as ana:
        await ana.send(after, "/console/cases/10001/reopen")
    assert (await open_desk.cases())[0].state is State.OPEN


async def test_pressing_save_twice_logs_one_call(open_desk: Routing) -> None:
    await claimed(open_desk, await waiting_case(open_desk, due_in=10 * MINUTE))
    async with signed_in(open_desk, "guide") as ana:
        page = await ana.get("/console/cases/10001")
        for _ in range(2):
            await ana.send(page, "/console/cases/10001/attempts", outcome="no_answer")

    assert (await open_desk.case()).attempts == 1


async def test_a_call_later_needs_its_time_and_keeps_the_form(open_desk: Routing) -> None:
    await claimed(open_desk, await waiting_case(open_desk, due_in=10 * MINUTE))
    async with signed_in(open_desk, "guide") as ana:
        page = await ana.get("/console/cases/10001")
        again = await ana.send(page, "/console/cases/10001/attempts", outcome="reschedule", note="after work")

    assert again.status_code == 422
    assert "<title>Error: Case 10001" in again.text
    assert "Say when to call again" in again.text
    assert "after work" in again.text
    assert (await open_desk.case()).attempts == 0


async def test_a_conflict_keeps_the_note_and_puts_the_banner_first(open_desk: Routing) -> None:
    case = await claimed(open_desk, await waiting_case(open_desk, due_in=10 * MINUTE))
    async with signed_in(open_desk, "guide") as ana:
        page = await ana.get("/console/cases/10001")
        await tried(open_desk, case, "no_answer")
        conflict = await ana.send(page, "/console/cases/10001/attempts", outcome="reached_resolved", note="All is well.")
        saved = await ana.send(conflict, "/console/cases/10001/attempts", outcome="reached_resolved", note="All is well.")

    assert conflict.status_code == 409
    assert 'id="conflict" aria-labelledby="conflict-h" tabindex="-1" autofocus' in conflict.text
    assert "All is well." in conflict.text
    assert saved.status_code == 200
    assert (await open_desk.case()).state is State.RESOLVED


async def test_a_case_for_review_shows_no_number_and_is_resolved_without_a_call(open_desk: Routing) -> None:
    await claimed(open_desk, await waiting_case(open_desk, due_in=10 * MINUTE, callback="no"))
    async with signed_in(open_desk, "guide") as ana:
        page = await ana.get("/console/cases/10001")
        await ana.send(page, "/console/cases/10001/resolve", root_cause="explanation")

    assert "The customer asked us not to call." in page.text
    assert "ending" not in page.text
    case = await open_desk.case()
    assert (case.state, case.root_cause, case.attempts) == (State.RESOLVED, "explanation", 0)


async def test_supervisors_reassign_give_back_close_and_reopen(open_desk: Routing) -> None:
    await claimed(open_desk, await waiting_case(open_desk, due_in=10 * MINUTE))
    async with signed_in(open_desk, "supervisor", ref="priya") as priya:
        page = await priya.send(await priya.get("/console/cases/10001"), "/console/cases/10001/assign", owner="maria")
        assert (await open_desk.case()).owner == "maria"
        await priya.send(page, "/console/cases/10001/release")
        taken = await claimed(open_desk, await open_desk.case())
        await tried(open_desk, taken, "reached", resolved=True)
        page = await priya.send(await priya.get("/console/cases/10001"), "/console/cases/10001/close")
        assert (await open_desk.case()).state is State.CLOSED
        await priya.send(page, "/console/cases/10001/reopen")

    case = await open_desk.case()
    assert (case.state, case.owner) == (State.OPEN, None)


async def test_a_guide_is_not_offered_what_a_supervisor_may(open_desk: Routing) -> None:
    await claimed(open_desk, await waiting_case(open_desk, due_in=10 * MINUTE), MARIA)
    async with signed_in(open_desk, "guide") as ana:
        offered = forms((await ana.get("/console/cases/10001")).text)
        refused = await ana.client.post("/console/cases/10001/assign", data={"revision": "2", "owner": "ana"})

    assert [action for action in offered if action.startswith("/console/cases/")] == []
    assert refused.status_code == 404


async def test_the_whole_story_is_told_from_contact_to_now(open_desk: Routing) -> None:
    decision = DecisionStory(
        outcome="invited", reason="eligible", draw=0.31, rate=0.6, verdicts=(("customer", "pass", None), ("hours", "pass", None))
    )
    case = await waiting_case(open_desk, due_in=10 * MINUTE, decision=decision, policy_version=12, resolved="no", callback="yes")
    await tried(open_desk, await claimed(open_desk, case), "no_answer", note="Rang for a minute.")
    async with signed_in(open_desk, "guide", ref="maria") as maria:
        page = (await maria.get("/console/cases/10001")).text

    told = [
        "Called us",
        "Contact complete",
        "policy 12, all 2 rules passed, draw 0.31 under 0.60",
        "We know who it is: passed",
        "Answered 3",
        "Case opened",
        "Ana claimed it",
        "Ana called",
        "Rang for a minute.",
    ]
    assert [words for words in told if words not in page] == []
    assert sorted(told, key=page.index) == told


async def test_a_corrected_score_shows_both(open_desk: Routing) -> None:
    customer, survey = a_reachable_customer(open_desk), uuid4()
    await open_desk.hear(an_answer(2, customer=customer, survey_id=survey))
    await open_desk.hear(an_answer(7, customer=customer, survey_id=survey, revision=2))
    async with signed_in(open_desk, "guide") as ana:
        page = (await ana.get("/console/cases/10001")).text

    assert "2, then changed to 7" in page


async def test_nothing_a_customer_or_a_platform_writes_is_markup(open_desk: Routing) -> None:
    contact = a_contact(agent=HOSTILE, legs=({"agent": HOSTILE, "agent_name": HOSTILE, "queue": HOSTILE, "end": HOSTILE.lower()},))
    customer = a_reachable_customer(open_desk, name=HOSTILE)
    await open_desk.hear(an_answer(2, customer=customer, contact=contact, comment=open_desk.sealed(HOSTILE), callback="yes"))
    await tried(open_desk, await claimed(open_desk, await open_desk.case()), "no_answer", note=HOSTILE, root_cause="other")
    async with signed_in(open_desk, "guide", "supervisor") as ana:
        pages = [
            await ana.get(path)
            for path in ("/console?view=mine", "/console/fragment?view=mine", "/console/cases/10001", f"/console?q={HOSTILE[:30]}")
        ]
        pages.append(
            await ana.client.post("/console/cases/10001/number", data={"note": HOSTILE, "next_at": HOSTILE, "attempt_id": HOSTILE})
        )

    for page in pages:
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
    assert "&lt;script&gt;" in pages[2].text


async def test_a_case_and_a_customer_are_found_by_number(open_desk: Routing) -> None:
    customer = a_reachable_customer(open_desk).model_copy(update={"number": 987654})
    await waiting_case(open_desk, due_in=10 * MINUTE, customer=customer)
    await waiting_case(open_desk, due_in=10 * MINUTE, contact={"team": "cedar"})
    async with signed_in(open_desk, "guide") as ana:
        found = [(await ana.get(f"/console?q={asked}")).headers.get("location") for asked in ("10001", "Customer 987654", "10002")]
        missing = await ana.get("/console?q=10002")

    assert found == ["/console/cases/10001", "/console/cases/10001", None]
    assert "No case and no customer of your teams has that number." in missing.text


async def test_the_fragment_says_what_is_new_and_what_became_of_rows_that_left(open_desk: Routing) -> None:
    first = await claimed(open_desk, await waiting_case(open_desk, due_in=20 * MINUTE))
    await tried(open_desk, first, "reached", resolved=True)
    await waiting_case(open_desk, due_in=10 * MINUTE)
    async with signed_in(open_desk, "guide") as ana:
        fragment = (await ana.get("/console/fragment?view=to_call&seen=10001")).text
        refused = await ana.get("/console/fragment?view=to_call&seen=x")

    assert "1 new case, 1 due before the ones below" in fragment
    assert 'id="case-10001"' in fragment
    assert "Resolved" in fragment
    assert refused.status_code == 422


async def test_an_alert_has_its_banner_its_cases_and_who_has_seen_it(open_desk: Routing) -> None:
    for _ in range(3):
        await waiting_case(open_desk, due_in=30 * MINUTE)
    async with signed_in(open_desk, "supervisor", ref="priya") as priya, signed_in(open_desk, "guide") as ana:
        page = await priya.get("/console")
        (acknowledge,) = [action for action in forms(page.text) if action.endswith("/acknowledge")]
        behind = (await priya.get(acknowledge.removesuffix("/acknowledge"))).text
        after = (await priya.send(page, acknowledge)).text
        for_guides = (await ana.get("/console")).text

    assert "3 unhappy answers, Birch, phone" in page.text
    assert all(f'id="case-{number}"' in behind for number in (10001, 10002, 10003))
    assert "You acknowledged it" in after
    assert "Priya acknowledged it" in for_guides
    assert "/acknowledge" not in for_guides


async def test_the_tile_counts_every_answer_of_the_team(open_desk: Routing) -> None:
    now = (await waiting_case(open_desk, due_in=30 * MINUTE, score=2)).first_answered_at
    for score in (9, 10, 10):
        await open_desk.hear(an_answer(score, customer=a_reachable_customer(open_desk), answered_at=now))
    async with signed_in(open_desk, "guide") as ana:
        page = (await ana.get("/console")).text

    assert "<strong>50</strong>" in page
    assert "n 4" in page


async def test_a_held_out_case_is_nowhere(open_desk: Routing) -> None:
    policy = open_desk.deps.policy.model_copy(update={"hold_out_rate": 0.5})
    drawing = Routing(replace(open_desk.service, deps=replace(open_desk.deps, policy=policy)))
    for _ in range(12):
        await waiting_case(drawing, due_in=30 * MINUTE)
    held = [case.number for case in await drawing.cases() if case.route.value == "hold_out"]
    async with signed_in(drawing, "guide") as ana:
        pages = [(await ana.get(f"/console?view={view}")).text for view in ("to_call", "waiting", "review", "mine")]
        found = await ana.get(f"/console/cases/{held[0]}")

    assert held
    assert all(f"case-{number}" not in page for number in held for page in pages)
    assert found.status_code == 404

"""People and dialers work on cases by revision; timers end what nobody ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from routing.cases.model import By, Case, Route, State, Step
from routing.cases.queue import store as queue
from routing.cases.queue.handle import Story, story
from routing.cases.queue.model import Place, View
from routing.cases.queue.store import Viewer
from routing.cases.work import handle as work
from routing.cases.work.handle import Seen
from routing.cases.work.model import Call, Reachable
from routing.deps import Deps
from routing.errors import AnotherIsOpen, Changed, Claimed, NobodyHasIt, NoSuchCase, NotForCalls, NotInRota, NotYours
from shared.runtime.database import Unit, rows
from shared.schemas import CallbackAttempted, PlatformRef
from tests.support.cases import ANA, MARIA, NOW, Routing, a_customer, a_point, an_answer, seen


async def opened(desk: Routing, **given: object) -> Case:
    known = {case.id for case in await desk.cases()}
    await desk.hear(an_answer(2, customer=a_customer(), **given))  # type: ignore[arg-type]
    return next(case for case in await desk.cases() if case.id not in known)


async def claim(desk: Routing, case: Case, by: By = ANA) -> Case:
    async with desk.deps.database.transaction() as unit:
        return await work.claim(unit, desk.deps, seen(case, by))


async def call(desk: Routing, case: Case, outcome: str, by: By = ANA, **given: object) -> Case:
    async with desk.deps.database.transaction() as unit:
        made = Call(f"call-{case.number}-{case.revision}", outcome, **given)  # type: ignore[arg-type]
        return await work.log_call(unit, desk.deps, seen(case, by), made)


async def test_two_claims_at_once_one_wins_and_the_other_sees_who(desk: Routing) -> None:
    case = await opened(desk)

    won, lost = sorted(
        await asyncio.gather(claim(desk, case, ANA), claim(desk, case, MARIA), return_exceptions=True),
        key=lambda end: isinstance(end, Changed),
    )

    assert isinstance(won, Case)
    assert isinstance(lost, Changed)
    assert (lost.by, lost.revision, lost.change) == (won.owner_name, won.revision, "assigned")
    assert await desk.changes(won) == ["opened", "assigned"]
    assert [each["standing"] for each in await desk.sent("callback-requested")] == ["wanted", "withdrawn"]


async def test_another_teams_case_does_not_exist(desk: Routing) -> None:
    case = await opened(desk)

    with pytest.raises(NoSuchCase):
        async with desk.deps.database.transaction() as unit:
            await work.claim(unit, desk.deps, seen(case, teams=frozenset({"cedar"})))


async def test_a_call_told_twice_counts_once(desk: Routing) -> None:
    case = await claim(desk, await opened(desk))

    for _ in range(2):
        async with desk.deps.database.transaction() as unit:
            await work.log_call(unit, desk.deps, seen(case), Call("call-1", "no_answer", note="rang long"))

    case = await desk.case()
    assert (case.state, case.attempts) == (State.ATTEMPTING, 1)


async def test_a_call_carries_its_platform_reference_so_that_it_is_never_surveyed(desk: Routing) -> None:
    ref = PlatformRef(platform="amazon_connect", account="i-1", ref="c-9")

    await call(desk, await claim(desk, await opened(desk)), "reached", resolved=True, platform_ref=ref)

    changes = {each["change"]: each for each in await desk.sent("callback-changed")}
    assert changes["attempted"]["platform_ref"] == ref.model_dump()
    assert "platform_ref" not in changes["resolved"]


async def test_somebody_elses_case_takes_no_call_of_mine(desk: Routing) -> None:
    case = await claim(desk, await opened(desk), MARIA)

    with pytest.raises(Claimed, match="Maria"):
        await call(desk, case, "reached")


async def test_never_call_again_refuses_for_the_person_everywhere(desk: Routing) -> None:
    case = await call(desk, await claim(desk, await opened(desk)), "do_not_call")

    (consent,) = [each["consent"] for each in await desk.sent("consent-changed")]
    assert (consent["customer_id"], consent["channel"], consent["purpose"], consent["state"]) == (
        str(case.customer_id),
        "voice",
        "callback",
        "refused",
    )
    assert case.customer is not None
    await desk.hear(an_answer(0, customer=case.customer))
    assert {each.route for each in await desk.cases()} == {Route.REVIEW}


async def test_assigning_needs_a_person_of_the_teams_rota(desk: Routing) -> None:
    case = await opened(desk)

    async with desk.deps.database.transaction() as unit:
        given = await work.assign(unit, desk.deps, seen(case), "maria")
    with pytest.raises(NotInRota):
        async with desk.deps.database.transaction() as unit:
            await work.assign(unit, desk.deps, seen(given), "stranger")

    assert (given.owner, given.owner_name) == ("maria", "Maria")


async def test_reopening_names_the_other_open_case_of_the_customer(desk: Routing) -> None:
    customer = a_customer()
    await desk.hear(an_answer(2, customer=customer))
    ended = await call(desk, await claim(desk, await desk.case()), "declined")
    await desk.hear(an_answer(1, customer=customer))
    other = (await desk.cases())[-1]

    with pytest.raises(AnotherIsOpen, match=str(other.number)):
        async with desk.deps.database.transaction() as unit:
            await work.reopen(unit, desk.deps, seen(ended))


async def test_the_number_is_shown_to_whoever_claimed_and_every_look_is_audited(desk: Routing) -> None:
    private = desk.deps.sealer.seal({"given_name": "Lena", "addresses": {"p": "+12125550142"}})
    await desk.hear(an_answer(2, customer=a_customer(points=(a_point("p"),), private=private)))
    case = await desk.case()

    async def look(by: By) -> Reachable:
        async with desk.deps.database.transaction() as unit:
            return await work.reveal(unit, desk.deps, Seen(case.number, None, by, None))

    with pytest.raises(NobodyHasIt):
        await look(ANA)
    await claim(desk, case)
    with pytest.raises(NotYours):
        await look(MARIA)
    assert await look(ANA) == Reachable("+12125550142", "Lena")
    assert work.number_ending(case, desk.deps) == "42"
    async with desk.deps.database.transaction() as unit:
        audited = await rows(unit.tx, "select by_ref, what, subject from audit")
    assert [tuple(each.values()) for each in audited] == [("ana", "case.number_shown", str(case.id))]


async def test_a_case_for_review_shows_no_number(desk: Routing) -> None:
    case = await claim(desk, await opened(desk, callback="no"))

    assert work.number_ending(case, desk.deps) is None
    with pytest.raises(NotForCalls):
        async with desk.deps.database.transaction() as unit:
            await work.reveal(unit, desk.deps, seen(case))


async def test_a_story_tells_answers_revisions_and_calls_with_their_words(desk: Routing) -> None:
    case = await opened(desk, comment=desk.sealed("Nobody could tell me why"))
    await call(desk, await claim(desk, case), "voicemail", note="left our number")

    async with desk.deps.database.transaction() as unit:
        told = await story(unit, desk.deps, case.number, teams=frozenset({"birch"}))
        hidden = await story(unit, desk.deps, case.number, teams=frozenset({"cedar"}))
        at_rest = await rows(unit.tx, "select cast(a as text) || cast(t as text) as whole from answer a, attempt t")

    assert isinstance(told, Story)
    assert hidden is None
    assert [each.comment for each in told.answers] == ["Nobody could tell me why"]
    assert [each.note for each in told.attempts] == ["left our number"]
    assert [each.change for each in told.history] == ["opened", "assigned", "attempted"]
    assert not any("Nobody" in each["whole"] or "left our" in each["whole"] for each in at_rest)


async def test_the_queue_is_ordered_by_due_time_then_priority_and_paged(desk: Routing) -> None:
    late, soon, heavy = [
        await opened(desk, answered_at=NOW - timedelta(hours=hours), resolved=said) for hours, said in ((0, "no"), (2, "yes"), (2, "no"))
    ]
    await opened(desk, callback="no")
    async with desk.deps.database.transaction() as unit:
        viewer = Viewer(frozenset({"birch"}), "ana", now=heavy.windows[0].from_, soon=heavy.windows[0].from_, day=NOW)
        first = await queue.queue(unit.tx, viewer, view=View.TO_CALL, limit=2)
        place = Place(first[-1].due_at, first[-1].priority, first[-1].number)
        second = await queue.queue(unit.tx, viewer, view=View.TO_CALL, limit=2, after=place)
        counts = await queue.counts(unit.tx, viewer)

    assert [case.number for case in (*first, *second)] == [heavy.number, soon.number, late.number]
    assert (counts[View.TO_CALL], counts[View.REVIEW], counts[View.WAITING], counts[View.MINE]) == (3, 1, 0, 0)


async def test_outside_calling_hours_a_case_waits(desk: Routing) -> None:
    case = await opened(desk)
    night = case.windows[0].to + timedelta(hours=3)
    async with desk.deps.database.transaction() as unit:
        viewer = Viewer(None, "ana", now=night, soon=night + timedelta(hours=1), day=NOW)

        assert [each.number for each in await queue.queue(unit.tx, viewer, view=View.WAITING)] == [case.number]
        assert await queue.queue(unit.tx, viewer, view=View.TO_CALL) == []


async def test_held_out_cases_are_in_no_view(desk: Routing) -> None:
    case = await opened(desk)
    async with desk.deps.database.transaction() as unit:
        await rows(unit.tx, "update cases set route = 'hold_out', owner = 'ana' where id = :id returning id", id=case.id)
        viewer = Viewer(None, "ana", now=unit.now, soon=unit.now, day=NOW)

        assert set((await queue.counts(unit.tx, viewer)).values()) == {0}


@pytest.mark.parametrize(
    ("column", "timer", "change", "state"),
    [("overdue_on", "overdue", "escalated", State.OPEN), ("expires_on", "expiry", "expired", State.EXPIRED)],
)
async def test_what_falls_due_is_done_once(desk: Routing, column: str, timer: str, change: str, state: State) -> None:
    case = await opened(desk)
    await desk.move_due(column, case=case)

    done = await asyncio.gather(desk.tick(timer), desk.tick(timer))

    assert sorted(done) == [0, 1]
    assert await desk.tick(timer) == 0
    case = await desk.case()
    assert (case.state, case.overdue) == (state, change == "escalated")
    assert await desk.changes(case) == ["opened", change]


async def test_a_resolved_case_closes_by_itself_and_tries_that_failed_long_enough_end(desk: Routing) -> None:
    resolved = await call(desk, await claim(desk, await opened(desk)), "reached", resolved=True)
    tried = await opened(desk)
    for _ in range(3):
        tried = await call(desk, tried, "no_answer")
    await desk.move_due("closes_on", case=resolved)
    await desk.move_due("unreachable_on", case=tried)

    assert (await desk.tick("closing"), await desk.tick("giving_up")) == (1, 1)
    assert [case.state for case in await desk.cases()] == [State.CLOSED, State.UNREACHABLE]


def an_outcome(case: Case, outcome: str, **given: object) -> CallbackAttempted:
    fields = {"attempt_id": "d-1", "case_id": case.id, "by": {"kind": "dialer", "ref": "d"}, "started_at": NOW, "outcome": outcome}
    return CallbackAttempted.model_validate(fields | given)


async def test_a_dialers_outcome_moves_the_case_once_and_asks_for_the_next_try(desk: Routing) -> None:
    case = await opened(desk)
    outcome = an_outcome(case, "busy", note="engaged")

    assert await desk.hand("callbacks.outcomes", outcome, outcome) == []
    assert await desk.hand("callbacks.outcomes", outcome) == []

    case = await desk.case()
    assert (case.state, case.attempts, case.failed_attempts) == (State.ATTEMPTING, 1, 1)
    assert [(each["standing"], each["attempt"]) for each in await desk.sent("callback-requested")] == [("wanted", 1), ("wanted", 2)]


async def test_several_outcomes_of_one_case_in_one_batch_are_several_revisions(desk: Routing) -> None:
    case = await opened(desk)

    await desk.hand(
        "callbacks.outcomes", an_outcome(case, "busy"), an_outcome(case, "reached", attempt_id="d-2", resolved=True, root_cause="wait")
    )

    case = await desk.case()
    assert (case.state, case.root_cause) == (State.RESOLVED, "wait")
    assert await desk.changes(case) == ["opened", "attempted", "attempted", "resolved"]
    assert [each["revision"] for each in await desk.sent("callback-changed")] == [1, 2, 3, 4]


async def test_an_outcome_of_an_unknown_case_or_without_a_time_is_a_dead_letter_at_once(desk: Routing) -> None:
    case = await opened(desk)
    stranger = an_outcome(case, "busy").model_copy(update={"case_id": case.survey_ids[0]})

    refused = await desk.hand("callbacks.outcomes", stranger, an_outcome(case, "reschedule"), an_outcome(case, "reached", attempt_id="d-3"))

    assert refused == ["unknown_case", "next_at_missing"]
    assert (await desk.case()).state is State.REACHED


async def test_two_who_claim_the_next_due_case_at_once_get_two_cases_critical_first(desk: Routing) -> None:
    await opened(desk, answered_at=NOW - timedelta(days=2))
    critical = await opened(desk, comment=desk.sealed("I am in danger"))
    moment = (await opened(desk, answered_at=NOW + timedelta(days=2))).windows[0].from_
    await call(desk, await claim(desk, await opened(desk), MARIA), "no_answer", MARIA)

    async def take(by: By) -> Case | None:
        async with desk.deps.database.transaction() as unit:
            return await work.claim_next(unit, desk.deps, Viewer(frozenset({"birch"}), by.ref, now=moment, soon=moment, day=NOW), by)

    taken = await asyncio.gather(take(ANA), take(MARIA))
    third, fourth = await take(ANA), await take(ANA)

    assert {case.number for case in taken if case} == {10001, critical.number}
    assert third is not None
    assert (third.number, fourth) == (10003, None)


async def test_what_must_happen_with_a_change_happens_in_its_transaction(desk: Routing) -> None:
    heard: list[str] = []

    async def after(_: Unit, __: Deps, steps: Sequence[tuple[Case, Step]]) -> None:
        heard.extend(step.change for _, step in steps)

    listening = Routing(replace(desk.service, deps=replace(desk.deps, after=(after,))))
    case = await opened(listening)
    await call(listening, await claim(listening, case), "reached", resolved=True)

    assert heard == ["opened", "assigned", "attempted", "resolved"]

"""An answer opens a case, joins the customer's open one, raises or annotates it."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from routing.cases.model import Level, Route, State
from routing.cases.queue import store as queue
from routing.cases.work import handle as work
from routing.cases.work.model import Call
from tests.support.cases import MARIA, NOW, Routing, a_contact, a_customer, an_answer, refusal, seen


async def test_an_unhappy_answer_opens_one_case_and_asks_for_a_call(desk: Routing) -> None:
    customer = a_customer()

    await desk.hear(an_answer(2, customer=customer, resolved="no"))

    case = await desk.case()
    assert (case.state, case.route, case.team, case.priority, case.level) == (State.OPEN, Route.CALL, "birch", 65, Level.NORMAL)
    assert sum(reason.points for reason in case.reasons) == case.priority
    assert case.customer == customer
    (changed,) = await desk.sent("callback-changed")
    assert (changed["change"], changed["revision"], changed["customer_id"]) == ("opened", 1, str(customer.customer_id))
    (asked,) = await desk.sent("callback-requested")
    assert (asked["standing"], asked["revision"], asked["attempt"]) == ("wanted", 1, 1)
    assert "private" not in str(asked)


async def test_a_happy_answer_opens_nothing_but_is_counted(desk: Routing) -> None:
    await desk.hear(an_answer(9, customer=a_customer()), an_answer(7))

    assert await desk.cases() == []


async def test_the_same_answer_three_times_is_one_case(desk: Routing) -> None:
    answer = an_answer(1, customer=a_customer())

    await desk.hear(answer, answer)
    await desk.hear(answer)

    assert (await desk.case()).revision == 1


async def test_two_unhappy_answers_of_one_customer_are_one_case_with_both(desk: Routing) -> None:
    customer = a_customer()
    first, second = an_answer(5, customer=customer), an_answer(1, customer=customer)

    await desk.hear(first, second)

    case = await desk.case()
    assert set(case.survey_ids) == {first.survey_id, second.survey_id}
    assert case.score == 1
    assert await desk.changes(case) == ["opened", "joined"]


async def test_two_unhappy_answers_on_two_replicas_at_once_meet_in_one_case(desk: Routing) -> None:
    customer = a_customer()
    answers = [an_answer(score, customer=customer) for score in (0, 1, 2, 3, 4, 5)]

    await asyncio.gather(*(desk.hear(answer) for answer in answers))

    case = await desk.case()
    assert set(case.survey_ids) == {answer.survey_id for answer in answers}
    assert case.revision == len(answers)


async def test_nine_corrected_to_two_opens_a_case(desk: Routing) -> None:
    survey, customer = uuid4(), a_customer()

    await desk.hear(an_answer(9, customer=customer, survey_id=survey))
    await desk.hear(an_answer(2, customer=customer, survey_id=survey, revision=2))

    assert (await desk.case()).score == 2


async def test_two_corrected_to_nine_keeps_the_case_and_its_priority(desk: Routing) -> None:
    survey, customer = uuid4(), a_customer()

    await desk.hear(an_answer(2, customer=customer, survey_id=survey))
    await desk.hear(an_answer(9, customer=customer, survey_id=survey, revision=2))

    case = await desk.case()
    assert (case.state, case.priority, case.score) == (State.OPEN, 40, 2)
    assert await desk.changes(case) == ["opened", "corrected"]


async def test_a_correction_after_the_claim_is_only_noted(desk: Routing) -> None:
    survey, customer = uuid4(), a_customer()
    await desk.hear(an_answer(5, customer=customer, survey_id=survey))
    async with desk.deps.database.transaction() as unit:
        await work.claim(unit, desk.deps, seen(await desk.case()))

    await desk.hear(an_answer(0, customer=customer, survey_id=survey, revision=2, resolved="no"))

    case = await desk.case()
    assert (case.state, case.owner, case.priority) == (State.ASSIGNED, "ana", 20)
    assert await desk.changes(case) == ["opened", "assigned", "noted"]


async def test_completing_an_answer_raises_an_unclaimed_case(desk: Routing) -> None:
    survey, customer = uuid4(), a_customer()
    await desk.hear(an_answer(2, customer=customer, survey_id=survey))

    await desk.hear(an_answer(2, customer=customer, survey_id=survey, revision=2, resolved="no", callback="yes"))

    case = await desk.case()
    assert (case.priority, case.level, case.consent_basis) == (80, Level.HIGH, "answered_yes")
    assert await desk.changes(case) == ["opened", "raised"]


async def test_critical_words_make_a_claimed_case_critical_and_due_sooner(desk: Routing) -> None:
    survey, customer = uuid4(), a_customer()
    await desk.hear(an_answer(4, customer=customer, survey_id=survey))
    before = await desk.case()
    async with desk.deps.database.transaction() as unit:
        await work.claim(unit, desk.deps, seen(before, MARIA))

    words = desk.sealed("I am out of medication and my lawyer will hear of this")
    await desk.hear(an_answer(4, customer=customer, survey_id=survey, revision=2, comment=words))

    case = await desk.case()
    assert (case.level, case.words, case.owner) == (Level.CRITICAL, ("access", "legal"), "maria")
    assert case.due_at < before.due_at


async def test_an_answer_that_says_no_calls_goes_to_review_even_when_claimed(desk: Routing) -> None:
    survey, customer = uuid4(), a_customer()
    await desk.hear(an_answer(2, customer=customer, survey_id=survey))

    await desk.hear(an_answer(2, customer=customer, survey_id=survey, revision=2, callback="no"))

    case = await desk.case()
    assert (case.route, case.consent_basis, case.windows) == (Route.REVIEW, "answered_no", ())
    assert [each["standing"] for each in await desk.sent("callback-requested")] == ["wanted", "withdrawn"]


async def test_a_late_uncounted_zero_still_gets_a_case(desk: Routing) -> None:
    old = a_contact(ended_at=NOW - timedelta(days=20), started_at=NOW - timedelta(days=20, minutes=9))

    await desk.hear(an_answer(0, customer=a_customer(), counted=False, uncounted="late", contact=old))

    assert (await desk.case()).score == 0


async def test_an_answer_without_a_customer_is_reviewed_and_keyed_by_its_survey(desk: Routing) -> None:
    answer = an_answer(1)

    await desk.hear(answer)
    await desk.hear(an_answer(0, survey_id=answer.survey_id, revision=2))

    case = await desk.case()
    assert (case.route, case.consent_basis, case.customer_id) == (Route.REVIEW, "no_customer", None)
    assert await desk.sent("callback-requested") == []


async def test_a_recovery_answer_opens_a_case_only_for_words_or_a_wished_call(desk: Routing) -> None:
    await desk.hear(an_answer(0, customer=a_customer(), kind="recovery"))
    assert await desk.cases() == []

    await desk.hear(an_answer(6, customer=a_customer(), kind="recovery", callback="yes"))
    await desk.hear(an_answer(9, customer=a_customer(), kind="recovery", comment=desk.sealed("voy a demandar")))

    assert sorted(case.score for case in await desk.cases()) == [6, 9]


async def test_a_second_answer_reopens_a_resolved_case_without_its_owner(desk: Routing) -> None:
    customer = a_customer()
    await desk.hear(an_answer(2, customer=customer))
    case = await desk.case()
    async with desk.deps.database.transaction() as unit:
        claimed = await work.claim(unit, desk.deps, seen(case))
        await work.log_call(unit, desk.deps, seen(claimed), Call("a-1", "reached", resolved=True))

    again = an_answer(3, customer=customer, answered_at=NOW + timedelta(days=1))
    await desk.hear(again)

    case = await desk.case()
    assert (case.state, case.owner, case.first_answered_at) == (State.OPEN, None, again.answered_at)
    assert await desk.changes(case) == ["opened", "assigned", "attempted", "resolved", "reopened"]


async def test_a_refusal_known_before_sends_the_case_to_review(desk: Routing) -> None:
    customer = a_customer()
    stop = refusal(customer.customer_id, at=NOW - timedelta(days=3))

    await desk.hear(an_answer(2, customer=customer.model_copy(update={"consents": (stop,)})))

    assert ((await desk.case()).route, (await desk.case()).consent_basis) == (Route.REVIEW, "refused")


async def test_a_stop_by_sms_does_not_forbid_a_call(desk: Routing) -> None:
    customer = a_customer()
    stop = refusal(customer.customer_id, at=NOW, channel="sms", purpose="any")

    await desk.hear(an_answer(2, customer=customer.model_copy(update={"consents": (stop,)})))

    assert (await desk.case()).route is Route.CALL


async def test_an_uncounted_second_answer_does_not_take_the_counted_one_from_the_tally(desk: Routing) -> None:
    survey, customer = uuid4(), a_customer()
    await desk.hear(an_answer(9, customer=customer, survey_id=survey))

    await desk.hear(an_answer(1, customer=customer, survey_id=survey, revision=2, counted=False, uncounted="other_channel"))

    async with desk.deps.database.transaction() as unit:
        (tally,) = await queue.tallies(unit.tx, ["birch"], since=NOW - timedelta(days=30), now=unit.now)
    assert (tally.promoters, tally.detractors) == (1, 0)
    assert (await desk.case()).score == 1


async def test_a_no_given_before_stands_when_the_next_answer_says_nothing_and_a_yes_ends_it(desk: Routing) -> None:
    customer = a_customer()
    await desk.hear(an_answer(5, customer=customer, callback="no"))

    await desk.hear(an_answer(1, customer=customer))
    silent = await desk.case()
    await desk.hear(an_answer(1, customer=customer, callback="yes"))
    asked = await desk.case()

    assert (silent.route, silent.callback, silent.score) == (Route.REVIEW, "no", 1)
    assert (asked.route, asked.consent_basis, asked.callback) == (Route.CALL, "answered_yes", "yes")


async def test_critical_words_added_to_an_answer_reopen_a_resolved_case(desk: Routing) -> None:
    survey, customer = uuid4(), a_customer()
    await desk.hear(an_answer(2, customer=customer, survey_id=survey))
    async with desk.deps.database.transaction() as unit:
        await work.log_call(unit, desk.deps, seen(await desk.case()), Call("a-1", "reached", resolved=True))

    await desk.hear(an_answer(2, customer=customer, survey_id=survey, revision=2, comment=desk.sealed("estoy sin insulina")))

    case = await desk.case()
    assert (case.state, case.level, case.words) == (State.OPEN, Level.CRITICAL, ("access",))

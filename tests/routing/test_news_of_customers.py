"""What becomes of cases when customers turn out to be one, change, or refuse."""

import asyncio
from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from routing.cases.model import Route, State
from routing.cases.queue.handle import story
from routing.cases.work import handle as work
from shared.runtime.database import rows
from shared.schemas import ConsentChanged, Customer, CustomerChanged
from tests.support.cases import NOW, Routing, a_customer, a_point, an_answer, refusal, seen


def changed(customer: Customer, *supersedes: Customer) -> CustomerChanged:
    ids = tuple(each.customer_id for each in supersedes)
    return CustomerChanged(customer=customer, change="merged" if ids else "updated", at=NOW, supersedes=ids)


async def test_of_two_open_cases_of_one_person_the_older_stays_with_both_answers(desk: Routing) -> None:
    provisional, known = a_customer(known=False), a_customer()
    first, second = an_answer(4, customer=provisional), an_answer(1, customer=known, resolved="no")
    await desk.hear(first)
    await desk.hear(second)

    await desk.hand("customers.changed", changed(known.model_copy(update={"version": 2}), provisional))

    older, younger = await desk.cases()
    assert (older.state, older.customer_id, older.priority) == (State.OPEN, known.customer_id, 65)
    assert set(older.survey_ids) == {first.survey_id, second.survey_id}
    assert (younger.state, younger.merged_into) == (State.MERGED, older.id)
    async with desk.deps.database.transaction() as unit:
        told, ended = [await story(unit, desk.deps, case.number, teams=None) for case in (older, younger)]
    assert told is not None
    assert ended is not None
    assert len(told.answers) == 2
    assert ended.merged_into == older.number


async def test_an_answer_under_the_old_id_finds_the_new_persons_case(desk: Routing) -> None:
    provisional, known = a_customer(known=False), a_customer()
    await desk.hear(an_answer(3, customer=provisional))
    await desk.hand("customers.changed", changed(known, provisional))

    await desk.hear(an_answer(2, customer=provisional))

    case = await desk.case()
    assert (case.customer_id, len(case.survey_ids)) == (known.customer_id, 2)


async def test_a_correction_of_a_merged_cases_answer_reaches_the_one_that_stays(desk: Routing) -> None:
    provisional, known, survey = a_customer(known=False), a_customer(), uuid4()
    await desk.hear(an_answer(4, customer=provisional))
    await desk.hear(an_answer(5, customer=known, survey_id=survey))
    await desk.hand("customers.changed", changed(known.model_copy(update={"version": 2}), provisional))

    await desk.hear(an_answer(0, customer=known, survey_id=survey, revision=2))

    older, younger = await desk.cases()
    assert (older.score, older.priority) == (0, 40)
    assert younger.state is State.MERGED


async def test_merging_and_answering_at_once_leave_one_open_case(desk: Routing) -> None:
    provisional, known = a_customer(known=False), a_customer()
    await desk.hear(an_answer(3, customer=provisional))

    await asyncio.gather(
        desk.hear(an_answer(2, customer=known)),
        desk.hand("customers.changed", changed(known, provisional)),
        desk.hear(an_answer(1, customer=provisional)),
    )

    (only,) = [case for case in await desk.cases() if case.is_open]
    assert len(only.survey_ids) == 3


async def test_the_case_shows_the_newest_snapshot_and_an_older_one_changes_nothing(desk: Routing) -> None:
    customer = a_customer(version=5)
    await desk.hear(an_answer(2, customer=customer))

    await desk.hand("customers.changed", changed(customer.model_copy(update={"version": 7, "language": "es"})))
    await desk.hand("customers.changed", changed(customer.model_copy(update={"version": 6, "language": "fr"})))

    case = await desk.case()
    assert case.customer is not None
    assert (case.customer.language, case.revision) == ("es", 1)


async def test_news_of_a_death_sends_the_case_to_review(desk: Routing) -> None:
    customer = a_customer()
    await desk.hear(an_answer(2, customer=customer))

    await desk.hand("customers.changed", changed(customer.model_copy(update={"version": 2, "flags": ("deceased",)})))

    case = await desk.case()
    assert (case.route, case.consent_basis, case.windows) == (Route.REVIEW, "flag_deceased", ())


async def test_a_refusal_of_calls_sends_a_claimed_case_to_review(desk: Routing) -> None:
    customer = a_customer()
    await desk.hear(an_answer(2, customer=customer))
    async with desk.deps.database.transaction() as unit:
        await work.claim(unit, desk.deps, seen(await desk.case()))

    stop = ConsentChanged(consent=refusal(customer.customer_id, at=NOW + timedelta(hours=1), channel="any", purpose="any"))
    await desk.hand("consents.changed", stop)
    await desk.hand("consents.changed", stop)

    case = await desk.case()
    assert (case.route, case.consent_basis, case.owner) == (Route.REVIEW, "refused", "ana")
    assert await desk.changes(case) == ["opened", "assigned", "noted"]


@pytest.mark.parametrize("order", list(permutations(["answered", "refused", "merged"])))
async def test_what_an_id_refused_binds_whom_it_became_in_every_order(desk: Routing, order: tuple[str, ...]) -> None:
    old, new = a_customer(), a_customer()
    steps = {
        "answered": ("feedback.scored", an_answer(2, customer=new)),
        "refused": ("consents.changed", ConsentChanged(consent=refusal(old.customer_id, at=NOW + timedelta(hours=1)))),
        "merged": ("customers.changed", changed(new.model_copy(update={"version": 2}), old)),
    }

    for step in order:
        await desk.hand(*steps[step])

    case = await desk.case()
    assert (case.route, case.consent_basis) == (Route.REVIEW, "refused")


async def test_the_same_refusals_in_every_order_and_doubled_end_as_one_row(desk: Routing) -> None:
    customer = a_customer()
    facts = [refusal(customer.customer_id, at=NOW, source=source) for source in "abc"]
    facts.append(refusal(customer.customer_id, at=NOW, source="z", state="granted"))
    ends = set()
    for order in permutations(facts):
        for fact in (*order, *order):
            await desk.hand("consents.changed", ConsentChanged(consent=fact))
        async with desk.deps.database.transaction() as unit:
            (kept,) = await rows(unit.tx, "delete from consent returning state, source")
        ends.add(tuple(kept.values()))

    assert ends == {("refused", "c")}


async def test_a_refusal_by_the_only_numbers_holder_sends_the_case_to_review(desk: Routing) -> None:
    await desk.hear(an_answer(2, customer=a_customer(points=(a_point("n"),))), an_answer(2, customer=a_customer()))

    await desk.hand("consents.changed", ConsentChanged(consent=refusal(address_ref="n", at=NOW)))

    assert [case.route for case in await desk.cases()] == [Route.REVIEW, Route.CALL]
    assert [each["standing"] for each in await desk.sent("callback-requested")] == ["wanted", "wanted", "withdrawn"]


async def test_stops_of_surveys_or_messages_leave_the_case_to_be_called(desk: Routing) -> None:
    customer = a_customer()
    await desk.hear(an_answer(2, customer=customer))

    await desk.hand(
        "consents.changed",
        ConsentChanged(consent=refusal(customer.customer_id, at=NOW, channel="sms", purpose="any")),
        ConsentChanged(consent=refusal(customer.customer_id, at=NOW, channel="any", purpose="survey")),
    )

    assert (await desk.case()).route is Route.CALL

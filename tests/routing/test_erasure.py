"""A person is forgotten: nothing of theirs stays, counts still add up, and no replay brings them back."""

from uuid import uuid4

from routing.cases.model import State
from routing.cases.queue import store as queue
from routing.cases.work import handle as work
from routing.cases.work.model import Call
from shared.runtime.database import rows
from shared.schemas import ConsentChanged, CustomerChanged, CustomerErased
from tests.support.cases import NOW, Routing, a_customer, a_point, an_answer, refusal, seen

TABLES = ("cases", "case_history", "answer", "attempt", "customer", "consent")


def erased(customer_id: object) -> CustomerErased:
    return CustomerErased.model_validate({"request_id": uuid4(), "customer_ids": [customer_id], "requested_at": NOW, "basis": "request"})


async def test_an_erased_person_is_in_no_table_while_the_counts_stay(desk: Routing) -> None:
    private = desk.deps.sealer.seal({"given_name": "Lena"})
    someone = a_customer(points=(a_point("canary-ref"),), private=private)
    await desk.hear(an_answer(2, customer=someone, comment=desk.sealed("canary")))
    async with desk.deps.database.transaction() as unit:
        claimed = await work.claim(unit, desk.deps, seen(await desk.case()))
        await work.log_call(unit, desk.deps, seen(claimed), Call("a-1", "no_answer", note="canary"))

    await desk.hand("customers.erased", erased(someone.customer_id))

    async with desk.deps.database.transaction() as unit:
        whole = "".join([str([dict(each) for each in await rows(unit.tx, f"select * from {table}")]) for table in TABLES])
        (tally,) = await queue.tallies(unit.tx, ["birch"], since=NOW, now=unit.now)
    assert "canary" not in whole
    assert private.c not in whole
    assert tally.detractors == 1
    case = await desk.case()
    assert (case.state, case.customer, case.windows) == (State.ERASED, None, ())
    (report,) = await desk.sent("erasure-reported")
    assert (report["service"], report["done"], report["counts"]) == (
        "routing",
        True,
        {"cases": 1, "notes": 1, "answers": 1, "customers": 1},
    )


async def test_no_replay_brings_an_erased_person_back(desk: Routing) -> None:
    someone = a_customer()
    answer, news = an_answer(2, customer=someone), CustomerChanged(customer=someone, change="updated", at=NOW, supersedes=())
    await desk.hear(answer)
    await desk.hand("customers.erased", erased(someone.customer_id))

    await desk.hear(answer, an_answer(1, customer=someone))
    await desk.hand("customers.changed", news)

    gone, late = await desk.cases()
    assert (gone.state, late.customer_id, late.customer, late.consent_basis) == (State.ERASED, None, None, "no_customer")
    async with desk.deps.database.transaction() as unit:
        assert [each["snapshot"] for each in await rows(unit.tx, "select snapshot from customer")] == [None]


async def test_a_refusal_of_an_address_outlives_the_person(desk: Routing) -> None:
    someone = a_customer(points=(a_point("shared"),))
    await desk.hand("consents.changed", ConsentChanged(consent=refusal(address_ref="shared", at=NOW)))
    await desk.hear(an_answer(2, customer=someone))

    await desk.hand("customers.erased", erased(someone.customer_id))
    await desk.hear(an_answer(2, customer=a_customer(points=(a_point("shared"),))))

    assert (await desk.cases())[-1].consent_basis == "refused"

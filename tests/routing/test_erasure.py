"""A person is forgotten: nothing of theirs stays, counts still add up, and no replay brings them back."""

import asyncio
import json
from uuid import uuid4

from routing.cases.model import State
from routing.cases.queue import store as queue
from routing.cases.work import handle as work
from routing.cases.work.model import Call
from shared.runtime import dead_letters
from shared.runtime.broker import Record
from shared.runtime.database import rows
from shared.runtime.dead_letters import Letter
from shared.schemas import CallbackAttempted, ConsentChanged, CustomerChanged, CustomerErased
from tests.support.cases import NOW, Routing, a_contact, a_customer, a_point, an_answer, refusal, seen
from tests.support.remains import remains

TABLES = ("cases", "case_history", "answer", "attempt", "customer", "consent")


def erased(customer_id: object) -> CustomerErased:
    return CustomerErased.model_validate({"request_id": uuid4(), "customer_ids": [customer_id], "requested_at": NOW, "basis": "request"})


async def erase(desk: Routing, customer_id: object) -> None:
    """Until nothing is left to look for."""
    await desk.hand("customers.erased", erased(customer_id))
    while await desk.tick("searching_for_the_erased"):
        pass


async def test_an_erased_person_is_in_no_table_while_the_counts_stay(desk: Routing) -> None:
    private = desk.deps.sealer.seal({"given_name": "Lena"})
    someone = a_customer(points=(a_point("canary-ref"),), private=private)
    await desk.hear(an_answer(2, customer=someone, comment=desk.sealed("canary")))
    async with desk.deps.database.transaction() as unit:
        claimed = await work.claim(unit, desk.deps, seen(await desk.case()))
        await work.log_call(unit, desk.deps, seen(claimed), Call("a-1", "no_answer", note="canary"))

    await erase(desk, someone.customer_id)

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
        {"cases": 1, "notes": 1, "answers": 1, "customers": 1, "dead_letters": 0, "waiting": 0},
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


async def test_an_answer_that_comes_after_its_person_was_erased_is_read_without_name_and_words(desk: Routing) -> None:
    someone = a_customer(points=(a_point("canary-ref"),), private=desk.sealed("canary"))
    await desk.hand("customers.erased", erased(someone.customer_id))

    await desk.hear(an_answer(2, customer=someone, comment=desk.sealed("canary"), contact=a_contact(point_ref="canary-ref")))

    assert await remains(desk.deps.database, desk.deps.sealer, ["canary"]) == []
    case = await desk.case()
    assert (case.customer_id, case.consent_basis) == (None, "no_customer")


async def test_a_call_told_of_after_its_person_was_erased_keeps_no_words_and_no_consent(desk: Routing) -> None:
    someone = a_customer()
    await desk.hear(an_answer(2, customer=someone))
    case = await desk.case()
    await erase(desk, someone.customer_id)
    call = {"attempt_id": "t-1", "case_id": case.id, "by": {"kind": "dialer", "ref": "d"}, "started_at": NOW, "outcome": "do_not_call"}

    assert await desk.hand("callbacks.outcomes", CallbackAttempted.model_validate(call | {"note": "canary words"})) == []

    async with desk.deps.database.transaction() as unit:
        tries = await rows(unit.tx, "select outcome, note from attempt")
        consents = await rows(unit.tx, "select 1 from consent")
    assert [dict(each) for each in tries] == [{"outcome": "do_not_call", "note": None}]
    assert (list(consents), await desk.sent("consent-changed")) == ([], [])


async def test_whoever_is_erased_is_so_under_every_id_that_became_theirs(desk: Routing) -> None:
    old, new = a_customer(private=desk.sealed("canary")), a_customer()
    await desk.hear(an_answer(2, customer=old))
    news = CustomerChanged(customer=new, change="merged", at=NOW, supersedes=(old.customer_id,))
    await desk.hand("customers.changed", news)

    await erase(desk, new.customer_id)
    await desk.hand("customers.changed", news)
    await desk.hear(an_answer(1, customer=old))

    assert await remains(desk.deps.database, desk.deps.sealer, ["canary"]) == []
    assert [(case.state, case.customer) for case in await desk.cases()] == [(State.ERASED, None), (State.OPEN, None)]


async def test_whoever_is_erased_while_an_answer_of_theirs_waits_is_not_in_its_case(desk: Routing) -> None:
    someone = a_customer()
    await desk.hand("customers.changed", CustomerChanged(customer=someone, change="created", at=NOW, supersedes=()))
    async with desk.deps.database.transaction() as unit:
        await desk.hand_within(unit, "customers.erased", erased(someone.customer_id))
        answering = asyncio.create_task(desk.hear(an_answer(2, customer=someone)))
        await until_somebody_waits(desk)
    await answering

    case = await desk.case()
    assert (case.customer_id, case.customer) == (None, None)


async def until_somebody_waits(desk: Routing) -> None:
    """Until a connection of this database waits for a lock."""
    waiting = "select count(*) as many from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with asyncio.timeout(10):
        many = 0
        while not many:
            await asyncio.sleep(0.01)
            async with desk.deps.database.transaction() as unit:
                many = (await rows(unit.tx, waiting))[0]["many"]


async def test_consents_of_an_erased_person_that_come_late_are_not_kept(desk: Routing) -> None:
    someone = a_customer()
    await desk.hand("customers.erased", erased(someone.customer_id))

    facts = [refusal(someone.customer_id, at=NOW), refusal(address_ref="shared", at=NOW)]
    await desk.hand("consents.changed", *(ConsentChanged(consent=fact) for fact in facts))

    async with desk.deps.database.transaction() as unit:
        assert [each["address_ref"] for each in await rows(unit.tx, "select address_ref from consent")] == ["shared"]


async def test_a_refusal_of_an_address_outlives_the_person(desk: Routing) -> None:
    someone = a_customer(points=(a_point("shared"),))
    await desk.hand("consents.changed", ConsentChanged(consent=refusal(address_ref="shared", at=NOW)))
    await desk.hear(an_answer(2, customer=someone))

    await desk.hand("customers.erased", erased(someone.customer_id))
    await desk.hear(an_answer(2, customer=a_customer(points=(a_point("shared"),))))

    assert (await desk.cases())[-1].consent_basis == "refused"


async def test_dead_letters_that_name_an_erased_person_are_emptied(desk: Routing) -> None:
    private = desk.deps.sealer.seal({"member_id": "M-104", "addresses": {"canary-ref": "+15550000000"}})
    someone = a_customer(points=(a_point("canary-ref"),), private=private)
    answer = an_answer(2, customer=someone)
    await desk.hear(answer)
    case = await desk.case()
    theirs: list[dict[str, object]] = [
        {"case_id": str(case.id), "note": "canary"},
        {"survey_id": str(answer.survey_id), "comment": "canary"},
        {"customer": {"customer_id": str(someone.customer_id)}},
        {"customer": {"private": private.model_dump()}},
        {"note": "call (555) 000-0000"},
    ]
    others: list[dict[str, object]] = [{"case_id": str(uuid4()), "note": "somebody else"}]
    async with desk.deps.database.transaction() as unit:
        await dead_letters.bury(unit.tx, [broken(each) for each in (*theirs, *others)], desk.deps.sealer)

    await erase(desk, someone.customer_id)

    async with desk.deps.database.transaction() as unit:
        kept = await rows(unit.tx, "select key, headers, body from dead_letter where state = 'discarded'")
        left = await rows(unit.tx, "select body from dead_letter where state = 'waiting'")
        copies = await rows(unit.tx, "select 1 from outbox where dead_letter is not null")
    opened = desk.deps.sealer.unseal_bytes
    assert [(each["key"], each["headers"], opened(each["body"])) for each in kept] == [(None, [], b"")] * len(theirs)
    assert [json.loads(opened(each["body"])) for each in left] == others
    assert len(copies) == len(others)
    assert [report["counts"]["dead_letters"] for report in await desk.sent("erasure-reported")] == [len(theirs)]


def broken(said: dict[str, object]) -> Letter:
    record = Record("callbacks.outcomes", 0, 1, b"canary", json.dumps(said).encode(), (("ce_subject", b"canary"),), NOW)
    return Letter(record, "missing", "by")

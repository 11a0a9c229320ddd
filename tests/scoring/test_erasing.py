"""A person who asks to be forgotten is, and no replay brings them back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from scoring.people import store as people
from shared.schemas import ConsentChanged, CustomerChanged, CustomerErased, ErasureReported, SurveyAnswered
from tests.support.asking import PHONE, Scoring, case, completed, consent, customer, sealed

ADA = UUID(int=1)


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Scoring]:
    made = Scoring(scoring_database)
    yield made
    await made.close()


def erased(*ids: UUID) -> CustomerErased:
    return CustomerErased(request_id=uuid4(), customer_ids=ids or (ADA,), requested_at=datetime.now(UTC), basis="request")


async def test_what_was_known_of_a_person_goes_and_the_decision_stays(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer(segment="family")))
    await scoring.send()

    await scoring.deliver(erased())

    (survey,) = await scoring.surveys()
    (decision,) = await scoring.rows("select * from decision")
    (row,) = await scoring.rows("select * from customer")
    (report,) = await scoring.sent_messages(ErasureReported)
    assert (survey["state"], survey["address"], survey["address_ref"], survey["token_hash"]) == ("sent", {}, "erased", None)
    assert PHONE not in str(dict(survey))
    assert (decision["outcome"], decision["facts"], decision["contact"]) == ("invited", {}, None)
    assert row["snapshot"] is None
    assert (report.service, report.done) == ("scoring", True)
    assert (report.counts["customers"], report.counts["surveys"], report.counts["decisions"]) == (1, 1, 1)


async def test_words_go_and_the_score_stays(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await scoring.send()
    (survey,) = await scoring.surveys()
    await scoring.deliver(SurveyAnswered(answer_id="a-1", survey_id=survey["id"], channel="sms", score=3, comment="my name is Ada"))
    (before,) = await scoring.rows("select score, comment from feedback")

    await scoring.deliver(erased())

    (feedback,) = await scoring.rows("select score, comment from feedback")
    (answer,) = await scoring.rows("select score, comment from answer")
    assert before["comment"] is not None
    assert (feedback["score"], feedback["comment"]) == (answer["score"], answer["comment"]) == (3, None)


async def test_a_planned_survey_is_not_sent(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))

    await scoring.deliver(erased())
    await scoring.send()

    (survey,) = await scoring.surveys()
    assert scoring.gateway.calls == []
    assert (survey["state"], survey["reason"]) == ("unsent", "erased")


async def test_a_survey_on_its_way_when_its_person_is_erased_is_not_tried_again(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await scoring.send_and_die()
    await scoring.deliver(erased())

    await scoring.move("survey", "lease_until", seconds=3600)
    await scoring.send()

    assert len(scoring.gateway.calls) == 1


async def test_a_replay_brings_nobody_back(scoring: Scoring) -> None:
    contact = completed(customer())
    await scoring.deliver(contact)
    await scoring.deliver(erased())

    await scoring.deliver(contact)
    await scoring.deliver(CustomerChanged(customer=customer(version=9), change="updated", at=datetime.now(UTC), supersedes=()))
    await scoring.deliver(completed(customer(version=10)))

    async with scoring.database.transaction() as unit:
        assert await people.customer(unit.tx, ADA) is None
    assert sorted(await scoring.outcomes()) == [("invited", "eligible"), ("suppressed", "no_customer")]


async def test_a_person_is_forgotten_under_every_id_they_had(scoring: Scoring) -> None:
    old = customer(customer_id=UUID(int=2))
    await scoring.deliver(completed(old))
    await scoring.deliver(CustomerChanged(customer=customer(), change="merged", at=datetime.now(UTC), supersedes=(old.customer_id,)))

    await scoring.deliver(erased())

    assert [each["snapshot"] for each in await scoring.rows("select snapshot from customer")] == [None, None]


async def test_a_stop_that_binds_an_address_survives(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await scoring.deliver(ConsentChanged(consent=consent(address_ref=PHONE)), ConsentChanged(consent=consent(channel="voice")))

    await scoring.deliver(erased())

    assert [each["address_ref"] for each in await scoring.rows("select address_ref from consent")] == [PHONE]


async def test_nobody_is_asked_about_the_case_of_an_erased_person(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    (survey,) = await scoring.surveys()
    await scoring.deliver(case("open", revision=1, survey_ids=[survey["id"]]))

    await scoring.deliver(erased())

    assert await scoring.rows("select 1 from callback where is_open or recovery_due is not null") == []


async def test_erasing_twice_counts_once(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer(private=sealed({"addresses": {PHONE: "+15550000000"}}))))

    await scoring.deliver(erased())
    await scoring.deliver(erased())

    assert [report.counts["customers"] for report in await scoring.sent_messages(ErasureReported)] == [1, 0]

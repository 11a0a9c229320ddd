"""A person who asks to be forgotten is, and no replay brings them back."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from scoring.people import store as people
from shared.runtime import dead_letters, forgetting, waiting
from shared.runtime.broker import Record
from shared.runtime.dead_letters import Letter
from shared.runtime.delivery import Delivery
from shared.schemas import ConsentChanged, CustomerChanged, CustomerErased, ErasureReported, FeedbackScored, SurveyAnswered
from tests.support.asking import PHONE, SEALER, Scoring, case, completed, consent, customer, sealed

ADA = UUID(int=1)


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Scoring]:
    made = Scoring(scoring_database)
    yield made
    await made.close()


def erased(*ids: UUID) -> CustomerErased:
    return CustomerErased(request_id=uuid4(), customer_ids=ids or (ADA,), requested_at=datetime.now(UTC), basis="request")


async def erase(scoring: Scoring) -> None:
    """Until nothing is left to look for."""
    await scoring.deliver(erased())
    while await scoring.turn("searching for the erased"):
        pass


async def test_what_was_known_of_a_person_goes_and_the_decision_stays(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer(segment="family")))
    await scoring.send()

    await erase(scoring)

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


async def test_an_answer_that_comes_after_its_person_was_erased_counts_without_its_words(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await scoring.send()
    (survey,) = await scoring.surveys()
    await erase(scoring)
    wish = [{"from": datetime.now(UTC), "to": datetime.now(UTC) + timedelta(hours=1)}]
    said = {"channel": "sms", "score": 3, "comment": "my name is Ada", "callback": "yes", "callback_wish": wish, "language": "es"}

    await scoring.deliver(SurveyAnswered.model_validate({"answer_id": "a-1", "survey_id": survey["id"], **said}))

    (answer,) = await scoring.rows("select score, comment, callback_wish, language from answer")
    (feedback,) = await scoring.rows("select score, comment, comment_language, callback_wish from feedback")
    (told,) = await scoring.sent_messages(FeedbackScored)
    assert dict(answer) == {"score": 3, "comment": None, "callback_wish": None, "language": None}
    assert dict(feedback) == {"score": 3, "comment": None, "comment_language": None, "callback_wish": []}
    assert (told.score, told.customer, told.comment, told.callback_wish) == (3, None, None, ())


async def test_consents_of_an_erased_person_that_come_late_are_not_kept(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await erase(scoring)

    await scoring.deliver(ConsentChanged(consent=consent()), ConsentChanged(consent=consent(address_ref=PHONE)))

    assert [each["address_ref"] for each in await scoring.rows("select address_ref from consent")] == [PHONE]


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

    await erase(scoring)
    await erase(scoring)

    assert [report.counts["customers"] for report in await scoring.sent_messages(ErasureReported)] == [1, 0]


NUMBER = "+15550000000"


def broken(**said: object) -> Letter:
    """An answer that could not be taken: its score is no number."""
    body = json.dumps({"answer_id": "a-9", "channel": "ivr", "score": "nine", "comment": "canary words", **said}).encode()
    headers = (("ce_subject", b"canary"), ("ce_id", b"a-9"))
    return Letter(Record("survey.responses", 0, 1, b"key", body, headers, datetime.now(UTC)), "wrong_type", "score")


async def bury(scoring: Scoring, *letters: Letter) -> None:
    async with scoring.database.transaction() as unit:
        await dead_letters.bury(unit.tx, letters, SEALER)


async def test_dead_letters_that_name_an_erased_person_are_emptied(scoring: Scoring) -> None:
    contact = completed(customer(private=sealed({"member_id": "M-104", "addresses": {PHONE: NUMBER}})), ref="call-77")
    await scoring.deliver(contact)
    (survey,) = await scoring.surveys()
    theirs = [
        broken(address="(555) 000-0000"),
        broken(address=sealed(NUMBER).model_dump()),
        broken(survey_id=str(survey["id"])),
        broken(contact={"ref": "call-77", "account": "-", "platform": "acme"}),
        broken(customer={"customer_id": str(ADA)}),
        broken(interaction_id=str(contact.interaction_id)),
        broken(member="M-104"),
        Letter(Record("survey.responses", 0, 2, NUMBER.encode(), b"{", (), datetime.now(UTC)), "not_json", None),
        Letter(Record("survey.responses", 0, 3, None, b"[", (("from", NUMBER.encode()),), datetime.now(UTC)), "not_json", None),
    ]
    others = [broken(address="+15550000001"), broken(contact={"platform": "other", "ref": "call-77"}), broken(member="M-1045")]
    await bury(scoring, *theirs, *others)

    await erase(scoring)

    kept = await scoring.rows("select key, headers, body, state, reason, path from dead_letter order by id")
    emptied = [each for each in kept if SEALER.unseal_bytes(each["body"]) == b""]
    assert [(each["key"], each["headers"], each["state"]) for each in emptied] == [(None, [], "discarded")] * len(theirs)
    assert [each["state"] for each in kept if each not in emptied] == ["waiting"] * len(others)
    assert {(each["reason"], each["path"]) for each in emptied} == {("wrong_type", "score"), ("not_json", None)}
    assert len(await scoring.rows("select 1 from outbox where dead_letter is not null")) == len(others)
    assert [report.counts["dead_letters"] for report in await scoring.sent_messages(ErasureReported)] == [len(theirs)]

    await bury(scoring, *theirs)
    assert await scoring.rows("select 1 from dead_letter where state = 'waiting' and count > 1") == []
    bodies = [SEALER.unseal_bytes(each["body"]) for each in await scoring.rows("select body from dead_letter")]
    assert bodies.count(b"") == len(theirs)


async def test_the_search_goes_on_page_by_page_and_forgets_what_it_looked_for(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer(private=sealed({"addresses": {PHONE: NUMBER}}))))
    await bury(scoring, *(broken(address=NUMBER, number=each) for each in range(forgetting.AT_ONCE + 1)))
    await scoring.deliver(erased())

    (asked,) = await scoring.rows("select traces from forgetting")
    turns = [await scoring.turn("searching for the erased") for _ in range(3)]

    assert NUMBER not in str(asked)
    assert turns == [1, 1, 0]
    assert await scoring.rows("select 1 from forgetting") == []
    (report,) = await scoring.sent_messages(ErasureReported)
    assert (report.done, report.counts["dead_letters"]) == (True, forgetting.AT_ONCE + 1)


async def test_an_answer_that_waits_for_its_contact_goes_with_its_person(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer(private=sealed({"addresses": {PHONE: NUMBER}}))))
    mine, other = (
        SurveyAnswered(answer_id=each, address=each, channel="sms", score=2, comment="canary") for each in (NUMBER, "+15550000001")
    )
    async with scoring.database.transaction() as unit:
        parked = [Delivery(each, each.answer_id, "/test", None, None, record(each)) for each in (mine, other)]
        await waiting.park(unit, [(each, "contact") for each in parked], SEALER)

    await erase(scoring)

    (left,) = await scoring.rows("select body from waiting")
    assert b"+15550000001" in SEALER.unseal_bytes(left["body"])
    assert [report.counts["waiting"] for report in await scoring.sent_messages(ErasureReported)] == [1]


def record(message: SurveyAnswered) -> Record:
    return Record("survey.responses", 0, 1, None, message.encode(), (), datetime.now(UTC))

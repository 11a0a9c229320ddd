"""Answers that outsiders tell: IVR, chat and platform bridges."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.runtime.errors import Unprocessable
from shared.schemas import PlatformRef, SurveyAnswered
from tests.support.listening import NUMBER, REF, Listening, listening, person


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Listening]:
    async with listening(scoring_database) as made:
        yield made


def answered(**said: Any) -> SurveyAnswered:
    return SurveyAnswered(**{"answer_id": str(uuid4()), "channel": "ivr", **said})


async def test_an_answer_may_name_the_survey_the_token_the_contact_or_the_address(scoring: Listening) -> None:
    for number, named in enumerate(("survey_id", "token", "contact", "address")):
        at = f"+1202555014{number}"
        token = await scoring.asked(person(number + 1, at=at, number=number), ref=f"call-{number}")
        (survey,) = await scoring.service.rows("select id from survey where customer_id = :id", id=UUID(int=number + 1))
        whom = {
            "survey_id": survey["id"],
            "token": token,
            "contact": PlatformRef(platform="acme", account="-", ref=f"call-{number}"),
            "address": scoring.service.deps.sealer.seal(at),
        }
        await scoring.service.deliver(answered(**{named: whom[named]}, score=number))

    assert [(told.score, told.answered_by) for told in await scoring.told()] == [(0, "ivr"), (1, "ivr"), (2, "ivr"), (3, "ivr")]


async def test_several_answers_in_one_batch_take_their_turn(scoring: Listening) -> None:
    token = await scoring.asked()
    now = datetime.now(UTC)
    early, late = answered(token=token, score=2, answered_at=now - timedelta(seconds=2)), answered(token=token, score=9, answered_at=now)
    await scoring.service.deliver(early, late, answered(token=token, score=4, channel="chat"))

    assert [(told.score, told.revision, told.counted) for told in await scoring.told()] == [(2, 1, True), (9, 2, True), (4, 3, False)]
    assert await scoring.counts_are_right()


async def test_the_text_of_a_bridge_is_read_like_a_reply_and_stop_binds_the_address(scoring: Listening) -> None:
    await scoring.asked()
    await scoring.service.deliver(answered(address=NUMBER, channel="sms", text="9 but stop texting me"))

    assert [told.score for told in await scoring.told()] == [9]
    assert await scoring.consents() == [(REF, "sms", "any", "refused")]


async def test_a_sealed_comment_a_wish_and_what_was_solved_are_kept(scoring: Listening) -> None:
    token = await scoring.asked()
    tomorrow = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
    wish = [{"from": tomorrow, "to": tomorrow + timedelta(hours=3)}]
    comment = scoring.service.deps.sealer.seal("nobody called back")
    await scoring.service.deliver(
        answered(token=token, score=1, comment=comment, resolved="no", callback="yes", callback_wish=wish, language="es")
    )

    (told,) = await scoring.told()
    assert told.comment is not None
    assert scoring.service.deps.sealer.unseal(told.comment) == "nobody called back"
    assert (told.resolved, told.callback, told.comment_language, told.callback_wish[0].from_) == ("no", "yes", "es", tomorrow)


async def test_a_survey_we_never_gave_out_is_the_messages_fault(scoring: Listening) -> None:
    for whom in ({"survey_id": uuid4()}, {"token": "made-up"}):
        with pytest.raises(Unprocessable, match="unknown_reference"):
            await scoring.service.deliver(answered(**whom, score=3))


async def test_what_is_no_address_is_the_messages_fault(scoring: Listening) -> None:
    with pytest.raises(Unprocessable, match="not_an_address"):
        await scoring.service.deliver(answered(address="1", score=3))


async def test_a_contact_or_address_that_may_still_be_asked_is_waited_for(scoring: Listening) -> None:
    unknown = PlatformRef(platform="acme", account="-", ref="call-unknown")
    batch = await scoring.service.deliver(answered(contact=unknown, score=3), answered(address=NUMBER, score=3))

    assert [reference for _, reference in batch.parked] == ["contact:acme/-/call-unknown", f"address:{REF}"]
    assert await scoring.told() == []


async def test_a_stop_is_not_waited_for(scoring: Listening) -> None:
    batch = await scoring.service.deliver(answered(address=NUMBER, channel="sms", text="STOP"))

    assert batch.parked == []
    assert len(await scoring.service.rows("select * from consent")) == 1


async def test_an_answer_long_after_the_survey_closed_is_kept_and_not_counted(scoring: Listening) -> None:
    token = await scoring.asked()
    await scoring.pass_time(days=20)
    await scoring.service.deliver(answered(token=token, score=0))

    (told,) = await scoring.told()
    assert (told.score, told.band, told.counted, told.uncounted) == (0, "detractor", False, "late")

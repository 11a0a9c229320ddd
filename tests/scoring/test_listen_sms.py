"""Replies and receipts of an SMS provider."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.schemas import ConsentChanged
from tests.support.listening import NUMBER, REF, SECRET, Listening, listening, person

EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Listening]:
    async with listening(scoring_database) as made:
        yield made


async def test_a_reply_is_scored_with_its_words(scoring: Listening) -> None:
    await scoring.asked()
    answer = await scoring.sms("9 great")

    assert (answer.status_code, answer.text) == (200, EMPTY)
    assert answer.headers["content-type"].startswith("text/xml")
    (told,) = await scoring.told()
    assert (told.score, told.answered_by, told.counted) == (9, "sms", True)
    assert told.comment is not None
    assert scoring.service.deps.sealer.unseal(told.comment) == "great"
    assert await scoring.counts_are_right()


async def test_a_reply_sent_again_is_scored_once(scoring: Listening) -> None:
    await scoring.asked()
    for _ in range(3):
        assert (await scoring.sms("9 great")).status_code == 200

    assert len(await scoring.told()) == 1


async def test_a_second_reply_changes_the_answer_and_one_by_the_page_completes_it(scoring: Listening) -> None:
    token = await scoring.asked()
    await scoring.sms("9", message_id="SM1")
    await scoring.sms("2 nobody called back", message_id="SM2")
    await scoring.post(f"/s/{token}/more", revision=2, resolved="no")

    assert [(told.score, told.revision, told.resolved) for told in await scoring.told()] == [
        (9, 1, "unanswered"),
        (2, 2, "unanswered"),
        (2, 3, "no"),
    ]
    assert await scoring.counts_are_right()


async def test_an_answer_by_a_second_channel_is_kept_and_not_counted(scoring: Listening) -> None:
    token = await scoring.asked()
    await scoring.post(f"/s/{token}", score=9)
    await scoring.sms("2")

    told = await scoring.told()
    assert [(each.score, each.counted, each.uncounted) for each in told] == [(9, True, None), (2, False, "other_channel")]
    assert "You answered 9 at" in (await scoring.get(f"/s/{token}")).text
    assert await scoring.counts_are_right()


async def test_an_unclear_reply_is_asked_back_once_and_its_words_are_kept(scoring: Listening) -> None:
    await scoring.asked()

    first = await scoring.sms("2 or 3", message_id="SM1")
    second = await scoring.sms("no one helped", message_id="SM2")

    assert "Please reply with one number from 0 to 10." in first.text
    assert second.text == EMPTY
    assert await scoring.told() == []
    assert await scoring.answers() == [("partial", None), ("partial", None)]
    await scoring.sms("2", message_id="SM3")
    (told,) = await scoring.told()
    assert told.comment is not None
    assert scoring.service.deps.sealer.unseal(told.comment) == "no one helped"


async def test_stop_binds_the_address_for_every_purpose_and_keeps_a_score_beside_it(scoring: Listening) -> None:
    await scoring.asked()
    answer = await scoring.sms("9 but stop texting me")

    assert "you will get no more messages" in answer.text
    assert await scoring.consents() == [(REF, "sms", "any", "refused")]
    (told,) = await scoring.service.sent_messages(ConsentChanged)
    assert (told.consent.address_ref, told.consent.customer_id) == (REF, None)
    (row,) = await scoring.service.rows("select key from outbox where type = :type", type=ConsentChanged.TYPE)
    assert row["key"] == REF
    assert [(each.score, each.counted) for each in await scoring.told()] == [(9, True)]


async def test_stop_from_a_number_nobody_asked_binds_it_all_the_same(scoring: Listening) -> None:
    assert (await scoring.sms("STOP")).status_code == 200

    assert await scoring.consents() == [(REF, "sms", "any", "refused")]


async def test_start_takes_a_stop_back(scoring: Listening) -> None:
    await scoring.sms("STOP", message_id="SM1")
    answer = await scoring.sms("START", message_id="SM2")

    assert "you are in again" in answer.text
    assert await scoring.consents() == [(REF, "sms", "any", "granted")]


async def test_help_says_who_we_are_and_how_to_stop(scoring: Listening) -> None:
    answer = await scoring.sms("HELP")

    assert "Larkfield: one question about your recent contact" in answer.text
    assert "STOP" in answer.text
    assert await scoring.answers() == []


async def test_a_reply_answers_the_survey_last_sent_to_that_number(scoring: Listening) -> None:
    await scoring.asked(person(1))
    await scoring.pass_time(days=40)
    second = await scoring.asked(person(2, number=17))
    await scoring.sms("4")

    (told,) = await scoring.told()
    assert told.customer is not None
    assert told.customer.customer_id == UUID(int=2)
    assert "You answered 4 at" in (await scoring.get(f"/s/{second}")).text


async def test_a_reply_from_a_number_nobody_asked_is_taken_and_changes_nothing(scoring: Listening) -> None:
    await scoring.asked()
    answer = await scoring.sms("9", sender="+12025550188")

    assert (answer.status_code, answer.text) == (200, EMPTY)
    assert await scoring.told() == []


@pytest.mark.parametrize("secret", ["another secret", ""])
async def test_an_unsigned_reply_is_refused_before_anything_is_read(scoring: Listening, secret: str) -> None:
    await scoring.asked()
    answer = await scoring.sms("9", secret=secret)
    bare = await scoring.browser.post("/v1/replies/sms", data={"Body": "9", "From": NUMBER, "MessageSid": "SM1"})

    assert answer.status_code == bare.status_code == 401
    assert answer.json()["detail"] == bare.json()["detail"]
    assert NUMBER not in answer.text
    assert await scoring.told() == []


async def test_two_secrets_are_live_while_one_is_changed(scoring_database: str) -> None:
    async with listening(scoring_database) as scoring:
        settings = scoring.service.settings.model_copy(update={"sms_secret": f"the new one, {SECRET}"})
        scoring.app.state.deps = _with(scoring, settings)
        assert (await scoring.sms("HELP", secret="the new one", message_id="SM1")).status_code == 200
        assert (await scoring.sms("HELP", secret=SECRET, message_id="SM2")).status_code == 200


async def test_a_signed_form_without_its_fields_names_them(scoring: Listening) -> None:
    answer = await scoring.signed("/v1/replies/sms", [("Body", "9")])

    assert answer.status_code == 422
    assert [each["path"] for each in answer.json()["errors"]] == ["MessageSid", "From"]


async def test_hostile_text_is_never_an_error(scoring: Listening) -> None:
    await scoring.asked()
    for number, text in enumerate(["\x00", "9 \x00\x07 ok", "👍" * 400, "<Response/>", "a" * 5000]):
        assert (await scoring.sms(text, message_id=f"SM{number}")).status_code == 200


async def test_a_delivery_receipt_is_kept_once_and_told_with_the_answer(scoring: Listening) -> None:
    token = await scoring.asked()
    (survey,) = await scoring.service.surveys()
    fields = [("MessageSid", survey["gateway_ref"]), ("MessageStatus", "delivered")]
    path = f"/v1/receipts/{survey['gateway']}"

    assert (await scoring.signed(path, [*fields[:1], ("MessageStatus", "sent")])).status_code == 204
    assert (await scoring.service.surveys())[0]["delivered_at"] is None
    assert (await scoring.signed(path, fields)).status_code == 204
    delivered = (await scoring.service.surveys())[0]["delivered_at"]
    assert (await scoring.signed(path, fields)).status_code == 204
    assert (await scoring.service.surveys())[0]["delivered_at"] == delivered is not None
    assert (await scoring.signed("/v1/receipts/another", fields)).status_code == 204
    assert (await scoring.signed(path, fields, secret="wrong")).status_code == 401

    await scoring.post(f"/s/{token}", score=9)
    assert (await scoring.told())[0].delivered_at is not None


def _with(scoring: Listening, settings: Any) -> object:
    return replace(scoring.service.deps, settings=settings)

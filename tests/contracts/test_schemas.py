"""What the schemas let in, and what they refuse."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from shared.codes import as_code, known
from shared.schemas import (
    MESSAGES,
    CallbackAttempted,
    Consent,
    ErasureReported,
    InteractionCompleted,
    NativeEvent,
    ProfileGiven,
    SurveyAnswered,
    Window,
)

CUSTOMER = "6f1c4d1e-0b8e-4c62-9a55-3f1f2c7f1a01"
ANSWER: dict[str, Any] = {"answer_id": "a-1", "token": "t-1", "channel": "sms", "score": 9}
CONSENT: dict[str, Any] = {"channel": "sms", "purpose": "survey", "state": "granted", "at": "2026-11-24T10:00:00Z", "source": "crm"}


def answered(**changes: Any) -> SurveyAnswered:
    return SurveyAnswered.model_validate_json(json.dumps({**ANSWER, **changes}))


def places(refused: pytest.ExceptionInfo[ValidationError]) -> set[Any]:
    return {error["loc"][0] for error in refused.value.errors() if error["loc"]}


@pytest.mark.parametrize("score", range(11))
def test_a_score_is_a_whole_number_from_0_to_10(score: int) -> None:
    assert answered(score=score).score == score


@pytest.mark.parametrize("score", ["7.0", "6.5", '"9"', "true", "11", "-1", "1e1", "NaN", "12345678901234567890", "[9]"])
def test_nothing_else_is_a_score(score: str) -> None:
    text = json.dumps(ANSWER).replace('"score": 9', f'"score": {score}')
    with pytest.raises(ValidationError) as refused:
        SurveyAnswered.model_validate_json(text)
    assert places(refused) == {"score"}


@pytest.mark.parametrize("score", [True, 7.0, "9"])
def test_a_score_is_as_strict_when_it_comes_from_python(score: object) -> None:
    with pytest.raises(ValidationError):
        SurveyAnswered.model_validate({**ANSWER, "score": score})


@pytest.mark.parametrize(
    "changes",
    [
        {"token": None},
        {"survey_id": CUSTOMER},
        {"address": "+12025550143"},
        {"contact": {"platform": "p", "account": "-", "ref": "r"}},
        {"score": None},
        {"text": "9 great"},
    ],
)
def test_an_answer_names_exactly_one_survey_and_says_exactly_one_thing(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give exactly one of"):
        answered(**changes)


def test_an_answer_of_nothing_but_words_is_taken() -> None:
    assert answered(score=None, text="STOP").text == "STOP"


@pytest.mark.parametrize("subject", [{}, {"customer_id": CUSTOMER, "address_ref": "ref"}])
def test_a_consent_is_of_a_person_or_of_an_address(subject: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="exactly one of customer_id, address_ref"):
        Consent.model_validate({**CONSENT, **subject})


def test_a_profile_says_consents_of_its_own_person_without_knowing_our_ids() -> None:
    given = ProfileGiven.model_validate({"profile_id": "1", "member_id": "m", "at": CONSENT["at"], "consents": [CONSENT]})
    assert given.consents is not None
    assert given.consents[0].state == "granted"


def test_a_profile_tells_a_missing_field_from_an_empty_one() -> None:
    given = ProfileGiven.model_validate({"profile_id": "1", "member_id": "m", "at": CONSENT["at"], "flags": []})
    assert given.flags == ()
    assert given.addresses is None
    assert json.loads(given.encode()).keys() == {"profile_id", "member_id", "at", "flags"}


@pytest.mark.parametrize(
    "at", ['"2026-11-24T10:00:00"', '"2026-11-24"', "1764000000", "true", '"yesterday"', '"0001-01-01T00:00:00+14:00"']
)
def test_a_moment_without_a_zone_or_out_of_any_calendar_is_refused(at: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SurveyAnswered.model_validate_json(json.dumps({**ANSWER, "answered_at": "AT"}).replace('"AT"', at))
    assert places(refused) == {"answered_at"}


def test_a_moment_is_written_in_utc_to_the_millisecond() -> None:
    moment = datetime(2026, 11, 24, 15, 30, 0, 123_987, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert json.loads(answered(answered_at=moment.isoformat()).encode())["answered_at"] == "2026-11-24T10:00:00.123Z"


def test_a_window_is_built_and_read_under_either_name() -> None:
    start, end = datetime(2026, 11, 24, 10, tzinfo=UTC), datetime(2026, 11, 24, 12, tzinfo=UTC)
    built = Window(from_=start, to=end)
    assert built.encode() == b'{"from":"2026-11-24T10:00:00.000Z","to":"2026-11-24T12:00:00.000Z"}'
    assert Window.model_validate_json(built.encode()) == built


def test_codes_are_read_in_lower_case_and_unknown_ones_are_kept() -> None:
    assert answered(channel="Telepathy").channel == "telepathy"
    assert known("telepathy", {"sms", "page"}) == "other"
    assert known("sms", {"sms", "page"}) == "sms"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Billing / Refunds", "billing_refunds"),
        ("  No Answer ", "no_answer"),
        ("Überweisung", "überweisung"),
        ("--", None),
        ("", None),
        (None, None),
    ],
)
def test_a_platforms_words_become_a_code(text: str | None, code: str | None) -> None:
    assert as_code(text) == code


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.TYPE)
def test_a_type_names_its_message_and_version(message: type[InteractionCompleted]) -> None:
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in message.__name__).lstrip("-")
    assert f"aftercall.{words}.v{message.VERSION}" == message.TYPE


@pytest.mark.parametrize("missing", ["id", "contact", "event", "at", "channel"])
def test_a_native_event_without_what_it_needs_is_refused_by_name(missing: str) -> None:
    whole = {"id": "1", "contact": "c", "event": "ended", "at": "2026-11-24T10:00:00Z", "channel": "phone"}
    del whole[missing]
    with pytest.raises(ValidationError) as refused:
        NativeEvent.model_validate_json(json.dumps(whole))
    assert places(refused) == {missing}


def test_a_yes_or_no_is_neither_a_word_nor_a_number() -> None:
    attempt = {
        "attempt_id": "1",
        "case_id": CUSTOMER,
        "by": {"kind": "dialer", "ref": "d"},
        "started_at": CONSENT["at"],
        "outcome": "reached",
    }
    for wrong in ("yes", 1):
        with pytest.raises(ValidationError):
            CallbackAttempted.model_validate({**attempt, "started_at": CONSENT["at"], "resolved": wrong})


def test_a_count_that_no_integer_column_holds_is_refused() -> None:
    with pytest.raises(ValidationError):
        ErasureReported.model_validate(
            {"request_id": CUSTOMER, "service": "s", "counts": {"rows": 2**31}, "clean_by": CONSENT["at"], "done": True}
        )


def test_a_message_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        answered().score = 10  # type: ignore[misc]

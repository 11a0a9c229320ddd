"""The words of an invitation, their price, and what follows from an attempt."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from scoring.ask.clients import reading
from scoring.ask.inbox.links import pieces
from scoring.ask.model import Accepted, Failed, Held, Lost, Refused, Result, Sending, State
from scoring.ask.schedule import retry_after, settled
from scoring.ask.segments import segments
from scoring.ask.texts import fill, text_for
from scoring.decide.policy import Text
from shared.runtime.outbound import Reply
from tests.support.asking import NOON, policy, sealed

TEXT = Text(body="{brand}: {link}")
LINK = "https://ask.example.com/s/abcdefghijklmnopqrstuvwx"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_a_text_costs_so_many_messages(text: str, count: int) -> None:
    assert segments(text) == count


def test_the_first_invitation_costs_at_most_two_messages() -> None:
    text = text_for(policy().terms.texts, channel="sms", language=None)

    assert segments(fill(text, brand="Example Health", link=LINK)[1]) <= 2


def test_an_invitation_carries_brand_and_link_and_nothing_of_the_contact() -> None:
    subject, body = fill(text_for(policy().terms.texts, channel="email", language="en-US"), brand="Example Health", link=LINK)

    assert subject == "Your recent contact with Example Health"
    assert LINK in body


@pytest.mark.parametrize(("language", "said"), [("es-MX", "es"), ("ES", "es"), ("fr", "en"), (None, "en")])
def test_an_invitation_speaks_the_customers_language_or_english(language: str | None, said: str) -> None:
    texts = {"sms": {"en": Text(body="en {link}"), "es": Text(body="es {link}")}}

    assert text_for(texts, channel="sms", language=language).body.startswith(said)


def test_links_in_the_inbox_are_cut_out_of_the_text() -> None:
    assert pieces(f"Open {LINK} now", base="https://ask.example.com") == [("Open ", False), (LINK, True), (" now", False)]


def attempt(**changes: object) -> Sending:
    made = Sending(
        survey_id=UUID(int=1), channel="sms", gateway="fake", text=TEXT, address=sealed("x"), address_ref="r", token="t", attempt=1,
        was_unknown=False, open_s=60.0,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


OUTCOMES: list[tuple[Result, bool, int, bool, State, int | None]] = [
    (Accepted(), False, 1, False, State.SENT, None),
    (Failed("http_500"), False, 1, False, State.PLANNED, 60),
    (Failed("http_500"), False, 2, False, State.PLANNED, 300),
    (Failed("http_500"), False, 3, False, State.UNSENT, None),
    (Failed("http_429", 120.0), False, 1, False, State.PLANNED, 120),
    (Failed("http_429", 5.0), False, 1, False, State.PLANNED, 60),
    (Failed("http_503", 1e9), False, 1, False, State.PLANNED, 86_400),
    (Refused("http_410"), False, 1, False, State.UNSENT, None),
    (Lost("timed_out"), False, 1, False, State.UNKNOWN, None),
    (Lost("timed_out"), True, 1, False, State.UNKNOWN, 60),
    (Lost("timed_out"), True, 3, False, State.UNKNOWN, None),
    (Failed("http_500"), True, 2, True, State.UNKNOWN, 300),
    (Refused("http_410"), True, 2, True, State.UNKNOWN, None),
    (Held(), False, 1, False, State.PLANNED, 0),
    (Held(), True, 2, True, State.UNKNOWN, 0),
]


@pytest.mark.parametrize(("result", "keeps_keys", "number", "was_unknown", "state", "again_in"), OUTCOMES)
def test_what_follows_from_an_attempt(
    result: Result, *, keeps_keys: bool, number: int, was_unknown: bool, state: State, again_in: int | None
) -> None:
    what = settled(attempt(attempt=number, was_unknown=was_unknown), result, now=NOON, waits_s=[60, 300], keeps_keys=keeps_keys)

    assert what.state is state
    assert what.due == (None if again_in is None else NOON + timedelta(seconds=again_in))
    assert (what.reason is not None) == (state is State.UNSENT)
    assert what.was_tried != isinstance(result, Held)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "Tue, 03 Mar 2026 17:01:00 GMT", "date": "Tue, 03 Mar 2026 17:00:00 GMT"}, 60.0),
        ({"retry-after": "Tue, 03 Mar 2026 16:00:00 GMT", "date": "Tue, 03 Mar 2026 17:00:00 GMT"}, 0.0),
        ({"retry-after": "Tue, 03 Mar 2026 17:01:00 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_gateway_may_ask_for_time(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (202, b'{"id": "m-1"}', Accepted("m-1")),
        (200, b"thanks", Accepted(None)),
        (200, b'{"id": 7}', Accepted(None)),
        (200, b"[" * 100_000, Accepted(None)),
        (302, b"", Refused("http_302")),
        (400, b"", Refused("http_400")),
        (410, b"", Refused("http_410")),
        (429, b"", Failed("http_429")),
        (500, b"", Failed("http_500")),
        (502, b"", Lost("http_502")),
        (504, b"", Lost("http_504")),
    ],
)
def test_a_gateways_answer_is_read(status: int, body: bytes, result: Result) -> None:
    assert reading(Reply(status, {}, body)) == result

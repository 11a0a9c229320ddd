"""Bad bytes are refused quickly, with a reason, and without repeating a value."""

import json
import time

import pytest

from ingest.normalise import read
from ingest.normalise.model import Event, Raw, Refused

GOOD = {"id": "1", "contact": "c", "event": "ended", "at": 1810044480, "channel": "web"}
SECRET = "+12025550143"


def refusal(body: bytes) -> Refused:
    (reading,) = read(Raw(body))
    assert isinstance(reading, Refused), reading
    return reading


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "invalid_json"),
        (b'{"a": 1} trailing', "invalid_json"),
        (b"\xef\xbb\xbf{}", "byte_order_mark"),
        ("{}".encode("utf-16"), "byte_order_mark"),
        (b'{"a": NaN}', "invalid_json"),
        (b'{"a": -Infinity}', "invalid_json"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"x": {"+12025550143": 1, "+12025550143": 2}}', "duplicate_key"),
        (b"[" * 10_000, "too_deep"),
        (b'{"a":' * 10_000, "too_deep"),
        (b'{"a": 9223372036854775808}', "number_too_large"),
        (b'{"a": [-9223372036854775809]}', "number_too_large"),
        (b'{"a": ' + b"9" * 6_000 + b"}", "number_too_large"),
        (b'{"a": "\\u0000"}', "nul_character"),
        (b'{"\\u0000": 1}', "nul_character"),
        (b'{"a": "\\ud800"}', "lone_surrogate"),
        (b'{"a": "\\udc00 +12025550143"}', "lone_surrogate"),
        (b'{"a": "\xff"}', "not_utf8"),
        (b'{"a": "\x01"}', "invalid_json"),
        (b'"a text"', "not_an_object"),
        (b"12", "not_an_object"),
        (b"null", "not_an_object"),
    ],
)
def test_what_no_two_readers_would_agree_on_is_refused_with_its_reason(body: bytes, code: str) -> None:
    said = refusal(body)
    assert said.code == code
    assert SECRET not in str(said)


@pytest.mark.parametrize("before", range(8))
def test_a_number_too_large_is_found_wherever_it_stands(before: int) -> None:
    for number, code in ((2**63, "number_too_large"), (-(2**63) - 1, "number_too_large"), (2**63 - 1, None)):
        body = json.dumps({**GOOD, "a" * before: 1, "list": [0, number, "0"]}).encode()
        (reading,) = read(Raw(body))
        assert (reading.code if isinstance(reading, Refused) else None) == code


def test_a_refusal_takes_a_few_milliseconds() -> None:
    started = time.perf_counter()
    for body in (b"[" * 1_000_000, b'{"a":' * 200_000, b'{"a": ' + b"9" * 1_000_000 + b"}"):
        assert refusal(body).code in ("too_deep", "number_too_large")
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("note", ["\\u0000 as six characters", "a" + "9" * 40, "😀", "\u200f", "\\"])
def test_what_only_looks_like_trouble_is_read(note: str) -> None:
    (reading,) = read(Raw(json.dumps({**GOOD, "note": note, "largest": 2**63 - 1, "smallest": -(2**63)}).encode()))
    assert isinstance(reading, Event)


def test_envelopes_within_envelopes_come_to_an_end() -> None:
    body = json.dumps(GOOD)
    for _ in range(12):
        body = json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": body})
    said = refusal(body.encode())
    assert (said.envelope, said.code) == ("sns", "too_many_envelopes")


@pytest.mark.parametrize("name", ["id", "contact", "event", "at", "channel"])
@pytest.mark.parametrize("wrong", [None, True, {"a": 1}, ["x"]])
def test_a_required_field_of_the_wrong_type_is_named(name: str, wrong: object) -> None:
    said = refusal(json.dumps({**GOOD, name: wrong}).encode())
    assert (said.path, said.code) == (name, "missing" if wrong is None else "wrong_type")


@pytest.mark.parametrize("name", ["id", "contact", "event", "channel"])
@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0"])
def test_a_required_field_that_is_blank_is_missing(name: str, blank: str) -> None:
    said = refusal(json.dumps({**GOOD, name: blank}).encode())
    assert (said.path, said.code) == (name, "missing")


def test_an_id_longer_than_an_index_holds_is_refused() -> None:
    assert refusal(json.dumps({**GOOD, "contact": "c" * 257}).encode()).code == "too_long"


def test_a_batch_is_read_around_what_is_refused_in_it() -> None:
    readings = read(Raw(json.dumps([GOOD, 7, {**GOOD, "id": None}, {**GOOD, "id": "2"}]).encode()))
    assert [(type(one).__name__, one.index) for one in readings] == [("Event", 0), ("Refused", 1), ("Refused", 2), ("Event", 3)]

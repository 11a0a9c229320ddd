"""What an erased person's handles look like in bytes nobody could read, and what only resembles them."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.erasure.traces import of_handles
from ingest.people.canonical import Naming
from shared.traces import Traces, finder

TRACES: Traces = frozenset({("phone", "+12125550142"), ("email", "ana.lopez@example.com"), ("id", "M-104"), ("id", "7")})
NAMING = Naming(lambda kind, _scope, value: f"{kind}:{value}", "US")
find = finder(TRACES)


@pytest.mark.parametrize(
    "body",
    [
        b'{"half": "+12125550142',
        b"From: (212) 555-0142",
        b"tel 212.555.0142;",
        b"1 212 555 0142",
        b"001-212-555-0142",
        b'{"n": 2125550142}',
        b"who=%2B12125550142",
        b"Ana.Lopez@Example.com",
        b"ana.lopez%40example.com",
        b'{"mail": "ana\\u002elopez@example.com"}',
        b'{"member": "M-104"}',
        b"id=M-104&x=1",
        json.dumps({"Message": json.dumps({"caller": "+12125550142"})}).encode(),
        json.dumps({"kinesis": {"data": base64.b64encode(b'{"caller": "+12125550142"}').decode()}}).encode(),
        b"\xff\xfe broken +12125550142",
    ],
)
def test_a_handle_is_found_however_it_is_written(body: bytes) -> None:
    assert find([None, body])
    assert find([body, b"{}"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"half": "+12125550143',
        b"992125550142",
        b"21255501429",
        b"diana.lopez@example.com",
        b"ana.lopez@example.community",
        b'{"member": "M-1041"}',
        b'{"member": "XM-104"}',
        b'{"legs": 7, "id": "7"}',
        b"[" * 10_000,
    ],
)
def test_what_only_resembles_a_handle_is_left(body: bytes) -> None:
    assert not find([body])


def test_nobody_is_found_without_anything_to_look_for() -> None:
    assert not finder(frozenset())([b"anything"])
    assert not finder(frozenset({("id", "7")}))([b"7"])


def test_what_a_platform_wrote_is_looked_for_in_its_canonical_form() -> None:
    written = {"phone": "(212) 555-0142", "email": "Ana.Lopez@example.com", "contact_id": " c-9 ", "name": "Ana"}

    assert of_handles(written, NAMING) == {("phone", "+12125550142"), ("email", "ana.lopez@example.com"), ("id", "c-9")}


@given(st.binary(max_size=300))
def test_no_bytes_are_too_odd_to_be_looked_through(body: bytes) -> None:
    find([body, b"", None])


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_number_is_found_in_any_json_string(before: str, after: str) -> None:
    said = {"note": f"{before} +1 (212) 555-0142 {after}"}

    assert find([json.dumps(said).encode()])

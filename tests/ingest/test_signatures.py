"""Whom we believe: what the vendors' own libraries sign, and nothing that differs from it by one bit."""

import base64
import hmac
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from ingest.intake.signatures import check
from ingest.intake.signatures.posted import Posted, Untrusted
from ingest.intake.signatures.source import ZENDESK_TESTS, Source
from tests.support import signing
from tests.support.signing import (
    AT,
    BASE,
    FORM,
    PUBLIC_KEY,
    SHARED_KEY,
    SIGNERS,
    STANDARD_SECRET,
    TEXT_SECRET,
    TIMED,
    Sent,
    a_source,
    chatwoot,
    intercom,
    ringcentral,
    segment,
    standard,
    standard_by_public_key,
    twilio_form,
    twilio_json,
    twilio_shared_key,
    zendesk,
)

OTHER = "0123456789abcdef"
SIGNED_HEADERS = {
    "twilio-shared-key": ["x-twilio-signature", "x-twilio-webhooks-signature-settings"],
    "standard": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "zendesk": ["x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"],
    "intercom": ["x-hub-signature"],
    "chatwoot": ["x-chatwoot-signature", "x-chatwoot-timestamp"],
    "ringcentral": ["verification-token"],
    "segment": ["x-signature"],
    "slack": ["x-slack-signature", "x-slack-request-timestamp"],
}
SIGNED_HEADERS |= {"standard-v1a": SIGNED_HEADERS["standard"], "twilio-form": ["x-twilio-signature"], "twilio-json": ["x-twilio-signature"]}
ODD_VALUES = ["v1,", "v1a,AAAA", "sha1=", "v0=", "2026-11-20T15:00:00Z", "0001-01-01T00:00:00+23:59", "1763650800", "key=,algorithm=", "é"]
HEADERS = [(name, header) for name, headers in SIGNED_HEADERS.items() for header in headers]


def why_not(posted: Posted, source: Source, at: datetime = AT) -> str | None:
    """The reason why it is not believed; None where it is."""
    try:
        check(posted, source, at)
    except Untrusted as why:
        return why.reason
    return None


def flips(whole: bytes) -> Iterator[bytes]:
    """Every one-bit neighbour."""
    for place in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)


@pytest.mark.parametrize("name", SIGNERS)
def test_what_a_platform_signs_is_believed(name: str) -> None:
    sent = SIGNERS[name]()

    assert why_not(sent.posted, sent.source) is None


@pytest.mark.parametrize("name", sorted(SIGNERS.keys() - {"twilio-shared-key", "standard", "standard-v1a"}))
def test_while_a_secret_changes_both_are_believed_and_no_third_one(name: str) -> None:
    sent = SIGNERS[name]()

    for secrets in ([OTHER, TEXT_SECRET], [TEXT_SECRET, OTHER]):
        assert why_not(sent.posted, sent.source.model_copy(update={"secrets": secrets})) is None
    assert why_not(sent.posted, sent.source.model_copy(update={"secrets": [OTHER]})) == "signature"


@pytest.mark.parametrize("name", sorted(SIGNERS.keys() - {"ringcentral", "twilio-form", "twilio-shared-key"}))
def test_no_body_that_differs_by_a_bit_is_believed(name: str) -> None:
    sent = SIGNERS[name]()

    assert {why_not(replace(sent.posted, body=body), sent.source) for body in flips(sent.body)} <= {"signature", "body_hash"}


@pytest.mark.parametrize("name", ["twilio-form", "twilio-shared-key"])
def test_no_form_that_means_anything_else_is_believed(name: str) -> None:
    """`%c3` and `%C3` are the same letter: only what is decoded is signed."""
    sent = SIGNERS[name]()
    fields = sent.posted.fields()
    for body in flips(sent.body):
        changed = replace(sent.posted, body=body)
        assert why_not(changed, sent.source) in {"signature", "malformed"} or changed.fields() == fields


@pytest.mark.parametrize(("name", "header"), HEADERS)
def test_no_header_that_differs_by_a_bit_is_believed(name: str, header: str) -> None:
    sent = standard_by_one_signature() if name == "standard-v1a" else SIGNERS[name]()
    value = sent.posted.headers[header][0]
    for changed in flips(value.encode()):
        assert why_not(sent.with_header(header, changed.decode("latin-1")), sent.source) is not None, changed


def standard_by_one_signature() -> Sent:
    """Without the other signatures in the list, which may be anything."""
    sent = standard_by_public_key()
    return replace(sent, headers={**sent.headers, "webhook-signature": sent.headers["webhook-signature"].split(" ")[1]})


@pytest.mark.parametrize("name", ["twilio-form", "twilio-json"])
def test_no_address_that_differs_by_a_bit_is_believed(name: str) -> None:
    sent = SIGNERS[name]()
    for path in flips(sent.path.encode()):
        assert why_not(replace(sent.posted, path=path.decode("latin-1")), sent.source) == "signature"
    for query in flips(sent.query.encode()):
        assert why_not(replace(sent.posted, query=query.decode("latin-1")), sent.source) is not None


@given(body=st.binary(max_size=200), other=st.binary(max_size=200))
def test_any_bytes_are_believed_as_signed_and_no_others(body: bytes, other: bytes) -> None:
    for sign in (zendesk, intercom, chatwoot, segment):
        sent = sign(body=body)
        assert why_not(sent.posted, sent.source) is None
        assert other == body or why_not(replace(sent.posted, body=other), sent.source) == "signature"


@given(
    body=st.binary(max_size=60) | st.just(twilio_form().body),
    values=st.lists(st.text(st.characters(max_codepoint=255), max_size=40) | st.sampled_from(ODD_VALUES), min_size=1, max_size=2),
    query=st.text(st.characters(max_codepoint=255), max_size=30) | st.just("bodySHA256=%ff"),
)
def test_nothing_a_stranger_sends_is_believed_or_breaks_anything(body: bytes, values: list[str], query: str) -> None:
    for name, sign in SIGNERS.items():
        sent = sign()
        headers: dict[str, list[str]] = dict.fromkeys(SIGNED_HEADERS[name], values)
        assert why_not(Posted(body, headers, sent.path, query), sent.source) is not None


@pytest.mark.parametrize(("name", "header"), HEADERS)
def test_a_header_that_is_missing_repeated_or_empty_is_a_refusal(name: str, header: str) -> None:
    sent = SIGNERS[name]()
    value = sent.posted.headers[header][0]

    assert why_not(sent.with_header(header), sent.source) in {"header_missing", "signature"}
    assert why_not(sent.with_header(header, value, value), sent.source) == "header_repeated"
    assert why_not(sent.with_header(header, ""), sent.source) == "header_malformed"
    for odd in (f" {value}", f"{value} ", f"{value}\x00", f"{value}\xe9", "\t"):
        assert why_not(sent.with_header(header, odd), sent.source) == "header_malformed"


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize(("off", "said"), [(-300, None), (300, None), (-301, "time"), (301, "time"), (-360, "time"), (86_400, "time")])
def test_a_signed_time_counts_for_five_minutes_both_ways(name: str, off: int, said: str | None) -> None:
    sent = TIMED[name](at=AT + timedelta(seconds=off))

    assert why_not(sent.posted, sent.source) == said


@pytest.mark.parametrize("name", ["standard", "chatwoot", "slack"])
@pytest.mark.parametrize("stamp", ["-1", "+1763650800", "1763650800.0", "1e9", "٣", "0x10", "9" * 400, "1763650800 ", "soon"])
def test_a_time_that_is_no_whole_number_is_malformed(name: str, stamp: str) -> None:
    sent = TIMED[name]()
    header = next(each for each in SIGNED_HEADERS[name] if "timestamp" in each)

    assert why_not(sent.with_header(header, stamp), sent.source) == "header_malformed"


@pytest.mark.parametrize(
    "stamp",
    ["1763650800", "2026-11-20T15:00:00", "2026-11-20 15", "yesterday", "2026-13-01T00:00:00Z", "20261120T150000Z", "2026-W47-5T15:00:00Z"],
)
def test_zendesks_time_without_a_zone_or_sense_is_malformed(stamp: str) -> None:
    assert why_not(zendesk().with_header("x-zendesk-webhook-signature-timestamp", stamp), a_source("zendesk")) == "header_malformed"


@pytest.mark.parametrize("stamp", ["2026-11-20T15:00:00.123456789Z", "2026-11-20T16:00:00+01:00"])
def test_zendesks_time_may_have_parts_of_a_second_and_another_zone(stamp: str) -> None:
    body, key = b"{}", TEXT_SECRET.encode()
    told = base64.b64encode(hmac.digest(key, stamp.encode() + body, "sha256")).decode()
    sent = Sent(a_source("zendesk"), body, {"X-Zendesk-Webhook-Signature": told, "X-Zendesk-Webhook-Signature-Timestamp": stamp})

    assert why_not(sent.posted, sent.source) is None


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ("https://hooks.example.com:443", "https://hooks.example.com"),
        ("https://hooks.example.com", "https://hooks.example.com:443"),
        ("https://hooks.example.com", "https://hooks.example.com:8443"),
        ("https://hooks.example.com:8443", "https://hooks.example.com:8443"),
        ("http://hooks.example.com:80", "http://hooks.example.com"),
        ("https://joe:p%40ss@hooks.example.com", "https://joe:p%40ss@hooks.example.com"),
        ("https://hooks.example.com/behind/a/proxy", "https://hooks.example.com/behind/a/proxy"),
    ],
)
def test_twilio_is_believed_with_its_port_or_without(told: str, ours: str) -> None:
    assert why_not(twilio_form(base=told).posted, a_source("twilio", public_url=ours)) is None


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ("http://hooks.example.com", "https://hooks.example.com"),
        ("https://hooks.example.com:8443", "https://hooks.example.com"),
        ("https://hooks.example.com/", "https://hooks.example.com"),
        ("https://hooks.example.com", "https://joe:pass@hooks.example.com"),
    ],
)
def test_twilio_is_not_believed_under_an_address_it_was_not_told(told: str, ours: str) -> None:
    assert why_not(twilio_form(base=told).posted, a_source("twilio", public_url=ours)) == "signature"


@pytest.mark.parametrize("query", ["a=b+c&d=%27", "a=b+c&d='", "empty=", "a=1&a=2"])
def test_twilios_query_is_signed_as_it_is_written(query: str) -> None:
    sent = twilio_form(query=query)

    assert why_not(sent.posted, sent.source) is None


def test_of_a_repeated_field_twilio_signs_each_value_once() -> None:
    sent = twilio_form(form=[*FORM, ("Tag", "a"), ("Tag", "b")])

    assert why_not(sent.posted, sent.source) is None


def test_json_from_twilio_without_the_hash_of_its_body_is_refused() -> None:
    """The address alone may be signed rightly: that says nothing of the body."""
    sent = replace(twilio_json(), query="")
    told = RequestValidator(TEXT_SECRET).compute_signature(f"{BASE}{sent.path}", {})

    assert why_not(sent.with_header("x-twilio-signature", told), sent.source) == "signature"


@pytest.mark.parametrize("body", [b"=", b"&&&", b"=&=", b"{}", b"[]"])
def test_a_body_that_adds_nothing_to_what_twilio_signed_is_refused(body: bytes) -> None:
    sent = replace(twilio_json(), body=body, query="")
    told = RequestValidator(TEXT_SECRET).compute_signature(f"{BASE}{sent.path}", {})

    assert why_not(sent.with_header("x-twilio-signature", told), sent.source) in {"body_hash", "signature"}


def test_a_hash_of_the_body_that_is_given_twice_is_refused() -> None:
    sent = twilio_json()

    assert why_not(replace(sent.posted, query=f"{sent.query}&{sent.query}"), sent.source) == "malformed"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (f"key={SHARED_KEY},algorithm=HMAC_SHA512", "header_malformed"),
        (f"key={SHARED_KEY}", "header_malformed"),
        ("algorithm=HMAC_SHA256", "unknown_key"),
        ("key=another,algorithm=HMAC_SHA256", "unknown_key"),
        (f"key={SHARED_KEY},algorithm=HMAC_SHA1", "signature"),
        (f"algorithm=HMAC_SHA256, key={SHARED_KEY}", None),
    ],
)
def test_a_shared_key_is_the_one_that_is_named(settings: str, said: str | None) -> None:
    sent = twilio_shared_key()

    assert why_not(sent.with_header("x-twilio-webhooks-signature-settings", settings), sent.source) == said


def test_of_many_signatures_one_is_enough_and_unknown_versions_are_passed_over() -> None:
    sent = standard()
    right = sent.headers["webhook-signature"]

    assert why_not(sent.with_header("webhook-signature", f"v2,abc v1,AAAA v1a,!! {right}"), sent.source) is None
    for wrong in ("v2,abc", "v1,", right.replace("v1,", "v1a,"), right.removeprefix("v1,"), right.replace("v1,", "V1,")):
        assert why_not(sent.with_header("webhook-signature", wrong), sent.source) == "signature"


@pytest.mark.parametrize("secret", [STANDARD_SECRET.removeprefix("whsec_"), STANDARD_SECRET.rstrip("="), STANDARD_SECRET])
def test_a_standard_secret_is_read_with_or_without_prefix_and_padding(secret: str) -> None:
    assert why_not(standard().posted, a_source("native", check="standard", secrets=[PUBLIC_KEY, secret])) is None


def test_a_public_key_signs_nothing_by_hmac() -> None:
    """Everybody has it."""
    forged = standard(a_source("native", check="standard", secrets=[PUBLIC_KEY.replace("whpk_", "whsec_")]))

    assert why_not(forged.posted, a_source("native", check="standard", secrets=[PUBLIC_KEY])) == "signature"


def test_zendesks_test_secret_is_believed_only_where_the_settings_say_so() -> None:
    sent = zendesk(secret=ZENDESK_TESTS)

    assert why_not(sent.posted, a_source("zendesk")) == "signature"
    assert why_not(sent.posted, a_source("zendesk", test_requests=True)) is None


@pytest.mark.parametrize("sign", [chatwoot, ringcentral])
def test_what_is_unsigned_passes_only_where_allowed_and_a_wrong_signature_never(sign: signing.Signer) -> None:
    sent = sign()
    open_to_it = sent.source.model_copy(update={"unsigned_allowed": True})
    header = next(iter(sent.posted.headers))

    assert why_not(sent.with_header(header), sent.source) == "header_missing"
    assert why_not(sent.with_header(header), open_to_it) is None
    assert why_not(sent.with_header(header, "sha256=00"), open_to_it) == "signature"
    assert why_not(sent.with_header(header, ""), open_to_it) == "header_malformed"

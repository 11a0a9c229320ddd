"""Standard Webhooks signatures, both ways."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from shared.runtime.webhooks import WebhookSecretInvalid, signed, verify

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
BODY = b'{"a":1}'


def test_the_signature_is_the_standards() -> None:
    headers = signed(SECRET, "msg_1", at=AT, body=BODY)
    text = f"msg_1.{int(AT.timestamp())}.".encode() + BODY
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()


def test_what_we_sign_verifies_also_with_an_older_secret_beside() -> None:
    assert verify([OTHER, SECRET], signed(SECRET, "msg_1", at=AT, body=BODY), body=BODY, at=AT)


def test_any_of_several_signatures_is_enough() -> None:
    headers = signed(SECRET, "msg_1", at=AT, body=BODY)
    headers["webhook-signature"] = "v1a,xyz v1,AAAA " + headers["webhook-signature"]
    assert verify([SECRET], headers, body=BODY, at=AT)


@pytest.mark.parametrize("off", [timedelta(seconds=301), timedelta(seconds=-301)])
def test_an_old_or_early_signature_is_refused(off: timedelta) -> None:
    assert not verify([SECRET], signed(SECRET, "msg_1", at=AT, body=BODY), body=BODY, at=AT + off)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-id": "msg.1"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "-1772463600"},
        {"webhook-timestamp": " 1772463600"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
    ],
)
def test_a_changed_or_odd_header_is_refused(change: dict[str, str]) -> None:
    assert not verify([SECRET], {**signed(SECRET, "msg_1", at=AT, body=BODY), **change}, body=BODY, at=AT)


def test_another_body_or_no_secret_is_refused() -> None:
    headers = signed(SECRET, "msg_1", at=AT, body=BODY)
    assert not verify([SECRET], headers, body=BODY + b" ", at=AT)
    assert not verify([], headers, body=BODY, at=AT)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!"])
def test_a_secret_that_is_none_fails_at_once(secret: str) -> None:
    with pytest.raises(WebhookSecretInvalid):
        signed(secret, "msg_1", at=AT, body=BODY)

"""Standard Webhooks signatures on what we send; who checks others' is ingest."""

import base64
from datetime import UTC, datetime

import pytest
import standardwebhooks

from shared.runtime.webhooks import WebhookSecretInvalid, signed, webhook_key

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
BODY = b'{"a":1}'


def test_the_signature_is_that_of_the_standards_own_library() -> None:
    headers = signed(SECRET, "msg_1", at=AT, body=BODY)

    assert headers["webhook-signature"] == standardwebhooks.Webhook(SECRET).sign("msg_1", AT, BODY.decode())
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_1", str(int(AT.timestamp())))


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_"), SECRET.rstrip("=")])
def test_a_secret_is_read_with_or_without_prefix_and_padding(secret: str) -> None:
    assert webhook_key(secret) == KEY


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!"])
def test_a_secret_that_is_none_fails_at_once(secret: str) -> None:
    with pytest.raises(WebhookSecretInvalid):
        signed(secret, "msg_1", at=AT, body=BODY)

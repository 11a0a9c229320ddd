"""Standard Webhooks: the signature on what we send, and the keys that others' are checked with."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from shared.runtime.errors import AftercallError


class WebhookSecretInvalid(AftercallError):
    def __init__(self) -> None:
        super().__init__("A webhook secret is whsec_ and the base64 of 24 to 64 bytes")


def webhook_key(secret: str) -> bytes:
    """The key in a Standard Webhooks secret, with or without its prefix and padding."""
    text = secret.removeprefix("whsec_").rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise WebhookSecretInvalid from None
    if not 24 <= len(key) <= 64:
        raise WebhookSecretInvalid
    return key


def signed(secret: str, message_id: str, *, at: datetime, body: bytes) -> dict[str, str]:
    """Standard Webhooks headers of one attempt: retries keep the id and carry a new `at`."""
    stamp = str(int(at.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + signature(webhook_key(secret), message_id.encode(), stamp.encode(), body),
    }


def signature(key: bytes, *signed_parts: bytes) -> str:
    """What stands behind `v1,`: the parts are id, timestamp and body."""
    return base64.b64encode(hmac.digest(key, b".".join(signed_parts), hashlib.sha256)).decode()

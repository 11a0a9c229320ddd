"""Standard Webhooks: the signature on what we send, and the check of what others signed that way."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from shared.runtime.errors import AftercallError

WINDOW_S: Final = 300


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
        "webhook-signature": "v1," + _signature(webhook_key(secret), message_id.encode(), stamp.encode(), body),
    }


def verify(secrets: Iterable[str], headers: Mapping[str, str], *, body: bytes, at: datetime) -> bool:
    """Is one of the signatures of one of our secrets, within 300 s of `at`? `headers` have lower-case names."""
    message_id, stamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if (
        not message_id
        or "." in message_id
        or not (stamp.isascii() and stamp.isdigit())
        or len(stamp) > 12
        or abs(at.timestamp() - int(stamp)) > WINDOW_S
    ):
        return False
    offered = [each[3:].encode() for each in given.split(" ") if each.startswith("v1,")]
    wanted = [_signature(webhook_key(secret), message_id.encode(), stamp.encode(), body).encode() for secret in secrets]
    return any(hmac.compare_digest(one, other) for one in wanted for other in offered)


def _signature(key: bytes, *signed_parts: bytes) -> str:
    return base64.b64encode(hmac.digest(key, b".".join(signed_parts), hashlib.sha256)).decode()

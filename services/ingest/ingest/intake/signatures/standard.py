"""Standard Webhooks: `id.timestamp.body`, by HMAC-SHA256 (`v1`, whsec_…) or ed25519 (`v1a`, whpk_…)."""

import base64
import hmac
from collections.abc import Iterator
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ingest.intake.signatures.posted import Posted, Untrusted, canonical_base64, check_window, seconds_in
from ingest.intake.signatures.source import Source
from shared.runtime.webhooks import signature, webhook_key

PUBLIC = "whpk_"


def check(posted: Posted, source: Source, at: datetime) -> None:
    """Any one of the signatures offered, by any one of the keys; versions we do not know are passed over."""
    message, stamp, offered = (posted.header(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    signed = seconds_in(stamp)
    if "." in message:
        raise Untrusted("header_malformed")
    parts = (message.encode(), stamp.encode(), posted.body)
    if not any(_is_by(secret, parts, offered.split(" ")) for secret in source.secrets):
        raise Untrusted("signature")
    check_window(signed, at)


def public_key(written: str) -> Ed25519PublicKey:
    """Raises ValueError where it is not whpk_ and the base64 of 32 bytes."""
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(written.removeprefix(PUBLIC), validate=True))


def _is_by(secret: str, parts: tuple[bytes, ...], offered: list[str]) -> bool:
    if secret.startswith(PUBLIC):
        return any(_is_ed25519(secret, b".".join(parts), each) for each in _of_version("v1a,", offered))
    expected = signature(webhook_key(secret), *parts)
    return any(hmac.compare_digest(each.encode(), expected.encode()) for each in _of_version("v1,", offered))


def _of_version(version: str, offered: list[str]) -> Iterator[str]:
    return (each.removeprefix(version) for each in offered if each.startswith(version))


def _is_ed25519(secret: str, signed: bytes, given: str) -> bool:
    try:
        public_key(secret).verify(canonical_base64(given), signed)
    except (Untrusted, InvalidSignature):
        return False
    return True

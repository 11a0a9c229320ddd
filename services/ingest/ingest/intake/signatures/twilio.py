"""Twilio: forms and JSON, by the account's token or a shared key."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from ingest.intake.signatures.posted import Posted, Untrusted
from ingest.intake.signatures.source import Source
from shared.twilio import is_signed

SIGNATURE, SETTINGS = "x-twilio-signature", "x-twilio-webhooks-signature-settings"
BODY_HASH = "bodySHA256"
_ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


def check(posted: Posted, source: Source, at: datetime) -> None:  # noqa: ARG001  # nothing of Twilio's is timed
    """Of a form the fields are signed. Of JSON only the address is, and the address holds the hash of the body."""
    given = posted.header(SIGNATURE)
    keys, algorithm = _keys(posted, source)
    hashed = _body_hash(posted)
    fields = posted.fields() if hashed is None else []
    if hashed is None and posted.body and not any(name for name, _ in fields):
        raise Untrusted("body_hash")  # bytes that no signature covers
    if not is_signed([given], posted.url(source.public_url or ""), fields, secrets=keys, algorithm=algorithm):
        raise Untrusted("signature")
    if hashed is not None and not hmac.compare_digest(hashed.encode(), hashlib.sha256(posted.body).hexdigest().encode()):
        raise Untrusted("body_hash")


def _body_hash(posted: Posted) -> str | None:
    """The hash in the address; None where the body is a form. Raises `Untrusted` for several."""
    found = [value for name, value in parse_qsl(posted.query, keep_blank_values=True) if name == BODY_HASH]
    if len(found) > 1:
        raise Untrusted("malformed")
    return found[0] if found else None


def _keys(posted: Posted, source: Source) -> tuple[Sequence[str], str]:
    """With the settings' header the shared key it names, without it the account's token."""
    if not posted.has(SETTINGS):
        return source.secrets, "sha1"
    parts = dict(part.strip().partition("=")[::2] for part in posted.header(SETTINGS).split(","))
    algorithm, key = _ALGORITHMS.get(parts.get("algorithm", "")), source.shared_keys.get(parts.get("key", ""))
    if algorithm is None:
        raise Untrusted("header_malformed")
    if key is None:
        raise Untrusted("unknown_key")
    return [key], algorithm

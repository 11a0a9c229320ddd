"""Zendesk: HMAC-SHA256 in base64 over time and body with nothing between, the time in RFC 3339."""

import base64
import hmac
import re
from datetime import datetime

from ingest.intake.signatures.posted import Posted, Untrusted, check_equal, check_window
from ingest.intake.signatures.source import ZENDESK_TESTS, Source

HEADER = "x-zendesk-webhook-signature"
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
"""Of the many forms of ISO 8601 this one alone."""


def check(posted: Posted, source: Source, at: datetime) -> None:
    given, stamp = posted.header(HEADER), posted.header(f"{HEADER}-timestamp")
    signed = _moment(stamp)
    secrets = [*source.secrets, *([ZENDESK_TESTS] if source.test_requests else [])]
    check_equal(given, [_signature(secret, stamp.encode() + posted.body) for secret in secrets])
    check_window(signed.timestamp(), at)


def _signature(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


def _moment(stamp: str) -> datetime:
    if not _RFC_3339.fullmatch(stamp):
        raise Untrusted("header_malformed")
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        raise Untrusted("header_malformed") from None

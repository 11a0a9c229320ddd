"""Chatwoot from 4.11.2: `sha256=` and HMAC-SHA256 in hex over `timestamp.body`. Older ones sign nothing."""

import hmac
from datetime import datetime

from ingest.intake.signatures.posted import Posted, check_equal, check_window, seconds_in
from ingest.intake.signatures.source import Source

HEADER = "x-chatwoot-signature"


def check(posted: Posted, source: Source, at: datetime) -> None:
    given, stamp = posted.header(HEADER), posted.header("x-chatwoot-timestamp")
    signed = seconds_in(stamp)
    text = stamp.encode() + b"." + posted.body
    check_equal(given, [f"sha256={hmac.digest(secret.encode(), text, 'sha256').hex()}" for secret in source.secrets])
    check_window(signed, at)

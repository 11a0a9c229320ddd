"""Slack, and who signs like it: `v0=` and HMAC-SHA256 in hex over `v0:timestamp:body`."""

import hmac
from datetime import datetime

from ingest.intake.signatures.posted import Posted, check_equal, check_window, seconds_in
from ingest.intake.signatures.source import Source

HEADER = "x-slack-signature"


def check(posted: Posted, source: Source, at: datetime) -> None:
    given, stamp = posted.header(HEADER), posted.header("x-slack-request-timestamp")
    signed = seconds_in(stamp)
    text = b"v0:" + stamp.encode() + b":" + posted.body
    check_equal(given, [f"v0={hmac.digest(secret.encode(), text, 'sha256').hex()}" for secret in source.secrets])
    check_window(signed, at)

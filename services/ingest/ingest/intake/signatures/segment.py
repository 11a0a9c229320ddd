"""Segment: HMAC-SHA1 in bare hex over the body as it was sent. Nothing is timed."""

import hmac
from datetime import datetime

from ingest.intake.signatures.posted import Posted, check_equal
from ingest.intake.signatures.source import Source

HEADER = "x-signature"


def check(posted: Posted, source: Source, at: datetime) -> None:  # noqa: ARG001  # see above
    given = posted.header(HEADER)
    check_equal(given, [hmac.digest(secret.encode(), posted.body, "sha1").hex() for secret in source.secrets])

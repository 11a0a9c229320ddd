"""Intercom: `sha1=` and HMAC-SHA1 in hex over the body, by the app's client secret. Nothing is timed; `ping` is signed like the rest."""

import hmac
from datetime import datetime

from ingest.intake.signatures.posted import Posted, check_equal
from ingest.intake.signatures.source import Source

HEADER = "x-hub-signature"


def check(posted: Posted, source: Source, at: datetime) -> None:  # noqa: ARG001  # see above
    given = posted.header(HEADER)
    check_equal(given, [f"sha1={hmac.digest(secret.encode(), posted.body, 'sha1').hex()}" for secret in source.secrets])

"""RingCentral signs nothing: it repeats the token that the subscription was made with. TLS and a path that nobody guesses do the rest."""

from datetime import datetime

from ingest.intake.signatures.posted import Posted, check_equal
from ingest.intake.signatures.source import Source

HEADER = "verification-token"
HANDSHAKE = "validation-token"
"""A request with it wants it back, within 3 s, before anything is sent."""


def check(posted: Posted, source: Source, at: datetime) -> None:  # noqa: ARG001  # see above
    check_equal(posted.header(HEADER), source.secrets)
